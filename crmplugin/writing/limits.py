"""What a channel takes: parts of a text message, characters of a chat turn or a post, seconds of a call.

Measured on the whole text as it is sent, with sender name and opt-out (sales-craft §6.4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from crmplugin.domain.draft import Check, Sentence
from crmplugin.writing.render import count_sms, render_body

SMS_PARTS = 2
CHAT_CHARS, CHAT_SENTENCES = 300, 2
POST_CHARS, LINK_CHARS = 280, 23
"""A post of 280 characters, in which a link counts 23 whatever its length."""
OPENER_WORDS, VOICEMAIL_WORDS = 75, 50
"""Thirty and twenty seconds at 150 words a minute."""

LINK = re.compile(r"https?://\S+")
SPOKEN = frozenset({"context", "claim", "ask", "close"})


def channel_checks(channel: str, sentences: Sequence[Sentence]) -> tuple[Check, ...]:
    """The rows of this channel, one a limit; empty for mail, letters and notes, whose limits are words."""
    measure = _CHANNELS.get(channel)
    shown = [s for s in sentences if s.action != "removed"]
    return measure(shown) if measure and shown else ()


def fits(channel: str, sentences: Sequence[Sentence]) -> bool:
    """Whether the text keeps every limit of its channel."""
    return all(check.verdict == "pass" for check in channel_checks(channel, sentences))


def count_post(text: str) -> int:
    """Characters of a public post, each link counted as 23."""
    return len(LINK.sub("x" * LINK_CHARS, text))


def _row(code: str, measured: int, most: int, what: str) -> Check:
    return Check(code, "pass" if measured <= most else "fail", f"{measured} {what}; at most {most}.")


def _sms(sentences: Sequence[Sentence]) -> tuple[Check, ...]:
    encoding, units, parts = count_sms(render_body(sentences, "sms"))
    what = f"part{'s' if parts != 1 else ''} of a text message ({units} units, {encoding})"
    return (_row("sms_parts", parts, SMS_PARTS, what),)


def _chat(sentences: Sequence[Sentence]) -> tuple[Check, ...]:
    said = sum(s.role in SPOKEN for s in sentences)
    return (
        _row("chat_length", len(render_body(sentences, "chat")), CHAT_CHARS, "characters"),
        _row("chat_sentences", said, CHAT_SENTENCES, "sentences in one turn"),
    )


def _post(sentences: Sequence[Sentence]) -> tuple[Check, ...]:
    return (_row("post_length", count_post(render_body(sentences, "social")), POST_CHARS, "characters"),)


def _call(sentences: Sequence[Sentence]) -> tuple[Check, ...]:
    """The opener is what stands before the questions; the voicemail is the closing words."""
    opener: list[Sentence] = []
    for sentence in sentences:
        opener.append(sentence)
        if sentence.role == "ask":
            break
    voicemail = [s for s in sentences if s.role == "close"]
    return (
        _row("opener_words", _words(opener), OPENER_WORDS, "words before the first question"),
        _row("voicemail_words", _words(voicemail), VOICEMAIL_WORDS, "words on a voicemail"),
    )


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(len(s.text.split()) for s in sentences if s.role in SPOKEN | {"greeting"})


_CHANNELS: Mapping[str, Callable[[Sequence[Sentence]], tuple[Check, ...]]] = {
    "sms": _sms, "chat": _chat, "social": _post, "phone": _call,
}  # fmt: skip
