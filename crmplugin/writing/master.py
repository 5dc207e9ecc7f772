"""The words of a campaign, fixed once: a pattern for each beat, from the bank or worded by a model in one call.

A pattern is a sentence of the bank's form with its slots in braces, so each recipient's facts can be put into words
that were approved before. A pattern of a model counts only when it has exactly the slots of the beat and no number,
link or mark of its own; otherwise the bank's stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from crmplugin.domain.campaign import CHANGED, Campaign, Master
from crmplugin.domain.draft import Usage
from crmplugin.errors import ModelError
from crmplugin.ports import ChatModel, Message
from crmplugin.writing.bank import MARK, Entry, choose, load_bank
from crmplugin.writing.prompt import load_prompt

TOPICS: Mapping[str | None, tuple[str, ...]] = {
    None: ("pitch", "common"),
    "replenishment": ("replenishment",),
    "win_back": ("win_back", "common"),
}
"""Angle -> topics of the bank whose beats it may say."""
MAX_CHARS = 220
_OWN = re.compile(r"\d|https?:|www\.|@|[!<>\[\]]")


def keys_of(angles: Iterable[str | None], language: str) -> tuple[str, ...]:
    """The keys of the bank that a campaign with these angles may say, in order."""
    topics = tuple(dict.fromkeys(t for angle in angles for t in TOPICS[angle]))
    return tuple(key for key in load_bank(language) if key.split(".")[0] in topics)


def bank_patterns(
    campaign_id: str, keys: Iterable[str], *, language: str, channel: str, formal: bool, variant: int
) -> dict[str, str]:
    """One wording of the bank a key: the same for every recipient, and for every variant but for what it changes."""
    bank = load_bank(language)
    patterns = {}
    for key in keys:
        texts = bank[key].variants(channel, formal=formal)
        turn = variant if is_changed(key, variant) else 0
        if texts:
            patterns[key] = texts[choose(len(texts), subject_id=campaign_id, type_="", touch=1, slot=key, turn=turn)]
    return patterns


def is_changed(key: str, variant: int) -> bool:
    """Whether a variant (0 is the first) words this beat in its own way."""
    return role_of(key) in CHANGED[variant][1]


def role_of(key: str) -> str:
    """The role of a beat, told by its key: subjects and asks name themselves."""
    name = key.split(".", 1)[1]
    if name.startswith("subject") or name.endswith("_subject"):
        return "subject"
    if name.startswith("ask") or name.endswith("_ask"):
        return "ask"
    return "context"


def word_master(master: Master, campaign: Campaign, chat: ChatModel, *, formal: bool) -> tuple[Master, Usage]:
    """The master in a model's words, as far as they hold, and what the call cost in tokens.

    Raises ModelError when the model cannot be reached.
    """
    bank = load_bank(master.language)
    prompt = load_prompt("campaign_master")
    lines = [_line(bank[key], text) for key, text in master.patterns.items()]
    messages: list[Message] = prompt.fill(
        {
            "language": master.language,
            "register": "formal" if formal else "informal",
            "channel": master.channel,
            "goal": campaign.goal_text,
            "changed": master.changed,
            "patterns": "\n".join(lines),
        }
    )
    answer = chat.stream(messages)
    text = "".join(answer.pieces)
    tokens_in, tokens_out = answer.usage()
    worded = read_patterns(text, master.patterns, bank)
    if not worded:
        raise ModelError("the model's wordings keep none of the slots; the bank's words stand")
    patterns = {**master.patterns, **worded}
    done = Master(master.language, master.channel, master.variant, master.changed, patterns, "model", answer.model)
    return done, Usage(tokens_in, tokens_out)


def _line(entry: Entry, example: str) -> str:
    return f"{entry.key}\t{', '.join(entry.slots) or '-'}\t{example}"


def read_patterns(text: str, known: Mapping[str, str], bank: Mapping[str, Entry]) -> dict[str, str]:
    """The lines `key<TAB>pattern` that hold."""
    found = {}
    for line in text.splitlines():
        key, _, pattern = (part.strip() for part in line.partition("\t"))
        if key in known and not problem_of(pattern, bank[key]):
            found[key] = pattern
    return found


def problem_of(pattern: str, entry: Entry) -> str | None:
    """What is wrong with a pattern, as a sentence that says what to do; None when it holds."""
    used = {mark["slot"] for mark in MARK.finditer(pattern)}
    rest = MARK.sub("", pattern)
    if used != set(entry.slots):
        wanted = ", ".join(f"{{{slot}}}" for slot in entry.slots) or "no slot"
        return f"{entry.key}: use exactly {wanted}"
    if not rest.strip() or len(pattern) > MAX_CHARS:
        return f"{entry.key}: write one sentence of at most {MAX_CHARS} characters"
    if "{" in rest or "}" in rest or "\n" in pattern:
        return f"{entry.key}: keep braces for slots, and all on one line"
    if _OWN.search(rest):
        return f"{entry.key}: leave numbers, links, addresses and exclamation marks out; facts bring their own"
    return None
