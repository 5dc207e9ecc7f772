"""The line form in which a model answers: `role<TAB>fact ids<TAB>text`, one sentence a line, readable as it streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from crmplugin.domain.draft import Sentence
from crmplugin.errors import ModelUnusable

ROLES = ("subject", "context", "claim", "ask", "close")
LONGEST_LINE = 1200
MOST_LINES = 60
_DIVIDER = re.compile(r"\t|\\t| \| ")


@dataclass
class LineReader:
    """Takes pieces as they come; gives the text of the line in progress and each sentence when its line ends."""

    sentences: list[Sentence] = field(default_factory=list)
    _line: str = ""
    _shown: int = 0

    def feed(self, piece: str) -> Iterator[tuple[str, object]]:
        """Yields ("text", new text of the current sentence) and ("line", Sentence). Raises ModelUnusable."""
        *ended, rest = (self._line + piece).split("\n")
        for line in ended:
            self._line = line
            yield from self._show()
            yield from self._end()
        self._line = rest
        yield from self._show()

    def finish(self) -> Iterator[tuple[str, object]]:
        """The last line, which may lack its newline. Raises ModelUnusable when nothing usable came."""
        yield from self._end()
        if not self.sentences:
            raise ModelUnusable("the model's answer holds no line of the form role, fact ids, text")

    def _show(self) -> Iterator[tuple[str, object]]:
        parts = _DIVIDER.split(self._line, maxsplit=2)
        if len(parts) < 3 or parts[0].strip().lower() not in ROLES:
            return
        new = parts[2][self._shown :]
        self._shown = len(parts[2])
        if new:
            yield "text", new

    def _end(self) -> Iterator[tuple[str, object]]:
        line, self._line, self._shown = self._line, "", 0
        sentence = read_line(line)
        if sentence is None:
            return
        if len(self.sentences) >= MOST_LINES or len(sentence.text) > LONGEST_LINE:
            raise ModelUnusable("the model's answer is longer than any message")
        self.sentences.append(sentence)
        yield "line", sentence


def read_line(line: str) -> Sentence | None:
    """The sentence of one line; None for a line that is not of the form (fences, headings, chatter)."""
    parts = _DIVIDER.split(line.strip(), maxsplit=2)
    role = parts[0].strip().lower()
    if len(parts) < 3 or role not in ROLES or not parts[2].strip():
        return None
    return Sentence(parts[2].strip(), role, _ids(parts[1]))  # type: ignore[arg-type]


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for i in re.split(r"[,\s\[\]]+", text) if i and i != "-"))


def write_lines(sentences: Iterable[Sentence]) -> str:
    """Sentences in the line form."""
    return "\n".join(f"{s.role}\t{','.join(s.evidence)}\t{s.text}" for s in sentences)
