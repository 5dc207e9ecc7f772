"""Leads in the order of the owner's own rules: what is asked for, what it counts, and why each stands where it does.

A rule looks at fields of the contact and of its company, nothing else; a trait that no rule names plays no part. Leads
are contacts without an open deal and without an order who are not customers; who may not be written to is marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from crmplugin.domain.crm import Company, Contact
from crmplugin.errors import UsageError

CONTACT_FIELDS = frozenset({"role", "title", "lifecycle", "source", "language", "country"})
COMPANY_FIELDS = frozenset({"industry", "employees", "country", "region", "city"})
FIELDS = frozenset({*(f"contact.{f}" for f in CONTACT_FIELDS), *(f"company.{f}" for f in COMPANY_FIELDS)})
"""What a rule may look at. Names, addresses, salutations and consents are no fit."""
REFERRAL = ("referral", "recommendation", "empfehlung", "recommandation", "recomendacion", "referido", "partner")
KEYS = frozenset({"id", "field", "any_of", "min", "max", "known", "points", "text"})


@dataclass(frozen=True, slots=True)
class FitRule:
    """One rule: a field and what it must be (any of these words, between two numbers, or known at all), and its points.

    Points may be negative. `text` is the reason in the owner's words.
    """

    id: str
    field: str
    points: Decimal
    any_of: tuple[str, ...] = ()
    least: Decimal | None = None
    most: Decimal | None = None
    known: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Lead:
    """A person who may become a customer, as rules see them. opted_out: channels they said no to."""

    contact: Contact
    company: Company | None = None
    opted_out: tuple[str, ...] = ()

    def value(self, name: str) -> Any:
        owner, _, attribute = name.partition(".")
        record = self.contact if owner == "contact" else self.company
        return getattr(record, attribute, None) if record else None


@dataclass(frozen=True, slots=True)
class Prospect:
    """One place of the list. reasons: rule id and its words, of the rules that hold; unknown: fields that are empty."""

    lead: Lead
    score: Decimal
    reasons: tuple[tuple[str, str, Decimal], ...]
    unknown: tuple[str, ...] = ()
    referral: bool = False
    qualified: bool = False


@dataclass(frozen=True, slots=True)
class Prospects:
    """The list, best first, and how many leads each source brought."""

    items: tuple[Prospect, ...]
    by_source: Mapping[str, int] = field(default_factory=dict)


def read_rules(rows: Sequence[Any], *, where: str) -> tuple[FitRule, ...]:
    """Rules as the owner wrote them. Raises UsageError naming the rule and the key."""
    found = [_read_rule(row, f"{where}, rule {n}") for n, row in enumerate(rows, start=1)]
    ids = [rule.id for rule in found]
    twice = next((id_ for id_ in ids if ids.count(id_) > 1), None)
    if twice is not None:
        raise UsageError(f"{where}: two rules have the id {twice!r}; give each its own")
    return tuple(found)


def rank_leads(leads: Iterable[Lead], rules: Sequence[FitRule], *, qualified_from: Decimal) -> Prospects:
    """The leads by their points, then referrals first, then by id; the order of leads and rules changes nothing."""
    found = [_prospect(lead, rules, qualified_from) for lead in leads]
    found.sort(key=lambda p: (-p.score, not p.referral, p.lead.contact.id))
    sources = sorted(p.lead.contact.source or "unknown" for p in found)
    return Prospects(tuple(found), {source: sources.count(source) for source in dict.fromkeys(sources)})


def _prospect(lead: Lead, rules: Sequence[FitRule], qualified_from: Decimal) -> Prospect:
    holding = [rule for rule in sorted(rules, key=lambda r: r.id) if _holds(rule, lead)]
    unknown = {r.field for r in rules if r.known is None and lead.value(r.field) in (None, "")}
    score = sum((rule.points for rule in holding), Decimal(0))
    reasons = tuple((rule.id, rule.text or _in_words(rule, lead), rule.points) for rule in holding)
    source = (lead.contact.source or "").casefold()
    referral = any(word in source for word in REFERRAL)
    return Prospect(lead, score, reasons, tuple(sorted(unknown)), referral, score >= qualified_from)


def _holds(rule: FitRule, lead: Lead) -> bool:
    value = lead.value(rule.field)
    is_known = value not in (None, "")
    if rule.known is not None:
        return is_known == rule.known
    if not is_known:
        return False
    if rule.any_of:
        return str(value).strip().casefold() in {word.strip().casefold() for word in rule.any_of}
    if not isinstance(value, int | Decimal):
        return False
    return (rule.least is None or value >= rule.least) and (rule.most is None or value <= rule.most)


def _in_words(rule: FitRule, lead: Lead) -> str:
    value = lead.value(rule.field)
    return f"{rule.field.replace('.', ' ')} is {'not known' if value in (None, '') else value}"


def _read_rule(row: Any, where: str) -> FitRule:
    if not isinstance(row, dict):
        raise UsageError(f"{where}: expected a table, got {row!r}")
    unknown = sorted(set(row) - KEYS)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; a rule has {', '.join(sorted(KEYS))}")
    name = row.get("field")
    if name not in FIELDS:
        raise UsageError(f"{where}: field: expected one of {', '.join(sorted(FIELDS))}, got {name!r}")
    tests = [key for key in ("any_of", "min", "max", "known") if row.get(key) is not None]
    if not tests or ("known" in tests and len(tests) > 1) or ("any_of" in tests and len(tests) > 1):
        raise UsageError(f"{where}: give any_of, or known, or min and max")
    return FitRule(
        id=_text(row.get("id"), f"{where}: id"),
        field=name,
        points=_number(row.get("points"), f"{where}: points"),
        any_of=_texts(row.get("any_of") or (), f"{where}: any_of"),
        least=None if row.get("min") is None else _number(row["min"], f"{where}: min"),
        most=None if row.get("max") is None else _number(row["max"], f"{where}: max"),
        known=_truth(row.get("known"), f"{where}: known"),
        text=None if row.get("text") is None else _text(row["text"], f"{where}: text"),
    )


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{where}: expected a text, got {value!r}")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise UsageError(f"{where}: expected a list of texts, got {value!r}")
    return tuple(_text(item, where) for item in value)


def _number(value: Any, where: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{where}: expected a number, got {value!r}")
    return Decimal(str(value))


def _truth(value: Any, where: str) -> bool | None:
    if value is not None and not isinstance(value, bool):
        raise UsageError(f"{where}: expected true or false, got {value!r}")
    return value
