"""Which currency a written number carries: signs, ISO codes and words beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from crmplugin.checking.lists import topic

DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "ARS", "CLP", "COP", "TWD"})


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency mark beside a number: the currencies it may mean and how far the money reaches."""

    start: int
    end: int
    codes: tuple[str, ...]
    cents: bool = False


@lru_cache(maxsize=1)
def _meaning() -> dict[str, tuple[str, ...]]:
    data = topic("money")
    marks = {sign: tuple(codes) for sign, codes in data["signs"].items()} | {c: (c,) for c in data["codes"]}
    for code, words in data["words"].items():
        codes = tuple(data["signs"]["$"]) if code == "dollar" else (code,)
        marks |= dict.fromkeys(words, codes)
    return marks


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    marks = sorted(_meaning(), key=len, reverse=True)
    cased = [re.escape(m) for m in marks if not m.islower() or m in ("kr", "kr.", "zł")]
    words = [re.escape(m) for m in marks if m.islower() and m not in ("kr", "kr.", "zł")]
    before = re.compile(rf"(?<![\w])({'|'.join(cased)}) ?$")
    after = re.compile(rf" ?(?:({'|'.join(cased)})|(?i:({'|'.join(words)})))(?!\w)")
    return before, after


def currency_of(text: str, start: int, end: int) -> Currency | None:
    """The currency mark that stands right before or right after the number at start..end."""
    before, after = _patterns()
    m = before.search(text, max(0, start - 6), start)
    if m:
        return Currency(m.start(1), end, _meaning()[m[1]])
    m = after.match(text, end)
    if m is None:
        return None
    word = m[1] or m[2].lower()
    codes = _meaning()[word]
    return Currency(start, m.end(), codes, cents=codes == ("cent",))


def fits(codes: tuple[str, ...], unit: str | None, known: frozenset[str]) -> str:
    """Whether a mark may stand for the fact's currency: `yes`, `unclear` (an ISO code is needed) or `no`.

    `$`, `kr` and `¥` are clear only while the brief has no other currency of the same sign; a bare `$` means USD.
    """
    if unit is None or unit not in codes:
        return "no"
    rivals = known & set(codes)
    if len(codes) == 1 or rivals <= {unit}:
        return "unclear" if len(codes) > 1 and unit in DOLLARS and unit != "USD" else "yes"
    return "unclear"
