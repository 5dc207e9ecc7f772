"""A brief: what the history says about one subject today, and what should be written, before any word is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from crmplugin.domain.crm import Subject, Voice
from crmplugin.domain.fact import Fact
from crmplugin.domain.style import StyleSheet

Kind = Literal[
    "follow_up", "pitch", "negotiation_note", "meeting_brief", "summary", "qualification", "handoff_note",
    "service_reply", "help_answer", "social_reply", "insight_digest", "outline", "campaign_message",
]  # fmt: skip
INTERNAL_KINDS = frozenset(
    {"negotiation_note", "meeting_brief", "summary", "qualification", "handoff_note", "insight_digest", "outline"}
)
FollowUpType = Literal[
    "service_acknowledgement", "answer", "deliver_promise", "recap", "quote_follow_up", "nudge_their_step",
    "reintroduction", "renewal", "new_value", "break_up", "check_in", "replenishment", "win_back", "event",
    "stage_step", "relationship",
]  # fmt: skip
SERVICE_TYPES = frozenset({"service_acknowledgement", "answer", "deliver_promise", "recap"})
SERVICE_KINDS = frozenset({"service_reply", "help_answer"})
DraftChannel = Literal["email", "phone", "chat", "sms", "social", "letter", "note"]


def is_promotional(kind: str, type_: str | None) -> bool:
    """Whether a text of this kind and type needs the permissions of promotion (contract: all but service texts)."""
    return kind not in INTERNAL_KINDS and kind not in SERVICE_KINDS and type_ not in SERVICE_TYPES


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for; None means "decide"."""

    connection: str
    kind: Kind
    subject: Subject
    type: FollowUpType | None = None
    to_contact_id: str | None = None
    channel: DraftChannel | None = None
    language: str | None = None
    tone: str | None = None
    length: str | None = None
    instruction: str | None = None
    writer: Literal["auto", "model", "template"] = "auto"
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """A rule that forbids writing, with its reason in words and what may be done instead."""

    code: str
    reason: str
    alternatives: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a customer: `fact_id` is its quote_text fact, `<activity id>.question<n>`, n from 1."""

    activity_id: str
    n: int
    text: str
    contact_id: str | None
    at: datetime

    @property
    def fact_id(self) -> str:
        return f"{self.activity_id}.question{self.n}"


@dataclass(frozen=True, slots=True)
class Promise:
    """A step somebody owes. `stated` ones were read from text and need confirming words; others stand in a field."""

    side: Literal["us", "them"]
    text: str
    due: date | None
    source_id: str
    source_field: str
    stated: bool = False
    days_late: int = 0


@dataclass(frozen=True, slots=True)
class DueItem:
    """A product whose usual interval says it is time (replenishment): rho = days since last / expected gap."""

    product_id: str
    count: int
    first_on: date
    last_on: date
    days_since: int
    usual_gap_days: Decimal
    expected_gap_days: Decimal
    rho: Decimal
    state: Literal["early", "due", "overdue", "lapsed"]
    gap_claimable: bool
    method: Literal["gap", "cover"] = "gap"
    evidence: tuple[str, ...] = ()
    """Ids of the orders behind it, oldest first."""


@dataclass(frozen=True, slots=True)
class TicketState:
    """What the tickets of the account forbid today. `severe` is one that starts a sell hold."""

    hold: bool = False
    soft_hold: bool = False
    reason: str | None = None
    severe_ticket_id: str | None = None
    open_ticket_ids: tuple[str, ...] = ()
    release_on: date | None = None
    release_rule: str | None = None


@dataclass(frozen=True, slots=True)
class Signals:
    """What the history says today; each field's rule stands in the analysis that fills it.

    Days are calendar days in the recipient's zone unless the name says business days (`_bd`). None: cannot be known.
    """

    last_in: datetime | None = None
    last_in_id: str | None = None
    last_out: datetime | None = None
    last_out_id: str | None = None
    awaiting: Literal["us", "them", "nobody"] = "nobody"
    open_questions: tuple[Question, ...] = ()
    promises_us: tuple[Promise, ...] = ()
    promises_them: tuple[Promise, ...] = ()
    no_reply_count: int = 0
    gap_days_bd: int | None = None
    gap_reached: bool = False
    next_gap_on: date | None = None
    stage_since: datetime | None = None
    stage_age_days: int | None = None
    stage_age_ratio: Decimal | None = None
    stage_age_n: int = 0
    stage_state: Literal["normal", "watch", "slow", "stalled"] | None = None
    quote_id: str | None = None
    """The newest sent version of the deal's quote: "the quote"."""
    quote_days_left: int | None = None
    meeting_id: str | None = None
    """A meeting or visit that ended at most two business days ago with no recap since."""
    stakeholder_changes: tuple[Mapping[str, Any], ...] = ()
    multi_thread: int = 0
    ticket: TicketState = field(default_factory=TicketState)
    renewal_contract_id: str | None = None
    renewal_days: int | None = None
    delivered_order_id: str | None = None
    delivered_days: int | None = None
    due_items: tuple[DueItem, ...] = ()
    account_rho: Decimal | None = None
    p_alive: Decimal | None = None
    event: Mapping[str, Any] | None = None
    relationship: Mapping[str, Any] | None = None
    mood: Literal["angry", "worried", "neutral", "pleased"] | None = None
    mood_id: str | None = None
    """The message that sounds so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is written, and what. `code` names the gate, `nothing_due` or `missing_facts`."""

    outcome: Literal["draft", "blocked", "no_message"]
    code: str | None = None
    gates: tuple[Gate, ...] = ()
    reason: str | None = None
    alternatives: tuple[Mapping[str, Any], ...] = ()
    earliest: date | None = None


SentenceRole = Literal["subject", "greeting", "context", "claim", "ask", "close", "signature", "legal"]


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing to say: a key of the sentence bank, its role, and the facts that fill its slots.

    facts: slot name of the sentence -> fact id. `must` beats decide whether a draft exists at all; the others are
    dropped when their facts or their words are missing. `section` groups the lines of an internal note.
    """

    key: str
    role: SentenceRole
    facts: Mapping[str, str] = field(default_factory=dict)
    must: bool = False
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What the text is to do, decided by code: beats in order, what must be answered, limits in words.

    touch: number of this message in the series, from 1. forbid: kinds of value the text must not name.
    """

    kind: Kind
    channel: DraftChannel
    language: str
    type: str | None = None
    formal: bool = False
    beats: tuple[Beat, ...] = ()
    must_answer: tuple[str, ...] = ()
    ask: str | None = None
    words: tuple[int, int] = (40, 120)
    max_asks: int = 1
    forbid: tuple[str, ...] = ()
    touch: int = 1
    angle: str | None = None
    tone: str | None = None
    length: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person written to; `greeting` parts are raw fields, the writer's code makes the greeting line."""

    contact_id: str | None = None
    display_name: str | None = None
    address: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    country: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """The rep who signs and the company that stands behind it; missing parts are left out."""

    user_id: str | None = None
    name: str | None = None
    title: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    legal_name: str | None = None
    postal_address: str | None = None
    website: str | None = None
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class Warning:
    """A sentence for the rep that begins with what to do; `evidence` are fact ids or record ids."""

    code: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextTouch:
    on: date | None = None
    channel: str | None = None
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Figures to draw: the finding as title, points with typed values and labels, and the same as a table to read.

    key: discount_outcome, concession_ladder or purchase_rhythm. unit: of the values, a currency or %. The first row of
    the table holds its headings.
    """

    key: str
    title: str
    unit: str
    points: tuple[Mapping[str, Any], ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """Facts, gates, signals, decision and plan for one request at one moment. Pure data; the same inputs give the same.

    language is the output language (`de`), locale its rendering (`de_DE`), zone the recipient's (IANA name),
    send_on the planned day of sending in that zone. `facts` holds internal ones too: writers of customer text get
    `customer_facts()` only. `recent_texts` are our last two outbound texts to the contact (to avoid repeating them).
    """

    connection: str
    subject: Subject
    request: Request
    as_of: datetime
    language: str
    locale: str
    zone: str
    send_on: date
    decision: Decision
    signals: Signals
    plan: Plan | None = None
    facts: tuple[Fact, ...] = ()
    gates: tuple[Gate, ...] = ()
    warnings: tuple[Warning, ...] = ()
    missing_info: tuple[str, ...] = ()
    missing_questions: tuple[str, ...] = ()
    recipient: Recipient | None = None
    sender: Sender = field(default_factory=Sender)
    next_touch: NextTouch | None = None
    seller_country: str | None = None
    regime: str | None = None
    recent_texts: tuple[str, ...] = ()
    company_id: str | None = None
    deal_id: str | None = None
    voice: Voice = field(default_factory=Voice)
    """The house style as it stands in the store at this moment: a changed rule holds from the next draft."""
    style: StyleSheet | None = None
    """What the rep who signs likes, for this kind and language; wording only."""
    private: tuple[str, ...] = ()
    """Names, addresses and numbers of everybody around this account: masked before any model sees a word."""
    charts: tuple[Chart, ...] = ()

    @property
    def audience(self) -> Literal["customer", "internal"]:
        kind = self.plan.kind if self.plan else self.request.kind
        return "internal" if kind in INTERNAL_KINDS else "customer"

    def customer_facts(self) -> tuple[Fact, ...]:
        """Facts that may stand in customer text to this recipient: visible, unconflicted, in scope, not expired."""
        to = self.recipient.contact_id if self.recipient else None
        return tuple(
            f
            for f in self.facts
            if f.tellable
            and (not f.contact_scope or to in f.contact_scope)
            and (f.kind in ("date", "doc_id", "status") or f.valid_until is None or f.valid_until >= self.send_on)
        )

    def writable_facts(self) -> tuple[Fact, ...]:
        """What a writer of this brief may see: everything for an internal kind, customer facts otherwise."""
        return self.facts if self.audience == "internal" else self.customer_facts()
