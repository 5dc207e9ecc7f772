"""Dates written in notes and mails, in six languages, resolved against the day they were written.

Nothing is guessed: 03/04 without a language that settles it, "soon" and a month alone give no date, and "next week"
gives its last day marked as not exact.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache

from crmplugin.analysis.language import guess_language
from crmplugin.analysis.phrases import PhraseBook, Token, book, fold, gather, tokens, word_list, words

_ISO = re.compile(r"(?<![\d-])(\d{4})-(\d{2})-(\d{2})(?![\d-])")
_DOTTED = re.compile(r"(?<![\d.,])(\d{1,2})\. ?(\d{1,2})\.(?: ?(\d{4}|\d{2}))?(?!\.?\d)")
_SLASHED = re.compile(r"(?<![\d/.])(\d{1,2})([/-])(\d{1,2})(?:\2(\d{4}|\d{2}))?(?![\d/-])")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|re|e|o|a)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_DAY_FIRST = ("de", "fr", "es", "it", "nl")
_LINKS = frozenset({"de", "of", "del", "the"})
_PAST_DAYS, _PAST_DUE_DAYS, _AHEAD_DAYS = 90, 31, 270
"""A day without a year lies at most this far back (less when it is a limit: "by 20 March") or ahead."""


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date in a text: characters `start` to `end` (the word before it, "by", included from `lead`).

    `exact` is False for a range or a doubtful reading: then `day` is the last day it can mean. `limit`: a word such
    as "by" or "until" stands before it.
    """

    start: int
    end: int
    lead: int
    day: date
    exact: bool = True
    limit: bool = False


def find_dates(text: str, *, written_on: date) -> tuple[DateMention, ...]:
    """All dates of a text in order, none overlapping another; the longest reading of a place wins."""
    row = tokens(text)
    found = [*_numeric(text, written_on), *_named(text, row, written_on), *_relative(row, written_on)]
    found += [*_spans_of_time(row, written_on), *_vague(row, written_on), *_weeks(text, row, written_on)]
    found = _longest_first(found)
    days = [_weekday(text, row, i, written_on, found) for i in range(len(row)) if row[i].word in _weekdays()]
    merged = _longest_first([*found, *(day for day in days if day is not None)])
    return tuple(_with_lead(text, row, mention) for mention in merged)


def _longest_first(found: Sequence[DateMention]) -> list[DateMention]:
    """Those that overlap no longer one, in the order of the text."""
    kept: list[DateMention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        at = bisect_left(kept, mention.start, key=lambda k: k.start)
        free_before = at == 0 or kept[at - 1].end <= mention.start
        if free_before and (at == len(kept) or kept[at].start >= mention.end):
            kept.insert(at, mention)
    return kept


def _with_lead(text: str, row: Sequence[Token], mention: DateMention) -> DateMention:
    """Adds the words before the date that belong to it."""
    at = bisect_left(row, mention.start, key=lambda t: t.start)
    before = row[max(0, at - 4) : at]
    limit, lead = False, mention.start
    for size in range(len(before), 0, -1):
        phrase = before[-size:]
        joined = " ".join(t.word for t in phrase)
        if text[phrase[-1].end : mention.start].strip(" \u00a0'’") or any(t.after_break for t in phrase[1:]):
            continue
        if joined in _due() or joined in words("reading_dates", "at"):
            limit, lead = joined in _due(), phrase[0].start
            break
    return replace(mention, lead=lead, limit=limit)


@cache
def _due() -> frozenset[str]:
    return frozenset(fold(line.replace("'", " ")) for line in gather("reading_dates", "due")["due"])


def _numeric(text: str, written_on: date) -> Iterator[DateMention]:
    for m in _ISO.finditer(text):
        yield from _mention(m.start(), m.end(), _make(int(m[1]), int(m[2]), int(m[3])))
    for m in _DOTTED.finditer(text):
        yield from _mention(
            m.start(), m.end(), _resolve(int(m[1]), int(m[2]), m[3], written_on, limit=_limited(text, m.start()))
        )
    slashed = list(_SLASHED.finditer(text))
    language = guess_language(text) if slashed else None
    for m in slashed:
        yield from _slashed(text, m, written_on, language)


def _slashed(text: str, m: re.Match[str], written_on: date, language: str | None) -> Iterator[DateMention]:
    """Day and month by slashes or hyphens: in which order is settled by the numbers or by the text's language."""
    limit = _limited(text, m.start())
    if not m[4] and (m[2] == "-" or not limit):
        return
    first, second = int(m[1]), int(m[3])
    if first == second or first > 12:
        day, month = first, second
    elif second > 12:
        day, month = second, first
    elif language in _DAY_FIRST:
        day, month = first, second
    else:
        return
    yield from _mention(m.start(), m.end(), _resolve(day, month, m[4], written_on, limit=limit))


def _limited(text: str, start: int) -> bool:
    before = tokens(text[max(0, start - 30) : start])[-4:]
    return any(" ".join(t.word for t in before[-n:]) in _due() for n in range(1, len(before) + 1))


def _mention(start: int, end: int, day: date | None, *, exact: bool = True) -> Iterator[DateMention]:
    if day is not None:
        yield DateMention(start, end, start, day, exact)


def _make(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _resolve(day: int, month: int, year: str | None, written_on: date, *, limit: bool) -> date | None:
    """The date of a day and month; without a year the one near the day of writing, ahead rather than back."""
    if year:
        return _make(int(year) + (2000 if len(year) == 2 else 0), month, day)
    here = _make(written_on.year, month, day)
    if here is None:
        return _make(written_on.year + 1, month, day) if (month, day) == (2, 29) else None
    past = _PAST_DUE_DAYS if limit else _PAST_DAYS
    if (written_on - here).days > past:
        return _make(written_on.year + 1, month, day)
    if (here - written_on).days > _AHEAD_DAYS and not limit:
        return _make(written_on.year - 1, month, day)
    return here


def _named(text: str, row: Sequence[Token], written_on: date) -> Iterator[DateMention]:
    """Dates with the name of a month: "20 March", "2. April 2026", "March 20th, 2026", "20 de marzo"."""
    for i, token in enumerate(row):
        if token.word not in _months():
            continue
        found = _day_before(text, row, i) or _day_after(text, row, i)
        if found is None:
            continue
        day, first, last = found
        last, year = _year_after(text, row, last)
        limit = _limited(text, row[first].start)
        resolved = _resolve(day, _months()[token.word], year, written_on, limit=limit)
        yield from _mention(row[first].start, row[last].end, resolved, exact=not _is_range(text, row[first].start))


def _day_before(text: str, row: Sequence[Token], i: int) -> tuple[int, int, int] | None:
    at = i - 1
    while at >= 0 and row[at].word in _LINKS and i - at < 3:
        at -= 1
    if at < 0 or text[row[at].end : row[i].start].strip(" .\u00a0ºª") not in ("", *_LINKS, "of the"):
        return None
    day = _day_of(row[at].word)
    return (day, at, i) if day else None


def _day_after(text: str, row: Sequence[Token], i: int) -> tuple[int, int, int] | None:
    at = i + 1
    if at < len(row) and row[at].word == "the":
        at += 1
    if at >= len(row) or text[row[i].end : row[at].start].strip(" .\u00a0") not in ("", "the"):
        return None
    if row[i].word == "may" and text[row[i].start].islower():
        return None
    day = _day_of(row[at].word)
    return (day, i, at) if day else None


def _day_of(word: str) -> int | None:
    match = _DAY.fullmatch(word)
    return int(match[1]) if match and 1 <= int(match[1]) <= 31 else None


def _year_after(text: str, row: Sequence[Token], last: int) -> tuple[int, str | None]:
    at = last + 1
    if at < len(row) and row[at].word in ("de", "del"):
        at += 1
    if at < len(row) and _YEAR.fullmatch(row[at].word):
        between = text[row[last].end : row[at].start].strip()
        if between in ("", ",", ".", "de", "del"):
            return at, row[at].word
    return last, None


def _is_range(text: str, start: int) -> bool:
    """Whether a number and a dash stand right before: "2–4 April"."""
    return re.search(r"\d\.? ?[-–/] ?$", text[max(0, start - 6) : start]) is not None


def _relative(row: Sequence[Token], written_on: date) -> Iterator[DateMention]:
    for hit in book("reading_dates", "relative").find(row):
        yield DateMention(hit.start, hit.end, hit.start, written_on + timedelta(days=int(hit.label)))


def _vague(row: Sequence[Token], written_on: date) -> Iterator[DateMention]:
    for hit in book("reading_dates", "vague").find(row):
        yield DateMention(hit.start, hit.end, hit.start, _RANGES[hit.label](written_on), exact=False)


def _friday(day: date) -> date:
    return day + timedelta(days=4 - day.weekday())


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


_RANGES: Mapping[str, Callable[[date], date]] = {
    "end_of_week": _friday,
    "end_of_next_week": lambda day: _friday(day) + timedelta(days=7),
    "end_of_month": _month_end,
    "end_of_next_month": lambda day: _month_end(_month_end(day) + timedelta(days=1)),
}


def _spans_of_time(row: Sequence[Token], written_on: date) -> Iterator[DateMention]:
    """ "in 3 days", "innerhalb von zwei Wochen": counted from the day of writing; business days skip weekends."""
    for hit in _within().find(row):
        number = _number(row[hit.last + 1].word) if hit.last + 1 < len(row) else None
        unit = next((u for u in _units().starting(row, hit.last + 2)), None)
        longer = max(_units().starting(row, hit.last + 2), key=lambda u: u.last, default=unit)
        if number is not None and longer is not None and 0 < number <= 400:
            business = longer.label == "business_days"
            day = _ahead(written_on, number, longer.label)
            yield DateMention(hit.start, longer.end, hit.start, day, exact=not business)


def _ahead(day: date, number: int, unit: str) -> date:
    if unit != "business_days":
        return day + timedelta(days=number * (7 if unit == "weeks" else 1))
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < 5
    return day


@cache
def _within() -> PhraseBook:
    return PhraseBook(gather("reading_dates", "within"))


@cache
def _units() -> PhraseBook:
    return PhraseBook({name: gather("reading_dates", name)[name] for name in ("days", "weeks", "business_days")})


def _number(word: str) -> int | None:
    if word.isascii() and word.isdigit():
        return int(word) if len(word) <= 3 else None
    return spelled_numbers().get(word)


@cache
def spelled_numbers() -> Mapping[str, int]:
    """Spelled numbers of all languages, folded: word -> value."""
    tables = word_list("notes").values()
    return {fold(word): int(n) for table in tables for n, lines in table.get("numbers", {}).items() for word in lines}


def _weeks(text: str, row: Sequence[Token], written_on: date) -> Iterator[DateMention]:
    """Calendar weeks ("KW 12"): their Friday, not exact."""
    for hit in book("reading_dates", "week_number").find(row):
        after = row[hit.last + 1] if hit.last + 1 < len(row) else None
        if after is None or not after.word.isdigit() or not 1 <= int(after.word[:4]) <= 53:
            continue
        year = written_on.year + (int(after.word) + 26 < written_on.isocalendar().week)
        try:
            yield DateMention(
                hit.start, after.end, hit.start, date.fromisocalendar(year, int(after.word), 5), exact=False
            )
        except ValueError:
            continue


def _weekday(
    text: str, row: Sequence[Token], i: int, written_on: date, found: Sequence[DateMention]
) -> DateMention | None:
    """A weekday: beside a date it belongs to it (and makes it doubtful when it is another day), alone the next one."""
    token, weekday = row[i], _weekdays()[row[i].word]
    beside = next((m for m in found if m.start >= token.end and _touches(text[token.end : m.start])), None)
    if beside is not None:
        return DateMention(
            token.start, beside.end, token.start, beside.day, beside.exact and beside.day.weekday() == weekday
        )
    if any(m.start <= token.start < m.end for m in found) or not _is_weekday(text, row, i):
        return None
    days = (weekday - written_on.weekday()) % 7 or 7
    return _beside_words(row, i, written_on, days)


def _beside_words(row: Sequence[Token], i: int, written_on: date, days: int) -> DateMention:
    """The weekday with "next", "coming" or "last" before or after it. "Next Friday" said on a Wednesday is two days."""
    before = row[i - 1] if i and not row[i].after_break else None
    after = row[i + 1] if i + 1 < len(row) and not row[i + 1].after_break else None
    start, end, exact = row[i].start, row[i].end, True
    for side in (before, after):
        if side is None:
            continue
        if side.word in words("reading_dates", "last"):
            days, start, end = days - 7, min(start, side.start), max(end, side.end)
        elif side.word in words("reading_dates", "next"):
            same_week = written_on.weekday() + days < 7
            days, exact = (days + 7, False) if same_week else (days, True)
            start, end = min(start, side.start), max(end, side.end)
        elif side is before and side.word in words("reading_dates", "coming"):
            start = side.start
    return DateMention(start, end, start, written_on + timedelta(days=days), exact)


def _touches(between: str) -> bool:
    return len(between) <= 8 and fold(between).strip(" ,.()\u00a0") in (
        "",
        "the",
        "den",
        "der",
        "dem",
        "le",
        "el",
        "il",
        "de",
    )


def _is_weekday(text: str, row: Sequence[Token], i: int) -> bool:
    """Short names ("Fr", "Sat") are weekdays only with a capital, those of two letters only after "by" or "am"."""
    token = row[i]
    length = token.end - token.start
    if length > 3 and token.word not in ("thur", "tues"):
        return True
    if not text[token.start].isupper() or text[token.start : token.end].isupper() and length == 2:
        return False
    led = (
        i > 0
        and (row[i - 1].word in _due() or row[i - 1].word in words("reading_dates", "at"))
        and not token.after_break
    )
    return led or (length == 3 and token.word not in ("sat", "sun"))


@cache
def _months() -> Mapping[str, int]:
    return _ordered("months")


@cache
def _weekdays() -> Mapping[str, int]:
    return {word: n - 1 for word, n in _ordered("weekdays").items()}


def _ordered(name: str) -> dict[str, int]:
    tables = word_list("reading_dates").values()
    return {fold(word): n for table in tables for n, line in enumerate(table[name], 1) for word in line.split("|")}
