"""Which messages of a customer still wait for an answer: conversation by conversation, not by the calendar."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crmplugin.analysis.business_days import Countries, business_days_between
from crmplugin.analysis.cadence import WRITTEN_TYPES, is_held, is_touch
from crmplugin.analysis.hostile import scan_text
from crmplugin.analysis.mood import read_mood
from crmplugin.analysis.passages import own_text
from crmplugin.analysis.phrases import book, fold, tokens, words
from crmplugin.analysis.questions import find_questions
from crmplugin.domain.crm import Activity

STILL_OPEN_DAYS = 30
"""How long before the newest inbound message another one may lie and still wait for an answer."""
RECAP_BD = 2
COURTESY_WORDS = 14
"""A longer message than this says something."""
_PREFIX = re.compile(r"^\s*(?:re|aw|fw|fwd|wg|tr|rv|sv|vs|antw|odp|res|rif)\s*(?:\[\d+\])?\s*:\s*")


def unanswered(activities: Iterable[Activity], now: datetime) -> tuple[Activity, ...]:
    """Inbound messages without an outbound one in the same conversation after them, oldest first.

    The newest inbound message counts however old it is; others when they came at most 30 days before it. A meeting
    held with the person settles what they asked before; a message that only says thanks waits for nothing.
    """
    known = tuple(activities)
    inbound = sorted((a.at, a.id, a) for a in known if a.direction == "inbound" and is_touch(a, now) and a.at)
    if not inbound:
        return ()
    oldest = inbound[-1][0] - timedelta(days=STILL_OPEN_DAYS)
    later = [b for b in known if b.at and b.at > oldest]
    waiting = [a for at, _, a in inbound if at >= oldest and not any(settles(b, a, now) for b in later)]
    return tuple(a for a in waiting if not is_courtesy(a.body))


def meeting_to_recap(
    activities: Iterable[Activity], *, now: datetime, zone: str, countries: Countries = ()
) -> Activity | None:
    """The newest held meeting or visit with notes that ended at most two business days ago and has no recap since.

    Anything we wrote to one of its people after its end is the recap. Notes stand in the meeting itself.
    """
    known = tuple(activities)
    held = [a for a in known if is_held(a, now) and a.body and (a.body or "").strip()]
    for meeting in sorted(held, key=lambda a: _end(a, now), reverse=True):
        ended, today = (t.astimezone(ZoneInfo(zone)).date() for t in (_end(meeting, now), now))
        if business_days_between(ended, today, tuple(countries)) > RECAP_BD:
            return None
        if not any(_recaps(a, meeting, now) for a in known):
            return meeting
    return None


def _recaps(later: Activity, meeting: Activity, now: datetime) -> bool:
    written = later.direction == "outbound" and later.type in WRITTEN_TYPES and is_touch(later, now)
    return written and bool(later.at and later.at > _end(meeting, now)) and _share_people(later, meeting)


def _end(meeting: Activity, now: datetime) -> datetime:
    return meeting.ends_at or meeting.at or now


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


def leaves_it_with_them(text: str | None) -> bool:
    """Whether a message says that its writer comes back to us, and asks for nothing."""
    body = _own_words(text)
    return bool(book("coming_back", "says").find(tokens(body))) and not _wants_something(body)


def only_praises(text: str | None) -> bool:
    """Whether a short message is pleased and asks for nothing: "Great service, thanks to the whole team!"."""
    body = _own_words(text)
    short = len(tokens(body)) <= COURTESY_WORDS and not any(c.isdigit() for c in body)
    return short and read_mood(body).state == "pleased" and not _wants_something(body)


def _own_words(text: str | None) -> str:
    return own_text(scan_text(text or "").clean)


def _wants_something(body: str) -> bool:
    return bool(book("coming_back", "wants").find(tokens(body)) or find_questions(body))


def is_courtesy(text: str | None) -> bool:
    """Whether a message only thanks or confirms ("Thanks Jonas, all clear!") and waits for nothing."""
    body = own_text(text or "")
    row = tokens(body)
    core, filler = words("courtesy", "core"), words("courtesy", "filler")
    if not row or len(row) > COURTESY_WORDS or "?" in body or not any(t.word in core for t in row):
        return False
    others = [t for t in row if t.word not in core and t.word not in filler]
    return len(others) <= 1 and all(body[t.start].isupper() and t.start > 0 for t in others)
