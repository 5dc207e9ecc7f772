"""What the owner's voice file says is held in every text, and the law's elements are missed when they are missing."""

from __future__ import annotations

import pytest

from crmplugin.domain.brief import Sender
from crmplugin.domain.crm import Terms, Voice
from crmplugin.domain.draft import Sentence

from .world import EN, check, make_brief


def verdict(text: str, voice: Voice, language: str = "en") -> str:
    brief = make_brief(language=language, voice=voice)
    return check(text, language=language, brief=brief).sentences[0].sentence.verdict


def row(code: str, *texts: str, voice: Voice, language: str = "en") -> str:
    report = check(*texts, language=language, brief=make_brief(language=language, voice=voice))
    return next(c.verdict for c in report.checks if c.code == code)


AVOID = Voice(terms=Terms(avoid=("cheap", "synergy", "touch base", "billig")))


@pytest.mark.parametrize(
    "text",
    [
        "Q-118 is cheap until 25 March.",
        "Q-118 runs until 25 March, with synergies.",
        "Let us touch base about Q-118.",
        "A CHEAP way to read Q-118.",
    ],
)
def test_a_word_to_avoid_is_found_in_any_form(text):
    assert verdict(text, AVOID) in ("style", "unsupported")
    spans = check(text, brief=make_brief(voice=AVOID)).sentences[0].spans
    assert [s.verdict for s in spans if s.kind == "term:avoid"] == ["style"]


@pytest.mark.parametrize("text", ["Q-118 runs until 25 March.", "Q-118 is a cheapskate's dream."])
def test_other_words_stay(text):
    assert not [s for s in check(text, brief=make_brief(voice=AVOID)).sentences[0].spans if s.kind == "term:avoid"]


def test_a_name_is_written_as_the_voice_wants_it():
    voice = Voice(terms=Terms(use={"FlowMeter 3000": ("flow meter 3000", "Flowmeter 3000")}))

    (found,) = check("Q-118 lists 12 Flowmeter 3000.", brief=make_brief(voice=voice)).sentences

    assert found.sentence.verdict == "style"
    assert "FlowMeter 3000" in (found.sentence.reason or "")
    assert verdict("Q-118 lists 12 FlowMeter 3000.", voice) == "supported"


@pytest.mark.parametrize(("most", "wanted"), [(0, "style"), (1, "supported"), (None, "supported")])
def test_exclamation_marks_by_the_voice(most, wanted):
    assert verdict("Q-118 runs until 25 March!", Voice(max_exclaim=most)) == wanted


@pytest.mark.parametrize(("emoji", "wanted"), [("none", "style"), ("few", "supported"), (None, "supported")])
def test_emoji_by_the_voice(emoji, wanted):
    assert verdict("Q-118 runs until 25 March 🙂", Voice(emoji=emoji)) == wanted


def test_marks_of_the_whole_text_fail_where_the_voice_says_so_and_warn_otherwise():
    texts = ("Thank you!", "Hello!", "Thanks again!")

    assert row("exclamation", *texts, voice=Voice()) == "warn"
    assert row("exclamation", *texts, voice=Voice(max_exclaim=2)) == "fail"
    assert row("exclamation", *texts, voice=Voice(max_exclaim=3)) == "pass"
    assert row("punctuation", "Really?!", voice=Voice()) == "warn"
    assert row("spam_words", "Act now.", voice=Voice()) == "warn"


def test_limits_of_the_voice():
    long = " ".join(["one", "two"] * 8) + "."

    assert row("sentence_length", long, voice=Voice(limits={"sentence_max": 12})) == "fail"
    assert row("sentence_length", long, voice=Voice(limits={"sentence_max": 20})) == "pass"
    assert row("sentence_length", long, voice=Voice()) == "pass"


def test_the_school_grade_of_a_long_text_fails_and_of_a_short_one_warns():
    hard = "Organisational considerations necessitate comprehensive documentation of responsibilities."

    assert row("grade", hard, voice=Voice(limits={"fk_max": 8})) == "warn"
    assert row("grade", *[hard] * 9, voice=Voice(limits={"fk_max": 8})) == "fail"
    assert row("grade", "We met. It was good.", voice=Voice(limits={"fk_max": 8})) == "pass"


LEGAL = (
    "Halden Controls GmbH, Torstrasse 1, 10119 Berlin",
    "If you want no more e-mails like this, reply with “unsubscribe”.",
)
SENDER = Sender("U-1", "Jonas Brandt", company="Halden Controls", legal_name="Halden Controls GmbH",
                postal_address="Torstrasse 1\n10119 Berlin", website="https://halden.example")  # fmt: skip


def law(regime: str | None, *legal: str, kind: str = "campaign_message", channel: str = "email") -> tuple[str, str]:
    brief = make_brief(EN, regime=regime, sender=SENDER)
    object.__setattr__(brief.plan, "kind", kind)
    object.__setattr__(brief.plan, "channel", channel)
    report = check(*(Sentence(text, "legal", (), "rendered") for text in legal), brief=brief)
    found = [c for c in report.checks if c.code == "compliance"]
    return (found[0].verdict, found[0].text) if found else ("none", "")


@pytest.mark.parametrize("regime", ["US CAN-SPAM", "UK PECR + UK GDPR", "EU GDPR + ePrivacy"])
def test_each_regime_has_its_elements_in_a_full_mail_and_misses_them_elsewhere(regime):
    assert law(regime, *LEGAL)[0] == "pass"
    assert law(regime, LEGAL[0])[1].endswith("missing: opt-out.")
    assert law(regime, LEGAL[1])[1].endswith("missing: sender, postal address.")


def test_canada_and_unknown_countries_want_a_way_to_reach_the_sender():
    for regime in ("Canada CASL", None):
        assert law(regime, *LEGAL)[1].endswith("missing: contact.")
        assert law(regime, *LEGAL, "https://halden.example")[0] == "pass"


def test_an_sms_needs_its_sender_and_a_stop():
    assert law("US TCPA", "Halden Controls: reply STOP to opt out.", channel="sms")[0] == "pass"
    assert law("US TCPA", "Reply STOP to opt out.", channel="sms")[1].endswith("missing: sender.")


def test_service_mail_needs_none_of_it():
    assert law("EU GDPR + ePrivacy", kind="service_reply")[0] == "none"
