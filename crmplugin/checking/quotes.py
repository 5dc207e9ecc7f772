"""Judges words in quotation marks: what somebody is said to have said must stand in a record in these words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from crmplugin.checking.scene import Finding, Scene

FEWEST_WORDS = 4
"""Fewer words between marks are a name, a title or a manner of speaking."""
_WORD = re.compile(r"\w+")
_TALKS = frozenset({"attribution", "asked"})


def judge_quotes(scene: Scene) -> Iterator[Finding]:
    """Quotes of four words or more, in a sentence that tells of a talk, that no fact holds word for word."""
    if not _tells_of_a_talk(scene):
        return
    for start, end in scene.quoted_places:
        words = _in_a_row(scene.folded.lower[start + 1 : end - 1])
        if words.count(" ") <= FEWEST_WORDS or _is_on_record(words, scene):
            continue
        shown = scene.folded.text[start:end]
        yield Finding(start, end, "quote", "unsupported", reason=f"{shown}: nobody is on record with these words.")


def _tells_of_a_talk(scene: Scene) -> bool:
    cited = (scene.shelf.by_id.get(i) for i in scene.sentence.evidence)
    quotes = any(f is not None and f.kind == "quote_text" for f in cited)
    return quotes or any(kind in _TALKS for kind, _, _ in scene.triggers)


def _is_on_record(words: str, scene: Scene) -> bool:
    return any(words in _in_a_row(told) for _, told in (*scene.shelf.prose, *scene.shelf.quoted))


def _in_a_row(text: str) -> str:
    """The words alone, a blank before, between and after them."""
    return f" {' '.join(_WORD.findall(text))} "
