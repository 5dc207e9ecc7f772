"""Personal data out of a text before a model sees it, and back into its answer.

What is masked: the given private texts (names, postal addresses), and by pattern every mail address, phone number,
IBAN and card number. Each distinct surface form gets a placeholder of its own, so that restoring is exact.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files

import phonenumbers

EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
CARD = re.compile(r"\b\d(?:[ -]?\d){12,18}\b")
KINDS = ("PERSON", "EMAIL", "PHONE", "ACCOUNT")
PLACEHOLDER = re.compile(rf"(?:{'|'.join(KINDS)})_\d+", re.IGNORECASE)
_BEGINNINGS = "|".join(kind[:n] for kind in KINDS for n in range(len(kind), 0, -1))
_HALF_PLACEHOLDER = re.compile(rf"(?:(?:{'|'.join(KINDS)})_\d*|{_BEGINNINGS})$", re.IGNORECASE)
SHORTEST = 2
"""A private text below this many characters is not masked: a single letter stands in every word."""

ORDINARY = frozenset((files("prompts") / "words" / "ordinary_names.txt").read_text("utf-8").split())
"""Names that are also words: masked only where they are written as names, with a capital."""


class Mask:
    """One mask for one call: what it hid, and the way back."""

    def __init__(self, private: Iterable[str] = ()) -> None:
        self._by_surface: dict[str, str] = {}
        self._by_placeholder: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self.rules: list[str] = []
        self._names = _name_pattern(private)

    def hide(self, text: str) -> str:
        """The text with everything private replaced by placeholders."""
        text = EMAIL.sub(lambda m: self._placeholder("EMAIL", m.group()), text)
        text = IBAN.sub(lambda m: self._placeholder("ACCOUNT", m.group()), text)
        text = CARD.sub(lambda m: self._card(m.group()), text)
        text = self._hide_phones(text)
        if self._names is None:
            return text
        return self._names.sub(lambda m: self._name(m.group()), text)

    def show(self, text: str) -> str:
        """The text with every placeholder of this mask turned back; unknown ones stay as they are."""
        return PLACEHOLDER.sub(lambda m: self._by_placeholder.get(m.group().upper(), m.group()), text)

    def show_pieces(self, pieces: Iterable[str]) -> Iterator[str]:
        """Restores a stream; holds back only what may be the beginning of a placeholder."""
        held = ""
        for piece in pieces:
            held += piece
            half = _HALF_PLACEHOLDER.search(held)
            cut = half.start() if half else len(held)
            if cut:
                yield self.show(held[:cut])
                held = held[cut:]
        if held:
            yield self.show(held)

    def _name(self, surface: str) -> str:
        if surface.islower() and surface in ORDINARY:
            return surface
        return self._placeholder("PERSON", surface)

    def _card(self, surface: str) -> str:
        return self._placeholder("ACCOUNT", surface) if _passes_luhn(surface) else surface

    def _hide_phones(self, text: str) -> str:
        found = [m for m in phonenumbers.PhoneNumberMatcher(text, None) if "_" not in m.raw_string]
        for match in reversed(found):
            text = text[: match.start] + self._placeholder("PHONE", match.raw_string) + text[match.end :]
        return text

    def _placeholder(self, kind: str, surface: str) -> str:
        known = self._by_surface.get(surface)
        if known:
            return known
        self._counts[kind] = self._counts.get(kind, 0) + 1
        made = f"{kind}_{self._counts[kind]}"
        self._by_surface[surface] = made
        self._by_placeholder[made] = surface
        self.rules.append(kind.lower())
        return made


def _name_pattern(private: Iterable[str]) -> re.Pattern[str] | None:
    """All private texts, longest first, at word boundaries, in any case."""
    forms = {t.strip() for t in private if len(t.strip()) >= SHORTEST}
    if not forms:
        return None
    ordered = sorted(forms, key=lambda f: (-len(f), f))
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, ordered)) + r")(?!\w)", re.IGNORECASE)


def _passes_luhn(text: str) -> bool:
    digits = [int(c) for c in reversed(text) if c.isdigit()]
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
