"""Which number format a column has, decided from all of its cells, and the reading of a cell in that format.

`1.234` is a thousand and more in one format and little more than one in another: where the whole column leaves that
open, nothing is read at all.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType

FORMATS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"1,234.50": (",", "."), "1.234,50": (".", ","), "1 234,50": (" ", ","), "1'234.50": ("'", ".")}
)
"""How a format is called in a mapping file -> the sign between thousands, the sign before decimals."""

SIGNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "€": ("EUR",), "£": ("GBP", "EGP", "FKP", "GIP", "SHP", "LBP", "SYP"), "¥": ("JPY", "CNY"), "₹": ("INR",),
        "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "TWD", "BMD", "BSD", "JMD"),
        "₺": ("TRY",), "₽": ("RUB",), "₩": ("KRW",), "₪": ("ILS",), "zł": ("PLN",), "Kč": ("CZK",), "R$": ("BRL",),
        "kr": ("SEK", "NOK", "DKK", "ISK"), "US$": ("USD",), "A$": ("AUD",), "C$": ("CAD",), "CA$": ("CAD",),
        "NZ$": ("NZD",), "HK$": ("HKD",), "S$": ("SGD",), "₴": ("UAH",), "₫": ("VND",), "Ft": ("HUF",),
    }
)  # fmt: skip
"""What a sign may mean, by ISO 4217; a sign of one currency is certain."""

MAX_DIGITS, MAX_DECIMALS = 24, 12
_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
_APOSTROPHES = re.compile("[’ʼ`´]")
_SIGN_BEFORE = re.compile(r"^(?P<sign>[A-Za-z]{0,3}[^\w\s.,'()+-]{1,2}|[A-Z]{3}|kr\.?|zł|Kč|Ft)\s*(?=[-+\d.,(])")
_SIGN_BEHIND = re.compile(r"(?<=[\d.,)-])\s*(?P<sign>[^\w\s.,'()+-]{1,2}|[A-Z]{3}|kr\.?|zł|Kč|Ft)$")
_BODY: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(
            rf"(?:[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{2,3}})*{re.escape(group)}\d{{3}}|\d+)(?:{re.escape(point)}\d*)?"
            rf"|{re.escape(point)}\d+",
            re.ASCII,
        )
        for name, (group, point) in FORMATS.items()
    }
)


@dataclass(frozen=True, slots=True)
class Parted:
    """A cell in its parts: the figures, whether negative, whether a percentage, and the currency's sign or code."""

    body: str
    negative: bool
    percent: bool
    sign: str


def part(cell: str) -> Parted:
    """Parts a cell; what is no number keeps a body that no format reads."""
    text = _APOSTROPHES.sub("'", _SPACES.sub(" ", cell).strip()).replace("\u2212", "-")
    text, brackets = _unwrap(text)
    text, sign = _take_sign(text)
    text, inner = _unwrap(text)
    negative = brackets or inner
    if text[:1] in ("-", "+") or text[-1:] == "-":
        negative ^= "-" in (text[0], text[-1])
        text, second = _take_sign((text[1:] if text[0] in "+-" else text[:-1]).strip())
        sign = sign or second
    percent = sign == "%"
    return Parted(text.strip(), negative, percent, "" if percent else sign.removesuffix("."))


def _unwrap(text: str) -> tuple[str, bool]:
    """The text without brackets around it, which accountants write for a minus."""
    wrapped = len(text) > 2 and text[0] == "(" and text[-1] == ")"
    return (text[1:-1].strip() if wrapped else text), wrapped


def _take_sign(text: str) -> tuple[str, str]:
    found = _SIGN_BEFORE.search(text)
    if found:
        return text[found.end() :].strip(), found["sign"].strip()
    found = _SIGN_BEHIND.search(text)
    if found:
        return text[: found.start()].strip(), found["sign"].strip()
    return text, ""


def read_number(cell: str, format_: str) -> Decimal | None:
    """The number in a cell of this format; None when it is none. A percentage is its figure: `15 %` is 15."""
    parted = part(cell)
    return _value(parted, format_)


def _value(parted: Parted, format_: str) -> Decimal | None:
    if not _BODY[format_].fullmatch(parted.body):
        return None
    group, point = FORMATS[format_]
    plain = parted.body.replace(group, "").replace(point, ".")
    whole, _, decimals = plain.partition(".")
    if len(whole) > MAX_DIGITS or len(decimals) > MAX_DECIMALS or not plain.strip("."):
        return None
    return Decimal(f"-{plain}" if parted.negative else plain)


def show(value: Decimal) -> str:
    """A number as records hold it: no exponent, no zeros that only a spreadsheet wrote."""
    whole = value.to_integral_value()
    text = format(whole if value == whole else value.normalize(), "f")
    return "0" if text == "-0" else text


def widen_single(value: Decimal) -> Decimal:
    """The shortest number that has the same single precision: databases write 9.8 as 9.80000019."""
    try:
        wanted = struct.pack("f", float(value))
        return next(d for n in range(1, 10) if struct.pack("f", float(d := Decimal(f"{value:.{n}g}"))) == wanted)
    except (OverflowError, StopIteration):
        return value


@dataclass(slots=True)
class NumberEvidence:
    """What the cells of a column say about its format, however many there are."""

    readable: dict[str, str] = field(default_factory=dict)
    """Format -> the first cell that only other formats read."""
    witness: dict[tuple[str, str], str] = field(default_factory=dict)
    """Two formats -> the first cell that they read differently."""
    signs: set[str] = field(default_factory=set)
    numbers: int = 0

    def add(self, cells: Iterable[str]) -> None:
        for cell in cells:
            parted = part(cell)
            values = {name: _value(parted, name) for name in FORMATS}
            if all(value is None for value in values.values()):
                continue
            self.numbers += 1
            self.signs.add(parted.sign)
            self._weigh(cell, values)

    def _weigh(self, cell: str, values: Mapping[str, Decimal | None]) -> None:
        for name, value in values.items():
            if value is None:
                self.readable.setdefault(name, cell)
        for one, other in combinations(FORMATS, 2):
            if values[one] is not None and values[other] is not None and values[one] != values[other]:
                self.witness.setdefault((one, other), cell)

    def decide(self) -> tuple[str | None, str]:
        """The format, or None and why not."""
        possible = [name for name in FORMATS if name not in self.readable]
        if not possible:
            one, other = list(dict.fromkeys(self.readable.values()))[:2] or ("", "")
            return None, f'"{one}" and "{other}" are written in different formats'
        for pair in combinations(possible, 2):
            if pair in self.witness:
                return None, f'"{self.witness[pair]}" can be read as {pair[0]} or as {pair[1]} writes it'
        return possible[0], ""
