"""Reads a lead time or other duration that a person typed into a field: `6-8 weeks`, `ca. 10 Werktage`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_UNITS = {
    "day": "days? d tage? tagen jours? días? dias? dia giorni giorno dagen dag",
    "business_day": r"(?:working|business|work)[\s-]?days? werktagen? werktage? arbeitstagen? arbeitstage? "
    r"jours\s+ouvr(?:és|ables) días\s+(?:laborables|hábiles) giorni\s+lavorativi werkdagen",
    "week": r"weeks? wks? wk wochen? semaines? semanas? settiman[ae] weken week",
    "month": "months? mths? monaten? monate? mois mes(?:es)? mes[ei] maanden maand",
    "hour": "hours? hrs? h stunden? heures? horas? or[ae] uren uur",
    "year": "years? yrs? jahren? jahre? ans? années? años? ann[io] jaren jaar",
}
_UNIT = "|".join(
    f"(?P<{name}>{'|'.join(words.replace(' ', '|').split('|'))})"
    for name, words in sorted(_UNITS.items(), key=lambda item: item[0] != "business_day")
)
_NUMBER = r"\d+(?:[.,]\d)?"
_HEDGES = {
    "about": r"approx(?:\.|imately)?|about|around|roughly|ca\.?|circa|etwa|rund|ungefähr|environ|unos|unas|~|≈",
    "up_to": r"up\s+to|max(?:\.|imum)?|at\s+most|bis\s+zu|höchstens|jusqu'à|hasta|fino\s+a|tot",
    "from": r"from|at\s+least|min(?:\.|imum)?|ab|mindestens|à\s+partir\s+de|desde|vanaf",
}
_HEDGE = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _HEDGES.items())
_DURATION = re.compile(
    rf"^\s*(?:(?:{_HEDGE})\s*)?(?P<low>{_NUMBER})(?:\s*(?:-|–|—|to|bis|à|a|tot|/)\s*(?P<high>{_NUMBER}))?[\s-]*"
    rf"(?:{_UNIT})\.?\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration or a range; `hedge` is about, up_to or from when the writer said so."""

    low: Decimal
    high: Decimal | None
    unit: str
    hedge: str | None = None

    @property
    def value(self) -> str:
        """Canonical: `8`, or `6..8` for a range."""
        return str(self.low) if self.high is None else f"{self.low}..{self.high}"


def read_duration(text: str) -> Duration | None:
    """The duration a field holds as a whole; None when anything else stands in it."""
    match = _DURATION.match(text)
    if not match:
        return None
    unit = next(name for name in _UNITS if match[name])
    hedge = next((name for name in _HEDGES if match[name]), None)
    high = Decimal(match["high"].replace(",", ".")) if match["high"] else None
    low = Decimal(match["low"].replace(",", "."))
    return Duration(low, high, unit, hedge) if high is None or high > low else None
