from __future__ import annotations

import pytest

from crmplugin.domain.brief import Decision, Recipient
from crmplugin.domain.draft import Sentence

from .world import DE, EN, check, check_one, make_brief, verdict_of


def row(report, code):
    return next((c.verdict for c in report.checks if c.code == code), None)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Just checking in on this."),
        ("en", "I hope this finds you well."),
        ("en", "I haven't heard back from you."),
        ("de", "Ich wollte nur kurz nachfragen."),
        ("fr", "Je me permets de vous relancer."),
        ("es", "Espero que se encuentre bien."),
        ("it", "Spero che stia bene."),
        ("nl", "Ik wilde even checken."),
    ],
)
def test_worn_phrases_are_bad_style(language, text):
    assert verdict_of(text, language=language, facts=()) == "style"
    assert verdict_of(text, language=language, facts=(), style=False) == "supported"


@pytest.mark.parametrize(
    "text",
    ["Hello {first_name},", "Hello [Name],", "The price is XXX.", "It is TBD.", "Dear <Customer>,", "From ____ on"],
)
def test_placeholders_are_refused(text):
    assert verdict_of(text, facts=()) == "unsupported"


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Dear Ms Reyes,"), ("de", "Guten Tag Frau Schmitt,"), ("fr", "Bonjour Madame Petit,")]
)
def test_a_title_nobody_recorded_is_refused(language, text):
    assert verdict_of(text, language=language) == "unsupported"


def test_a_recorded_title_stands():
    to = Recipient("C-1", "Anna Schmitt", "a@b.example", salutation="Frau", last_name="Schmitt")

    assert verdict_of("Guten Tag Frau Schmitt,", language="de", brief=make_brief(DE, "de", recipient=to)) == "supported"
    assert (
        verdict_of("Guten Tag Herr Schmitt,", language="de", brief=make_brief(DE, "de", recipient=to)) == "unsupported"
    )


def test_du_in_a_formal_text_is_bad_style():
    assert verdict_of("Hast du noch Fragen?", language="de", brief=make_brief(DE, "de")) == "style"
    assert verdict_of("Haben Sie noch Fragen?", language="de", brief=make_brief(DE, "de")) == "supported"


def test_nothing_sells_during_a_sell_hold():
    held = make_brief(decision=Decision("draft", "sell_hold"))

    assert verdict_of("We also have an upgrade.", brief=held) == "unsupported"
    assert verdict_of("Lena Vogt looks after ticket T-2201.", brief=held) == "supported"
    assert row(check("We also have an upgrade.", brief=held), "sell_hold") == "fail"


def test_our_own_parts_are_left_alone_only_as_rendered():
    ours = Sentence("Herzlich, Ihr {x} 4711", "signature", (), "rendered")

    assert check(ours).sentences[0].sentence == ours
    assert verdict_of(Sentence("Herzlich, Ihr {x} 4711", "signature")) == "unsupported"
    assert verdict_of(Sentence("The total is €5.", "claim", (), "rendered")) == "unsupported"


def test_the_whole_is_counted():
    brief = make_brief(plan_words=(5, 10), plan_max_asks=1)
    ask = Sentence("What do you think of it?", "ask")

    report = check(
        Sentence("A subject that is by far too long for any screen at all", "subject"), *[ask] * 3, brief=brief
    )

    assert [row(report, c) for c in ("length", "asks", "questions", "subject_length")] == [
        "fail",
        "fail",
        "warn",
        "fail",
    ]


def test_a_good_text_passes_every_row():
    brief = make_brief(plan_type="answer", plan_words=(20, 60), plan_must_answer=("A-31.question1",))
    report = check(
        Sentence("Q-118: calibration certificates", "subject", ("Q-118.number",)),
        Sentence("Hello Dana,", "greeting", (), "rendered"),
        Sentence("You asked whether the price includes calibration certificates.", "context", ("A-31.question1",)),
        Sentence("It does: CAL-1 includes an ISO 17025 certificate per device.", "claim", ("CAL-1.description",)),
        Sentence("Q-118 runs until 25 March.", "claim", ("Q-118.valid_until",)),
        Sentence("Is there anything else you need before it goes to approval?", "ask"),
        brief=brief,
    )

    assert report.supported
    assert {c.code: c.verdict for c in report.checks if c.verdict != "pass"} == {}


def test_a_question_left_open_fails():
    brief = make_brief(plan_words=(1, 60), plan_must_answer=("A-31.question1", "A-31.question2"))
    asked = Sentence("You asked whether the price includes calibration certificates.", "context", ("A-31.question1",))
    answer = Sentence("The lead time for the FlowMeter 3000 is 6 to 8 weeks.", "claim", ("FM-3000.lead_time",))

    verdicts = [c.verdict for c in check(asked, answer, brief=brief).checks if c.code == "answered"]

    assert verdicts == ["fail", "pass"]


def test_two_links_are_one_too_many():
    twice = check("See https://halden.example/docs.", "And https://evil.example/x.")

    assert row(twice, "links") == "fail"


def test_a_text_for_ourselves_has_no_style():
    report = check("Just checking in on 12 FlowMeter 3000!", audience="internal")

    assert report.supported
    assert row(report, "length") is None


def test_spans_say_where_they_stand_in_the_text_as_given():
    text = "Der\u00a0Betrag ist 26\u202f505,00\u00a0€ für Zoe\u0308."

    spans = check_one(text, language="de", facts=DE).spans

    assert [text[s.start : s.end] for s in spans] == ["26\u202f505,00\u00a0€"]


def test_the_english_facts_hold_no_double_ids():
    assert len({f.id for f in EN}) == len(EN)
