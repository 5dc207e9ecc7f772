"""What a channel makes of a plan: a call has a script, a text message and a chat turn only what must be said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crmplugin.domain.brief import Beat
from crmplugin.domain.fact import Fact

TITLED = frozenset({"email", "letter", "note"})
SHORT = frozenset({"chat", "sms"})
CHAT_SENTENCES = 2
NOT_SPOKEN = frozenset({"quote_follow_up.talk"})
SCRIPT_KEYS = ("phone.question_now", "phone.question_matter", "phone.question_next")
SERVICE_KEYS = ("phone.service_now", "phone.service_effect", "phone.service_reach")
"""What is asked when somebody has trouble: nobody is asked who decides while their line stands."""
LATE, LATE_SAID = "deliver_promise.late", "deliver_promise.late_said"
"""In a short text what is late and that we are sorry stand in one sentence."""
NEWS = frozenset(
    {"service_acknowledgement.owner_update", "service_acknowledgement.update", "service_acknowledgement.owner"}
)
"""Who looks after a case, and until when they hear from us: what a short message about a case is for."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and whether the person called can be written to by mail as well."""

    user_id: str | None = None
    mails: bool = True


def for_channel(
    beats: tuple[Beat, ...], channel: str, facts: Iterable[Fact], caller: Caller = Caller()
) -> tuple[Beat, ...]:
    """The beats as this channel says them; nothing when there is nothing to say."""
    if channel in SHORT:
        return _shortest(beats, channel)
    if channel == "phone":
        return _script(beats, {fact.id for fact in facts}, caller) if beats else ()
    return beats if channel in TITLED else tuple(b for b in beats if b.role != "subject")


def _shortest(beats: tuple[Beat, ...], channel: str) -> tuple[Beat, ...]:
    """What must be said and the ask. In a chat the answer comes first, in two sentences."""
    body = [b for b in beats if (b.must or b.key in NEWS) and b.role != "subject"]
    asks = [b for b in beats if b.role == "ask"]
    body = _late_in_one(body)
    if channel == "chat":
        told = [b for b in body if b.role == "claim" and b.key not in NEWS] if _answers(beats) else []
        body = told[:CHAT_SENTENCES] or [b for b in body if b in (body[0], body[-1])]
        asks = asks[: max(0, CHAT_SENTENCES - len(body))]
    return (*(b for b in body if b.role != "ask"), *asks)


def _late_in_one(body: list[Beat]) -> list[Beat]:
    """A late promise with its apology as one sentence before the new day; other beats as they are."""
    late = next((b for b in body if b.key == LATE), None)
    said = next((b for b in body if "promise" in b.facts), None)
    if late is None or said is None:
        return body
    one = Beat(LATE_SAID, "claim", {"promise": said.facts["promise"], "due": late.facts["due"]}, must=True)
    return [one, *(b for b in body if b not in (late, said))]


def _answers(beats: tuple[Beat, ...]) -> bool:
    """Whether a question is answered, so that who reads knows what it is about."""
    return any(slot.startswith("asked") for beat in beats for slot in beat.facts)


def _script(beats: tuple[Beat, ...], fact_ids: set[str], caller: Caller) -> tuple[Beat, ...]:
    """An opener, three questions, what to say when there is no time, and a voicemail."""
    told = [b for b in beats if b.role in ("context", "claim") and (b.must or b.role == "claim")]
    opener = [b for b in told if b.key not in NOT_SPOKEN][:4]
    asks = [b for b in beats if b.role == "ask"]
    keys = SERVICE_KEYS if any(b.key.startswith("service_") for b in beats) else SCRIPT_KEYS
    questions = [Beat(key, "context", section="questions") for key in keys]
    rest = [*questions, Beat("phone.no_time", "context", section="no_time")]
    said = [_in_section(b, "opener") for b in (*opener, *asks)]
    return (*said, *rest, *_voicemail(fact_ids, caller))


def _voicemail(fact_ids: set[str], caller: Caller) -> Iterator[Beat]:
    """It points to the mail; to whom no mail may be sent, it names the number to call."""
    names = {"name": f"{caller.user_id}.name", "seller": "seller.name"}
    called = {**names, "phone": f"{caller.user_id}.phone"}
    key, facts = ("phone.voicemail", names) if caller.mails else ("phone.voicemail_call", called)
    if set(facts.values()) <= fact_ids:
        yield Beat(key, "close", facts, section="voicemail")


def _in_section(beat: Beat, section: str) -> Beat:
    return Beat(beat.key, beat.role, beat.facts, beat.must, section)
