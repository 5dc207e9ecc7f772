"""Hygiene before facts are made (sales-craft §0.6): what a CRM writes where it means "nothing" becomes None.

Ids, links between records and duplicates stay as they are: people and records are told apart by id, never by name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

from crmplugin.brief.addresses import is_role_mailbox
from crmplugin.domain.crm import COLLECTIONS, SINGLES, Activity, Contact, Context, Deal, Order, Product, Quote

T = TypeVar("T")

NULL_LIKES = frozenset(
    {"", "-", "--", "–", "—", "n/a", "n.a.", "n/v", "none", "null", "nil", "nan", "unknown", "test", "undefined", "?"}
)
FIRST_SANE_YEAR, LAST_SANE_YEAR = 1971, 2100
"""1970 and before is an empty timestamp in most systems, never a real day of a deal."""
MULTI_LINE = frozenset({"body", "description", "postal_address"})
KEPT = frozenset({"compatible_with", "substitutes", "need_tags", "proof_ids", "pipeline", "stage", "source"})
"""Ids, markers and keys other records are matched by."""
SHARED_BY_CONTEXTS = frozenset({"users", "products", "offers", "articles", "claims", "slots", "prices"})
"""Lists whose records the store keeps and hands to every context: each is cleaned once."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONTROL_IN_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def clean(context: Context) -> Context:
    """The same context with null-likes, impossible days, zero amounts and role mailboxes' names emptied."""
    changes: dict[str, Any] = {}
    for name, current in ((f.name, getattr(context, f.name)) for f in fields(context)):
        if name in SHARED_BY_CONTEXTS:
            changes[name] = tuple(_clean_kept(_Same(r)) for r in current)
        elif name in _LISTS:
            changes[name] = tuple(_clean_record(r) for r in current)
        elif name in _ONES and current is not None:
            changes[name] = _clean_record(current)
    return replace(context, **changes)


def current_quotes(context: Context) -> tuple[Quote, ...]:
    """Quotes that stand: sent, accepted or declined ones that no newer sent version replaces; oldest first.

    A quote is replaced by one of the same deal sent later that has the same number, or a higher version.
    """
    return standing(q for q in context.quotes if q.status != "draft" and (q.sent_at or q.status))


def standing(sent: Iterable[Quote]) -> tuple[Quote, ...]:
    """Of quotes that were sent, those that no newer version replaces."""
    all_ = tuple(sent)
    return tuple(q for q in all_ if not any(_replaces(other, q) for other in all_))


def _replaces(new: Quote, old: Quote) -> bool:
    if new is old or new.deal_id != old.deal_id or not _later(new, old):
        return False
    same_number = bool(new.number) and new.number == old.number
    return same_number or (new.version or Decimal(0)) > (old.version or Decimal(0)) > 0


def _later(new: Quote, old: Quote) -> bool:
    if new.sent_at and old.sent_at and new.sent_at != old.sent_at:
        return new.sent_at > old.sent_at
    return (new.version or Decimal(0)) > (old.version or Decimal(0))


class _Same:
    """A record told apart by being the same object, which costs less than comparing what it holds."""

    __slots__ = ("record",)

    def __init__(self, record: Any) -> None:
        self.record = record

    def __hash__(self) -> int:
        return id(self.record)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.record is self.record


@lru_cache(maxsize=16_384)
def _clean_kept(same: _Same) -> Any:
    return _clean_record(same.record)


def _clean_record(record: T) -> T:
    changes: dict[str, Any] = {}
    kind: Any = type(record)
    for name, cleaner in _cleaners(kind):
        old = getattr(record, name)
        if old is not None and old != () and (new := cleaner(old)) != old:
            changes[name] = new
    cleaned = replace(record, **changes) if changes else record  # type: ignore[type-var]
    rule = _RULES.get(kind)
    return rule(cleaned) if rule else cleaned


@lru_cache(maxsize=64)
def _cleaners(kind: type) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Which fields of a record type are cleaned, and how: free texts, days and times, nested lines."""
    hints = get_type_hints(kind)
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for name, hint in hints.items():
        cleaner = _cleaner_of(name, hint)
        if cleaner and name not in KEPT and not name.endswith(("_id", "_ids")) and name != "id":
            found.append((name, cleaner))
    return tuple(found)


def _cleaner_of(name: str, hint: Any) -> Callable[[Any], Any] | None:
    text = str(hint)
    if "currency" in name:
        return _clean_currency
    if "datetime" in text or "datetime.date" in text:
        return _sane_day
    if hint in (str | None, str):
        return _clean_body if name in MULTI_LINE else _clean_text
    if text == "tuple[str, ...]":
        return _clean_texts
    return _clean_lines if text.startswith("tuple[crmplugin") else None


def _clean_text(text: str) -> str | None:
    kept = unicodedata.normalize("NFC", _CONTROL_IN_LINE.sub(" ", text)).strip()
    return None if kept.casefold() in NULL_LIKES else kept


def _clean_body(text: str) -> str | None:
    kept = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return None if kept.casefold() in NULL_LIKES else kept


def _clean_texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(kept for t in texts if (kept := _clean_text(t)))


def _clean_currency(code: str) -> str | None:
    kept = code.strip().upper()
    return kept if re.fullmatch(r"[A-Z]{3}", kept) else None


def _clean_lines(lines: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(_clean_record(line) for line in lines)


def _sane_day(day: date | datetime) -> date | datetime | None:
    return day if FIRST_SANE_YEAR <= day.year <= LAST_SANE_YEAR else None


def _clean_deal(deal: Deal) -> Deal:
    """Amount 0 on an open deal is unknown, not a budget of nothing."""
    closed = deal.status in ("won", "lost") and not (
        deal.reopened_at and deal.closed_at and deal.reopened_at > deal.closed_at
    )
    return replace(deal, amount=None) if deal.amount == 0 and not closed else deal


def _clean_contact(contact: Contact) -> Contact:
    """A desk's mailbox without a surname is no person: what stands as given name is the name of the mailbox."""
    desk = is_role_mailbox(contact.email) and (not contact.last_name or _is_desk_name(contact.last_name))
    return replace(contact, first_name=None, last_name=None, salutation=None) if desk else contact


def _is_desk_name(name: str) -> bool:
    return is_role_mailbox(f"{name.casefold()}@desk.example")


def _clean_quote(quote: Quote) -> Quote:
    """A header total of 0 above priced lines was never filled."""
    priced = any(line.unit_price and line.quantity for line in quote.lines)
    return replace(quote, total=None) if quote.total == 0 and priced else quote


def _clean_order(order: Order) -> Order:
    """Delivered before it was ordered: the delivery day is wrong and says nothing."""
    wrong = bool(order.delivered_at and order.ordered_at and order.delivered_at.date() < order.ordered_at.date())
    return replace(order, delivered_at=None) if wrong else order


def _clean_activity(activity: Activity) -> Activity:
    wrong = bool(activity.at and activity.ends_at and activity.ends_at < activity.at)
    return replace(activity, ends_at=None) if wrong else activity


def _clean_product(product: Product) -> Product:
    """A price or cost of 0 in a catalogue was never filled."""
    if product.list_price != 0 and product.cost != 0:
        return product
    return replace(product, list_price=product.list_price or None, cost=product.cost or None)


_RULES: Mapping[type, Callable[[Any], Any]] = MappingProxyType(
    {
        Deal: _clean_deal,
        Contact: _clean_contact,
        Quote: _clean_quote,
        Order: _clean_order,
        Activity: _clean_activity,
        Product: _clean_product,
    }
)
_LISTS = frozenset(COLLECTIONS) | {"namesakes"}
_ONES = (frozenset(SINGLES) - {"voice", "policy"}) | {"company", "deal", "contact", "ticket", "activity"}
