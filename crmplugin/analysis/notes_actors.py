"""Who is to act in a clause of a note: us, them, or a person by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from crmplugin.analysis.phrases import Token, book, tokens, words

Side = Literal["us", "them"]
_NAME = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*\.?(?: [A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*\.?){0,2}")
_AT_NAME = re.compile(r"@([A-ZÀ-Þ][\w-]{1,30})")
_TAIL_NAME = re.compile(r"(?:\(([^()]{2,40})\)|[–—-] ?([A-ZÀ-Þ][\w.'’-]{1,30}(?: [A-ZÀ-Þ][\w.'’-]{1,30})?))\s*$")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it, and where the naming of them begins and ends in the clause."""

    side: Side | None
    who: str | None
    start: int
    end: int


def first_of(row: Sequence[Token], name: str) -> int | None:
    return min((hit.first for hit in book("notes", name).find(row)), default=None)


def is_negated(row: Sequence[Token], act: int | None) -> bool:
    """Whether a negation stands at the act: shortly before it or right after ("liefern nicht")."""
    at = act if act is not None else 0
    return any(at - 3 <= hit.first <= at + 2 for hit in book("notes", "negations").find(row))


def act_at(row: Sequence[Token], at: int) -> int | None:
    hits = book("notes", "verbs").starting(row, at)
    return max((hit.last for hit in hits), default=None)


def ends_with_act(row: Sequence[Token]) -> bool:
    """ "Muster schicken": in German and Dutch notes the act stands last."""
    return len(row) >= 2 and any(hit.last == len(row) - 1 for hit in book("notes", "verbs").find(row))


def act_of(row: Sequence[Token], actor: Actor) -> int | None:
    """The token of the verb that belongs to the actor: right after it, modal words and "will" aside."""
    at = next((i for i, token in enumerate(row) if token.start >= actor.end), len(row))
    for i in range(at, min(at + 4, len(row))):
        found = act_at(row, i)
        if found is not None:
            return found
        if row[i].word not in words("notes", "modals"):
            break
    before = next((i for i, token in enumerate(row) if token.end <= actor.start and act_at(row, i) is not None), None)
    return before if before is not None and actor.side is not None else None


def actor_in(text: str, row: Sequence[Token], people: Mapping[str, Side]) -> Actor | None:
    """The first subject of a clause: we, they, a known name, a name before an act, or a name as a mark of ownership."""
    named = _known(text, row, people) or _marked_name(text)
    if named is not None:
        return named
    name, side = _name_before_act(text, row), _side_before_act(row)
    if name is not None and side is not None:
        return min(side, name, key=lambda actor: actor.start)
    return name or side


def _side_before_act(row: Sequence[Token]) -> Actor | None:
    """ "we ship", "the customer to send", or a subject at the very end ("liefern – wir"), not after "to" or "for"."""
    sides = [(hit, side) for side in ("us", "them") for hit in book("notes", side).find(row)]
    for hit, side in sorted(sides, key=lambda pair: (pair[0].first, -pair[0].last)):
        actor = Actor(_side(side), None, hit.start, hit.end)
        is_object = hit.first > 0 and row[hit.first - 1].word in words("notes", "before_objects")
        if not is_object and (act_of(row, actor) is not None or hit.last == len(row) - 1 or hit.first == 0):
            return actor
    return None


def _side(side: str) -> Side:
    return "us" if side == "us" else "them"


def _known(text: str, row: Sequence[Token], people: Mapping[str, Side]) -> Actor | None:
    """A known person named as owner: at the start, before an act, after "@" or at the end in brackets."""
    for i in range(len(row)):
        for size in (3, 2, 1):
            name = " ".join(token.word for token in row[i : i + size])
            side = people.get(name) or _by_part(name, people)
            if side is None or i + size > len(row):
                continue
            actor = Actor(side, text[row[i].start : row[i + size - 1].end], row[i].start, row[i + size - 1].end)
            if i == 0 or act_of(row, actor) is not None or i + size == len(row):
                return actor
    return None


def _by_part(name: str, people: Mapping[str, Side]) -> Side | None:
    """The side of a given name or surname that only one known person has."""
    sides = {side for full, side in people.items() if name in full.split()}
    return sides.pop() if len(sides) == 1 and len(name) > 1 else None


def _marked_name(text: str) -> Actor | None:
    at = _AT_NAME.search(text)
    if at:
        return Actor(None, at[1], at.start(), at.end())
    tail = _TAIL_NAME.search(text)
    if tail is None:
        return None
    name = (tail[1] or tail[2]).strip()
    side = next((s for s in ("us", "them") if any(h.first == 0 for h in book("notes", s).find(tokens(name)))), None)
    if side is not None:
        return Actor(_side(side), None, tail.start(), tail.end())
    return Actor(None, name, tail.start(), tail.end()) if _NAME.fullmatch(name) and tail[1] else None


def _name_before_act(text: str, row: Sequence[Token]) -> Actor | None:
    """ "Tom sends …", "AI: Tom to send …", "Anna: drawing": a capitalised name before the act or a colon."""
    for match in _NAME.finditer(text):
        inside = [token for token in row if match.start() <= token.start < match.end()]
        start = next((i for i, token in enumerate(inside) if not _is_marker(token.word)), None)
        if start is None:
            continue
        actor = Actor(None, text[inside[start].start : match.end()], inside[start].start, match.end())
        follows = text[match.end() : match.end() + 2]
        if all(len(t.word) > 1 for t in inside[start:]) and (
            _leads_act(row, actor) or follows.startswith(":") and match.start() == 0
        ):
            return actor
        if match.start() > 40:
            break
    return None


def _leads_act(row: Sequence[Token], actor: Actor) -> bool:
    first = next((token for token in row if token.start == actor.start), None)
    if first is None or act_at(row, row.index(first)) is not None:
        return False
    return act_of(row, actor) is not None


def _is_marker(word: str) -> bool:
    """Whether a capitalised word opens a kind of item ("Goal: …", "AI: …") and is nobody's name."""
    alone = (Token(word, 0, len(word)),)
    kinds = ("markers", "goals", "budgets", "decisions", "open", "wants")
    return word in ("to", "do", "next", "step", "action") or any(
        book("notes", kind).starting(alone, 0) for kind in kinds
    )
