"""The clauses of a note: where one ends, and whether it says something of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crmplugin.analysis.dates_in_text import DateMention
from crmplugin.analysis.notes_actors import act_of, actor_in
from crmplugin.analysis.phrases import Token, book, fold, tokens, words

_LINE_MARK = re.compile(r"\s*(?:[-*•–—▪◦·→>+]+|=>|->|\[[ xX✓]?\]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_TICKED = re.compile(r"\s*(?:[-*•]\s*)?(?:\[[xX✓]\]|✓|✔|☑)")
_HARD_BREAK = re.compile(r"[;\n|]|[.!?](?=\s|$)|\s[/→]\s|(?<=\s)\(\d{1,2}\)\s")
_DATE_ENDS = re.compile(r"_\d{1,4}$")
"""A date whose other marks are replaced: its last point belongs to it."""
_SOFT_BREAK = re.compile(r",\s+(?!\d)|\s[–—-]\s|\s(?:and|und|et|y|e|en|&)\s|:\s")


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch of the notes; `ticked`: marked as done."""

    start: int
    end: int
    ticked: bool = False


def without_dates(text: str, dates: Sequence[DateMention]) -> str:
    """The text with marks inside dates replaced, so that "20.3." and "March 20, 2026" do not break a clause.

    The last point of "4.12." stays where an item of its own follows: "until 4.12. Decision on 15 January".
    """
    for mention in dates:
        inside = re.sub(r"[^\w\s]", "_", text[mention.start : mention.end])
        if text[mention.end - 1] == "." and _item_follows(text[mention.end :]):
            inside = inside[:-1] + "."
        text = text[: mention.start] + inside + text[mention.end :]
    return text


def _item_follows(rest: str) -> bool:
    clause = _HARD_BREAK.split(rest.lstrip(" "), maxsplit=1)[0]
    return rest[:1] == " " and clause[:1].isupper() and _stands_alone(clause)


def clauses_of(text: str) -> list[Clause]:
    found: list[Clause] = []
    for start, end in _hard_parts(text):
        line = text.rfind("\n", 0, start) + 1
        ticked = _TICKED.match(text, line) is not None
        found.extend(Clause(a, b, ticked) for a, b in _soft_parts(text, start, end))
    return found


def _hard_parts(text: str) -> list[tuple[int, int]]:
    parts, at = [], 0
    for match in _HARD_BREAK.finditer(text):
        if match.group() == "." and _is_inner_point(text, match.start()):
            continue
        kept = match.group() == "?" or _DATE_ENDS.search(text, at, match.start()) is not None
        parts.append((at, match.start() + kept))
        at = match.end()
    parts.append((at, len(text)))
    return [span for span in (_trimmed(text, *part) for part in parts) if span[0] < span[1]]


def _is_inner_point(text: str, at: int) -> bool:
    """Whether a point belongs to a short form ("approx.", "Dr.", "z.B.") or a list number."""
    start = at
    while start > 0 and at - start < 6 and text[start - 1].isalnum():
        start -= 1
    if text[start:at].isdigit() and not text[text.rfind("\n", 0, start) + 1 : start].strip(" (-*•"):
        return True
    return fold(text[start:at]) in words("reading_passages", "abbreviations") or (
        at - start == 1 and text[start].isalpha()
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    mark = _LINE_MARK.match(text, start, end)
    start = mark.end() if mark else start
    while start < end and (text[start].isspace() or text[start] in ",-–*•"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",-–*"):
        end -= 1
    return start, end


def _soft_parts(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The parts between commas and "and" that stand on their own; the others stay with the part before."""
    cuts = [start]
    for match in _SOFT_BREAK.finditer(text, start, end):
        if match.group().startswith(":"):
            continue
        if _stands_alone(text[match.end() : end]) and _has_content(text[cuts[-1] : match.start()]):
            cuts.append(match.end())
    cuts.append(end)
    parts = [_trimmed(text, a, _without_joint(text, a, b)) for a, b in zip(cuts, cuts[1:], strict=False)]
    return [part for part in parts if part[0] < part[1]]


def _without_joint(text: str, start: int, end: int) -> int:
    """The end of a part without the comma or the "and" that parts it from the next."""
    joint = re.search(r"(?:,|\s[–—-]|\s(?:and|und|et|y|e|en|&))\s*$", text[start:end])
    return start + joint.start() if joint else end


def _has_content(part: str) -> bool:
    return len(tokens(part)) >= 2


def _stands_alone(rest: str) -> bool:
    """Whether a part begins an item of its own: an actor, an act and an object; or a word of a kind."""
    part = _SOFT_BREAK.split(rest, maxsplit=1)[0]
    row = tokens(part)
    if not row:
        return False
    if any(
        hit.first == 0
        for name in ("decisions", "budgets", "open", "markers")
        for hit in book("notes", name).starting(row, 0)
    ):
        return True
    if book("notes", "wants").starting(row, 0):
        return True
    actor = actor_in(part, row, {})
    if actor is None or actor.start > 3:
        return False
    act = act_of(row, actor)
    return act is not None and _objects(row, act) >= 1


def _objects(row: Sequence[Token], act: int) -> int:
    return sum(token.word not in words("notes", "stops") for token in row[act + 1 :])


def is_heading(text: str, row: Sequence[Token]) -> bool:
    """Whether a clause is only a number or the heading of a list ("Next steps:")."""
    if all(token.word.isdigit() for token in row):
        return True
    return any(hit.last == len(row) - 1 for hit in book("notes", "markers").starting(row, 0)) and len(text) < 40
