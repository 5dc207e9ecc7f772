"""What a person changed goes into the next version of the text."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from crmplugin.domain.brief import Decision
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft, Sentence
from crmplugin.journeys.keep_edits import merge

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
GREETING = Sentence("Hello Amir,", "greeting", verdict="rendered")
PRICE = Sentence("The total is £26,505.", "claim", ("Q-1.total",))
TIME = Sentence("The lead time is 6 weeks.", "claim", ("P-1.lead_time",))
ASK = Sentence("Does that fit?", "ask")
SIGNATURE = Sentence("Kind regards\nAnn", "signature", verdict="rendered")


def make_draft(*sentences: Sentence, body: str, subject: str = "Your quote") -> Draft:
    return Draft(
        id="d", connection="local", kind="follow_up", subject_of=Subject("deal", "D-1"), status="proposed",
        decision=Decision("draft"), as_of=NOW, created_at=NOW, subject=subject, body=body,
        sentences=(Sentence(subject, "subject"), *sentences),
    )  # fmt: skip


BEFORE = make_draft(
    GREETING, PRICE, TIME, ASK, SIGNATURE,
    body="Hello Amir,\n\nThe total is £26,505. The lead time is 6 weeks.\n\nDoes that fit?\n\nKind regards\nAnn",
)  # fmt: skip
NEW_PRICE = Sentence("We quoted £26,505 in all.", "claim", ("Q-1.total",))
NEW_ASK = Sentence("Shall we talk on Monday?", "ask")
NEW = make_draft(
    GREETING, TIME, NEW_PRICE, NEW_ASK, SIGNATURE, subject="Quote and lead time",
    body="Hello Amir,\n\nThe lead time is 6 weeks. We quoted £26,505 in all.\n\nShall we talk on Monday?\n\n"
    "Kind regards\nAnn",
)  # fmt: skip


def edited(*sentences: Sentence, old: str, new: str) -> Draft:
    """The draft after a person put other words for some of its body."""
    return make_draft(*sentences, body=BEFORE.body.replace(old, new))


def test_an_unchanged_text_keeps_nothing():
    assert merge(BEFORE, BEFORE, NEW) is None


def test_a_sentence_put_differently_stands_where_its_facts_are_told():
    own = Sentence("All in all it comes to £26,505.", "claim")
    typed = edited(GREETING, own, TIME, ASK, SIGNATURE, old=PRICE.text, new=own.text)

    assert merge(BEFORE, typed, NEW) == (
        "Quote and lead time",
        "Hello Amir,\n\nThe lead time is 6 weeks. All in all it comes to £26,505.\n\nShall we talk on Monday?\n\n"
        "Kind regards\nAnn",
    )


def test_a_sentence_of_their_own_follows_the_one_it_followed():
    own = Sentence("Give my best to Lena.", "claim")
    typed = edited(GREETING, PRICE, TIME, own, ASK, SIGNATURE, old=TIME.text, new=f"{TIME.text} {own.text}")

    assert "The lead time is 6 weeks. Give my best to Lena. We quoted" in merge(BEFORE, typed, NEW)[1]


def test_without_its_place_a_sentence_goes_before_the_question():
    own = Sentence("Give my best to Lena.", "claim")
    typed = edited(GREETING, PRICE, own, TIME, ASK, SIGNATURE, old=PRICE.text, new=f"{PRICE.text}\n\n{own.text}")

    assert "in all.\n\nGive my best to Lena.\n\nShall we talk" in merge(BEFORE, typed, NEW)[1]


def test_what_was_deleted_stays_deleted():
    typed = edited(GREETING, PRICE, ASK, SIGNATURE, old=f" {TIME.text}", new="")

    assert "lead time" not in merge(BEFORE, typed, NEW)[1]


def test_their_subject_stays():
    typed = replace(BEFORE, subject="About Monday")

    assert merge(BEFORE, typed, NEW) == ("About Monday", NEW.body)
