"""Input made to hang or break a reader: it must end soon, with an answer."""

from __future__ import annotations

import pytest

from crmplugin.checking.check import split_sentences

from .world import EN, INDEX, check, check_one, make_fact

PIECES = {
    "letters": "a",
    "capitals": "A",
    "digits": "7",
    "dots": "1.",
    "commas": "1,",
    "groups": "1 234 ",
    "dashes": "a-",
    "slashes": "a/",
    "code": "A1-",
    "words": "Aa ",
    "names": "FlowMeter ",
    "combining": "e\u0301\u0302\u0303",
    "marks only": "\u0301",
    "bidi": "\u202e\u202c",
    "hidden": "\u200b",
    "emoji": "😀👩\u200d👩\u200d👧",
    "braces": "{",
    "brackets": "[a",
    "quotes": '"',
    "at": "a@",
    "url": "http://a.",
    "phone": "+1 ",
    "money": "€1",
    "percent": "1%",
    "dates": "1 March ",
    "numeric": "01/02/",
    "clock": "1:",
    "months": "March ",
    "hedge": "about ",
    "triggers": "we will ",
    "and": "and we ",
    "ligature": "ﷺ",
    "nul": "\0",
    "surrogate-free": "\U0010ffff",
    "fraction": "½",
    "turkish": "İ",
    "ratio": "1 of ",
    "spelled": "twenty ",
    "german": "ein und zwanzig ",
    "underscore": "_",
    "apostrophe": "'",
    "percent-word": "%a",
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
def test_a_hundred_kilobytes_of_one_thing_are_survived(piece):
    text = piece * (100_000 // len(piece))

    for part in (text, text[:3900]):
        report = check(part, facts=EN)

    assert report.sentences[0].sentence.text
    split_sentences(text, "en")
    INDEX.find(text)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
def test_a_hostile_fact_is_survived(piece):
    facts = (
        make_fact("X-1.text", "text", piece, piece * 200),
        make_fact("X-1.total", "money", piece, piece, unit="EUR"),
        make_fact("X-1.on", "date", "x", piece),
        make_fact("X-1.name", "person", "x", piece * 3),
        make_fact("X-1.q", "quote_text", "x", piece * 50, trust="untrusted"),
    )

    assert (
        check("You asked about 12 pumps on 3 March for €5.", facts=facts).sentences[0].sentence.verdict != "supported"
    )


@pytest.mark.parametrize("text", ["", " ", "\n", "\0", "?", "\ufeff", "\ud7ff"])
def test_nothing_is_survived(text):
    assert check_one(text).sentence.text == text


def test_no_sentences_give_no_verdicts():
    assert check().sentences == ()


@pytest.mark.parametrize(
    "value", ["", "..", "1..", "abc", "NaN", "Infinity", "1e9999", "2026-13-45", "2026-03-11T99:00"]
)
@pytest.mark.parametrize(
    "kind", ["money", "date", "datetime", "slot", "duration", "percent", "count", "person", "doc_id"]
)
def test_a_broken_value_carries_nothing_and_breaks_nothing(kind, value):
    fact = make_fact("X-1.v", kind, "value", value, visibility="internal")

    assert check("It is 12 % of €5 on 3 March.", facts=(fact,)).sentences[0].sentence.verdict == "unsupported"


def test_an_unknown_language_and_zone_are_read_as_well_as_can_be():
    from datetime import date

    from crmplugin.checking.check import check_text
    from crmplugin.domain.draft import Sentence

    report = check_text(
        [Sentence("Hinta on 48 000 €.", "claim")],
        EN,
        language="fi",
        locale="fi_FI",
        audience="customer",
        send_on=date(2026, 3, 11),
        zone="Nowhere/Land",
        names=INDEX,
    )

    assert report.sentences[0].sentence.verdict == "leak"
