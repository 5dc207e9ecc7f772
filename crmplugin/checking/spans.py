"""Typed pieces of a sentence, found in a fixed order; each is masked before the next kind is looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from crmplugin.checking import links
from crmplugin.checking.dates import When, find_dates
from crmplugin.checking.fold import Folded
from crmplugin.checking.lists import LANGUAGES, phrase_book, table, topic
from crmplugin.checking.money import Currency, currency_of
from crmplugin.checking.names import Match, TenantNames
from crmplugin.checking.numbers import Number, find_numbers

_MASK = "\0"
_ALWAYS = re.compile(
    r"(?<![\w])24 ?/ ?7(?!\w)|(?<!\w)(?:B2B|B2C|B2G|H2O|CO2|3D|2D|A4|A3|DIN A4)(?!\w)",
    re.I,
)
_LIST_MARK = re.compile(r"^ ?(?:[0-9]{1,2}[.)]|[-*•]) ")
_STANDARD = re.compile(
    r"(?<!\w)(?:(?:ISO|EN|DIN|IEC|VDE|ASTM|ANSI|IEEE|RFC|ATEX|IP|UL|CE|NIST|SOC|NFPA|API|NE)[ /-]){0,3}"
    r"(?:ISO|EN|DIN|IEC|VDE|ASTM|ANSI|IEEE|RFC|ATEX|IP|UL|NIST|SOC|NFPA|API|NE) ?[0-9][0-9A-Za-z:.-]{0,14}(?<![.:-])"
)
_CODE = re.compile(
    r"(?<![\w/.-])(?=[A-Za-z0-9/_-]{0,40}[0-9])(?=[A-Za-z0-9/_-]{0,40}[A-Za-z])"
    r"[A-Za-z][A-Za-z0-9]{0,30}(?:[-/_][A-Za-z0-9]{1,30}){0,5}(?!\w)"
)
_NUMBER_CODE = re.compile(r"(?<![\w.,/-])[0-9]{2,8}(?:[-/][0-9A-Z]{2,8}){1,4}(?![\w-])")
CAPITAL_LETTER = r"[^\W\d_a-zß-öø-ÿąćęłńóśźżčďěňřšťůžőűğışœ]"
"""A letter that is not one of the small letters of our languages: "écrit à" is no name."""
_CAPITAL = re.compile(
    rf"(?<![\w]){CAPITAL_LETTER}[\w'&.-]{{0,40}}"
    rf"(?: (?:(?:of|de|von|van|der|den|da|di|du|la|&|and) )?{CAPITAL_LETTER}[\w'&.-]{{0,40}}){{0,6}}"
)
_MINUS = re.compile(r"(?:^|[ (])-$")
_DATE_AFTER = re.compile(r",? (?:the |den |dem )?(?:[^\W\d_]{3,10}\.? )?[0-9]{1,4}(?![0-9])")
_DATE_BEFORE = re.compile(r"[0-9](?:st|nd|rd|th|\.)? (?:de )?$")
_PERCENT = re.compile(r" ?[%‰]")


@dataclass(frozen=True, slots=True)
class Token:
    """A typed piece of a folded sentence.

    kind: link, email, phone, name, doc_id, date, money, percent, quantity, number, range, ordinal, capital, fixed.
    numbers: the readings of a number (two Numbers for a range or "k of n"). unit: our unit word. hedge: about, over,
    under, least, most. cue: who or what else belongs to it.
    """

    kind: str
    start: int
    end: int
    numbers: tuple[Number, ...] = ()
    currency: Currency | None = None
    unit: str | None = None
    hedge: str | None = None
    when: When | None = None
    matches: tuple[Match, ...] = ()
    ratio: bool = False


@dataclass(frozen=True, slots=True)
class Reader:
    """How a text is read: its language and locale, and the day of sending."""

    language: str
    locale: str
    send_on: date

    @property
    def words(self) -> str:
        return self.language if self.language in LANGUAGES else "en"


class _Mask:
    """A text in which taken pieces are struck out."""

    def __init__(self, folded: Folded) -> None:
        self.text, self.low = folded.text, folded.lower

    def strike(self, start: int, end: int) -> None:
        blank = _MASK * (end - start)
        self.text = self.text[:start] + blank + self.text[end:]
        self.low = self.low[:start] + blank + self.low[end:]

    def take(self, kind: str, places: Iterable[tuple[int, int]]) -> Iterator[Token]:
        for start, end in list(places):
            if _MASK not in self.text[start:end]:
                self.strike(start, end)
                yield Token(kind, start, end)


def find_tokens(folded: Folded, reader: Reader, own: TenantNames, tenant: TenantNames | None) -> list[Token]:
    """All typed pieces of a sentence in order of place. `own`: names of the facts, `tenant`: everybody's."""
    mask = _Mask(folded)
    found = list(mask.take("fixed", (m.span() for m in _ALWAYS.finditer(folded.text))))
    found += mask.take("email", links.find_emails(mask.text))
    found += mask.take("link", links.find_links(mask.text))
    exact = _names(folded, own, tenant)
    found += _phones(mask, exact)
    found += _take_names(mask, exact)
    found += mask.take("doc_id", (m.span() for m in _STANDARD.finditer(mask.text)))
    found += mask.take("doc_id", (m.span() for m in _CODE.finditer(mask.text)))
    found += _take_dates(mask, reader)
    found += mask.take("fixed", (m.span() for m in _LIST_MARK.finditer(mask.text)))
    found += mask.take("doc_id", (m.span() for m in _NUMBER_CODE.finditer(mask.text) if _is_code(m[0])))
    found += _take_numbers(mask, reader)
    found += _take_capitals(mask)
    return sorted(found, key=lambda t: t.start)


def _names(folded: Folded, own: TenantNames, tenant: TenantNames | None) -> dict[tuple[int, int], list[Match]]:
    """Names by place, the longest of overlapping ones, those of the brief before those of the tenant."""
    rows = [*own.matches(folded.text), *(tenant.matches(folded.text) if tenant else ())]
    rows.sort(key=lambda m: (m.start - m.end, m.start))
    places: dict[tuple[int, int], list[Match]] = {}
    for m in rows:
        if (m.start, m.end) in places or all(m.end <= a or b <= m.start for a, b in places):
            places.setdefault((m.start, m.end), []).append(m)
    return places


def _phones(mask: _Mask, names: dict[tuple[int, int], list[Match]]) -> Iterator[Token]:
    free = (p for p in links.find_phones(mask.text) if not any(a <= p[0] and p[1] <= b for a, b in names))
    yield from mask.take("phone", free)


def _take_names(mask: _Mask, names: dict[tuple[int, int], list[Match]]) -> Iterator[Token]:
    for (start, end), matches in sorted(names.items()):
        if _MASK in mask.text[start:end]:
            continue
        if all(m.common and not _neighbours_fit(mask.text, m) for m in matches):
            continue
        mask.strike(start, end)
        yield Token("name", start, end, matches=tuple(matches))


def _neighbours_fit(text: str, match: Match) -> bool:
    """Whether an everyday word is meant as a name: on the brief's list with a capital, or beside a telling word."""
    written = text[match.start : match.end]
    if not written[:1].isupper() and not written[:1].isdigit():
        return False
    if _DATE_AFTER.match(text, match.end) or _DATE_BEFORE.search(text, max(0, match.start - 6), match.start):
        return False
    if match.name.owner_id is None and match.name.kind != "product":
        return True
    hints = topic("hints")
    after = text[match.end : match.end + 14].strip(" ,").split(" ")[0].strip(".,")
    before = text[max(0, match.start - 14) : match.start].rstrip().rsplit(" ", 1)[-1].lower()
    if after in hints["suffixes"] or text.startswith("'s ", match.end):
        return True
    return len(written.split()) > 1 or before in hints["before"]


def _take_dates(mask: _Mask, reader: Reader) -> Iterator[Token]:
    rows = find_dates(mask.text, mask.low, language=reader.words, locale=reader.locale, send_on=reader.send_on)
    for when in rows:
        mask.strike(when.start, when.end)
        yield Token("date", when.start, when.end, when=when)


def _is_code(text: str) -> bool:
    return len(re.sub("[^0-9]", "", text)) >= 5


def _take_numbers(mask: _Mask, reader: Reader) -> list[Token]:
    text, low = mask.text, mask.low
    numbers = find_numbers(text, low, language=reader.words, locale=reader.locale)
    tokens: list[Token] = []
    i = 0
    while i < len(numbers):
        one, two = numbers[i], numbers[i + 1] if i + 1 < len(numbers) else None
        if two and _is_range(low, one, two, reader.words):
            tokens.append(_measure(mask, (one, two), reader.words))
            i += 2
        elif two and _is_ratio(low, one, two, reader.words):
            hedge = _hedge(low, one.start, reader.words)
            tokens.append(Token("number", one.start, two.end, (one, two), ratio=True, hedge=hedge))
            i += 2
        else:
            tokens.append(_measure(mask, (one,), reader.words))
            i += 1
    for token in tokens:
        mask.strike(token.start, token.end)
    return tokens


def _is_range(low: str, a: Number, b: Number, language: str) -> bool:
    """6–8, 6 to 8; with "and" only after "between"."""
    between = low[a.end : b.start]
    if a.ordinal or b.ordinal or len(between) > 5:
        return False
    if between.strip() in ("–", "-", "to"):
        return True
    first, *joins = table("numbers", language)["range"]
    if between.strip() == first:
        return True
    words = low[max(0, a.start - 12) : a.start].split()
    return between.strip() in joins and bool(words) and words[-1] in topic("hints")["between"]


def _is_ratio(low: str, a: Number, b: Number, language: str) -> bool:
    return low[a.end : b.start].strip() in table("numbers", language)["of"] and b.start - a.end < 12


def _measure(mask: _Mask, numbers: tuple[Number, ...], language: str) -> Token:
    """The token of one number or range with the money, percent or unit mark beside it."""
    text, low = mask.text, mask.low
    start, end = numbers[0].start, numbers[-1].end
    hedge = _hedge(low, start, language)
    currency = currency_of(text, start, end)
    if currency is None and len(numbers) == 2:
        currency = currency_of(text, start, numbers[0].end)
    if currency is not None:
        if currency.start < start and _MINUS.search(text, max(0, currency.start - 2), currency.start):
            numbers = tuple(n.negative() for n in numbers)
        return Token("money", min(start, currency.start), max(end, currency.end), numbers, currency, hedge=hedge)
    m = _PERCENT.match(text, end)
    if m:
        return Token("percent", start, m.end(), numbers, hedge=hedge)
    m = _unit_pattern(language).match(low, end)
    if m is None:
        kind = "ordinal" if numbers[0].ordinal else "number"
        return Token(kind, start, end, numbers, hedge=hedge)
    unit = _units(language)[m[1]]
    if unit in ("percent", "points"):
        return Token("percent", start, m.end(), numbers, unit=unit, hedge=hedge)
    return Token("quantity", start, m.end(), numbers, unit=unit, hedge=hedge)


@lru_cache(maxsize=16)
def _units(language: str) -> dict[str, str]:
    rows: list[dict[str, Any]] = [topic("units")["symbols"], table("units", language)]  # type: ignore[list-item]
    return {word: unit for t in rows for unit, words in t.items() for word in words}


@lru_cache(maxsize=16)
def _unit_pattern(language: str) -> re.Pattern[str]:
    words = "|".join(re.escape(w) for w in sorted(_units(language), key=len, reverse=True))
    return re.compile(rf"[ -]?({words})(?!\w)\.?(?<!\.)")


@lru_cache(maxsize=16)
def _hedges(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    words = {w: kind for kind, rows in table("hedges", language).items() for w in rows}
    alts = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?:^|[^\w])({alts}) ?(?:the |der |den |die |[€$£] ?|[a-z]{{3}} )?$"), words


def _hedge(low: str, start: int, language: str) -> str | None:
    pattern, words = _hedges(language)
    m = pattern.search(low[max(0, start - 24) : start])
    return words[m[1]] if m else None


def _take_capitals(mask: _Mask) -> Iterator[Token]:
    yield from (Token("capital", m.start(), m.end()) for m in _CAPITAL.finditer(mask.text))


def triggers(folded: Folded, language: str) -> list[tuple[str, int, int]]:
    """Phrases of a sentence that need a fact of their own: kind, start, end; a longer phrase hides those inside it.

    A shape (`forms.toml`) adds a phrase only where no listed phrase of its kind, and no harmless one, says so already.
    """
    language = language if language in LANGUAGES else "en"
    listed = phrase_book("claims", language).find(folded.lower)
    found = listed + [
        row
        for row in _shaped(folded, language)
        if not any(row[1] < b and a < row[2] and kind in ("none", row[0]) for kind, a, b in listed)
    ]
    found.sort(key=lambda row: (row[1] - row[2], row[1]))
    kept: list[tuple[str, int, int]] = []
    for kind, start, end in found:
        if all(end <= a or b <= start or (a, b) == (start, end) for _, a, b in kept):
            kept.append((kind, start, end))
    return sorted(kept, key=lambda row: row[1])


@lru_cache(maxsize=16)
def _shapes(language: str) -> tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]:
    """Two patterns of all shapes of a language, without and with regard to case, each with the kinds of its groups."""
    rows = [(kind, shape) for kind, shapes in table("forms", language).items() for shape in shapes]
    plain = [(kind, shape) for kind, shape in rows if not shape.startswith("=")]
    cased = [(kind, shape[1:]) for kind, shape in rows if shape.startswith("=")]
    return tuple(
        (re.compile("|".join(f"({shape})" for _, shape in part)), tuple(kind for kind, _ in part))
        for part in (plain, cased)
        if part
    )


def _shaped(folded: Folded, language: str) -> Iterator[tuple[str, int, int]]:
    for pattern, kinds in _shapes(language):
        text = folded.lower if pattern is _shapes(language)[0][0] else folded.text
        yield from ((kinds[(m.lastindex or 1) - 1], m.start(), m.end()) for m in pattern.finditer(text))


def measures_in(folded: Folded, reader: Reader) -> list[Token]:
    """Numbers with their marks only, for the words of a fact; dates and the digits of a type code measure nothing."""
    mask = _Mask(folded)
    for language in {reader.words, "en"}:
        list(_take_dates(mask, replace(reader, language=language)))
    for pattern in (_STANDARD, _CODE):
        list(mask.take("doc_id", (m.span() for m in pattern.finditer(mask.text))))
    return _take_numbers(mask, reader)
