"""What meeting notes hold: action items with their owners, decisions, budgets, goals and open points.

Notes are telegraphic ("wants 2 sample FM-300 by 20 March, we ship; decision 2 April"): a clause is an item when it has
its own actor and act, or a word of its kind; a clause without them belongs to the one before. Nothing is added: an
owner that is not written stays None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Literal

from crmplugin.analysis.dates_in_text import DateMention, find_dates, spelled_numbers
from crmplugin.analysis.passages import MAX_CHARS, mask_addresses
from crmplugin.analysis.phrases import Token, book, fold, tokens, words

ItemKind = Literal["action", "decision", "budget", "goal", "open", "fact"]
Side = Literal["us", "them"]
MAX_ITEMS = 100

_LINE_MARK = re.compile(r"\s*(?:[-*•–—▪◦·→>+]+|=>|->|\[[ xX✓]?\]|\(?\d{1,2}[.)]|[a-z]\))\s+")
_TICKED = re.compile(r"\s*(?:[-*•]\s*)?(?:\[[xX✓]\]|✓|✔|☑)")
_HARD_BREAK = re.compile(r"[;\n|]|[.!?](?=\s|$)|\s[/→]\s|(?<=\s)\(\d{1,2}\)\s")
_SOFT_BREAK = re.compile(r",\s+(?!\d)|\s[–—-]\s|\s(?:and|und|et|y|e|en|&)\s|:\s")
_NUMBER = re.compile(
    r"(?<![\w.,/-])\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?(?![\w])"
    r"|(?<![\w.,/-])\d+(?:[.,]\d+)?(?![\d\w])(?!-\w)"
)
_SUM = re.compile(
    r"(?<![\w.,/-])(\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?)(?![\d.,])"
    r"(?:\s?(k|tsd|mio|m|million|millionen)\b)?",
    re.IGNORECASE,
)
_TIMES = re.compile(r"(?<![\w.,/-])(\d{1,6}) ?[x×](?= ?\w)")
_CURRENCY = re.compile(r"€|\$|£|\b(?:EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CAD|AUD|JPY)\b", re.IGNORECASE)
_SYMBOLS = {"€": "EUR", "£": "GBP", "$": None}
_SCALES = {"k": 1_000, "tsd": 1_000, "m": 1_000_000, "mio": 1_000_000, "million": 1_000_000, "millionen": 1_000_000}
_NAME = re.compile(r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*\.?(?: [A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*\.?){0,2}")
_AT_NAME = re.compile(r"@([A-ZÀ-Þ][\w-]{1,30})")
_TAIL_NAME = re.compile(r"(?:\(([^()]{2,40})\)|[–—-] ?([A-ZÀ-Þ][\w.'’-]{1,30}(?: [A-ZÀ-Þ][\w.'’-]{1,30})?))\s*$")


@dataclass(frozen=True, slots=True)
class NoteItem:
    """One item of notes. `verbatim` is an exact piece of the text, `what` the thing without owner and date.

    due: only a day that is certain. quantity and product_words: what is counted ("2", "sample FM-300"). amount and
    currency: of a budget, as Decimal and ISO 4217 (None when not written). who: a name as written.
    """

    kind: ItemKind
    verbatim: str
    what: str
    quantity: Decimal | None = None
    product_words: str | None = None
    due: date | None = None
    side: Side | None = None
    who: str | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class _Clause:
    """A stretch of the notes; `ticked`: marked as done."""

    start: int
    end: int
    ticked: bool = False


@dataclass(frozen=True, slots=True)
class _Actor:
    """Who does it, and where the naming of them begins and ends in the clause."""

    side: Side | None
    who: str | None
    start: int
    end: int


def read_notes(
    text: str, *, written_on: date, zone: tzinfo | None = None, people: Mapping[str, Side] | None = None
) -> tuple[NoteItem, ...]:
    """The items of notes in their order. `people` maps known names to their side ("Tom Berg" -> "us").

    An instant as `written_on` is the day in `zone`.
    """
    day = written_on.astimezone(zone).date() if isinstance(written_on, datetime) else written_on
    known = {fold(name): side for name, side in (people or {}).items()}
    notes = text[:MAX_CHARS]
    masked = _mask_dates(mask_addresses(notes), find_dates(notes, written_on=day))
    clauses = _clauses(masked)
    items = [_item(notes, masked, clause, day, known) for clause in clauses]
    return tuple(item for item in items if item is not None)[:MAX_ITEMS]


def _mask_dates(text: str, dates: Sequence[DateMention]) -> str:
    """The text with marks inside dates replaced, so that "20.3." and "March 20, 2026" do not break a clause."""
    for mention in dates:
        inside = re.sub(r"[^\w\s]", "_", text[mention.start : mention.end])
        text = text[: mention.start] + inside + text[mention.end :]
    return text


# Clauses


def _clauses(text: str) -> list[_Clause]:
    found: list[_Clause] = []
    for start, end in _hard_parts(text):
        line = text.rfind("\n", 0, start) + 1
        ticked = _TICKED.match(text, line) is not None
        found.extend(_Clause(a, b, ticked) for a, b in _soft_parts(text, start, end))
    return found


def _hard_parts(text: str) -> list[tuple[int, int]]:
    parts, at = [], 0
    for match in _HARD_BREAK.finditer(text):
        if match.group() == "." and _is_inner_point(text, match.start()):
            continue
        parts.append((at, match.start() + (match.group() == "?")))
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
    actor = _actor(part, row, {})
    if actor is None or actor.start > 3:
        return False
    act = _act(row, actor)
    return act is not None and _objects(row, act) >= 1


def _objects(row: Sequence[Token], act: int) -> int:
    return sum(token.word not in words("notes", "stops") for token in row[act + 1 :])


# Items


def _item(notes: str, masked: str, clause: _Clause, day: date, people: Mapping[str, Side]) -> NoteItem | None:
    verbatim = notes[clause.start : clause.end]
    row = tokens(masked[clause.start : clause.end])
    if not row or _is_heading(verbatim, row):
        return None
    dates = find_dates(verbatim, written_on=day)
    actor = _actor(verbatim, row, people)
    kind = "fact" if clause.ticked else _kind(verbatim, row, actor, dates)
    item = NoteItem(kind, verbatim, _what(verbatim, dates, actor if kind == "action" else None), due=_due(dates, kind))
    if kind == "budget":
        amount, currency = _amount(verbatim, dates)
        return replace(item, amount=amount, currency=currency)
    if kind not in ("action", "goal", "decision"):
        return item
    if kind == "goal" or (kind == "decision" and actor is not None and actor.side == "us"):
        actor = None
    quantity, product_words = _counted(verbatim, dates)
    side, who = _owner(row, actor, quantity, kind)
    return replace(item, quantity=quantity, product_words=product_words, side=side, who=who)


def _is_heading(text: str, row: Sequence[Token]) -> bool:
    """Whether a clause is only a number or the heading of a list ("Next steps:")."""
    if all(token.word.isdigit() for token in row):
        return True
    return any(hit.last == len(row) - 1 for hit in book("notes", "markers").starting(row, 0)) and len(text) < 40


def _kind(text: str, row: Sequence[Token], actor: _Actor | None, dates: Sequence[DateMention]) -> ItemKind:
    first = {name: _first(row, name) for name in ("budgets", "decisions", "open", "goals", "wants", "markers", "done")}
    act = _act(row, actor) if actor else None
    imperative = _act_at(row, 0) is not None or _ends_with_act(row)
    if first["budgets"] is not None and act is None and _amount(text, dates)[0] is not None:
        return "budget"
    if first["markers"] == 0 and first["done"] is None:
        return "action"
    if first["open"] == 0 or text.rstrip().endswith("?"):
        return "open"
    if (
        first["decisions"] is not None
        and first["decisions"] <= 2
        and not (act is not None and act < first["decisions"])
    ):
        return "decision"
    if first["goals"] is not None and first["goals"] <= 2 and not _COUNTED.search(text):
        return "goal"
    if _negated(row, act) or (first["done"] is not None and first["done"] < (act if act is not None else 99)):
        return "fact"
    wants = first["wants"] is not None and first["wants"] <= 3
    if wants and act is None and not dates and _counted(text, dates)[0] is None:
        return "goal"
    if act is not None or imperative or wants:
        return "action"
    return "open" if first["open"] is not None and first["open"] <= 2 else "fact"


_COUNTED = re.compile(r"(?<![\w.,/-])\d{1,6} ?(?:x|×)?\s+[^\W\d]")


def _first(row: Sequence[Token], name: str) -> int | None:
    return min((hit.first for hit in book("notes", name).find(row)), default=None)


def _negated(row: Sequence[Token], act: int | None) -> bool:
    """Whether a negation stands at the act: shortly before it or right after ("liefern nicht")."""
    at = act if act is not None else 0
    return any(at - 3 <= hit.first <= at + 2 for hit in book("notes", "negations").find(row))


def _act_at(row: Sequence[Token], at: int) -> int | None:
    hits = book("notes", "verbs").starting(row, at)
    return max((hit.last for hit in hits), default=None)


def _ends_with_act(row: Sequence[Token]) -> bool:
    """ "Muster schicken": in German and Dutch notes the act stands last."""
    return len(row) >= 2 and any(hit.last == len(row) - 1 for hit in book("notes", "verbs").find(row))


def _act(row: Sequence[Token], actor: _Actor) -> int | None:
    """The token of the verb that belongs to the actor: right after it, modal words and "will" aside."""
    at = next((i for i, token in enumerate(row) if token.start >= actor.end), len(row))
    for i in range(at, min(at + 4, len(row))):
        found = _act_at(row, i)
        if found is not None:
            return found
        if row[i].word not in words("notes", "modals"):
            break
    before = next((i for i, token in enumerate(row) if token.end <= actor.start and _act_at(row, i) is not None), None)
    return before if before is not None and actor.side is not None else None


# Owners


def _actor(text: str, row: Sequence[Token], people: Mapping[str, Side]) -> _Actor | None:
    """The first subject of a clause: we, they, a known name, a name before an act, or a name as a mark of ownership."""
    named = _known(text, row, people) or _marked_name(text)
    if named is not None:
        return named
    name, side = _name_before_act(text, row), _side_before_act(row)
    if name is not None and side is not None:
        return min(side, name, key=lambda actor: actor.start)
    return name or side


def _side_before_act(row: Sequence[Token]) -> _Actor | None:
    """ "we ship", "the customer to send", or a subject at the very end ("liefern – wir"), not after "to" or "for"."""
    sides = [(hit, side) for side in ("us", "them") for hit in book("notes", side).find(row)]
    for hit, side in sorted(sides, key=lambda pair: (pair[0].first, -pair[0].last)):
        actor = _Actor(_side(side), None, hit.start, hit.end)
        is_object = hit.first > 0 and row[hit.first - 1].word in words("notes", "before_objects")
        if not is_object and (_act(row, actor) is not None or hit.last == len(row) - 1 or hit.first == 0):
            return actor
    return None


def _side(side: str) -> Side:
    return "us" if side == "us" else "them"


def _known(text: str, row: Sequence[Token], people: Mapping[str, Side]) -> _Actor | None:
    """A known person named as owner: at the start, before an act, after "@" or at the end in brackets."""
    for i in range(len(row)):
        for size in (3, 2, 1):
            name = " ".join(token.word for token in row[i : i + size])
            side = people.get(name) or _by_part(name, people)
            if side is None or i + size > len(row):
                continue
            actor = _Actor(side, text[row[i].start : row[i + size - 1].end], row[i].start, row[i + size - 1].end)
            if i == 0 or _act(row, actor) is not None or i + size == len(row):
                return actor
    return None


def _by_part(name: str, people: Mapping[str, Side]) -> Side | None:
    """The side of a given name or surname that only one known person has."""
    sides = {side for full, side in people.items() if name in full.split()}
    return sides.pop() if len(sides) == 1 and len(name) > 1 else None


def _marked_name(text: str) -> _Actor | None:
    at = _AT_NAME.search(text)
    if at:
        return _Actor(None, at[1], at.start(), at.end())
    tail = _TAIL_NAME.search(text)
    if tail is None:
        return None
    name = (tail[1] or tail[2]).strip()
    side = next((s for s in ("us", "them") if any(h.first == 0 for h in book("notes", s).find(tokens(name)))), None)
    if side is not None:
        return _Actor(_side(side), None, tail.start(), tail.end())
    return _Actor(None, name, tail.start(), tail.end()) if _NAME.fullmatch(name) and tail[1] else None


def _name_before_act(text: str, row: Sequence[Token]) -> _Actor | None:
    """ "Tom sends …", "AI: Tom to send …", "Anna: drawing": a capitalised name before the act or a colon."""
    for match in _NAME.finditer(text):
        inside = [token for token in row if match.start() <= token.start < match.end()]
        start = next((i for i, token in enumerate(inside) if not _is_marker(token.word)), None)
        if start is None:
            continue
        actor = _Actor(None, text[inside[start].start : match.end()], inside[start].start, match.end())
        follows = text[match.end() : match.end() + 2]
        if all(len(t.word) > 1 for t in inside[start:]) and (
            _leads_act(row, actor) or follows.startswith(":") and match.start() == 0
        ):
            return actor
        if match.start() > 40:
            break
    return None


def _leads_act(row: Sequence[Token], actor: _Actor) -> bool:
    first = next((token for token in row if token.start == actor.start), None)
    if first is None or _act_at(row, row.index(first)) is not None:
        return False
    return _act(row, actor) is not None


def _is_marker(word: str) -> bool:
    """Whether a capitalised word opens a kind of item ("Goal: …", "AI: …") and is nobody's name."""
    alone = (Token(word, 0, len(word)),)
    kinds = ("markers", "goals", "budgets", "decisions", "open", "wants")
    return word in ("to", "do", "next", "step", "action") or any(
        book("notes", kind).starting(alone, 0) for kind in kinds
    )


def _owner(
    row: Sequence[Token], actor: _Actor | None, quantity: Decimal | None, kind: str
) -> tuple[Side | None, str | None]:
    """Who owes it. A customer who "wants" a number of goods wants them from us."""
    if actor is not None and (actor.side is not None or actor.who is not None):
        wanting = actor.side == "them" and bool(book("notes", "wants").find(row)) and quantity is not None
        return ("us" if wanting else actor.side), actor.who
    wants = book("notes", "wants").find(row)
    return ("us" if kind == "action" and wants and quantity is not None else None), None


# Values


def _due(dates: Sequence[DateMention], kind: ItemKind) -> date | None:
    exact = [mention for mention in dates if mention.exact]
    if kind in ("fact", "budget", "open") or len({m.day for m in dates}) > 1 and not any(m.limit for m in exact):
        return exact[0].day if len(exact) == 1 else None
    limits = [mention for mention in exact if mention.limit] or exact
    return limits[0].day if limits else None


def _counted(text: str, dates: Sequence[DateMention]) -> tuple[Decimal | None, str | None]:
    """The first number that counts things, and the words of the thing: "2 sample FM-300"."""
    for _, end, value in _numbers(text, dates):
        named = _thing_after(text, end, dates)
        if named is not None:
            return value, named
    return None, None


def _numbers(text: str, dates: Sequence[DateMention]) -> list[tuple[int, int, Decimal]]:
    found = [(m.start(), m.end(), Decimal(m[1])) for m in _TIMES.finditer(text)]
    taken = [(m.start, m.end) for m in dates] + [(s, e) for s, e, _ in found]
    for m in _NUMBER.finditer(text):
        value = read_number(m.group())
        if value is not None:
            found.append((m.start(), m.end(), value))
    for token in tokens(text):
        spelled = spelled_numbers().get(token.word)
        if spelled is not None and token.word not in _ARTICLES:
            found.append((token.start, token.end, Decimal(spelled)))
    return sorted(n for n in found if not any(a <= n[0] < b and (a, b) != (n[0], n[1]) for a, b in taken))


_ARTICLES = frozenset({"one", "ein", "eine", "einen", "einem", "un", "une", "una", "uno", "een", "e"})


def read_number(text: str) -> Decimal | None:
    """A number as written in notes: three digits after the only mark are thousands, one or two are decimals."""
    plain = re.sub(r"[\s'’\u00a0\u202f]", "", text)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        return Decimal(plain) if plain.isdigit() else None
    last = max(plain.rfind("."), plain.rfind(","))
    tail = plain[last + 1 :]
    decimal = len(tail) != 3 or len(set(marks)) == 2
    if len(set(marks)) == 1 and len(marks) > 1:
        decimal = False
    whole = re.sub(r"[.,]", "", plain[:last] if decimal else plain)
    return Decimal(f"{whole or 0}.{tail}") if decimal and tail else Decimal(whole)


def _thing_after(text: str, end: int, dates: Sequence[DateMention]) -> str | None:
    """The words after a number up to a date, a comma or a small word; None when they are a unit of time or money."""
    limit = min((m.lead for m in dates if m.lead >= end), default=len(text))
    stretch = re.split(r"[,;:()]|\s[–—-]\s", text[end:limit], maxsplit=1)[0]
    if _CURRENCY.match(stretch.lstrip()) or stretch.lstrip().startswith("%"):
        return None
    chosen: list[str] = []
    for word in stretch.split():
        plain = fold(word.strip("\"'“”„."))
        if not chosen and (plain in words("notes", "measures") or plain in ("x", "×")):
            continue
        if not chosen and plain in words("notes", "units"):
            return None
        if plain in words("notes", "stops") or plain in _verb_words() or len(chosen) == 5:
            break
        chosen.append(word.rstrip("."))
        if word.endswith("."):
            break
    return " ".join(chosen) or None


@cache
def _verb_words() -> frozenset[str]:
    return words("notes", "verbs") - {
        "order",
        "orders",
        "test",
        "tests",
        "set",
        "sets",
        "quote",
        "quotes",
        "demo",
        "demos",
        "plan",
    }


def _amount(text: str, dates: Sequence[DateMention]) -> tuple[Decimal | None, str | None]:
    """The sum of a budget and its currency; "50k" and "1,2 Mio." are multiplied out."""
    for m in _SUM.finditer(text):
        if any(d.start <= m.start() < d.end for d in dates):
            continue
        value = read_number(m[1])
        if value is None or text[m.end() : m.end() + 2].strip().startswith("%"):
            continue
        scale = Decimal(_SCALES[m[2].casefold()]) if m[2] else Decimal(1)
        return value * scale, _currency(text)
    return None, None


def _currency(text: str) -> str | None:
    found = _CURRENCY.search(text)
    if found is None:
        return None
    return _SYMBOLS.get(found.group(), found.group().upper())


def _what(text: str, dates: Sequence[DateMention], actor: _Actor | None) -> str:
    """The clause without marker, owner and date, for a line in an internal note."""
    cuts = [(m.lead, m.end) for m in dates if m.exact]
    if actor is not None:
        cuts.append((actor.start, actor.end))
    kept, at = [], 0
    for start, end in sorted(cuts):
        if start >= at:
            kept.append(text[at:start])
            at = end
    kept.append(text[at:])
    rest = re.sub(r"\s+", " ", " ".join(kept))
    return _plain_what(rest) or text


def _plain_what(text: str) -> str:
    """Without the marker or the kind at the front and loose marks or modal words at the edges."""
    row = tokens(text)
    marker = max((hit.end for name in ("markers", "wants") for hit in book("notes", name).starting(row, 0)), default=0)
    rest = text[marker:].strip(" ,;:.()@–—-")
    row = tokens(rest)
    if len(row) > 1 and row[0].word in words("notes", "modals"):
        rest = rest[row[1].start :]
    return _without_bare_act(rest)


def _without_bare_act(text: str) -> str:
    """Without a bare act after the last comma: of "2 sample FM-300, we ship" the thing is kept."""
    head, comma, tail = text.rpartition(",")
    row = tokens(tail)
    acting = any(_act_at(row, i) is not None for i in range(len(row)))
    return head.rstrip(" ,") if comma and len(row) <= 2 and acting else text
