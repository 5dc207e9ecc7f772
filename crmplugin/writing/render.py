"""Sentences into a body: paragraphs, bullets, the signature block, HTML, and how many parts a text message takes.

A sentence keeps its words; only what stands between sentences is decided here. A bullet is a sentence that begins
with `- `; a heading is a line that the list of headings has.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Literal

from crmplugin.domain.draft import Sentence
from crmplugin.writing.headings import is_heading

BULLET = "- "
ONE_LINE_CHANNELS = frozenset({"sms", "chat", "social"})
GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_DOUBLE = frozenset("^{}[]~|\\€\f")
"""Characters of the GSM 03.38 extension table: two units each."""

Block = Literal["head", "date", "greeting", "text", "bullet", "heading", "line", "ask", "signature", "legal"]


def render_body(sentences: Sequence[Sentence], channel: str) -> str:
    """The text as it is sent: one running line for short channels, else paragraphs parted by an empty line."""
    shown = [s for s in sentences if s.role != "subject" and s.action != "removed"]
    if channel in ONE_LINE_CHANNELS:
        return " ".join(s.text.strip() for s in shown)
    return "\n\n".join(_join(kind, texts) for kind, texts in _paragraphs(shown))


def render_html(sentences: Sequence[Sentence], channel: str) -> str:
    """The same as HTML; every character of the text is escaped."""
    shown = [s for s in sentences if s.role != "subject" and s.action != "removed"]
    if channel in ONE_LINE_CHANNELS:
        return f"<p>{escape(' '.join(s.text.strip() for s in shown))}</p>"
    return "\n".join(_as_html(kind, texts) for kind, texts in _paragraphs(shown))


def _paragraphs(sentences: Sequence[Sentence]) -> list[tuple[Block, list[str]]]:
    """Neighbours of one block together. Under headings every sentence is a line of its own."""
    in_notes = any(_is_heading(s) for s in sentences)
    blocks = [*_head(sentences), *((_block(s, in_notes), s.text) for s in sentences[_head_lines(sentences) :])]
    grouped: list[tuple[Block, list[str]]] = []
    for kind, group in groupby(blocks, key=lambda pair: pair[0]):
        texts = [text for _, text in group]
        grouped.extend([(kind, [text]) for text in texts] if kind == "heading" else [(kind, texts)])
    return grouped


def _head_lines(sentences: Sequence[Sentence]) -> int:
    """How many lines stand before the greeting: those of a letter's head."""
    return max(sum(s.role == "greeting" for s in sentences) - 1, 0)


def _head(sentences: Sequence[Sentence]) -> list[tuple[Block, str]]:
    """The address, and the date in a line of its own below it."""
    lines = [s.text for s in sentences[: _head_lines(sentences)]]
    return [("date" if line is lines[-1] else "head", line) for line in lines]


def _is_heading(sentence: Sentence) -> bool:
    return sentence.role in ("context", "claim") and is_heading(sentence.text)


def _block(sentence: Sentence, in_notes: bool) -> Block:
    if sentence.role in ("greeting", "signature", "legal"):
        return sentence.role
    if _is_heading(sentence):
        return "heading"
    if in_notes:
        return "line"
    if sentence.text.startswith(BULLET):
        return "bullet"
    return "ask" if sentence.role in ("ask", "close") else "text"


def _join(kind: Block, texts: list[str]) -> str:
    return ("\n" if kind in ("head", "bullet", "line", "signature", "legal") else " ").join(texts)


def _as_html(kind: Block, texts: list[str]) -> str:
    if kind == "heading":
        return f"<h3>{escape(texts[0])}</h3>"
    if kind in ("bullet", "line"):
        items = "".join(f"<li>{escape(text.removeprefix(BULLET))}</li>" for text in texts)
        return f"<ul>{items}</ul>"
    joint = "<br>" if kind in ("head", "signature", "legal") else " "
    return f"<p>{joint.join(escape(line) for text in texts for line in text.splitlines())}</p>"


def count_sms(text: str) -> tuple[Literal["GSM-7", "UCS-2"], int, int]:
    """Encoding, units and parts of a text message (3GPP TS 23.038: 160/153 septets, else 70/67 UTF-16 units)."""
    if all(character in GSM7 or character in GSM7_DOUBLE for character in text):
        units = sum(2 if character in GSM7_DOUBLE else 1 for character in text)
        return "GSM-7", units, _parts(units, single=160, each=153)
    units = len(text.encode("utf-16-le")) // 2
    return "UCS-2", units, _parts(units, single=70, each=67)


def _parts(units: int, *, single: int, each: int) -> int:
    return 1 if units <= single else -(-units // each)
