"""Tone, length and the voice's sliders: other words, never other facts."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from itertools import combinations

import pytest

from crmplugin.domain.crm import Voice
from crmplugin.writing.compose import compose, render_body
from crmplugin.writing.template import count_words
from crmplugin.writing.tone import Sound, closest, score
from tests.writing.test_template import TYPES, brief_of, write

LANGUAGES = ("en", "de", "fr", "es")
TONES = (None, "friendly", "direct", "formal", "concise")


def texts(brief):
    return [s.text for s in write(brief).sentences if s.role != "subject"]


def told(brief):
    """Fact ids and figures of a text in order, without the offer of help, which has none."""
    sentences = [s for s in write(brief).sentences if s.evidence]
    return [s.evidence for s in sentences], sorted(n for s in sentences for n in re.findall(r"\d+(?:[.,]\d+)*", s.text))


def with_sliders(brief, **sliders):
    return replace(brief, voice=Voice(sliders={name: Decimal(value) for name, value in sliders.items()}))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("type_", TYPES)
def test_no_tone_changes_what_is_told(type_, language):
    plain = told(brief_of(type_, language))

    for tone in ("friendly", "direct", "formal"):
        assert told(brief_of(type_, language, tone=tone)) == plain
    assert told(brief_of(type_, language, length="long")) == plain
    assert set(told(brief_of(type_, language, tone="concise"))[0]) <= set(plain[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_any_two_tones_can_be_told_apart(language):
    said = {tone: [texts(brief_of(type_, language, tone=tone)) for type_ in TYPES] for tone in TONES}

    for one, other in combinations(TONES, 2):
        changed = sum(a != b for a, b in zip(said[one], said[other], strict=True))
        assert changed >= 12, (one, other, changed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_long_and_usual_texts_differ_in_length(language):
    length = {wanted: sum(count_words(write(brief_of(type_, language, length=wanted)).sentences) for type_ in TYPES)
              for wanted in ("short", None, "long")}  # fmt: skip

    assert length["short"] < 0.8 * length[None]
    assert length["long"] > 1.1 * length[None]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("slider", ["warmth", "energy", "formality"])
def test_each_slider_moves_the_words_and_keeps_the_facts(slider, language):
    briefs = [brief_of(type_, language) for type_ in TYPES]
    low, high = ([with_sliders(b, **{slider: value}) for b in briefs] for value in (0, 4))

    assert [told(b) for b in low] == [told(b) for b in high]
    assert sum(texts(a) != texts(b) for a, b in zip(low, high, strict=True)) >= 12


def test_two_is_as_usual():
    brief = brief_of("quote_follow_up")

    assert texts(with_sliders(brief, warmth=2, energy=2, formality=2)) == texts(brief)


def test_a_tone_that_is_asked_for_goes_over_the_slider():
    brief = brief_of("quote_follow_up", tone="friendly")

    assert texts(with_sliders(brief, warmth=0)) == texts(brief)


def test_greeting_and_sign_off_follow_the_sound():
    def frame(**more):
        brief = brief_of("check_in", "en", **more)
        return render_body(compose(brief, write(brief)), "email").splitlines()

    assert (frame()[0], "Kind regards" in frame()) == ("Hello Dana,", True)
    assert "Warm regards" in frame(tone="friendly")
    assert (frame(tone="formal")[0], "Yours sincerely" in frame(tone="formal")) == ("Hello Dana Reyes,", True)


@pytest.mark.parametrize(
    ("sound", "best"),
    [
        (Sound(warmth=2), "Are you glad to have your order?"),
        (Sound(energy=2), "It came."),
        (Sound(formality=2), "May we ask whether the goods would please?"),
    ],
)
def test_the_closest_wording_comes_first(sound, best):
    wordings = ("Just tell us that it came.", "Are you glad to have your order?", "It came.",
                "May we ask whether the goods would please?")  # fmt: skip

    assert closest(wordings, sound, "en")[0] == best
    assert len(closest(wordings, sound, "en")) == 2
    assert score(best, Sound(), "en") == 0
