"""A phrase under judgement, with what stands around it in its clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from crmplugin.checking.clauses import Clause
from crmplugin.checking.fold import fold_text
from crmplugin.checking.language import other_language
from crmplugin.checking.lists import LANGUAGES, phrase_book
from crmplugin.checking.scene import Scene
from crmplugin.checking.spans import triggers
from crmplugin.checking.stems import overlap, stems_of
from crmplugin.domain.fact import Fact


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase under judgement: its kind, its place, its clause and the content words around it."""

    scene: Scene
    kind: str
    start: int
    end: int
    clause: Clause

    @property
    def shown(self) -> str:
        return f"“{self.scene.folded.text[self.start : self.end].strip()}”"

    @property
    def own(self) -> frozenset[str]:
        """Stems of the phrase itself."""
        return stems_of(self.scene.folded.lower[self.start : self.end], self.scene.reader.words)

    @property
    def rest(self) -> frozenset[str]:
        """What its clause is about beside the phrase, names included; of a clause about nothing, the whole sentence."""
        return self._beside(self.clause.stems, [c.stems for c in self.scene.clauses])

    @property
    def bare(self) -> frozenset[str]:
        """Like `rest`, without names and everything typed; nothing from other clauses."""
        return frozenset(self.clause.bare - self.own)

    def _beside(self, mine: frozenset[str], all_: Sequence[frozenset[str]]) -> frozenset[str]:
        return frozenset(mine - self.own) or frozenset(frozenset().union(*all_) - self.own)

    @property
    def stated(self) -> list[Fact]:
        """Facts that the clause states, or the sentence if the clause holds nothing but the phrase."""
        scene = self.scene
        alone = not self.clause.stems - self.own and not scene.stated_in(self.clause)
        ids = frozenset(scene.used) if alone else scene.stated_in(self.clause)
        return [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if f.id in ids]

    def shares(self, fact: Fact) -> int:
        return overlap(self.rest, self.scene.shelf.stems[fact.id])

    def carry(self, fact: Fact) -> None:
        """Notes that a fact carries the phrase."""
        self.scene.used.append(fact.id)


@lru_cache(maxsize=2048)
def kinds_in(text: str) -> frozenset[str]:
    """Kinds of trigger phrases that a fact's words hold, in any of our languages."""
    folded = fold_text(text)
    return frozenset(kind for lang in LANGUAGES for kind, _, _ in triggers(folded, lang))


@lru_cache(maxsize=2048)
def foreign_words(text: str, language: str) -> bool:
    return other_language(text, language) is not None


def other_way_round(p: Phrase, facts: Sequence[Fact]) -> str | None:
    """Refuses "does not include" where the fact includes, and the reverse."""
    words = p.scene.reader.words
    texts = [f for f in facts if f.kind in ("text", "claim", "quote_text") and not foreign_words(f.value, words)]
    if not texts or not {"assertion", "certification", "promise"} & kinds_in(texts[0].value):
        return None
    here, there = denies(p.scene.folded.lower, words), denies(texts[0].value.lower(), words)
    return f"{p.shown}: the fact says it the other way round." if here != there else None


def denies(low: str, language: str) -> bool:
    return sum(kind == "negation" for kind, _, _ in phrase_book("claims", language).find(low)) % 2 == 1
