"""Public comments and reviews: how urgent one is and how its writer feels, each with the words that show it.

Urgent is what can hurt people or us while we wait: safety, law, press. Soon is an angry or worried writer, a low
rating, a question. The rest is calm. A reading, never a fact: it says who should look first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.language import guess_language
from crmplugin.analysis.mood import Mood, read_mood
from crmplugin.analysis.phrases import book, tokens

Urgency = Literal["urgent", "soon", "calm"]
LOW_RATING = 2
RATING = re.compile(r"(?<!\d)([1-5])\s*/\s*5(?!\d)")


@dataclass(frozen=True, slots=True)
class Comment:
    """The reading of one comment. `reasons`: what makes it urgent (safety, legal, press), each with its words."""

    urgency: Urgency
    mood: Mood
    reasons: tuple[tuple[str, str], ...] = ()
    rating: int | None = None


def read_comment(text: str, *, headline: str | None = None) -> Comment:
    """Urgency and mood of a comment; a rating is read from a headline such as `2/5`."""
    body = scan_text(text).clean
    rating = rating_in(headline)
    mood = read_mood(body)
    reasons = _reasons(body)
    if reasons:
        return Comment("urgent", mood, reasons, rating)
    low = rating is not None and rating <= LOW_RATING
    soon = low or mood.state in ("angry", "worried") or "?" in body
    return Comment("soon" if soon else "calm", mood, (), rating)


def rating_in(headline: str | None) -> int | None:
    """The stars of five that a headline names."""
    found = RATING.search(headline or "")
    return int(found[1]) if found else None


def _reasons(body: str) -> tuple[tuple[str, str], ...]:
    phrases = book("reputation", "phrases", guess_language(body))
    found: dict[str, str] = {}
    for hit in phrases.find(tokens(body)):
        found.setdefault(hit.label, body[hit.start : hit.end])
    return tuple(sorted(found.items()))
