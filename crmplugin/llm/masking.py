"""Personal data out of a text before a model sees it, and back into its answer.

What is masked is found by `personal`. Each distinct surface form gets a placeholder of its own, so that restoring is
exact. What was done is counted by rule, without any value, for the log and for the draft.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from crmplugin.llm.personal import find_personal, name_pattern

PLACEHOLDERS: Mapping[str, str] = {
    "name": "PERSON", "email": "EMAIL", "phone": "PHONE", "iban": "ACCOUNT", "card": "ACCOUNT", "vat": "ACCOUNT",
    "account": "ACCOUNT", "address": "ADDRESS",
}  # fmt: skip
"""The rule that found something -> the word that stands for it."""
KINDS = tuple(dict.fromkeys(PLACEHOLDERS.values()))
PLACEHOLDER = re.compile(rf"(?:{'|'.join(KINDS)})_\d+", re.IGNORECASE)
_BEGINNINGS = "|".join(sorted({kind[:n] for kind in KINDS for n in range(1, len(kind) + 1)}, key=len, reverse=True))
_HALF_PLACEHOLDER = re.compile(rf"(?:(?:{'|'.join(KINDS)})_\d*|{_BEGINNINGS})$", re.IGNORECASE)


class Mask:
    """One mask for one call: what it hid, and the way back."""

    def __init__(self, private: Iterable[str] = ()) -> None:
        self._by_surface: dict[str, str] = {}
        self._by_placeholder: dict[str, str] = {}
        self._counts: Counter[str] = Counter()
        self.rules: Counter[str] = Counter()
        """How often each rule hid something."""
        self._names = name_pattern(private)

    def hide(self, text: str, *, often: bool = False) -> str:
        """The text with everything private replaced by placeholders; `often` as in `find_personal`."""
        shown, at = [], 0
        for found in find_personal(text, self._names, often=often):
            shown += [text[at : found.start], self._placeholder(found.rule, text[found.start : found.end])]
            at = found.end
        return "".join((*shown, text[at:]))

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

    def _placeholder(self, rule: str, surface: str) -> str:
        self.rules[rule] += 1
        if surface not in self._by_surface:
            kind = PLACEHOLDERS[rule]
            self._counts[kind] += 1
            made = f"{kind}_{self._counts[kind]}"
            self._by_surface[surface], self._by_placeholder[made] = made, surface
        return self._by_surface[surface]
