"""Tone: banned phrases, titles nobody recorded, placeholders, the form of address, shouting; and how readable it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import pyphen

from crmplugin.checking.fold import lower
from crmplugin.checking.lists import phrase_book
from crmplugin.checking.scene import Finding, Scene

_PLACEHOLDER = re.compile(
    r"\{[^{}\n]{0,60}\}|\[[A-Za-zÀ-ž][^\[\]\n]{0,40}\]|<[A-Za-z_][\w ]{0,30}>|_{3,}|%\w+%|\$\{"
    r"|(?<!\w)(?:PERSON|EMAIL|PHONE|ACCOUNT|ADDRESS)_\d+(?!\w)"
    r"|(?<!\w)(?:XXX+|xxx+|TBD|TBA|TODO|FIXME|lorem ipsum|undefined|NaN|null|N/A|n/a|\?{3,})(?!\w)"
    r"|(?<![\w:])(?<!: )None(?=[,.!]|$)"
)
_EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_CAPS = re.compile(r"(?<![\w-])[A-ZÄÖÜÀ-ÖØ-Þ]{4,}(?![\w-])")
_TITLE_FORM = re.compile(r" ?\.? ?[A-ZÄÖÜÀ-Þ]")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_REASONS = {
    "worn": "is a worn phrase",
    "guilt": "blames the reader for not answering",
    "flattery": "is flattery",
    "watched": "tells that the reader was watched",
    "private": "is nobody's business",
}


def placeholders(scene: Scene) -> Iterator[Finding]:
    """Marks that should have been filled in."""
    for m in _PLACEHOLDER.finditer(scene.folded.text):
        if scene.covered(m.start(), m.end()):
            continue
        yield Finding(m.start(), m.end(), "placeholder", "unsupported", reason=f"“{m[0]}” was left unfilled.")


def titles(scene: Scene) -> Iterator[Finding]:
    """Titles with a gender before a name, unless the CRM's salutation or a fact has them."""
    for kind, start, end in phrase_book("banned", scene.reader.words).find(scene.folded.lower):
        if kind == "title" and _is_title(scene, start, end) and not _is_recorded(scene, scene.folded.lower[start:end]):
            shown = scene.folded.text[start:end]
            yield Finding(start, end, "title", "unsupported", reason=f"“{shown}”: no salutation is recorded.")


def _is_title(scene: Scene, start: int, end: int) -> bool:
    """A title stands before a name, or alone in a greeting; Polish and Portuguese use some as plain pronouns."""
    text = scene.folded.text
    if scene.reader.words in ("pl", "pt") and text[start].islower():
        return False
    if not text[start].isupper() and scene.reader.words not in ("fr", "es", "it", "nl", "pt"):
        return False
    alone = scene.sentence.role == "greeting" or text[end : end + 1] in (",", "")
    return _TITLE_FORM.match(text, end) is not None or (alone and len(text) < 60)


def _is_recorded(scene: Scene, title: str) -> bool:
    brief = scene.shelf.brief
    to = brief.recipient if brief else None
    recorded = lower(f"{to.salutation or ''} {to.display_name or ''}") if to else ""
    word = title.rstrip(".").removesuffix("n") if title == "herrn" else title.rstrip(".")
    if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", recorded):
        return True
    rows = [
        f
        for f in scene.shelf.usable
        if f.kind in ("person", "text") and word in lower(f"{f.value} {f.display}").split()
    ]
    return bool(rows)


def banned(scene: Scene) -> Iterator[Finding]:
    """Phrases that our texts never use."""
    for kind, start, end in phrase_book("banned", scene.reader.words).find(scene.folded.lower):
        if kind in _REASONS:
            yield Finding(
                start, end, f"banned:{kind}", "style", reason=f"“{scene.folded.text[start:end]}” {_REASONS[kind]}."
            )


def address_forms(scene: Scene) -> list[tuple[str, int, int]]:
    """Words of formal and informal address, those of quoted customers left out."""
    rows = phrase_book("voice", scene.reader.words).find(scene.folded.lower)
    theirs = scene.their_words
    return [
        (kind, start, end)
        for kind, start, end in rows
        if kind in ("formal", "informal") and not any(a <= start < b for a, b in theirs)
    ]


def informal(scene: Scene, *, formal: bool | None) -> Iterator[Finding]:
    """Informal words in a formal text."""
    if formal:
        for kind, start, end in address_forms(scene):
            if kind == "informal":
                shown = scene.folded.text[start:end]
                yield Finding(
                    start, end, "address", "style", reason=f"“{shown}” is informal; this reader is addressed formally."
                )


def commercial(scene: Scene) -> Iterator[Finding]:
    """Words that sell, while a sell hold is on."""
    for kind, start, end in phrase_book("voice", scene.reader.words).find(scene.folded.lower):
        if kind == "commercial":
            shown = scene.folded.text[start:end]
            yield Finding(start, end, "sell_hold", "unsupported", reason=f"“{shown}” sells, and a sell hold is on.")


def shouting(text: str) -> list[str]:
    """Words of four and more capitals."""
    return _CAPS.findall(text)


def emoji(text: str) -> list[str]:
    return _EMOJI.findall(text)


def words_of(text: str) -> list[str]:
    return _WORD.findall(text)


@lru_cache(maxsize=16)
def _hyphens(language: str) -> pyphen.Pyphen | None:
    name = pyphen.language_fallback(language)
    return pyphen.Pyphen(lang=name) if name else None


@lru_cache(maxsize=8192)
def syllables(word: str, language: str) -> int:
    """Syllables of a word by hyphenation patterns, at least one."""
    patterns = _hyphens(language)
    return len(patterns.positions(word)) + 1 if patterns else max(1, len(re.findall("[aeiouyäöü]+", word.lower())))


_EASE = {
    "en": (206.835, 1.015, 84.6),
    "de": (180.0, 1.0, 58.5),
    "fr": (207.0, 1.015, 73.6),
    "es": (206.84, 1.02, 60.0),
    "it": (217.0, 1.3, 60.0),
    "nl": (206.84, 0.93, 77.0),
}
"""Reading ease = a - b * words per sentence - c * syllables per word (sales-craft 6.6)."""


def reading_ease(sentences: list[str], language: str) -> float | None:
    """Flesch reading ease in the language's form, 0 hard to 100 easy; None for other languages and empty text."""
    words = [w for s in sentences for w in words_of(s)]
    if language not in _EASE or not words:
        return None
    a, b, c = _EASE[language]
    return a - b * len(words) / len(sentences) - c * sum(syllables(w, language) for w in words) / len(words)
