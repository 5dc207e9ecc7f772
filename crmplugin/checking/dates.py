"""Dates and times in a text: our own grammar per language, resolved against the day of sending in the reader's zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from babel import Locale

from crmplugin.checking.lists import LANGUAGES, PhraseBook, table

NEAR_DAYS = 183
"""The year of a date may be dropped within six months of the day of sending."""
DOTTED = frozenset({"de", "pl"})

Form = Literal["named", "dotted", "numeric", "iso", "relative", "weekday", "span", "time"]


@dataclass(frozen=True, slots=True)
class When:
    """A date or time in a text.

    days: the days it can mean (none for a time or an impossible date). far: days it would mean if the year could be
    dropped. span: first and last day of a week, month or year. weekday: the one that is stated, Monday is 0.
    clock: hour and minute. zone: the zone's name as written.
    """

    start: int
    end: int
    form: Form
    days: tuple[date, ...] = ()
    far: tuple[date, ...] = ()
    span: tuple[date, date] | None = None
    weekday: int | None = None
    clock: tuple[int, int] | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class _Grammar:
    months: dict[str, int]
    weekdays: dict[str, int]
    long_weekdays: frozenset[str]
    day_first: re.Pattern[str]
    month_first: re.Pattern[str]
    month_alone: re.Pattern[str]
    weekday_alone: re.Pattern[str]
    relative: PhraseBook
    year: re.Pattern[str]
    hour: re.Pattern[str]


_ISO = re.compile(r"(?<![\w-])([12][0-9]{3})-([01]?[0-9])-([0-3]?[0-9])(?![\d-])(?:T[0-9:.+Zz-]{1,25})?")
_DOT = re.compile(r"(?<![\d.,])([0-3]?[0-9])\. ?([01]?[0-9])\.(?: ?([12][0-9]{3}|[0-9]{2})(?![0-9]))?")
_SLASH = re.compile(r"(?<![\w/.-])([0-3]?[0-9])([/-])([0-3]?[0-9])(?:\2([12][0-9]{3}|[0-9]{2}))?(?![\w/-])")
_CLOCK = re.compile(
    r"(?<![\w.,:])([01]?[0-9]|2[0-4])(?:([:.h])([0-5][0-9])(?::[0-5][0-9])?)?"
    r"( ?(?:a\.m\.|p\.m\.|am|pm|uhr|uur|o'clock|heures|h)(?![a-z]))?(?![\w:])(?!,[0-9])",
    re.IGNORECASE,
)
_ZONE = re.compile(
    r" ?[(,]? ?(UTC(?:[+-][0-9]{1,2})?|GMT|CES?T|MES?Z|BST|WES?T|EES?T|E[SD]?T|C[SD]T|M[SD]T|P[SD]?T|IST|JST|AE[SD]T|"
    r"(?:[A-Z][a-z]+)/(?:[A-Z][A-Za-z_]+)(?:/[A-Z][A-Za-z_]+)?|[A-Z][A-Za-z]+ time|(?:New )?[A-Z][a-zü]+er Zeit|"
    r"Ortszeit|(?:local|your) time|(?:hora|heure|ora)(?: de| d'| di)? ?[A-Z][a-zéèíóã]+|(?:hora|heure|ora) locale?|"
    r"czasu [a-z]+iego|[A-Z][a-z]+se tijd)"
    r"(?!\w)\)?"
)
_HOURS = re.compile(r"(?<![\w.,:])([01]?[0-9]|2[0-4]) h ([0-5][0-9])(?![\w:]|,[0-9])")
_ALONE = r" ([01]?[0-9]|2[0-4])(?= ?(?:$|[.,;!?()]|(?:and|und|et|y|e|en|i|or|oder) ))(?![.,][0-9])"
"""An hour without minutes or mark stands at the end of something: "alle 10", "a las 9."."""
_KW = re.compile(r"(?<!\w)(?:KW|CW|week|Woche|semaine|semana|settimana) ?([0-5]?[0-9])(?![\w.,]?[0-9])", re.IGNORECASE)
_BEFORE_RANGE = re.compile(
    r"(?<![\w.,])([0-3]?[0-9])(?:\.|st|nd|rd|th|er)? ?(?:–|-|to|and|until|bis|und|au|et|al|y|a|e|en|tot|i|do) ?$"
)
_AFTER_RANGE = re.compile(r" ?(?:–|-|to|and) ?([0-3]?[0-9])(?:st|nd|rd|th)?(?![\w.]?[0-9])")


@lru_cache(maxsize=16)
def _grammar(language: str) -> _Grammar:
    words = table("dates", language)
    months, weekdays = _cldr(language, "months"), _cldr(language, "days")
    months |= words["months"]
    short = dict(weekdays)
    weekdays |= words.get("weekdays", {})
    long_days = frozenset(_wide_days(language)) | frozenset(words.get("weekdays", {}))
    month, weekday, of = _any(months), _any({**short, **weekdays}), _any(words["of"])
    lead = rf"(?:(?P<w>{weekday})\.?,? (?:(?:{of}) )?)?"
    tail = r"(?:,? (?:(?:de|del|of) )?(?P<y>[12][0-9]{3})(?![0-9]))?"
    ordinal = r"(?:st|nd|rd|th|\.|º|ª|er|re|ste|de|e)?"
    return _Grammar(
        months,
        {**short, **weekdays},
        long_days,
        re.compile(
            rf"(?<![\w.,]){lead}(?P<d>[0-3]?[0-9]){ordinal} ?(?:(?:{of}) )?"
            rf"(?P<m>{month})(?!\w)(?:\.(?= [0-9a-z]))?{tail}",
            re.I,
        ),
        re.compile(
            rf"(?<!\w){lead}(?P<m>{month})\.? (?:the )?(?P<d>[0-3]?[0-9])(?:st|nd|rd|th)?(?![\w]|[.,:][0-9]){tail}",
            re.I,
        ),
        re.compile(rf"(?<!\w)(?:(?P<b>{_any(words['before_month'])})[ -]?)?(?P<m>{month})(?!\w){tail}", re.I),
        re.compile(rf"(?<!\w)(?P<w>{_any(long_days)})(?!\w)", re.I),
        PhraseBook(_relative_rows(language)),
        re.compile(rf"(?<!\w)(?:{_any(words['year_words'])}) (?P<y>(?:19|20)[0-9]{{2}})(?![\w]|[.,:/-][0-9])", re.I),
        re.compile(rf"(?<!\w)(?:{_any(words['at'])}){_ALONE}"),
    )


def _any(words: object) -> str:
    return "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))  # type: ignore[call-overload]


def _cldr(language: str, what: str) -> dict[str, int]:
    """Names of months (1 to 12) or days (Monday 0) in all widths but one letter."""
    table_ = getattr(Locale.parse(language), what)
    found: dict[str, int] = {}
    for context in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            found |= {str(name).lower().rstrip("."): n for n, name in table_[context][width].items()}
    return found


def _wide_days(language: str) -> set[str]:
    days = Locale.parse(language).days
    return {str(n).lower() for c in ("format", "stand-alone") for n in days[c]["wide"].values()}


def _relative_rows(language: str) -> Iterator[tuple[str, str]]:
    words = table("dates", language)
    for kind in ("days", "weeks", "months_rel", "years_rel", "ends"):
        yield from ((f"{kind}:{n}", phrase) for phrase, n in words[kind].items())
    yield from (("none", phrase) for phrase in words.get("not_days", ()))


def weekday_names(language: str) -> dict[str, int]:
    """Full names of the days of a week, Monday is 0."""
    grammar = _grammar(language)
    return {name: grammar.weekdays[name] for name in grammar.long_weekdays}


def find_dates(text: str, low: str, *, language: str, locale: str, send_on: date) -> list[When]:
    """All dates and times of a folded text in order, none overlapping another; the fuller reading of a place wins."""
    language = language if language in LANGUAGES else "en"
    rows: list[When] = []
    for step in (_iso, _named, _numeric, _clocks, _weeks, _spans, _relative, _weekdays):
        fresh = list(step(text, low, language, locale, send_on))
        fresh.sort(key=lambda w: (w.start, -w.end))
        for when in fresh:
            if all(when.end <= k.start or k.end <= when.start for k in rows):
                rows.append(when)
    if any(w.days for w in rows) and all(w.clock is None for w in rows):
        rows += _hours_alone(text, low, language)
    return _join_weekdays(text, sorted(rows, key=lambda w: w.start))


def _iso(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    for m in _ISO.finditer(text):
        yield When(m.start(), m.end(), "iso", _days(int(m[1]), int(m[2]), int(m[3])))


def _named(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    g = _grammar(language)
    for pattern in (g.day_first, g.month_first):
        for m in pattern.finditer(low):
            yield from _one_named(low, g, m, send_on)


def _one_named(low: str, g: _Grammar, m: re.Match[str], send_on: date) -> Iterator[When]:
    month, day = g.months[m["m"]], int(m["d"])
    weekday = g.weekdays.get(m["w"]) if m["w"] else None
    when = _yearless(m.start(), m.end(), "named", month, day, m["y"], send_on)
    yield replace(when, weekday=weekday)
    other = _BEFORE_RANGE.search(low, max(0, m.start() - 14), m.start()) if m["w"] is None else None
    if other:
        yield _yearless(other.start(), m.start(), "named", month, int(other[1]), m["y"], send_on)
    after = _AFTER_RANGE.match(low, m.end("d"))
    if after and m.start("m") < m.start("d"):
        yield _yearless(after.start(1), after.end(), "named", month, int(after[1]), m["y"], send_on)


def _yearless(start: int, end: int, form: Form, month: int, day: int, year: str | None, send_on: date) -> When:
    if year:
        full = int(year) + (2000 if len(year) == 2 else 0)
        return When(start, end, form, _days(full, month, day))
    days = [d for y in range(send_on.year - 2, send_on.year + 4) for d in _days(y, month, day)]
    near = tuple(d for d in days if abs((d - send_on).days) <= NEAR_DAYS)
    return When(start, end, form, near, tuple(d for d in days if d not in near))


def _days(year: int, month: int, day: int) -> tuple[date, ...]:
    try:
        return (date(year, month, day),)
    except ValueError:
        return ()


def _numeric(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    for m in _DOT.finditer(text):
        if (m[3] or language in DOTTED) and int(m[1]) and 0 < int(m[2]) <= 12:
            yield _yearless(m.start(), m.end(), "dotted", int(m[2]), int(m[1]), m[3], send_on)
    for m in _SLASH.finditer(text):
        if m[4] or (m[2] == "/" and len(m[1]) == 2 and len(m[3]) == 2):
            yield _slashed(m, locale, send_on)


def _slashed(m: re.Match[str], locale: str, send_on: date) -> When:
    """Both orders of day and month, the locale's first."""
    orders = [(int(m[3]), int(m[1])), (int(m[1]), int(m[3]))]
    orders = orders[::-1] if locale == "en_US" else orders
    found = [_yearless(m.start(), m.end(), "numeric", month, day, m[4], send_on) for month, day in orders]
    days = tuple(dict.fromkeys(d for w in found for d in w.days))
    return replace(found[0], days=days, far=tuple(d for w in found for d in w.far))


def _clocks(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    for m in _HOURS.finditer(low):
        yield When(m.start(), m.end(), "time", clock=(int(m[1]) % 24, int(m[2])))
    for m in _CLOCK.finditer(text):
        suffix = (m[4] or "").strip().lower()
        if not _is_clock(m, suffix, language):
            continue
        hour, minute = int(m[1]), int(m[3] or 0)
        if suffix in ("pm", "p.m.") and hour < 12:
            hour += 12
        if suffix in ("am", "a.m.") and hour == 12:
            hour = 0
        zone = _ZONE.match(text, m.end())
        yield When(
            m.start(), zone.end() if zone else m.end(), "time", clock=(hour, minute), zone=zone[1] if zone else None
        )


def _hours_alone(text: str, low: str, language: str) -> Iterator[When]:
    """Hours after "at" that nothing else marks; only beside a day can they be told from any other number."""
    for m in _grammar(language).hour.finditer(low):
        zone = _ZONE.match(text, m.end())
        yield When(m.start(1), zone.end() if zone else m.end(), "time", clock=(int(m[1]) % 24, 0),
                   zone=zone[1] if zone else None)  # fmt: skip


def _is_clock(m: re.Match[str], suffix: str, language: str) -> bool:
    if m[2] == ":":
        return True
    if suffix in ("h", "heures"):
        return False if m[2] is None and language not in ("fr",) else m[2] is not None or suffix == "heures"
    if m[2] == "h":
        return True
    return bool(suffix)


def _weeks(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    for m in _KW.finditer(low):
        try:
            monday = date.fromisocalendar(send_on.year, int(m[1]), 1)
        except ValueError:
            continue
        yield When(m.start(), m.end(), "span", span=(monday, monday + timedelta(days=6)))


def _spans(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    g = _grammar(language)
    for m in g.month_alone.finditer(low):
        if (m["b"] or m["y"]) and (text[m.start("m")].isupper() or language not in ("en", "de", "nl")):
            yield When(m.start("m"), m.end(), "span", span=_month(m["y"], g.months[m["m"]], send_on))
    for m in g.year.finditer(low):
        year = int(m["y"])
        yield When(m.start("y"), m.end(), "span", span=(date(year, 1, 1), date(year, 12, 31)))


def _month(year: str | None, month: int, send_on: date) -> tuple[date, date]:
    """First and last day; without a year the nearest such month."""
    years = [int(year)] if year else [send_on.year - 1, send_on.year, send_on.year + 1]
    firsts = [date(y, month, 1) for y in years]
    first = min(firsts, key=lambda d: abs((d - send_on).days))
    return first, (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _relative(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    found = _grammar(language).relative.find(low)
    found.sort(key=lambda row: (row[1] - row[2], row[1]))
    taken: list[tuple[int, int]] = []
    for kind, start, end in found:
        if any(a < end and start < b for a, b in taken):
            continue
        taken.append((start, end))
        if kind != "none" and not _is_morning(text, start, language, kind):
            yield _resolve(kind, start, end, send_on)


def _is_morning(text: str, start: int, language: str, kind: str) -> bool:
    """German Morgen with a capital in mid-sentence is the morning, or a greeting."""
    return language == "de" and kind == "days:1" and text[start].isupper() and start > 0


def _resolve(kind: str, start: int, end: int, send_on: date) -> When:
    unit, _, n = kind.partition(":")
    if unit == "days":
        return When(start, end, "relative", (send_on + timedelta(days=int(n)),))
    if unit == "ends":
        return When(start, end, "relative", (_end_of(n, send_on),))
    return When(start, end, "relative", span=_around(unit, int(n), send_on))


def _end_of(period: str, send_on: date) -> date:
    """The last day of the week (a Friday), month, quarter or year that the day of sending is in."""
    if period == "week":
        return send_on + timedelta(days=4 - send_on.weekday())
    month = {"month": send_on.month, "quarter": (send_on.month + 2) // 3 * 3, "year": 12}[period]
    return _month(str(send_on.year), month, send_on)[1]


def _around(unit: str, n: int, send_on: date) -> tuple[date, date]:
    if unit == "weeks":
        monday = send_on - timedelta(days=send_on.weekday()) + timedelta(weeks=n)
        return monday, monday + timedelta(days=6)
    if unit == "years_rel":
        return date(send_on.year + n, 1, 1), date(send_on.year + n, 12, 31)
    count = send_on.year * 12 + send_on.month - 1 + n
    return _month(str(count // 12), count % 12 + 1, send_on)


def _weekdays(text: str, low: str, language: str, locale: str, send_on: date) -> Iterator[When]:
    g = _grammar(language)
    for m in g.weekday_alone.finditer(low):
        weekday = g.weekdays[m["w"]]
        ahead = (weekday - send_on.weekday()) % 7 or 7
        days = tuple(send_on + timedelta(days=d) for d in (ahead, ahead - 7, ahead + 7))
        yield When(m.start(), m.end(), "weekday", days, weekday=weekday)


def _join_weekdays(text: str, rows: list[When]) -> list[When]:
    """A weekday right after a date belongs to it: "13 March (Friday)"."""
    out: list[When] = []
    for when in rows:
        last = out[-1] if out else None
        beside = last is not None and text[last.end : when.start].strip() in ("", ",", "(", ", a", "which is a")
        if (
            when.form == "weekday"
            and last is not None
            and beside
            and last.form in ("named", "dotted", "numeric", "iso")
        ):
            out[-1] = replace(last, weekday=when.weekday, end=when.end)
        else:
            out.append(when)
    return out
