"""Texts of strangers as quotes: short, without control or hidden characters, without what looks like an instruction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

QUOTE_CHARS = 300
_WORDS = re.compile(r"\w{2,}")


@dataclass(slots=True)
class Suspicion:
    """Scans texts once each and remembers which record each suspicious one belongs to."""

    scan: Callable[[str], Any]
    found: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Record id -> rules that hit, in order of discovery."""
    _seen: dict[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def look(self, record_id: str, *texts: str | None) -> None:
        for text in texts:
            if text and (result := self.scan(text)).suspicious:
                self.found.setdefault(record_id, tuple(str(rule) for rule in result.rules))
                self._seen[text] = tuple((int(start), int(end)) for start, end in result.spans)

    def harmless(self, text: str) -> str:
        """The text without its suspicious spans; the whole text when nothing was found in it."""
        if text not in self._seen:
            self.look("", text)
            self.found.pop("", None)
        return cut(text, self._seen.get(text, ()))

    def harmless_part(self, part: str, whole: str) -> str:
        """`part` of a scanned text without what the scan of the whole text marked."""
        start = whole.find(part)
        if start < 0:
            return self.harmless(part)
        spans = [(s - start, e - start) for s, e in self._seen.get(whole, ())]
        inside = [(max(0, s), min(len(part), e)) for s, e in spans if s < len(part) and e > 0]
        return self.harmless(cut(part, tuple(inside)))


def cut(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    kept, at = [], 0
    for start, end in sorted(spans):
        kept.append(text[at : max(at, start)])
        at = max(at, end)
    return "".join((*kept, text[at:])).strip(" -–—|>\n\t")


def quoted(text: str) -> str | None:
    """At most 300 characters on one line, cut between words; None when no word is left."""
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    shown = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Co", "Cs"))
    line = " ".join(shown.split())
    if not _WORDS.search(line):
        return None
    if len(line) <= QUOTE_CHARS:
        return line
    return line[: QUOTE_CHARS - 1].rsplit(" ", 1)[0] + "…"
