"""Facts of meeting notes: what was agreed, how many of what, by when, by whom. Told only to those who were there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crmplugin.analysis.notes import NoteItem, read_notes
from crmplugin.analysis.notes_actors import Side
from crmplugin.analysis.phrases import book, tokens, words
from crmplugin.analysis.product_names import products_named
from crmplugin.brief.calendar import day_in, seller_zone
from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.brief.facts_of.people import full_name
from crmplugin.brief.facts_of.products import name_used
from crmplugin.brief.facts_of.quoted import Suspicion, quoted
from crmplugin.brief.facts_of.talk import SAID_BY_US, activity_rec
from crmplugin.domain.crm import Activity, Context, Product
from crmplugin.domain.fact import Fact, Visibility

TALKS = frozenset({"meeting", "visit", "call"})
SHARED_KINDS = frozenset({"action", "decision", "goal", "open"})
"""What a customer who was there may read again; what we noted beside it (a fact, a budget) stays with us."""


def items_of(context: Context, activity: Activity) -> tuple[NoteItem, ...]:
    """The items of an activity's notes, names of both sides known; days are those of our zone."""
    if not activity.body or activity.at is None or activity.direction == "inbound":
        return ()
    written_on = day_in(seller_zone(context), activity.at)
    return read_notes(activity.body, written_on=written_on, people=_sides(context))


def worded(item: NoteItem) -> str:
    """The item as a list shows it: without the label of its kind, a bare title or a mark at its end."""
    text = item.what.strip()
    head, colon, rest = text.partition(":")
    label = {t.word for t in tokens(head)}
    if colon and rest.strip() and label and label <= words("recap", "labels"):
        text = rest.strip()
    first, _, after = text.partition(" ")
    if item.who and after and first.rstrip(".").casefold() in words("recap", "titles"):
        text = after
    return text.rstrip(" .?!,;:").lstrip("¿¡ ")


def note_facts(
    make: Maker, activity: Activity, items: Sequence[NoteItem], products: Sequence[Product], suspicion: Suspicion
) -> list[Fact | None]:
    """Facts of the items in order, numbered from 1; a suspicious item keeps its number and makes no fact."""
    rec = activity_rec(make, activity)
    return [
        fact
        for n, item in enumerate(items, start=1)
        if suspicion.harmless_part(item.verbatim, activity.body or "") == item.verbatim
        for fact in _item_facts(make, rec, n, item, products, _visibility(activity, item))
    ]


def _item_facts(
    make: Maker, rec: Rec, n: int, item: NoteItem, products: Sequence[Product], visibility: Visibility
) -> list[Fact | None]:
    name = f"item{n}"
    text = quoted(item.verbatim)
    shared: dict[str, Any] = {"visibility": visibility, "basis": SAID_BY_US, "path": "body"}
    named = [name_used(mention) for mention in products_named(item.product_words or "", products)]
    return [
        make.fact(rec, name, "text", text, quoted(worded(item)) or text, key="item", **shared) if text else None,
        make.quantity(rec, f"{name}.quantity", item.quantity, key="item.quantity", **shared),
        make.text(
            rec, f"{name}.product", named[0] if len(named) == 1 else item.product_words, key="item.product",
            kind="product" if len(named) == 1 else "text", **shared,
        ),
        make.day(rec, f"{name}.due", item.due, weekday=True, year=True, key="item.due", **shared),
        _side(make, rec, name, item, shared),
    ]  # fmt: skip


def _side(make: Maker, rec: Rec, name: str, item: NoteItem, shared: Mapping[str, Any]) -> Fact | None:
    if item.side is None:
        return None
    word = make.word(f"side.{item.side}")
    return make.fact(rec, f"{name}.side", "status", item.side, word, key="item.side", **shared)


def _visibility(activity: Activity, item: NoteItem) -> Visibility:
    shared = activity.type in TALKS and item.kind in SHARED_KINDS and not _is_private(item.verbatim)
    return "customer" if shared else "internal"


def _is_private(text: str) -> bool:
    """Whether an item speaks of prices, discounts or our own limits: no recap repeats hearsay about money."""
    return "%" in text or bool(book("private", "words").find(tokens(text)))


def _sides(context: Context) -> dict[str, Side]:
    ours: dict[str, Side] = {u.name: "us" for u in context.users if u.name}
    theirs: dict[str, Side] = {
        name: "them" for c in context.contacts for name in (c.first_name, c.last_name, full_name(c)) if name
    }
    return {**theirs, **ours}
