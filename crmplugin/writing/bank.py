"""The sentence bank: every customer sentence that is worded without a model, as data per language.

A file `prompts/sentences/<language>/<topic>.toml` holds the beats of one topic; the table `[owner]` of
`service_acknowledgement.toml` is the key `service_acknowledgement.owner`. A table has

    slots      names that every variant must use, each exactly the display of one fact
    say        at least three wordings; in a language with two forms of address, the formal ones
    informal   the same for people we are on first-name terms with, where the address shows
    sms, chat, phone, letter, social, note (and `<channel>_informal`)   wordings of that channel, where it needs its own

Two marks may stand in a wording: `{slot}`, and `{slot|one:device|other:devices}`, which picks a word by the number in
the slot and does not print the number. There is nothing else: a bank is read by people who sell, not by a machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cache
from hashlib import sha256
from importlib.resources import files

from crmplugin.domain.fact import Fact

MIN_VARIANTS = 3
MAX_OVERLAP = Decimal("0.4")
CHANNELS = ("email", "phone", "chat", "sms", "social", "letter", "note")
FIELDS = frozenset(
    {"slots", "say", "informal"} | set(CHANNELS) | {f"{channel}_informal" for channel in CHANNELS}
)  # fmt: skip
NAMES_KEEP_THEIR_FIRST_LETTER = frozenset({"product", "org", "person", "doc_id", "quote_text", "link"})

MARK = re.compile(r"\{(?P<slot>[a-z][a-z0-9_]*)(?:\|one:(?P<one>[^|{}]+)\|other:(?P<other>[^|{}]+))?\}")


DOUBLE_END = re.compile(r"([.?!…])([”“\"»]?)\.")
INNER_STOP = re.compile(r"\.(?=[”“\"»]\))")
"""A mark of an ending that stands before the sentence's own full stop, with or without a closing quote between; and
the full stop of a quote in brackets."""


class BankProblem(ValueError):
    """A bank file breaks its rules; the message names language, key and what to mend."""


@dataclass(frozen=True, slots=True)
class Entry:
    """All wordings of one beat in one language."""

    key: str
    slots: tuple[str, ...] = ()
    wordings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def variants(self, channel: str, *, formal: bool) -> tuple[str, ...]:
        """The wordings for a channel and a form of address; those of the channel go first, then the general ones."""
        wanted = (channel, "say") if formal else (f"{channel}_informal", channel, "informal", "say")
        return next((self.wordings[name] for name in wanted if self.wordings.get(name)), ())


@cache
def languages() -> tuple[str, ...]:
    """Languages that have a bank."""
    folder = files("prompts") / "sentences"
    return tuple(sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and "_" not in entry.name))


@cache
def load_bank(language: str) -> Mapping[str, Entry]:
    """Every beat of a language by key. Raises BankProblem when a file breaks the rules."""
    bank: dict[str, Entry] = {}
    folder = files("prompts") / "sentences" / language
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            topic = file.name.removesuffix(".toml")
            bank.update(read_topic(topic, file.read_text(encoding="utf-8"), language=language))
    return bank


def read_topic(topic: str, text: str, *, language: str) -> dict[str, Entry]:
    """The entries of one file, checked."""
    tables = tomllib.loads(text)
    return {f"{topic}.{name}": _read_entry(f"{topic}.{name}", table, language) for name, table in tables.items()}


def _read_entry(key: str, table: Mapping[str, object], language: str) -> Entry:
    where = f"sentences/{language}: {key}"
    if not isinstance(table, dict) or "say" not in table:
        raise BankProblem(f"{where}: a beat needs `say`")
    if unknown := set(table) - FIELDS:
        raise BankProblem(f"{where}: unknown key {', '.join(sorted(unknown))}; known are {', '.join(sorted(FIELDS))}")
    slots = tuple(table.get("slots", ()))
    wordings = {name: tuple(value) for name, value in table.items() if name != "slots"}
    for name, variants in wordings.items():
        _check_variants(f"{where}.{name}", variants, slots)
    return Entry(key, slots, wordings)


def _check_variants(where: str, variants: tuple[str, ...], slots: tuple[str, ...]) -> None:
    if len(set(variants)) < MIN_VARIANTS:
        raise BankProblem(f"{where}: needs {MIN_VARIANTS} different variants, has {len(set(variants))}")
    for variant in variants:
        used = {mark["slot"] for mark in MARK.finditer(variant)}
        if used != set(slots):
            raise BankProblem(f"{where}: slots are {sorted(slots)}, but {variant!r} uses {sorted(used)}")
        if re.search(r"[{}]", MARK.sub("", variant)):
            raise BankProblem(f"{where}: {variant!r} has a mark that cannot be read")


def fill(variant: str, facts: Mapping[str, Fact]) -> str:
    """The wording with each mark replaced; a sentence never ends in two full stops nor starts with a small letter."""
    first = MARK.match(variant)
    text = MARK.sub(lambda mark: _word(mark, facts[mark["slot"]]), variant)
    text = DOUBLE_END.sub(r"\1\2", INNER_STOP.sub("", re.sub(r"\.\.(?!\.)", ".", text)))
    keeps = first is not None and facts[first["slot"]].kind in NAMES_KEEP_THEIR_FIRST_LETTER
    return text if keeps or not text else text[0].upper() + text[1:]


def _word(mark: re.Match[str], fact: Fact) -> str:
    if mark["one"] is None:
        return fact.display.strip()
    return mark["one"] if is_one(fact.value) else mark["other"]


def is_one(value: str) -> bool:
    """Whether a canonical value is exactly one; anything unreadable is not."""
    try:
        return Decimal(value) == 1
    except InvalidOperation:
        return False


def choose(n: int, *, subject_id: str, type_: str, touch: int, slot: str, turn: int = 0) -> int:
    """Which of n wordings: the same for the same inputs, and never that of the touch before.

    The index is SHA-256 over (subject, type, touch, slot) modulo n; when touch t would repeat touch t-1, the next one
    is taken. `turn` moves on from there (another tone, another variant asked for).
    """
    index = -1
    for number in range(1, max(touch, 1) + 1):
        digest = sha256("\x1f".join((subject_id, type_, str(number), slot)).encode()).digest()
        chosen = int.from_bytes(digest, "big") % n
        index = (chosen + 1) % n if chosen == index and n > 1 else chosen
    return (index + turn) % n


def overlap(text: str, earlier: str, size: int = 5) -> Decimal:
    """Share of the text's runs of five words that also stand in the earlier text; 0 for a text of fewer words."""
    runs, known = _runs(text, size), _runs(earlier, size)
    return Decimal(len(runs & known)) / Decimal(len(runs)) if runs else Decimal(0)


def _runs(text: str, size: int) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.casefold())
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def freshest(texts: tuple[str, ...], start: int, recent: tuple[str, ...]) -> str:
    """The first text from `start` on that does not repeat recent ones; if all do, the one that repeats least."""
    turned = texts[start:] + texts[:start]
    scored = [(max((overlap(text, old) for old in recent), default=Decimal(0)), text) for text in turned]
    fresh = next((text for score, text in scored if score <= MAX_OVERLAP), None)
    return fresh if fresh is not None else min(scored, key=lambda pair: pair[0])[1]
