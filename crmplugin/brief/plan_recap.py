"""The recap of a meeting: each item of the notes once, with its owner and its day, in the language of the reader.

Notes in the reader's language are told in their own words. Of notes in another language only what has a structure can
be said (goods and quantities, dates of decisions); the rest is left out and named, never shown untranslated.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from crmplugin.analysis.language import guess_language
from crmplugin.analysis.notes import NoteItem, read_notes
from crmplugin.analysis.phrases import book, tokens
from crmplugin.brief.plan_rows import Option, Scene, must, row, say
from crmplugin.brief.plans_follow_up import HELP
from crmplugin.domain.brief import Beat, Signals
from crmplugin.domain.crm import Activity, Context

MOST_BULLETS = 8
SAID_KINDS = frozenset({"action", "decision", "open", "goal"})
"""Kinds of items a customer is told; budgets and remarks stay with us."""

OPENING = (
    row(say("recap.subject", "subject", on="meeting.on"), say("recap.subject_plain", "subject")),
    must("the day of the meeting", say("recap.thanks", on="meeting.on")),
)
INTRO = row(say("recap.intro", carried=("meeting.on",)))
ENDING = (
    row(say("answer.valid", "claim", number="quote.number", valid_until="quote.valid_until")),
    HELP,
    row(say("recap.ask_by", "ask", by="by.on"), say("recap.ask", "ask", carried=("meeting.on",))),
    row(say("recap.close", "close")),
)


def recap_beats(
    scene: Scene, context: Context, signals: Signals, *, send_on: date, language: str
) -> tuple[tuple[Beat, ...], tuple[str, ...]]:
    """The beats of a recap, and what is missing when nothing of the notes can be told."""
    meeting = next((a for a in context.activities if a.id == signals.meeting_id), None)
    if meeting is None or not meeting.body:
        return (), ("notes of the meeting",)
    own_words = _note_language(meeting, context) == language
    opening, missing = scene.beats(OPENING)
    goals, bullets, left = _items(scene, meeting, _items_of(meeting, context), own_words=own_words)
    if not bullets:
        return (), (*missing, *left, f"steps in the notes of the meeting that can be told in {language}")
    intro, _ = scene.beats((INTRO,))
    ending, _ = scene.beats(ENDING)
    return (*opening, *goals, *intro, *bullets, *ending), missing


def _items_of(meeting: Activity, context: Context) -> tuple[NoteItem, ...]:
    zone = ZoneInfo(context.seller.timezone or "UTC")
    written = meeting.at or context.read_at
    return read_notes(meeting.body or "", written_on=written.astimezone(zone).date(), zone=zone)


def _note_language(meeting: Activity, context: Context) -> str | None:
    """The language of the notes; when they are too short to tell, that of whoever wrote them."""
    author = next((u for u in context.users if u.id == meeting.user_id), None)
    return guess_language(meeting.body) or (author.language if author else None)


def _items(
    scene: Scene, meeting: Activity, items: tuple[NoteItem, ...], *, own_words: bool
) -> tuple[list[Beat], list[Beat], list[str]]:
    """Goals, bullets, and in words the items that could not be said."""
    goals: list[Beat] = []
    bullets: list[Beat] = []
    left: list[str] = []
    for n, item in enumerate(items, start=1):
        if item.kind not in SAID_KINDS:
            continue
        beat = next((b for b in _beats_of(scene, meeting, n, item, own_words=own_words) if b is not None), None)
        if beat is None:
            left.append(f"item {n} of the notes of {meeting.id} in the reader's language: {item.verbatim[:80]}")
        elif item.kind == "goal":
            goals.append(beat)
        else:
            bullets.append(beat)
    return goals[:1], bullets[:MOST_BULLETS], left


def _beats_of(scene: Scene, meeting: Activity, n: int, item: NoteItem, *, own_words: bool) -> Iterator[Beat | None]:
    """Ways to say one item, the most telling first."""
    prefix = f"{meeting.id}.item{n}"
    aliases = {f"item.{field}": f"{prefix}.{field}" for field in ("quantity", "product", "due", "side")}
    own = Scene(scene.facts, scene.places, {**aliases, "item.text": prefix})
    for option in _options(own, item, own_words=own_words):
        yield own.beat(option, required=True)


def _options(own: Scene, item: NoteItem, *, own_words: bool) -> Iterator[Option]:
    side = own.find("item.side")
    owner = (side.value if side else item.side) or ""
    carried = tuple(f"item.{name}" for name in ("text", "side") if own.find(f"item.{name}"))
    if item.kind == "decision" and not own_words:
        yield say("recap.decision_due", "claim", due="item.due", carried=carried)
        return
    if item.kind == "action":
        yield from _goods(item, owner, carried)
    if own_words:
        yield from _own_words(item, owner)


def _goods(item: NoteItem, owner: str, carried: tuple[str, ...]) -> Iterator[Option]:
    if owner not in ("us", "them"):
        return
    key = f"recap.{owner}_{'deliver' if owner == 'us' and _says_deliver(item) else 'goods'}"
    goods = {"quantity": "item.quantity", "product": "item.product"}
    yield say(f"{key}_due", "claim", carried=carried, **goods, due="item.due")
    yield say(key, "claim", carried=carried, **goods)


def _says_deliver(item: NoteItem) -> bool:
    return bool(book("recap", "deliver").find(tokens(item.verbatim)))


def _own_words(item: NoteItem, owner: str) -> Iterator[Option]:
    """The item in the words of the notes, under its owner."""
    if item.kind in ("goal", "open"):
        yield say(f"recap.{item.kind}", "claim", item="item.text")
        return
    key = {"us": "recap.us", "them": "recap.them"}.get(owner, "recap.item")
    if item.kind == "decision":
        yield say("recap.decision_due", "claim", due="item.due", carried=("item.text",))
        key = "recap.decision"
    else:
        yield say(f"{key}_due", "claim", item="item.text", due="item.due")
    yield say(key, "claim", item="item.text")
