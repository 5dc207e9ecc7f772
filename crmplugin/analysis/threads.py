"""Which messages of a customer still wait for an answer: conversation by conversation, not by the calendar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from crmplugin.analysis.cadence import is_held, is_touch
from crmplugin.analysis.phrases import fold
from crmplugin.domain.crm import Activity

STILL_OPEN_DAYS = 30
"""How long before the newest inbound message another one may lie and still wait for an answer."""
_PREFIX = re.compile(r"^\s*(?:re|aw|fw|fwd|wg|tr|rv|sv|vs|antw|odp|res|rif)\s*(?:\[\d+\])?\s*:\s*")


def unanswered(activities: Iterable[Activity], now: datetime) -> tuple[Activity, ...]:
    """Inbound messages without an outbound one in the same conversation after them, oldest first.

    The newest inbound message counts however old it is; others when they came at most 30 days before it. A meeting
    held with the person settles what they asked before.
    """
    known = tuple(activities)
    inbound = sorted((a.at, a.id, a) for a in known if a.direction == "inbound" and is_touch(a, now) and a.at)
    if not inbound:
        return ()
    oldest = inbound[-1][0] - timedelta(days=STILL_OPEN_DAYS)
    return tuple(a for at, _, a in inbound if at >= oldest and not any(settles(b, a, now) for b in known))


def settles(later: Activity, message: Activity, now: datetime) -> bool:
    """Whether `later` answers an inbound message: ours in the same conversation, or a meeting held with the person."""
    if not _is_after(later, message) or not _share_people(later, message):
        return False
    if is_held(later, now):
        return True
    return later.direction == "outbound" and is_touch(later, now) and same_conversation(later, message)


def same_conversation(a: Activity, b: Activity) -> bool:
    """By thread id where both have one, else by the subject without "Re:"; a call answers a call."""
    if a.thread_id and b.thread_id:
        return a.thread_id == b.thread_id
    if "call" in (a.type, b.type):
        return a.type == b.type
    first, second = plain_subject(a.subject), plain_subject(b.subject)
    return not first or not second or first == second


def plain_subject(subject: str | None) -> str:
    """The subject without reply and forward marks, folded."""
    plain = fold(subject or "").strip()
    while match := _PREFIX.match(plain):
        plain = plain[match.end() :]
    return plain


def _is_after(later: Activity, message: Activity) -> bool:
    return bool(later.at and message.at and later.at > message.at)


def _share_people(a: Activity, b: Activity) -> bool:
    return not a.contact_ids or not b.contact_ids or bool(set(a.contact_ids) & set(b.contact_ids))
