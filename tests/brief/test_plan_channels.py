"""What a call and a chat make of a plan: nobody in trouble is asked who decides."""

from __future__ import annotations

import pytest

from crmplugin.brief.plan_channels import for_channel
from crmplugin.domain.brief import Beat

CASE = (
    Beat("service_acknowledgement.subject", "subject", {"number": "T-1.number"}, must=True),
    Beat("service_acknowledgement.case", "context", {"number": "T-1.number"}, must=True),
    Beat("common.sorry", "context"),
    Beat("service_acknowledgement.owner_update", "claim", {"owner": "T-1.owner_name", "at": "T-1.next_update_at"}),
    Beat("service_acknowledgement.ask", "ask"),
)
QUOTE = (
    Beat("quote_follow_up.subject", "subject", {"number": "Q-1.number"}, must=True),
    Beat("quote_follow_up.valid", "context", {"number": "Q-1.number"}, must=True),
    Beat("quote_follow_up.ask", "ask"),
)


def keys(beats, channel):
    return [beat.key for beat in for_channel(beats, channel, ())]


@pytest.mark.parametrize(
    ("beats", "asked"),
    [(CASE, ["phone.service_now", "phone.service_effect", "phone.service_reach"]),
     (QUOTE, ["phone.question_now", "phone.question_matter", "phone.question_next"])],
    ids=["case", "quote"],
)  # fmt: skip
def test_a_call_asks_what_fits_its_reason(beats, asked):
    assert [key for key in keys(beats, "phone") if "question_" in key or "phone.service" in key] == asked


def test_a_chat_about_a_case_says_who_writes_next_and_when():
    assert keys(CASE, "chat") == ["service_acknowledgement.case", "service_acknowledgement.owner_update"]


def test_a_chat_about_a_quote_keeps_its_question():
    assert keys(QUOTE, "chat") == ["quote_follow_up.valid", "quote_follow_up.ask"]


LATE = (
    Beat("deliver_promise.said", "context", {"promise": "A-1.promise1", "on": "A-1.on"}, must=True),
    Beat("deliver_promise.late", "claim", {"due": "A-1.promise1.due"}, must=True),
    Beat("deliver_promise.new_date", "claim", {"name": "U-1.name", "by": "SLOT-1.on"}, must=True),
    Beat("deliver_promise.ask", "ask"),
)


@pytest.mark.parametrize(
    ("channel", "told"),
    [("chat", ["deliver_promise.late_said", "deliver_promise.new_date"]),
     ("sms", ["deliver_promise.late_said", "deliver_promise.new_date", "deliver_promise.ask"])],
)  # fmt: skip
def test_a_short_text_about_a_late_promise_is_sorry_too(channel, told):
    assert keys(LATE, channel) == told
