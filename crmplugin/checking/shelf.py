"""The facts of one check, laid out so that a token finds what may carry it: usable, hidden, withheld, quoted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from crmplugin.checking.fold import fold_text
from crmplugin.checking.names import TenantNames
from crmplugin.checking.stems import stems_of, things_in
from crmplugin.domain.brief import Brief
from crmplugin.domain.fact import Fact
from crmplugin.ports import Name

NUMERIC = frozenset({"money", "count", "percent", "duration", "quantity", "policy"})
NAMED = {"person": "contact", "org": "company", "product": "product", "doc_id": "document"}
PROSE = frozenset({"text", "claim", "status", "quote_text", "policy", "slot"})
_WORDING = 6
_MOST_DIGITS = 30
_LINE = re.compile(r"^(.*\.line[0-9]+)\.")


@dataclass(frozen=True, slots=True)
class Numeric:
    """A fact's number or range (low and high are equal for a number)."""

    fact: Fact
    low: Decimal
    high: Decimal

    @property
    def is_range(self) -> bool:
        return self.low != self.high


@dataclass(frozen=True, slots=True)
class Dated:
    """A fact's day in the reader's zone, and its instant if it has one."""

    fact: Fact
    day: date
    at: datetime | None = None


@dataclass
class Shelf:
    """Facts by what may be done with them.

    usable: may carry the text. hidden: internal, in customer text canaries. expired: over on the day of sending, and
    only to be named together with their document. quotes: untrusted, to be repeated as the customer's words only.
    """

    facts: Sequence[Fact]
    audience: str
    send_on: date
    zone: str
    language: str
    brief: Brief | None = None
    usable: list[Fact] = field(default_factory=list)
    hidden: list[Fact] = field(default_factory=list)
    expired: list[Fact] = field(default_factory=list)
    quotes: list[Fact] = field(default_factory=list)
    withheld: list[Fact] = field(default_factory=list)

    def __post_init__(self) -> None:
        for fact in self.facts:
            self._place(fact).append(fact)

    def _place(self, fact: Fact) -> list[Fact]:
        """Where a fact belongs; the first reason against it decides."""
        if self.audience != "internal":
            if fact.visibility != "customer":
                return self.hidden
            if fact.conflicts_with or not self._in_scope(fact):
                return self.withheld
            if fact.valid_until and fact.valid_until < self.send_on and fact.kind not in ("date", "doc_id", "status"):
                return self.expired
        return self.quotes if fact.trust == "untrusted" else self.usable

    def _in_scope(self, fact: Fact) -> bool:
        """Whether it may be told to this recipient; without a brief the facts were chosen for the reader already."""
        if not fact.contact_scope or self.brief is None:
            return True
        to = self.brief.recipient.contact_id if self.brief.recipient else None
        return to in fact.contact_scope

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        return {f.id: f for f in self.facts}

    @cached_property
    def usable_ids(self) -> frozenset[str]:
        return frozenset(f.id for f in (*self.usable, *self.quotes))

    @cached_property
    def records(self) -> frozenset[str]:
        """Ids of the records that usable facts come from."""
        own = {f.id.rsplit(".", 1)[0].split(".line")[0] for f in self.usable}
        return frozenset(own | {s.id for f in self.usable for s in f.source})

    @cached_property
    def numerics(self) -> list[Numeric]:
        return _numerics(self.usable)

    @cached_property
    def hidden_numerics(self) -> list[Numeric]:
        return _numerics(self.hidden)

    @cached_property
    def dated(self) -> list[Dated]:
        return list(_dated(self.usable, self.zone))

    @cached_property
    def hidden_dated(self) -> list[Dated]:
        return list(_dated(self.hidden, self.zone))

    @cached_property
    def prose(self) -> list[tuple[Fact, str]]:
        """Trusted facts with words in them, folded to lower case."""
        return [(f, _words(f)) for f in self.usable]

    def without_products(self, words: str) -> str:
        """Folded words without the names of products, whose digits measure nothing."""
        return self._numbered_products.sub(" ", words) if self._numbered_products else words

    @cached_property
    def _numbered_products(self) -> re.Pattern[str] | None:
        names = {fold_text(f.value).lower for f in self.facts if f.kind == "product" and any(map(str.isdigit, f.value))}
        longest = sorted(names, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)") if names else None

    @cached_property
    def quoted(self) -> list[tuple[Fact, str]]:
        return [(f, _words(f)) for f in self.quotes]

    @cached_property
    def wordings(self) -> list[tuple[Fact, str]]:
        """Displays and labels long enough to be told from chance, folded to lower case."""
        rows = [
            (f, fold_text(words).lower.strip()) for f in (*self.usable, *self.quotes) for words in {f.display, f.label}
        ]
        return [(f, words) for f, words in rows if len(words) >= _WORDING]

    @cached_property
    def currencies(self) -> frozenset[str]:
        return frozenset(f.unit for f in self.facts if f.kind == "money" and f.unit)

    @cached_property
    def names(self) -> TenantNames:
        """Names that stand in the facts and in the recipient's and sender's data; `record_id` is the fact's id."""
        return _index(tuple(self._own_names()))

    def _own_names(self) -> Iterable[Name]:
        for fact in self.facts:
            kind = NAMED.get(fact.kind)
            if kind:
                for text in dict.fromkeys((fact.value, fact.display)):
                    yield Name(kind, fact.id, None, text)
                yield from _parts(fact, self._given)
        yield from (Name("contact", "", None, text) for text in self.party_names if text)

    @cached_property
    def _given(self) -> dict[str, int]:
        """How many persons of the brief have each first or last name."""
        counts: dict[str, int] = {}
        persons = {f.value for f in self.facts if f.kind == "person"}
        for value in persons:
            for part in {value.split()[0], value.split()[-1]} if value.split() else ():
                counts[part] = counts.get(part, 0) + 1
        return counts

    @cached_property
    def party_names(self) -> tuple[str, ...]:
        """What the recipient, the sender and their companies are called."""
        if self.brief is None:
            return ()
        r, s = self.brief.recipient, self.brief.sender
        to = (r.display_name, r.first_name, r.last_name, r.company_name) if r else ()
        return tuple(n for n in (*to, s.name, s.company, s.legal_name) if n)

    @cached_property
    def contact_points(self) -> tuple[str, ...]:
        """Links, addresses and numbers of the sender that any text may show."""
        if self.brief is None:
            return ()
        s, r = self.brief.sender, self.brief.recipient
        rows = (s.email, s.phone, s.website, s.unsubscribe_url, r.address if r else None)
        return tuple(x for x in rows if x)

    @cached_property
    def known_stems(self) -> frozenset[str]:
        """Content stems of all facts that may be told as ours, and the things that they name in any language."""
        stems = frozenset().union(*(self.stems[f.id] for f in self.usable))
        return stems | things_in(stems)

    @cached_property
    def stems(self) -> dict[str, frozenset[str]]:
        """Content stems of each usable or quoted fact's label, value and display."""
        rows = ((f, "" if f.kind == "link" else f"{f.value} {f.display}") for f in (*self.usable, *self.quotes))
        return {f.id: stems_of(f"{f.label} {told}", self.language) for f, told in rows}


@lru_cache(maxsize=32)
def _index(names: tuple[Name, ...]) -> TenantNames:
    """The same facts are checked sentence by sentence while a text streams; their index is made once."""
    return TenantNames(names)


def _parts(fact: Fact, given: dict[str, int]) -> Iterable[Name]:
    """First and last name alone, while no other person of the brief has them."""
    words = fact.value.split()
    if fact.kind != "person" or len(words) < 2:
        return
    yield from (Name("contact", fact.id, None, w) for w in (words[0], words[-1]) if given.get(w) == 1 and len(w) > 1)


def _numerics(facts: Iterable[Fact]) -> list[Numeric]:
    found = []
    for fact in facts:
        if fact.kind in NUMERIC:
            low, _, high = fact.value.partition("..")
            try:
                numeric = Numeric(fact, Decimal(low), Decimal(high or low))
            except InvalidOperation:
                continue
            if numeric.low.is_finite() and numeric.high.is_finite() and abs(numeric.high.adjusted()) < _MOST_DIGITS:
                found.append(numeric)
    return found


def _dated(facts: Iterable[Fact], zone: str) -> Iterable[Dated]:
    for fact in facts:
        if fact.kind not in ("date", "datetime", "slot"):
            continue
        try:
            if len(fact.value) == 10:
                yield Dated(fact, date.fromisoformat(fact.value))
                continue
            at = datetime.fromisoformat(fact.value)
        except ValueError:
            continue
        local = at.astimezone(_zone(zone)) if at.tzinfo else at
        yield Dated(fact, local.date(), at)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def _words(fact: Fact) -> str:
    text = fact.value if fact.display == fact.value else f"{fact.value} \n {fact.display}"
    return fold_text(text).lower


def line_of(fact_id: str) -> str | None:
    """The line of a document that a fact belongs to: `Q-118.line2.quantity` gives `Q-118.line2`."""
    m = _LINE.match(fact_id)
    return m[1] if m else None


def record_of(fact_id: str) -> str:
    """The record that a fact belongs to; ids may hold points, so everything before the first field is kept."""
    line = line_of(fact_id)
    return (line or fact_id).rsplit(".", 1)[0]


Test = Callable[[Fact], bool]
