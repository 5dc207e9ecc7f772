"""The template writer on whole briefs: every type and kind, in all languages, on every channel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crmplugin.domain.brief import Plan
from crmplugin.domain.draft import CheckedSentence, Report
from crmplugin.writing.compose import compose, count_sms, render_body
from crmplugin.writing.template import TemplateWriter, count_words
from tests.writing.samples import ask, make_account, make_brief, make_signals

TYPES = (
    "service_acknowledgement", "answer", "deliver_promise", "recap", "quote_follow_up", "nudge_their_step",
    "reintroduction", "renewal", "new_value", "break_up", "check_in", "replenishment", "win_back", "event",
    "stage_step", "relationship",
)  # fmt: skip
QUESTIONS = {
    "en": "Does the price include calibration?",
    "de": "Ist die Kalibrierung im Preis enthalten?",
    "fr": "Le prix comprend-il l’étalonnage ?",
    "es": "¿El precio incluye la calibración?",
}


def brief_of(type_, language="en", **more):
    questions = (ask(QUESTIONS[language]),) if type_ == "answer" else ()
    return make_brief(type_, language=language, signals=make_signals(language, open_questions=questions), **more)


def write(brief):
    written = TemplateWriter().write(brief)
    assert written.warnings == ()
    return written


def body_of(brief):
    return render_body(compose(brief, write(brief)), brief.plan.channel)


def roles(written):
    return [s.role for s in written.sentences]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("type_", TYPES)
def test_every_type_is_a_whole_message(type_, language):
    brief = brief_of(type_, language)

    written = write(brief)

    assert roles(written)[0] == "subject"
    assert roles(written).count("ask") == 1
    assert "ask" in roles(written)[-2:]
    assert " ".join(s.text for s in written.sentences).count("?") <= 2
    subject = written.sentences[0].text
    assert 2 <= len(subject.split()) <= 6
    assert len(subject) <= 45
    assert count_words(written.sentences) <= brief.plan.words[1]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("type_", TYPES)
def test_the_first_sentence_cites_a_fact_and_nothing_cites_what_may_not_be_told(type_, language):
    brief = brief_of(type_, language)
    told = {fact.id for fact in brief.customer_facts()}

    written = write(brief)

    first = next(s for s in written.sentences if s.role != "subject")
    assert first.evidence
    assert {id_ for s in written.sentences for id_ in s.evidence} <= told


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("type_", TYPES)
def test_sentences_are_short_enough_to_read_aloud(type_, language):
    lengths = [len(s.text.split()) for s in write(brief_of(type_, language)).sentences if s.role != "subject"]

    assert max(lengths) <= 25
    assert sum(lengths) / len(lengths) <= 14


@pytest.mark.parametrize("kind", ["pitch", "service_reply", "social_reply"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_every_customer_kind_has_words(kind, language):
    channel = "social" if kind == "social_reply" else "email"

    written = write(make_brief(kind=kind, language=language, channel=channel))

    assert len(written.sentences) >= 2


def test_the_same_brief_gives_the_same_text():
    assert write(brief_of("quote_follow_up")) == write(brief_of("quote_follow_up"))


def report_on(written, refused=()):
    verdicts = ("unsupported" if n in refused else "supported" for n in range(len(written.sentences)))
    rows = zip(written.sentences, verdicts, strict=True)
    return Report(tuple(CheckedSentence(replace(s, verdict=v)) for s, v in rows))


def test_repair_says_only_what_was_refused_in_other_words():
    brief = brief_of("answer")
    written = write(brief)

    again = TemplateWriter().repair(brief, written, report_on(written, refused=(1,)))

    assert again.sentences[1].text != written.sentences[1].text
    assert again.sentences[1].evidence == written.sentences[1].evidence
    assert again.sentences[2:] == written.sentences[2:]


def test_repair_of_a_text_without_a_fault_gives_the_same_text():
    brief = brief_of("answer")
    written = write(brief)

    assert TemplateWriter().repair(brief, written, report_on(written)) is written


def test_the_second_touch_has_other_words_and_the_same_facts():
    first, second = write(brief_of("new_value")), write(brief_of("new_value", touch=2))

    assert not {s.text for s in first.sentences} & {s.text for s in second.sentences if len(s.text.split()) > 4}
    assert [s.evidence for s in first.sentences] == [s.evidence for s in second.sentences]


def test_a_short_text_drops_what_need_not_be_said():
    plain, short = write(brief_of("quote_follow_up")), write(brief_of("quote_follow_up", length="short"))

    assert count_words(short.sentences) < count_words(plain.sentences)
    assert {s.text for s in short.sentences} < {s.text for s in plain.sentences}


def test_words_of_the_last_mail_are_not_repeated():
    plain = write(brief_of("quote_follow_up"))
    opening = next(s.text for s in plain.sentences if s.role == "context")

    again = write(brief_of("quote_follow_up", recent=(opening,)))

    assert opening not in {s.text for s in again.sentences}


def test_a_must_beat_without_its_fact_gives_no_text_but_a_reason():
    brief = brief_of("quote_follow_up")
    without = replace(brief, facts=tuple(f for f in brief.facts if f.id != "Q-118.valid_until"))

    written = TemplateWriter().write(without)

    assert written.sentences == ()
    assert written.warnings[0].code == "no_words"


def test_a_language_without_a_bank_gives_no_text_but_a_reason():
    written = TemplateWriter().write(replace(brief_of("answer"), language="fi"))

    assert written.sentences == ()
    assert "de, en" in written.warnings[0].text


def test_formal_and_informal_german_are_never_mixed():
    formal = body_of(make_brief("replenishment", language="de", formal=True))
    informal = body_of(make_brief("replenishment", language="de", formal=False))

    assert "Sie haben" in formal or "haben Sie" in formal
    assert "du" in informal.lower().split()
    assert " Sie " not in informal


@pytest.mark.parametrize("type_", ["quote_follow_up", "replenishment", "check_in", "answer", "renewal"])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_text_message_is_at_most_two_parts_with_sender_and_stop(type_, language):
    body = body_of(brief_of(type_, language, channel="sms"))

    assert count_sms(body)[2] <= 2
    assert "Halden Controls" in body
    assert ("STOP" in body) == (type_ != "answer")


@pytest.mark.parametrize("type_", ["quote_follow_up", "answer", "service_acknowledgement"])
def test_a_chat_turn_is_two_sentences(type_):
    brief = brief_of(type_, channel="chat")

    assert len(write(brief).sentences) <= 2
    assert len(body_of(brief)) <= 300


@pytest.mark.parametrize("mood", ["pleased", "angry", "worried", None])
@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_a_public_reply_is_short_and_names_no_account_data(mood, language):
    signals = make_signals(language, mood=mood)

    body = body_of(make_brief(kind="social_reply", channel="social", language=language, signals=signals))

    assert len(body) <= 280
    assert not [word for word in ("Orbis", "Dana", "Q-118", "T-2201", "O-4") if word in body]


def test_an_angry_comment_gets_no_cheerful_thanks():
    angry = body_of(make_brief(kind="social_reply", channel="social", signals=make_signals(mood="angry")))

    assert "sorry" in angry
    assert "kind words" not in angry


def test_a_call_has_an_opener_three_questions_and_a_voicemail():
    brief = brief_of("quote_follow_up", channel="phone")

    body = body_of(brief)

    assert body.startswith("Hello Dana, this is Jonas Brandt from Halden Controls.")
    opener, _, rest = body.partition("Questions")
    assert len(opener.split()) <= 75
    assert rest.count("?") >= 3
    assert "\n\nVoicemail\n\n" in rest


def test_the_greeting_of_a_call_names_nobody_twice():
    body = body_of(brief_of("check_in", channel="phone"))

    assert body.count("this is Jonas Brandt") == 1


def test_an_internal_note_has_a_line_a_fact_under_its_heading():
    brief = brief_of("answer")
    plan = Plan(
        "summary", "note", "en",
        beats=(
            replace(brief.plan.beats[0], key="note.summary", facts={"company": "CO-1.name"}),
            replace(brief.plan.beats[1], key="note.line", facts={"fact": "D-1.stage"}, section="summary"),
            replace(brief.plan.beats[1], key="note.line", facts={"fact": "D-1.amount"}, section="summary"),
        ),
    )  # fmt: skip
    note = replace(brief, plan=plan, missing_questions=("Who signs?",))

    body = body_of(note)

    assert body.split("\n\n")[0] == "Summary"
    assert "Stage: Proposal\nAmount of the deal: €48,000.00" in body
    assert body.endswith("Who signs?")


def test_an_article_is_shown_sentence_by_sentence():
    brief = brief_of("answer")
    beat = replace(brief.plan.beats[1], key="passage.article", facts={"article": "ART-1.text"})
    shown = replace(brief, plan=replace(brief.plan, beats=(brief.plan.beats[0], beat)))

    written = write(shown)

    assert [s.text for s in written.sentences[1:]] == [
        "Switch the device off and wait for one minute.",
        "Then switch it on and check the light.",
    ]
    assert {s.evidence for s in written.sentences[1:]} == {("ART-1.text",)}


def test_pieces_are_told_as_they_are_written():
    heard = []

    TemplateWriter().write(brief_of("answer"), emit=lambda event, data: heard.append((event, data["role"])))

    assert heard[:2] == [("text", "subject"), ("line", "subject")]


def test_a_long_name_gives_a_subject_without_it():
    context = make_account()
    long = replace(context.contracts[0], name="Premium maintenance and calibration contract for the northern sites")

    written = write(make_brief("renewal", context=replace(context, contracts=(long,))))

    assert written.sentences[0].text in (
        "Your contract until 31 May 2026",
        "Contract end: 31 May 2026",
        "31 May 2026: end of your contract",
    )


@pytest.mark.parametrize("touch", [1, 2, 3])
@pytest.mark.parametrize("type_", TYPES)
def test_german_goes_on_small_after_the_greeting_in_every_wording(type_, touch):
    first = body_of(brief_of(type_, "de", touch=touch)).split("\n\n")[1].split()[0].strip("“„:,")

    capital = first[0].isupper()
    assert (
        not capital
        or first in ("Sie", "Ihr", "Ihre", "Ihrem", "Ihnen", "Ticket", "Angebot", "Bestellung", "Fragen")
        or (first in ("Orbis", "Gasket", "Q-118", "Halden", "Guten"))
    ), first


def test_a_subject_that_is_too_long_does_not_turn_a_quote_into_an_order():
    """The kind of record that a shorter subject names is the one that the text is about."""
    account = make_account()
    long = replace(account.products[3], name="Calibration of every device on the premises of the customer")
    products = (*account.products[:3], long)
    question = ask("Does the price include the calibration of every device on the premises of the customer?")
    signals = make_signals(open_questions=(question,))

    written = TemplateWriter().write(make_brief("answer", context=replace(account, products=products), signals=signals))

    (subject,) = [s.text for s in written.sentences if s.role == "subject"]
    assert "Q-118" in subject
    assert "order" not in subject.lower()
