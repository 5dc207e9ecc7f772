"""Segments (sales-craft §6.1): who a saved predicate means, who of them is left out and why, and who is left.

A segment is a predicate over accounts. `measure_account` turns an account's records into the few values that
predicates ask for, `match_accounts` finds those that fit, and `preview` counts what the gates take away from their
contacts. Nothing is added up over currencies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from crmplugin.analysis.association import associate
from crmplugin.analysis.rfm import Habit, Rfm, classify, read_habit
from crmplugin.domain.crm import Company, Contact, Deal, Exclude, Order, Segment, Where
from crmplugin.ports import Population

FEW = 10
"""With fewer left than this, drafts to each of them serve better than a campaign."""

GateOf = Callable[["Account", Contact], str | None]
"""The code of the first gate that forbids a campaign message to a contact, or None."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account in the values that predicates ask for. Days are of the zone it was measured in.

    owned: product id -> units bought less units returned, where some are left. open_stages: `stage_kind` of its open
    deals. A contact without a company is an account of its own, and then `company` is None.
    """

    id: str
    company: Company | None = None
    contacts: tuple[Contact, ...] = ()
    habit: Habit | None = None
    owned: Mapping[str, Decimal] = field(default_factory=dict)
    open_stages: frozenset[str] = frozenset()
    sell_hold: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """What a predicate must know beside the account: everybody's classes, what goes with what, who is a competitor."""

    population: Population
    classes: Mapping[str, Rfm]
    today: date
    seller_currency: str | None = None
    seller_language: str | None = None
    competitors: frozenset[str] = frozenset()
    """Names that deals give as competitors, in lower case."""
    listed: frozenset[str] | None = None
    """Ids of the contacts that are meant, when the segment is a list of the CRM."""


@dataclass(frozen=True, slots=True)
class Complement:
    """A product that owners of another one lack: `together` of `buyers` accounts that bought `owned` bought it too."""

    product_id: str
    owned: str
    together: int
    buyers: int


@dataclass(frozen=True, slots=True)
class Member:
    """One recipient that is left. `complements`: what they lack, when the segment asks for that; the best first."""

    account_id: str
    contact_id: str
    language: str | None
    currency: str | None
    complements: tuple[Complement, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """A recipient that a rule took away. `contact_id` is None when the whole account has nobody to write to."""

    account_id: str
    contact_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Who a segment means today. `accounts`: how many fit; `matched`: their contacts (an account without any counts 1).

    left and removed are in the order of their ids; the counts of `reasons` add up to `removed`.
    """

    accounts: int
    matched: int
    left: tuple[Member, ...]
    removed: tuple[Removed, ...]

    @property
    def reasons(self) -> Mapping[str, int]:
        return _counted(r.reason for r in self.removed)

    @property
    def by_language(self) -> Mapping[str, int]:
        return _counted(m.language or "unknown" for m in self.left)

    @property
    def by_currency(self) -> Mapping[str, int]:
        return _counted(m.currency or "unknown" for m in self.left)

    @property
    def advice(self) -> Literal["one_to_one"] | None:
        """Drafts to each recipient instead, when a campaign would reach too few."""
        return "one_to_one" if len(self.left) < FEW else None


def measure_account(
    id_: str,
    *,
    company: Company | None,
    contacts: Sequence[Contact],
    orders: Sequence[Order],
    open_deals: Iterable[Deal],
    sell_hold: bool,
    now: datetime,
) -> Account:
    """The account as predicates see it at `now`; orders later than that do not exist yet."""
    return Account(
        id=id_,
        company=company,
        contacts=tuple(sorted(contacts, key=lambda c: c.id)),
        habit=read_habit(id_, orders, now=now),
        owned=units_left(orders, now=now),
        open_stages=frozenset(d.stage_kind for d in open_deals if d.stage_kind),
        sell_hold=sell_hold,
    )


def units_left(orders: Iterable[Order], *, now: datetime) -> dict[str, Decimal]:
    """Product id -> units bought up to `now` less those given back, where some are left; no quantity counts as one."""
    units: dict[str, Decimal] = {}
    for order in orders:
        if order.ordered_at is not None and order.ordered_at <= now:
            for line in order.lines:
                if line.product_id:
                    units[line.product_id] = units.get(line.product_id, Decimal(0)) + (
                        Decimal(1) if line.quantity is None else line.quantity
                    )
    return {id_: n for id_, n in units.items() if n > 0}


def classes_of(accounts: Iterable[Account], *, today: date) -> dict[str, Rfm]:
    """The RFM class of every account that ever bought, among all accounts of the connection."""
    return classify([a.habit for a in accounts if a.habit], today=today)


def match_accounts(where: Where, accounts: Iterable[Account], market: Market) -> list[Account]:
    """The accounts for which every given part of the predicate holds, by id. Language is asked of contacts, later."""
    return sorted((a for a in accounts if _fits(where, a, market)), key=lambda a: a.id)


def preview(segment: Segment, accounts: Iterable[Account], market: Market, *, gate: GateOf) -> Preview:
    """Matched, removed by reason, left. A segment without a predicate means nobody."""
    where = segment.where
    found = [] if where is None else match_accounts(where, accounts, market)
    left: list[Member] = []
    removed: list[Removed] = []
    for account in found:
        assert where is not None
        people = [c for c in account.contacts if _is_meant(where, account, c, market)]
        if not account.contacts:
            removed.append(Removed(account.id, None, "no_contact"))
        reason = _account_reason(where.exclude or Exclude(), account, market)
        for contact in people:
            why = reason or gate(account, contact)
            if why:
                removed.append(Removed(account.id, contact.id, why))
            else:
                left.append(_member(where, account, contact, market))
    return Preview(len(found), len(left) + len(removed), tuple(left), tuple(removed))


def is_member(where: Where, account: Account, market: Market) -> bool:
    """Whether one account belongs to a segment, its exclusions taken away; who of its contacts is left aside."""
    return _fits(where, account, market) and _account_reason(where.exclude or Exclude(), account, market) is None


def language_of(account: Account, contact: Contact, market: Market) -> str | None:
    """The language a contact is written in: its own, else its company's, else ours; as two letters."""
    company = account.company.language if account.company else None
    spoken = contact.language or company or market.seller_language
    return spoken.replace("_", "-").split("-")[0].casefold() if spoken else None


def currency_of(account: Account, market: Market) -> str | None:
    """The currency an account buys in: its own, else the one of its orders when there is one only, else ours."""
    if account.company and account.company.currency:
        return account.company.currency
    spent = list(account.habit.spend) if account.habit else []
    return spent[0] if len(spent) == 1 else market.seller_currency


def lacking(account: Account, owned: str, population: Population) -> tuple[Complement, ...]:
    """What owners of a product claimably buy along with it and this account lacks; the firmest first."""
    found = []
    for other in population.bought_with.get(owned, {}):
        pair = associate(population, owned, other)
        if other not in account.owned and pair is not None and pair.claimable and pair.lift > 1:
            found.append((-pair.shrunk_lift, other, Complement(other, owned, pair.n_ij, pair.n_i)))
    return tuple(c for _, _, c in sorted(found, key=lambda row: row[:2]))


def _fits(where: Where, account: Account, market: Market) -> bool:
    company = account.company or Company(account.id)
    places = [company.region, company.country, *(c.country for c in account.contacts if account.company is None)]
    checks = (
        not where.rfm or _label(market.classes.get(account.id)) in {_plain(name) for name in where.rfm},
        where.lapsed_days is None or _idle_days(account, market.today) >= where.lapsed_days,
        not where.owns or any(id_ in account.owned for id_ in where.owns),
        where.lacks_complement_of is None or _lacks(account, where.lacks_complement_of, market),
        _one_of(where.industry, [company.industry]),
        _one_of(where.region, places),
        where.spend is None or _spent(where, account, market),
        (not where.language and market.listed is None)
        or any(_is_meant(where, account, c, market) for c in account.contacts),
    )
    return all(checks)


def _lacks(account: Account, product_id: str, market: Market) -> bool:
    return product_id in account.owned and bool(lacking(account, product_id, market.population))


def _spent(where: Where, account: Account, market: Market) -> bool:
    """Net spend of 24 months in one currency between both limits; nothing spent in it is 0."""
    spend = where.spend
    currency = spend.currency or market.seller_currency if spend else None
    if spend is None or currency is None:
        return False
    amount = account.habit.spend.get(currency, Decimal(0)) if account.habit else Decimal(0)
    return (spend.min is None or amount >= spend.min) and (spend.max is None or amount <= spend.max)


def _idle_days(account: Account, today: date) -> int:
    """Days since the last purchase; -1 for an account that never bought, which cannot have lapsed."""
    return (today - account.habit.last_on).days if account.habit else -1


def _is_meant(where: Where, account: Account, contact: Contact, market: Market) -> bool:
    """Whether a contact of an account is on the list, if there is one, and speaks a wanted language."""
    if market.listed is not None and contact.id not in market.listed:
        return False
    wanted = {_plain(name).split(" ")[0] for name in where.language}
    return not wanted or (language_of(account, contact, market) or "") in wanted


def _account_reason(exclude: Exclude, account: Account, market: Market) -> str | None:
    if set(exclude.open_deal_stage) & account.open_stages:
        return "open_deal_stage"
    if exclude.sell_hold and account.sell_hold:
        return "sell_hold"
    names = [account.company.name, *account.company.aliases] if account.company else []
    rival = exclude.competitor and any(name and name.casefold() in market.competitors for name in names)
    return "competitor" if rival else None


def _member(where: Where, account: Account, contact: Contact, market: Market) -> Member:
    asked = where.lacks_complement_of
    complements = lacking(account, asked, market.population) if asked else ()
    language, currency = language_of(account, contact, market), currency_of(account, market)
    return Member(account.id, contact.id, language, currency, complements)


def _label(rfm: Rfm | None) -> str:
    return _plain(rfm.label) if rfm else ""


def _one_of(wanted: Sequence[str], values: Iterable[str | None]) -> bool:
    return not wanted or bool({_plain(w) for w in wanted} & {_plain(v) for v in values if v})


def _plain(text: str) -> str:
    return text.strip().casefold().replace("_", " ").replace("-", " ")


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
