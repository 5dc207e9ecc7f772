"""How long a text may be, how many asks it has, what it asks for and what it must not name (sales-craft §1.3, §6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "service_acknowledgement": (40, 90),
        "answer": (20, 120),
        "deliver_promise": (30, 100),
        "recap": (40, 150),
        "quote_follow_up": (45, 120),
        "nudge_their_step": (30, 90),
        "reintroduction": (45, 110),
        "renewal": (45, 140),
        "new_value": (30, 90),
        "break_up": (25, 60),
        "check_in": (30, 80),
        "replenishment": (35, 80),
        "win_back": (40, 100),
        "event": (30, 90),
        "stage_step": (30, 100),
        "relationship": (25, 70),
        "pitch": (25, 120),
        "service_reply": (25, 120),
        "help_answer": (30, 150),
        "social_reply": (5, 45),
        "negotiation_note": (60, 900),
        "meeting_brief": (40, 700),
        "summary": (30, 500),
        "qualification": (30, 600),
        "handoff_note": (30, 180),
        "outline": (30, 400),
        "insight_digest": (10, 250),
    }
)
"""Words of the body by type, or by kind where there is none: least and most.

The least is below that of sales-craft §1.3 where a message that says all it has to would only get longer by padding.
"""

CHANNEL_WORDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"phone": (15, 200), "chat": (5, 50), "sms": (5, 45), "social": (5, 45)}
)
"""A phone script is an opener of at most 75 words plus questions and a voicemail."""

ASKS: Mapping[str, str] = MappingProxyType(
    {
        "service_acknowledgement": "whether anything changed; nothing commercial",
        "answer": "whether that settles it",
        "deliver_promise": "whether that works for them",
        "recap": "to correct what is wrong",
        "quote_follow_up": "go ahead, change or drop",
        "nudge_their_step": "a new date for their step",
        "reintroduction": "a short call",
        "renewal": "renew, adjust or stop",
        "new_value": "one easy question",
        "break_up": "yes or no: close the topic",
        "check_in": "whether it does what they need",
        "replenishment": "same again",
        "win_back": "whether it is still relevant",
        "event": "whether it matters to them",
        "stage_step": "one step of this stage",
        "relationship": "one easy question, no offer",
        "pitch": "an easy next step",
        "service_reply": "whether it helps",
        "help_answer": "whether it helps",
        "social_reply": "to go on in a direct message",
    }
)

ANGLES: Mapping[str, str] = MappingProxyType(
    {
        "service_acknowledgement": "who has the case and when the next update comes",
        "answer": "each question answered from facts, or who answers by when",
        "deliver_promise": "what was promised and when it comes",
        "recap": "what was agreed, who does what by when",
        "quote_follow_up": "the last day of the quote",
        "nudge_their_step": "their step and its date, without blame",
        "reintroduction": "what we did together so far",
        "renewal": "the end of the term and the choices",
        "new_value": "one new fact since the last touch",
        "break_up": "what stays available, no guilt",
        "check_in": "the delivery and the help path",
        "replenishment": "how often, last date, usual gap",
        "win_back": "what they bought and what is new",
        "event": "the event and its day",
        "relationship": "the date and a thank you, no offer",
        "pitch": "their need or history, one product, proof, next step",
    }
)

NO_AMOUNTS: tuple[str, ...] = ("amounts", "titles")
PRICED_TYPES = frozenset({"answer", "recap", "renewal"})
"""Types in which a customer may read an amount: they asked for it, or it is the subject."""


def words_for(type_: str, channel: str, length: str | None) -> tuple[int, int]:
    """Least and most words; a short text has a lower least and half the room."""
    low, high = CHANNEL_WORDS.get(channel) or WORDS.get(type_, (40, 120))
    if length == "short":
        return min(low, 20), max(low, (low + high) // 2)
    return low, high


def forbidden_for(type_: str) -> tuple[str, ...]:
    """Kinds of value the text must not name."""
    return ("titles",) if type_ in PRICED_TYPES else NO_AMOUNTS
