"""How a text is to sound, and which of several wordings comes closest to it. Words only: every wording says the same.

The voice file's sliders (0 to 4, 2 is as usual) set the sound; a tone that is asked for with a draft goes over them.
Humour is left to a model: the bank has no joke, since a joke has no fact behind it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from crmplugin.domain.brief import Brief
from crmplugin.domain.crm import Number

SLIDERS = ("warmth", "energy", "formality")
USUAL, MOST = 2, 4
LETTERS = 20
"""Longer words read more formally; this many more letters a word weigh as much as all words being courteous."""
_WORD = re.compile(r"[\w’']+")


@dataclass(frozen=True, slots=True)
class Sound:
    """Each from -2 (not at all) over 0 (as usual) to 2 (strongly). brief: only what must be said. helps: offer help.

    A house that is always warm does not offer help in each letter; that would be a tic."""

    warmth: int = 0
    energy: int = 0
    formality: int = 0
    brief: bool = False
    helps: bool = False

    @property
    def is_usual(self) -> bool:
        return not (self.warmth or self.energy or self.formality)


TONES: Mapping[str, Callable[[Sound], Sound]] = MappingProxyType(
    {
        "friendly": lambda sound: replace(sound, warmth=2, helps=True),
        "warm": lambda sound: replace(sound, warmth=2, helps=True),
        "formal": lambda sound: replace(sound, formality=2, warmth=0),
        "direct": lambda sound: replace(sound, energy=2, warmth=0),
        "concise": lambda sound: replace(sound, energy=2, brief=True),
    }
)
"""Tones by the word for them; another word goes to a model as it stands and changes nothing here."""


def sound_of(brief: Brief) -> Sound:
    """What voice file and request ask for, together; a long text takes the fuller wordings."""
    warmth, energy, formality = (_level(brief.voice.sliders.get(name)) for name in SLIDERS)
    sound = Sound(warmth, energy, formality)
    if brief.plan is None:
        return sound
    if brief.plan.length == "long":
        sound = replace(sound, energy=-1)
    return TONES.get((brief.plan.tone or "").casefold(), _as_it_is)(sound)


def _level(slider: Number | None) -> int:
    return 0 if slider is None else min(max(int(slider), 0), MOST) - USUAL


def _as_it_is(sound: Sound) -> Sound:
    return sound


def closest(texts: tuple[str, ...], sound: Sound, language: str) -> tuple[str, ...]:
    """The better half of the wordings, the best first; all of them, in their order, when the sound is as usual."""
    if sound.is_usual or len(texts) < 2:
        return texts
    ranked = sorted(texts, key=lambda text: -score(text, sound, language))
    return tuple(ranked[: (len(texts) + 1) // 2])


def score(text: str, sound: Sound, language: str) -> float:
    """How much a wording sounds as wanted: shares of its words, so that a long one wins by nothing but its sound."""
    words = [w.casefold() for w in _WORD.findall(text)] or [""]
    share: dict[str, float] = {name: sum(w in known or w.startswith(begins) for w in words) / len(words)
             for name, (known, begins) in _lists(language).items()}  # fmt: skip
    warm = share["you"] - share["we"] + 2 * share["warm"]
    formal = 2 * share["formal"] - 2 * share["plain"] + sum(map(len, words)) / len(words) / LETTERS
    return sound.warmth * warm + sound.formality * formal - sound.energy * len(words) / 20


@cache
def _lists(language: str) -> Mapping[str, tuple[frozenset[str], tuple[str, ...]]]:
    """By name: whole words, and beginnings of words."""
    rows = tomllib.loads((files("prompts") / "words" / "tones.toml").read_text(encoding="utf-8"))
    return {
        name: (
            frozenset(w for w in words.split() if not w.endswith("*")),
            tuple(w[:-1] for w in words.split() if w.endswith("*")),
        )
        for name, words in rows.get(language, rows["en"]).items()
    }
