"""One sentence under check: its tokens, what it cites, and what the words around a token say."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from crmplugin.checking.clauses import Clause, split_clauses, strike
from crmplugin.checking.fold import Folded, fold_text
from crmplugin.checking.names import TenantNames
from crmplugin.checking.shelf import Shelf
from crmplugin.checking.spans import Reader, Token, triggers
from crmplugin.checking.stems import stems_of
from crmplugin.domain.draft import Sentence, Verdict
from crmplugin.domain.fact import Fact

SEVERITY: tuple[Verdict, ...] = ("leak", "foreign", "unsupported", "misformatted", "style", "supported", "rendered")
"""From the worst: the verdict of a sentence is the worst of its spans."""
_QUOTED = re.compile(r'"[^"\0]{2,400}"')


@dataclass(frozen=True, slots=True)
class Finding:
    """What is said of one piece: start and end in the folded text; `mend` replaces it when that is certain."""

    start: int
    end: int
    kind: str
    verdict: Verdict
    facts: tuple[str, ...] = ()
    reason: str | None = None
    mend: str | None = None


def _found(low: str, words: str) -> Iterator[tuple[int, int]]:
    start = low.find(words)
    while start >= 0:
        yield start, start + len(words)
        start = low.find(words, start + len(words))


@dataclass
class Scene:
    """A sentence with everything a judge looks at. `used` grows with the facts that its tokens turned out to state."""

    sentence: Sentence
    folded: Folded
    tokens: Sequence[Token]
    shelf: Shelf
    reader: Reader
    tenant: TenantNames | None
    used: list[str] = field(default_factory=list)
    used_at: list[tuple[int, str]] = field(default_factory=list)
    _by_start: dict[int, list[str]] = field(default_factory=dict)
    _counted: int = 0

    @cached_property
    def cited(self) -> tuple[Fact, ...]:
        """Facts the sentence cites and may use."""
        ids = self.shelf.usable_ids
        return tuple(self.shelf.by_id[i] for i in self.sentence.evidence if i in ids)

    @cached_property
    def cited_ids(self) -> frozenset[str]:
        return frozenset(f.id for f in self.cited)

    @cached_property
    def stems(self) -> frozenset[str]:
        return stems_of(self.folded.lower, self.reader.words)

    @cached_property
    def triggers(self) -> list[tuple[str, int, int]]:
        """Phrases that need a fact; one inside the name of a product that may be told is only part of that name."""
        found = triggers(self.folded, self.reader.words)
        names = [(t.start, t.end) for t in self.tokens if found and self._is_product(t)]
        return [(kind, a, b) for kind, a, b in found if not any(start <= a and b <= end for start, end in names)]

    def _is_product(self, token: Token) -> bool:
        usable = self.shelf.usable_ids
        rows = [m.name for m in token.matches if m.name.kind == "product" and m.name.record_id in usable]
        return any(fold_text(name.text).text.strip() == self.text_of(token).strip() for name in rows)

    @cached_property
    def trigger_kinds(self) -> frozenset[str]:
        return frozenset(kind for kind, _, _ in self.triggers)

    @cached_property
    def is_question(self) -> bool:
        return self.folded.text.rstrip(' "').endswith(("?", "？"))

    @cached_property
    def is_internal(self) -> bool:
        return self.shelf.audience == "internal"

    @cached_property
    def quotes_customer(self) -> bool:
        """Whether it reports what the customer said, so that their words may be repeated."""
        return bool(self.trigger_kinds & {"attribution", "asked"}) or any(f.kind == "quote_text" for f in self.cited)

    @cached_property
    def quoted_places(self) -> list[tuple[int, int]]:
        return [m.span() for m in _QUOTED.finditer(self.folded.text)]

    @cached_property
    def their_words(self) -> list[tuple[int, int]]:
        """Places in quotation marks that repeat, word for word, what a cited quote of the customer says."""
        by_id = self.shelf.by_id
        cited = [by_id[i] for i in self.sentence.evidence if i in by_id and by_id[i].kind == "quote_text"]
        said = [fold_text(f.value).lower for f in cited]
        return [
            (a, b)
            for a, b in self.quoted_places
            if any(self.folded.lower[a + 1 : b - 1].strip(" .") in s for s in said)
        ]

    @cached_property
    def clauses(self) -> list[Clause]:
        return split_clauses(self.folded, self.tokens, self.triggers, self.reader.words)

    def clause_at(self, start: int) -> Clause:
        """The clause that a place belongs to."""
        return next((c for c in self.clauses if c.holds(start)), self.clauses[-1])

    def token_before(self, token: Token) -> Token | None:
        """The token right before another."""
        i = bisect_left(self._starts, token.start)
        return self.tokens[i - 1] if i else None

    @cached_property
    def _starts(self) -> list[int]:
        return [t.start for t in self.tokens]

    @property
    def stated_at(self) -> dict[int, list[str]]:
        """Ids of the facts by the place of the token that states them."""
        while self._counted < len(self.used_at):
            start, fact_id = self.used_at[self._counted]
            self._by_start.setdefault(start, []).append(fact_id)
            self._counted += 1
        return self._by_start

    @cached_property
    def words_only(self) -> str:
        """The lower-case text with everything typed struck out."""
        return strike(self.folded.lower, [t for t in self.tokens if t.kind != "capital"])

    def stated_in(self, clause: Clause) -> frozenset[str]:
        """Ids of the facts that the tokens of a clause state."""
        return frozenset(i for start, i in self.used_at if clause.holds(start))

    @cached_property
    def _verbatim(self) -> list[tuple[int, int, Fact]]:
        """Where a text for ourselves repeats a fact word for word: its display, its label, also quoted words."""
        if not self.is_internal:
            return []
        return [(a, b, f) for f, words in self.shelf.wordings for a, b in _found(self.folded.lower, words)]

    def covered(self, start: int, end: int) -> Fact | None:
        """The fact that a piece repeats word for word, the cited ones first."""
        facts = [f for a, b, f in self._verbatim if a <= start and end <= b]
        return min(facts, key=lambda f: f.id not in self.cited_ids, default=None)

    @cached_property
    def own_words(self) -> str:
        """The text without names, quotations and what is repeated word for word."""
        places = [(t.start, t.end) for t in self.tokens if t.kind == "name"]
        rows = [*places, *self.quoted_places, *((a, b) for a, b, _ in self._verbatim)]
        text = self.folded.text
        for start, end in rows:
            text = text[:start] + " " * (end - start) + text[end:]
        return text

    def text_of(self, token: Token) -> str:
        return self.folded.text[token.start : token.end]

    def shown(self, token: Token) -> str:
        """The token as a reason names it."""
        return f"“{self.text_of(token).strip()}”"

    def first_cited(self, facts: Sequence[Fact]) -> list[Fact]:
        """The facts, those that the sentence cites before the others."""
        return sorted(facts, key=lambda f: f.id not in self.cited_ids)

    def judge(self, token: Token, verdict: Verdict, reason: str | None = None, *, facts: Sequence[Fact] = (),
              mend: str | None = None) -> Finding:  # fmt: skip
        """A finding on a token; what a supported or mendable one states counts as used."""
        ids = tuple(dict.fromkeys(f.id for f in facts))
        if verdict in ("supported", "misformatted"):
            self.used += ids
            self.used_at += [(token.start, i) for i in ids]
        return Finding(token.start, token.end, token.kind, verdict, ids, reason, mend)
