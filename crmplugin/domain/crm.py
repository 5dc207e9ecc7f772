"""What a CRM knows, as frozen records in our words. `domain/records.py` reads and writes them; nothing here computes.

Every field but `id` may be absent: None means "the CRM does not say", never zero and never no. Names and meanings
are those of the records format `crmplugin-records/1`. Money is a Decimal beside its currency (ISO 4217). A `datetime`
is an instant with a zone; a `date` belongs to the zone of the document's owner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a field that holds the id of a record in another collection."""

    collection: str


@dataclass(frozen=True, slots=True)
class Open:
    """Marks a word list that CRMs extend: other values are kept and treated as unknown."""

    values: tuple[str, ...]


Money = Annotated[Decimal, "money"]
Number = Annotated[Decimal, "number"]
CompanyId = Annotated[str, Ref("companies")]
ContactId = Annotated[str, Ref("contacts")]
DealId = Annotated[str, Ref("deals")]
ProductId = Annotated[str, Ref("products")]
TicketId = Annotated[str, Ref("tickets")]
UserId = Annotated[str, Ref("users")]

Role = Literal["rep", "manager", "director", "marketing", "admin"]
StageKind = Literal["new", "qualified", "proposal", "negotiation", "closing", "won", "lost"]
Channel = Literal["email", "phone", "sms", "social"]


@dataclass(frozen=True, slots=True)
class Seller:
    """Our own company: one per connection."""

    name: str | None = None
    legal_name: str | None = None
    postal_address: str | None = None
    website: str | None = None
    country: str | None = None
    timezone: str | None = None
    currency: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    title: str | None = None
    role: Role | None = None
    timezone: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    id: str
    name: str | None = None
    aliases: tuple[str, ...] = ()
    domain: str | None = None
    industry: str | None = None
    employees: Number | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    postal_address: str | None = None
    timezone: str | None = None
    language: str | None = None
    currency: str | None = None
    owner_id: UserId | None = None
    customer_since: date | None = None
    legal_hold: str | None = None


@dataclass(frozen=True, slots=True)
class Consent:
    """Permission for one channel; no entry means unknown."""

    state: Literal["granted", "withdrawn", "unknown"] | None = None
    basis: Annotated[str, Open(("consent", "soft_opt_in", "contract"))] | None = None
    at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    id: str
    company_id: CompanyId | None = None
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    postal_address: str | None = None
    title: str | None = None
    role: Annotated[str, Open(("champion", "economic_buyer", "user"))] | None = None
    lifecycle: Literal["lead", "prospect", "customer"] | None = None
    source: str | None = None
    language: str | None = None
    country: str | None = None
    timezone: str | None = None
    status: Literal["active", "left", "bounced", "inactive"] | None = None
    created_at: datetime | None = None
    left_at: datetime | None = None
    legal_hold: str | None = None
    consent: Mapping[Channel, Consent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feature:
    feature: str | None = None
    advantage: str | None = None
    benefit: str | None = None
    need_tags: tuple[str, ...] = ()
    proof_ids: tuple[str, ...] = ()
    language: str | None = None
    """Of these words, when it is not that of the rest of the catalogue (ISO 639-1)."""


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    name: str | None = None
    sku: str | None = None
    aliases: tuple[str, ...] = ()
    category: str | None = None
    unit: str | None = None
    list_price: Money | None = None
    currency: str | None = None
    valid_from: date | None = None
    cost: Money | None = None
    active: bool | None = None
    durable: bool | None = None
    regions: tuple[str, ...] = ()
    lead_time: str | None = None
    stock: Number | None = None
    description: str | None = None
    features: tuple[Feature, ...] = ()
    compatible_with: tuple[ProductId, ...] = ()
    substitutes: tuple[ProductId, ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """A price for one company, or for all when `company_id` is absent, from a quantity on, between two days."""

    id: str
    product_id: ProductId | None = None
    company_id: CompanyId | None = None
    min_quantity: Number | None = None
    unit_price: Money | None = None
    currency: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    id: str
    text: str | None = None
    product_ids: tuple[ProductId, ...] = ()
    segment_id: Annotated[str, Ref("segments")] | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """One possible sale. `closed_at` with a later `reopened_at` means open again."""

    id: str
    name: str | None = None
    company_id: CompanyId | None = None
    contact_ids: tuple[ContactId, ...] = ()
    primary_contact_id: ContactId | None = None
    owner_id: UserId | None = None
    pipeline: str | None = None
    stage: str | None = None
    stage_kind: StageKind | None = None
    status: Literal["open", "won", "lost"] | None = None
    created_at: datetime | None = None
    closed_at: datetime | None = None
    close_date: date | None = None
    reopened_at: datetime | None = None
    lost_reason: str | None = None
    amount: Money | None = None
    currency: str | None = None
    amount_base: Money | None = None
    base_currency: str | None = None
    base_rate: Number | None = None
    base_rate_on: date | None = None
    list_amount: Money | None = None
    cost_amount: Money | None = None
    discount_pct: Number | None = None
    target_discount_pct: Number | None = None
    probability: Number | None = None
    next_step: str | None = None
    next_step_due: date | None = None
    competitors: tuple[str, ...] = ()
    product_ids: tuple[ProductId, ...] = ()


@dataclass(frozen=True, slots=True)
class StageChange:
    id: str
    deal_id: DealId | None = None
    from_: str | None = field(default=None, metadata={"key": "from"})
    to: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LineItem:
    id: str
    deal_id: DealId | None = None
    product_id: ProductId | None = None
    description: str | None = None
    quantity: Number | None = None
    unit_price: Money | None = None
    discount_pct: Number | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class QuoteLine:
    id: str | None = None
    product_id: ProductId | None = None
    description: str | None = None
    quantity: Number | None = None
    unit_price: Money | None = None
    discount_pct: Number | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    id: str
    number: str | None = None
    deal_id: DealId | None = None
    version: Number | None = None
    status: Literal["draft", "sent", "accepted", "declined"] | None = None
    sent_at: datetime | None = None
    valid_until: date | None = None
    timezone: str | None = None
    currency: str | None = None
    discount_pct: Number | None = None
    total: Money | None = None
    freight: Money | None = None
    lines: tuple[QuoteLine, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A return is a negative quantity."""

    id: str | None = None
    product_id: ProductId | None = None
    quantity: Number | None = None
    unit_price: Money | None = None
    discount_pct: Number | None = None


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    number: str | None = None
    company_id: CompanyId | None = None
    contact_id: ContactId | None = None
    deal_id: DealId | None = None
    ordered_at: datetime | None = None
    delivered_at: datetime | None = None
    currency: str | None = None
    total: Money | None = None
    amount_base: Money | None = None
    base_currency: str | None = None
    base_rate: Number | None = None
    base_rate_on: date | None = None
    freight: Money | None = None
    paid_at: datetime | None = None
    due_at: datetime | None = None
    lines: tuple[OrderLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    id: str
    company_id: CompanyId | None = None
    name: str | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    notice_days: Number | None = None
    currency: str | None = None
    yearly_amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    id: str
    type: (
        Literal["email", "call", "meeting", "visit", "note", "task", "chat", "form", "sms", "social", "letter"] | None
    ) = None
    direction: Literal["inbound", "outbound", "internal"] | None = None
    at: datetime | None = None
    ends_at: datetime | None = None
    deal_id: DealId | None = None
    company_id: CompanyId | None = None
    ticket_id: TicketId | None = None
    contact_ids: tuple[ContactId, ...] = ()
    user_id: UserId | None = None
    subject: str | None = None
    body: str | None = None
    thread_id: str | None = None
    automatic: bool | None = None
    bounced: bool | None = None
    due_at: datetime | None = None
    due_on: date | None = None
    owner_side: Literal["us", "them"] | None = None
    done_at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str
    number: str | None = None
    company_id: CompanyId | None = None
    contact_id: ContactId | None = None
    product_id: ProductId | None = None
    channel: str | None = None
    subject: str | None = None
    body: str | None = None
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    status: Literal["open", "pending", "resolved", "closed"] | None = None
    tags: tuple[str, ...] = ()
    opened_at: datetime | None = None
    resolved_at: datetime | None = None
    confirmed_at: datetime | None = None
    sla_breached: bool | None = None
    owner_name: str | None = None
    next_update_at: datetime | None = None
    timezone: str | None = None
    csat: Number | None = None


@dataclass(frozen=True, slots=True)
class Article:
    id: str
    title: str | None = None
    body: str | None = None
    language: str | None = None
    product_ids: tuple[ProductId, ...] = ()
    updated_at: datetime | None = None
    public: bool | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence the owner approved for customers, with what proves it, until a day."""

    id: str
    text: str | None = None
    proof: str | None = None
    product_ids: tuple[ProductId, ...] = ()
    valid_until: date | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time (or, for `answer_by`, a day `on`) that our side may promise."""

    id: str
    kind: Literal["meeting", "visit", "call", "answer_by"] | None = None
    user_id: UserId | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class FxRate:
    id: str
    from_: str | None = field(default=None, metadata={"key": "from"})
    to: str | None = None
    rate: Number | None = None
    on: date | None = None
    source: str | None = None
    approved: bool | None = None


@dataclass(frozen=True, slots=True)
class Spend:
    currency: str | None = None
    min: Money | None = None
    max: Money | None = None


@dataclass(frozen=True, slots=True)
class Exclude:
    open_deal_stage: tuple[StageKind, ...] = ()
    sell_hold: bool | None = None
    opted_out: bool | None = None
    competitor: bool | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """The predicate of a segment; every given part must hold."""

    rfm: tuple[str, ...] = ()
    lapsed_days: Number | None = None
    owns: tuple[ProductId, ...] = ()
    lacks_complement_of: ProductId | None = None
    industry: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    spend: Spend | None = None
    exclude: Exclude | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    id: str
    name: str | None = None
    where: Where | None = None


@dataclass(frozen=True, slots=True)
class Band:
    role: Role | None = None
    max_pct: Number | None = None


@dataclass(frozen=True, slots=True)
class Trade:
    id: str | None = None
    text: str | None = None
    value: Money | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    id: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class TermsDays:
    standard: Number | None = None
    allowed: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class ActionWeight:
    """What a step is assumed to bring: percentage points of the chance of winning, and what it costs us to take it.
    The cost is in the seller's currency."""

    key: Literal["quote_ends", "quote_ended", "recap", "nudge", "replenish", "their_step"] | None = None
    gain_pct: Number | None = None
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's rules for prices and terms: internal, never told to a customer. Percentages are 0 to 100."""

    floor_margin_pct: Number | None = None
    bands: tuple[Band, ...] = ()
    stackable: bool | None = None
    max_validity_days: Number | None = None
    capital_cost_pct: Number | None = None
    base_renewal_pct: Number | None = None
    terms_days: TermsDays | None = None
    trades: tuple[Trade, ...] = ()
    clauses: tuple[Clause, ...] = ()
    actions: tuple[ActionWeight, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    use: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Voice:
    """The house style: how a language addresses people, words to use and to avoid."""

    address: Mapping[str, Literal["formal", "informal"]] = field(default_factory=dict)
    person: Literal["we", "I"] | None = None
    sliders: Mapping[str, Number] = field(default_factory=dict)
    max_exclaim: Number | None = None
    emoji: Literal["none", "few"] | None = None
    terms: Terms | None = None
    limits: Mapping[str, Number] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


COLLECTIONS: Mapping[str, type] = MappingProxyType(
    {
        "users": User,
        "companies": Company,
        "contacts": Contact,
        "products": Product,
        "prices": Price,
        "offers": Offer,
        "deals": Deal,
        "stage_changes": StageChange,
        "line_items": LineItem,
        "quotes": Quote,
        "orders": Order,
        "contracts": Contract,
        "activities": Activity,
        "tickets": Ticket,
        "articles": Article,
        "claims": Claim,
        "slots": Slot,
        "fx_rates": FxRate,
        "segments": Segment,
    }
)
"""Lists of the records format, by name."""

SINGLES: Mapping[str, type] = MappingProxyType({"seller": Seller, "policy": Policy, "voice": Voice})
"""Single objects of the records format: one per connection."""

OWNER_KNOWLEDGE = frozenset(
    {"seller", "policy", "voice", "claims", "articles", "slots", "fx_rates", "prices", "offers", "segments"}
)
"""What the owner may import for any connection; everything else of a CRM comes from the CRM."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a draft is about: one record of a connection."""

    type: Literal["deal", "company", "contact", "ticket", "activity"]
    id: str


@dataclass(frozen=True, slots=True)
class Context:
    """Everything read about one subject at one moment, from one connection.

    Lists hold the account's own records only, oldest first where they have a time. `products` are those that the
    account's records name, with their compatible and substitute products, and the catalogue of sellable products up to
    a bound. `namesakes` are contacts of any account that share a normalised address or number with a contact of this
    one (for gates; never for facts). `read_at` is when it was read; `changed_at` the newest change the CRM reports.
    """

    connection: str
    crm: str
    subject: Subject
    read_at: datetime
    seller: Seller = field(default_factory=Seller)
    policy: Policy | None = None
    voice: Voice = field(default_factory=Voice)
    company: Company | None = None
    deal: Deal | None = None
    contact: Contact | None = None
    ticket: Ticket | None = None
    activity: Activity | None = None
    users: tuple[User, ...] = ()
    contacts: tuple[Contact, ...] = ()
    deals: tuple[Deal, ...] = ()
    stage_changes: tuple[StageChange, ...] = ()
    line_items: tuple[LineItem, ...] = ()
    quotes: tuple[Quote, ...] = ()
    orders: tuple[Order, ...] = ()
    contracts: tuple[Contract, ...] = ()
    activities: tuple[Activity, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    products: tuple[Product, ...] = ()
    prices: tuple[Price, ...] = ()
    offers: tuple[Offer, ...] = ()
    articles: tuple[Article, ...] = ()
    claims: tuple[Claim, ...] = ()
    slots: tuple[Slot, ...] = ()
    fx_rates: tuple[FxRate, ...] = ()
    segments: tuple[Segment, ...] = ()
    namesakes: tuple[Contact, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    """Link into the CRM by `collection/id`; empty where the CRM has none."""
    imported_at: datetime | None = None
    changed_at: datetime | None = None
