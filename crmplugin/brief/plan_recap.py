"""The recap of a meeting: each item of the notes once, with its owner and its day, in the language of the reader.

Notes in the reader's language are told in their own words. Of notes in another language only what has a structure can
be said (goods and quantities, dates of decisions); the rest is left out, never shown untranslated, and the rep is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from crmplugin.analysis.language import guess_language
from crmplugin.analysis.notes import NoteItem
from crmplugin.analysis.phrases import book, tokens
from crmplugin.brief.facts_of.notes import items_of
from crmplugin.brief.facts_of.people import full_name
from crmplugin.brief.facts_of.products import products_in
from crmplugin.brief.plan_rows import Option, Scene, must, row, say
from crmplugin.domain.brief import Beat, Signals
from crmplugin.domain.crm import Activity, Context

MOST_BULLETS = 8
OUR_PRONOUNS = frozenset({"we", "wir", "nous", "nosotros", "nosotras"})
"""Words before a verb that is told with its subject ("We send the data sheets"), not as a bare list item."""
THIRD_PERSON: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "en": re.compile(r"(?<![su])s$"),
        "de": re.compile(r"t$"),
        "fr": re.compile(r"[et]$"),
        "es": re.compile(r"[aeíá]$"),
    }
)
"""How a verb of the third person ends; a French or Spanish noun may end so too, and a quote holds it as well."""
SAID_KINDS = frozenset({"action", "decision", "open", "goal"})
"""Kinds of items a customer is told; budgets and remarks stay with us."""

OPENING = (
    row(say("recap.subject", "subject", on="meeting.on"), say("recap.subject_plain", "subject")),
    must("the day of the meeting", say("recap.thanks", on="meeting.on")),
)
INTRO = row(say("recap.intro", carried=("meeting.on",)))
ENDING = (
    row(say("answer.valid", "claim", number="quote.number", valid_until="quote.valid_until")),
    row(say("recap.ask_by", "ask", by="by.on"), say("recap.ask", "ask", carried=("meeting.on",))),
)


def recap_beats(
    scene: Scene, context: Context, signals: Signals, *, send_on: date, language: str, to: str | None = None
) -> tuple[tuple[Beat, ...], tuple[str, ...]]:
    """The beats of a recap to the contact `to`, and what is missing when nothing of the notes can be told."""
    meeting = _meeting(context, signals)
    if meeting is None or not meeting.body:
        return (), ("notes of the meeting",)
    own_words = _note_language(meeting, context) == language
    opening, missing = scene.beats(OPENING)
    goals, bullets, left = _items(scene, context, meeting, own_words=own_words, language=language, to=to)
    if not bullets:
        return (), (*missing, *left, f"steps in the notes of the meeting that can be told in {language}")
    intro, _ = scene.beats((INTRO,))
    ending, _ = scene.beats(ENDING)
    return (*opening, *goals, *intro, *bullets, *ending), missing


def is_in_another_language(context: Context, signals: Signals, language: str) -> bool:
    """Whether the notes of the meeting are in another language than the text."""
    meeting = _meeting(context, signals)
    return meeting is not None and _note_language(meeting, context) != language


def _meeting(context: Context, signals: Signals) -> Activity | None:
    return next((a for a in context.activities if a.id == signals.meeting_id), None)


def unsaid_items(context: Context, signals: Signals, cited: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Fact id and words of each item of the notes that a customer may be told and no cited fact belongs to."""
    meeting = _meeting(context, signals)
    if meeting is None or not meeting.body:
        return ()
    items = ((f"{meeting.id}.item{n}", item) for n, item in enumerate(items_of(context, meeting), start=1))
    told = {id_ for cited_id in cited for id_ in (cited_id, cited_id.rpartition(".")[0])}
    return tuple((id_, item.verbatim) for id_, item in items if item.kind in SAID_KINDS and id_ not in told)


def _note_language(meeting: Activity, context: Context) -> str | None:
    """The language of the notes; when they are too short to tell, that of whoever wrote them."""
    author = next((u for u in context.users if u.id == meeting.user_id), None)
    return guess_language(meeting.body) or (author.language if author else None)


def _items(
    scene: Scene, context: Context, meeting: Activity, *, own_words: bool, language: str, to: str | None
) -> tuple[list[Beat], list[Beat], list[str]]:
    """Goals, bullets, and in words the items that could not be said."""
    goals: list[Beat] = []
    bullets: list[Beat] = []
    left: list[str] = []
    for n, item in enumerate(items_of(context, meeting), start=1):
        if item.kind not in SAID_KINDS:
            continue
        ways = _beats_of(scene, context, meeting, n, item, own_words=own_words, language=language, to=to)
        beat = next((b for b in ways if b is not None), None)
        if beat is None:
            left.append(f"item {n} of the notes of {meeting.id} in the reader's language: {item.verbatim[:80]}")
        elif item.kind == "goal":
            goals.append(beat)
        else:
            bullets.append(beat)
    return goals[:1], bullets[:MOST_BULLETS], left


def _beats_of(
    scene: Scene,
    context: Context,
    meeting: Activity,
    n: int,
    item: NoteItem,
    *,
    own_words: bool,
    language: str,
    to: str | None,
) -> Iterator[Beat | None]:
    """Ways to say one item, the most telling first."""
    prefix = f"{meeting.id}.item{n}"
    aliases = {f"item.{field}": f"{prefix}.{field}" for field in ("quantity", "product", "due", "side")}
    aliases |= {"item.text": prefix} | _named(context, item, to)
    own = Scene(scene.facts, scene.places, aliases)
    several = len(products_in(item.verbatim, context.products)) > 1
    for option in _options(own, item, own_words=own_words, language=language, several=several):
        yield own.beat(option, required=True)


def _named(context: Context, item: NoteItem, to: str | None) -> dict[str, str]:
    """The reference to the name of who takes an item on, when the notes name exactly one person we know; who reads
    the recap is not named to themselves."""
    wanted = (item.who or "").casefold()
    people = [(c.id, full_name(c) or "") for c in context.contacts] + [(u.id, u.name or "") for u in context.users]
    found = [id_ for id_, name in people if wanted and wanted in {name.casefold(), *name.casefold().split()}]
    return {"item.who": f"{found[0]}.name"} if len(found) == 1 and found[0] != to else {}


def _options(own: Scene, item: NoteItem, *, own_words: bool, language: str, several: bool) -> Iterator[Option]:
    """`several`: the item names more than one product, so that one quantity of one would tell half of it."""
    side = own.find("item.side")
    owner = (side.value if side else item.side) or ""
    carried = tuple(f"item.{name}" for name in ("text", "side") if own.find(f"item.{name}"))
    if item.kind == "decision" and not own_words:
        yield say("recap.decision_due", "claim", due="item.due", carried=carried)
        return
    if item.kind == "action" and not several:
        yield from _goods(item, owner, carried)
    if own_words:
        yield from _own_words(item, owner, language)


def _goods(item: NoteItem, owner: str, carried: tuple[str, ...]) -> Iterator[Option]:
    if owner not in ("us", "them"):
        return
    key = f"recap.{owner}_{'deliver' if owner == 'us' and _says_deliver(item) else 'goods'}"
    goods = {"quantity": "item.quantity", "product": "item.product"}
    yield say(f"{key}_due", "claim", carried=carried, **goods, due="item.due")
    yield say(key, "claim", carried=carried, **goods)


def _says_deliver(item: NoteItem) -> bool:
    return bool(book("recap", "deliver").find(tokens(item.verbatim)))


def _own_words(item: NoteItem, owner: str, language: str) -> Iterator[Option]:
    """The item in the words of the notes, under its owner."""
    if item.kind in ("goal", "open"):
        yield say(f"recap.{item.kind}", "claim", item="item.text")
        return
    if item.kind == "decision":
        yield say("recap.decision_due", "claim", due="item.due", carried=("item.text",))
        yield say("recap.decision", "claim", item="item.text")
        return
    yield say("recap.named_due", "claim", name="item.who", item="item.text", due="item.due")
    yield say("recap.named", "claim", name="item.who", item="item.text")
    key = f"recap.{owner}" if owner in ("us", "them") else "recap.item"
    if owner == "us" and _says_we(item):
        key += "_verb"
    elif owner and _tells_of_a_third(item.what, language):
        key += "_quoted"
    yield say(f"{key}_due", "claim", item="item.text", due="item.due")
    yield say(key, "claim", item="item.text")


def _says_we(item: NoteItem) -> bool:
    """Whether the notes say "we" right before the words of the item."""
    first, _, rest = item.verbatim.strip(" -*•").partition(" ")
    return first.casefold() in OUR_PRONOUNS and bool(item.what) and rest.startswith(item.what.partition(" ")[0])


def _tells_of_a_third(what: str, language: str) -> bool:
    """Whether the words begin with a verb about somebody else ("checks the layout"), which only a quote can hold."""
    first = what.partition(" ")[0]
    ending = THIRD_PERSON.get(language)
    return bool(ending and first[:1].islower() and ending.search(first))
