"""The sentence bank: its rules at load, and a walk over every sentence of every language."""

from __future__ import annotations

import re
from decimal import Decimal
from importlib.resources import files

import pytest

from crmplugin.domain.fact import Fact
from crmplugin.writing.bank import (
    MARK,
    BankProblem,
    choose,
    fill,
    freshest,
    languages,
    load_bank,
    overlap,
    read_topic,
)

OWNED_ITEMS = ("us_deliver", "us_goods", "them_goods", "us_quoted", "them_quoted", "us_verb", "us", "them", "item")
BUILT_KEYS = {f"recap.{item}{due}" for item in OWNED_ITEMS for due in ("", "_due")} | {"recap.goal", "recap.open"}
"""Keys that a plan puts together, so that they stand nowhere as one word."""
BANNED = re.compile(
    r"(?i)checking in|touching base|circling back|bubbling|hope this finds|per my last|heard back|last chance|limited"
    r"|only today|guarantee|\bbest\b|as discussed|you mentioned|we agreed|\bMr\b|\bMs\b|\bMrs\b|act now|free|\bFrau\b"
    r"|\bHerrn?\b|garantier|wie besprochen|nachhaken|letzte Chance|nur heute|einzigartig|unverbindlich|zögern"
)
FORMAL_DE = re.compile(r"\b(Sie|Ihr|Ihre|Ihrem|Ihren|Ihrer|Ihres|Ihnen)\b")
INFORMAL_DE = re.compile(r"\b([Dd]u|[Dd]ir|[Dd]ich|[Dd]ein\w*|[Ee]uch|[Ee]uer\w*)\b")


def complaints_about(language: str, field: str, variant: str) -> list[str]:
    """What is wrong with one wording, in words."""
    plain = MARK.sub("x", variant)
    informal = field.endswith("informal")
    rules = {
        "banned phrase": BANNED.search(plain),
        "mark or shouting": re.search(r"[{}!]|\.\.|  |[A-ZÄÖÜ]{4,}", plain) or plain != plain.strip(),
        "too long": len(plain.split()) > 25,
        "two questions": plain.count("?") > 1,
        "Sie among du": language == "de" and informal and FORMAL_DE.search(plain),
        "du among Sie": language == "de" and not informal and INFORMAL_DE.search(plain),
    }
    return [rule for rule, broken in rules.items() if broken]


def make_fact(display: str, value: str | None = None, kind: str = "count") -> Fact:
    return Fact("X-1.f", kind, "label", value or display, display)  # type: ignore[arg-type]


def test_both_languages_say_the_same_things():
    english, german = load_bank("en"), load_bank("de")

    assert set(english) == set(german)
    assert {key: set(entry.slots) for key, entry in english.items()} == {
        key: set(entry.slots) for key, entry in german.items()
    }


def test_every_key_of_a_plan_has_sentences_and_every_sentence_has_a_plan():
    sources = [
        f.read_text("utf-8") for f in files("crmplugin").joinpath("brief").iterdir() if f.name.startswith("plan")
    ]
    named = set(re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', "\n".join(sources))) | BUILT_KEYS
    bank = {key.removesuffix("_again") for key in load_bank("en")}
    plain = {key for key in bank if key.endswith("subject_plain") or key.startswith("note.")}

    assert bank - named - plain == set()
    topics = {key.split(".")[0] for key in bank}
    assert {key for key in named - bank if key.split(".")[0] in topics - {"event", "answer", "common"}} <= {"note.line"}


@pytest.mark.parametrize("language", languages())
def test_every_sentence_is_clean(language):
    found = {
        variant: complaints
        for entry in load_bank(language).values()
        for field, variants in entry.wordings.items()
        for variant in variants
        if (complaints := complaints_about(language, field, variant))
    }

    assert found == {}


def test_german_sentences_that_address_somebody_have_an_informal_form():
    without = [
        key
        for key, entry in load_bank("de").items()
        if "informal" not in entry.wordings and any(FORMAL_DE.search(MARK.sub("x", v)) for v in entry.wordings["say"])
    ]

    assert without == []


def test_sentences_are_short():
    for language in languages():
        lengths = [
            len(MARK.sub("x", variant).split())
            for key, entry in load_bank(language).items()
            for variant in entry.wordings["say"]
            if "subject" not in key and not key.startswith("note.")
        ]
        assert sum(lengths) / len(lengths) <= 14


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[a]\nsay = ["x", "y", "z"]\nsya = ["x"]', "unknown key sya"),
        ('[a]\nsay = ["x", "y"]', "needs 3 different variants, has 2"),
        ('[a]\nsay = ["x", "y", "y"]', "needs 3 different variants, has 2"),
        ('[a]\nslots = ["n"]\nsay = ["{n} a", "{n} b", "c"]', "'c' uses"),
        ('[a]\nsay = ["{n} a", "b", "c"]', "uses \\['n'\\]"),
        ('[a]\nsay = ["{N a", "b", "c"]', "cannot be read"),
        ('[a]\nslots = ["n"]', "needs `say`"),
    ],
)
def test_a_bank_that_breaks_the_rules_is_refused(text, complaint):
    with pytest.raises(BankProblem, match=complaint):
        read_topic("t", text, language="en")


def test_a_plural_follows_its_number():
    variant = "{n} {n|one:device|other:devices}"

    assert fill(variant, {"n": make_fact("one", "1")}) == "One device"
    assert fill(variant, {"n": make_fact("two", "2")}) == "Two devices"
    assert fill(variant, {"n": make_fact("1.5")}) == "1.5 devices"


def test_a_full_stop_is_never_doubled():
    assert fill("It is {n}.", {"n": make_fact("Kestrel Inc.", kind="org")}) == "It is Kestrel Inc."
    assert fill("{n}.", {"n": make_fact("Is it?", kind="quote_text")}) == "Is it?"
    assert fill("Wait{n}.", {"n": make_fact("…")}) == "Wait…"
    assert fill("We wrote: “{n}”.", {"n": make_fact("It is here.")}) == "We wrote: “It is here.”"
    assert fill("It is there (“{n}”).", {"n": make_fact("It is here.")}) == "It is there (“It is here”)."


def test_a_name_keeps_its_first_letter():
    assert fill("{p} is here.", {"p": make_fact("e-Drive", kind="product")}) == "e-Drive is here."
    assert fill("{n} are here.", {"n": make_fact("ten")}) == "Ten are here."


def test_the_choice_is_the_same_for_the_same_inputs():
    picks = {choose(3, subject_id="D-1", type_="answer", touch=1, slot="answer.ask") for _ in range(5)}

    assert len(picks) == 1


@pytest.mark.parametrize("slot", ["a.b", "answer.ask", "recap.intro", "x.y", "quote_follow_up.open"])
def test_the_next_touch_has_other_words(slot):
    picks = [choose(3, subject_id="D-7", type_="new_value", touch=t, slot=slot) for t in range(1, 9)]

    assert all(a != b for a, b in zip(picks, picks[1:], strict=False))


def test_overlap_is_the_share_of_runs_of_five_words():
    assert overlap("one two three four five six", "zero one two three four five") == Decimal("0.5")
    assert overlap("one two three", "one two three") == 0


def test_a_wording_that_repeats_the_last_mail_is_passed_over():
    texts = ("your quote runs until the end of May", "you can order from it until the end of May")

    assert freshest(texts, 0, ("Hello, your quote runs until the end of May.",)) == texts[1]
    assert freshest(texts[:1], 0, ("your quote runs until the end of May",)) == texts[0]
