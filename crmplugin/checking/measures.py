"""Whether a written amount, percentage, duration or count is what a fact says."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from crmplugin.checking.shelf import Numeric
from crmplugin.checking.spans import Token

ABOUT = Decimal("0.05")
OVER = Decimal("1.15")
UNDER = Decimal("0.95")
_DAYS = {"minute": Decimal(1) / 1440, "hour": Decimal(1) / 24, "day": Decimal(1), "week": Decimal(7)}
_MONTHS = {"month": Decimal(1), "quarter": Decimal(3), "year": Decimal(12)}
TIME_UNITS = frozenset({*_DAYS, *_MONTHS, "business_day"})


def same_value(written: Decimal, fact: Decimal, hedge: str | None) -> bool:
    """Equal, or within what the hedge allows (about 5 %, over up to 15 % more, nearly up to 5 % less)."""
    if written == fact:
        return hedge not in ("over", "under")
    if hedge == "about":
        return abs(written - fact) <= abs(fact) * ABOUT
    if hedge == "over":
        return written < fact <= written * OVER
    if hedge == "under":
        return written * UNDER <= fact < written
    return False


def values_of(token: Token, *, by_locale: bool) -> list[tuple[Decimal, ...]]:
    """The readings of a token as (value,) or (low, high): that of the locale, or the others."""
    if by_locale:
        row = tuple(n.value for n in token.numbers)
        return [tuple(v for v in row if v is not None)] if all(v is not None for v in row) else []
    pairs = [n.readings for n in token.numbers]
    if len(pairs) == 1:
        return [(v,) for v in token.numbers[0].other]
    return [(a, b) for a in pairs[0] for b in pairs[1] if (a, b) != (token.numbers[0].value, token.numbers[1].value)]


def states(values: Sequence[Decimal], numeric: Numeric, hedge: str | None) -> bool:
    """Whether written values state a number or a range; one end of a range needs "at least" or "up to"."""
    if len(values) == 2:
        return (values[0], values[1]) == (numeric.low, numeric.high)
    if not numeric.is_range:
        return same_value(values[0], numeric.low, hedge)
    return (hedge == "least" and values[0] == numeric.low) or (hedge == "most" and values[0] == numeric.high)


def states_percent(values: Sequence[Decimal], numeric: Numeric, hedge: str | None, *, exact: bool) -> bool:
    """Like `states`; a percentage may also be rounded half up to the decimals that are written."""
    if states(values, numeric, hedge):
        return True
    if exact or len(values) == 2 or numeric.is_range:
        return False
    places = Decimal(1).scaleb(min(0, int(values[0].as_tuple().exponent)))
    return abs(numeric.low).quantize(places, ROUND_HALF_UP) == values[0]


def states_duration(values: Sequence[Decimal], unit: str, numeric: Numeric, hedge: str | None) -> bool:
    """Like `states`, across units: 14 days are 2 weeks, 12 months a year; days in months need a hedge."""
    theirs = numeric.fact.unit or ""
    theirs = theirs.rstrip("s") if theirs not in TIME_UNITS else theirs
    if unit == theirs:
        return states(values, numeric, hedge)
    for scale in (_DAYS, _MONTHS):
        if unit in scale and theirs in scale:
            turned = Numeric(numeric.fact, numeric.low * scale[theirs], numeric.high * scale[theirs])
            return states([v * scale[unit] for v in values], turned, hedge)
    return bool(hedge) and len(values) == 1 and _about_months(values[0], unit, numeric, theirs)


def _about_months(value: Decimal, unit: str, numeric: Numeric, theirs: str) -> bool:
    """ "About 3 months" for 97 days, and the other way round: a month has 28 to 31 days."""
    if unit in _MONTHS and theirs in _DAYS:
        months, days = value * _MONTHS[unit], numeric.low * _DAYS[theirs]
    elif unit in _DAYS and theirs in _MONTHS:
        months, days = numeric.low * _MONTHS[theirs], value * _DAYS[unit]
    else:
        return False
    return months * 28 * (1 - ABOUT) <= days <= months * 31 * (1 + ABOUT)


def significant(value: Decimal, digits: int) -> Decimal:
    """The value rounded half up to so many significant digits."""
    if not value:
        return value
    place = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return value.quantize(place, ROUND_HALF_UP) if value.adjusted() - digits + 1 <= 0 else _to_tens(value, place)


def _to_tens(value: Decimal, place: Decimal) -> Decimal:
    return (value / place).quantize(Decimal(1), ROUND_HALF_UP) * place
