"""What a page says, taken from its HTML: words of the interface, and words that come from records or drafts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from crmplugin.web.console_words import load_words

FOREIGN = frozenset({"bdi", "pre", "code", "textarea", "svg"})
"""Elements that hold what records, drafts and programs say; all else is ours."""
OURS = frozenset({"row-what", "outcome", "reason"})
"""Classes within which even those hold our own sentences."""
DRAFTED = frozenset({"s", "subject"})
"""Classes of the words of a draft, which are in its reader's language."""
SAID_ALOUD = ("aria-label", "title", "placeholder")
VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})
ENGLISH = re.compile(r"\b(the|and|your|with|from|which|were|this|that|nothing|every|been|their|our|by)\b", re.I)
"""Words of English that no German, French or Spanish sentence of ours has."""


class Reading(HTMLParser):
    """`texts`: what the page says in words of ours, each node by itself. `language`: what it says it is in."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.language = ""
        self._open: list[tuple[str, bool, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.language = given.get("lang") or self.language if tag == "html" else self.language
        classes = set((given.get("class") or "").split())
        ours = bool(OURS & classes)
        if not self._is_foreign():
            self.texts += [value for name in SAID_ALOUD if (value := given.get(name)) and tag != "time"]
        if tag not in VOID:
            self._open.append((tag, tag in FOREIGN or bool(DRAFTED & classes), ours))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        skipped = self._open and self._open[-1][0] in ("script", "style", "option", "title")
        if data.strip() and not skipped and not self._is_foreign():
            self.texts.append(" ".join(data.split()))

    def _is_foreign(self) -> bool:
        return any(foreign for _, foreign, _ in self._open) and not any(ours for _, _, ours in self._open)


def english_left(html: str, language: str) -> list[str]:
    """What a page in another language says in English: texts of the English table, and English sentences."""
    theirs = set(_values(language))
    table = [_pattern(text) for text in _values("en") if text not in theirs and _says_something(text)]
    texts = Reading(html).texts
    return [text for text in texts if ENGLISH.search(text) or any(p.fullmatch(text) for p in table)]


def _values(language: str) -> list[str]:
    return [text for table in load_words(language).tables.values() for text in table.values()]


def _says_something(text: str) -> bool:
    return len(re.sub(r"\{\w+\}|\W", "", text)) > 3


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text)))
