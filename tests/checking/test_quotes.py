"""Words in quotation marks: what somebody is said to have said stands on record in these words, or not in the text."""

from __future__ import annotations

import pytest

from crmplugin.domain.draft import Sentence

from .world import ASKED, EN, from_activity, make_fact, verdict_of

SAID = make_fact(
    "A-9.promise1", "quote_text", "their step", "I will confirm the delivery dates by 23 March.",
    "I will confirm the delivery dates by 23 March", trust="untrusted", basis=ASKED, source=from_activity("A-9"),
)  # fmt: skip
DUE = make_fact("A-9.promise1.due", "date", "day of their step", "2026-03-23", "23 March", basis=ASKED)
ON = make_fact("A-9.on", "date", "message", "2026-03-09", "9 March", source=from_activity("A-9"))
FACTS = (*EN, SAID, DUE, ON)
CITED = ("A-9.promise1", "A-9.promise1.due", "A-9.on")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("On 9 March you wrote: “I will confirm the delivery dates by 23 March”.", "supported"),
        ("On 9 March you wrote: “… confirm the delivery dates by 23 March …”.", "supported"),
        ("On 9 March you wrote: “I will confirm the delivery price by 23 March”.", "unsupported"),
        ("On 9 March you wrote: “I will sign the order by 23 March”.", "unsupported"),
        ("On 9 March you wrote: “I will confirm the delivery dates and pay a deposit”.", "unsupported"),
    ],
)
def test_a_quote_is_on_record_word_for_word(text: str, verdict: str) -> None:
    assert verdict_of(Sentence(text, "context", CITED), facts=FACTS) == verdict


def test_what_they_promise_in_their_words_is_no_promise_of_ours() -> None:
    ours = Sentence("We will confirm the delivery dates by 23 March.", "claim", CITED)
    assert verdict_of(ours, facts=FACTS) == "unsupported"


def test_a_short_name_in_marks_is_no_quote() -> None:
    assert verdict_of(Sentence("Reply with “no more mails” at any time.", "close"), facts=FACTS) == "supported"
