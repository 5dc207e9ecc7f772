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
from crmplugin.analysis.notes_actors import Actor, Side, act_at, act_of, actor_in, ends_with_act, first_of, is_negated
from crmplugin.analysis.notes_clauses import Clause, clauses_of, is_heading, without_dates
from crmplugin.analysis.passages import MAX_CHARS, mask_addresses
from crmplugin.analysis.phrases import Token, book, fold, tokens, words

ItemKind = Literal["action", "decision", "budget", "goal", "open", "fact"]
MAX_ITEMS = 100
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


def read_notes(
    text: str, *, written_on: date, zone: tzinfo | None = None, people: Mapping[str, Side] | None = None
) -> tuple[NoteItem, ...]:
    """The items of notes in their order. `people` maps known names to their side ("Tom Berg" -> "us").

    An instant as `written_on` is the day in `zone`.
    """
    day = written_on.astimezone(zone).date() if isinstance(written_on, datetime) else written_on
    known = {fold(name): side for name, side in (people or {}).items()}
    notes = text[:MAX_CHARS]
    masked = without_dates(mask_addresses(notes), find_dates(notes, written_on=day))
    clauses = clauses_of(masked)
    items = [_item(notes, masked, clause, day, known) for clause in clauses]
    return tuple(item for item in items if item is not None)[:MAX_ITEMS]


def _item(notes: str, masked: str, clause: Clause, day: date, people: Mapping[str, Side]) -> NoteItem | None:
    verbatim = notes[clause.start : clause.end]
    row = tokens(masked[clause.start : clause.end])
    if not row or is_heading(verbatim, row):
        return None
    dates = find_dates(verbatim, written_on=day)
    actor = actor_in(verbatim, row, people)
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


def _kind(text: str, row: Sequence[Token], actor: Actor | None, dates: Sequence[DateMention]) -> ItemKind:
    first = {
        name: first_of(row, name) for name in ("budgets", "decisions", "open", "goals", "wants", "markers", "done")
    }
    act = act_of(row, actor) if actor else None
    imperative = act_at(row, 0) is not None or ends_with_act(row)
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
    if is_negated(row, act) or (first["done"] is not None and first["done"] < (act if act is not None else 99)):
        return "fact"
    wants = first["wants"] is not None and first["wants"] <= 3
    if wants and act is None and not dates and _counted(text, dates)[0] is None:
        return "goal"
    if act is not None or imperative or wants:
        return "action"
    return "open" if first["open"] is not None and first["open"] <= 2 else "fact"


_COUNTED = re.compile(r"(?<![\w.,/-])\d{1,6} ?(?:x|×)?\s+[^\W\d]")


def _owner(
    row: Sequence[Token], actor: Actor | None, quantity: Decimal | None, kind: str
) -> tuple[Side | None, str | None]:
    """Who owes it. A customer who "wants" a number of goods wants them from us."""
    if actor is not None and (actor.side is not None or actor.who is not None):
        wanting = actor.side == "them" and bool(book("notes", "wants").find(row)) and quantity is not None
        return ("us" if wanting else actor.side), actor.who
    wants = book("notes", "wants").find(row)
    return ("us" if kind == "action" and wants and quantity is not None else None), None


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


def _what(text: str, dates: Sequence[DateMention], actor: Actor | None) -> str:
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
    acting = any(act_at(row, i) is not None for i in range(len(row)))
    return head.rstrip(" ,") if comma and len(row) <= 2 and acting else text
