"""What a plan table is made of: rows of options, and the scene that turns their slots into fact ids.

A slot of an option names a place and a field, `quote.valid_until`. A place is a role that a record plays for this
brief ("the quote that is open", "the colleague who answers"); a place nobody fills makes the option impossible, so
conditions need no code: what is only true of an ended quote asks for the place `ended_quote`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from crmplugin.domain.brief import Beat, SentenceRole
from crmplugin.domain.fact import Fact

SINGULARS: Mapping[str, str] = MappingProxyType({"companies": "company", "activities": "activity"})


@dataclass(frozen=True, slots=True)
class Place:
    """A record that plays a part: its collection (as fact sources name it; None when facts have several) and id."""

    collection: str | None
    id: str


@dataclass(frozen=True, slots=True)
class Option:
    """One way to say something: a key of the sentence bank and where its slots get their facts."""

    key: str
    role: SentenceRole
    slots: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    """References whose facts carry the sentence without standing in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """Options in the order of preference; the first one whose facts are all there is taken.

    need: what is missing, in words, when a row that must be said has no option.
    """

    options: tuple[Option, ...]
    must: bool = False
    need: str = ""


def say(key: str, role: SentenceRole = "context", *, carried: tuple[str, ...] = (), **slots: str) -> Option:
    """An option; `carried` are references whose facts carry it without being shown."""
    return Option(key, role, slots, carried)


def row(*options: Option) -> Row:
    """Something to say when it can be said."""
    return Row(options)


def must(need: str, *options: Option) -> Row:
    """Something without which there is no message; `need` says what is missing."""
    return Row(options, True, need)


@dataclass(frozen=True, slots=True)
class Scene:
    """Facts that may be told, by id, and the places of this brief.

    aliases: references that stand for one fact whatever its record (`our_promise.due`), with that fact's id.
    """

    facts: Mapping[str, Fact]
    places: Mapping[str, Place]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def find(self, reference: str) -> Fact | None:
        """The fact of `place.field`, if the place is filled and the fact may be told."""
        if reference in self.aliases:
            return self.facts.get(self.aliases[reference])
        name, _, path = reference.partition(".")
        place = self.places.get(name)
        return self.fact_of(place, path) if place else None

    def fact_of(self, place: Place, path: str) -> Fact | None:
        """The fact of a record's field. A record that shares its id with another has its collection before the id."""
        prefixes = [place.id]
        if place.collection:
            prefixes.insert(0, f"{SINGULARS.get(place.collection, place.collection.removesuffix('s'))}:{place.id}")
        found = (self.facts.get(f"{prefix}.{path}") for prefix in prefixes)
        return next((fact for fact in found if fact and _belongs(fact, place)), None)

    def beat(self, option: Option, *, required: bool = False) -> Beat | None:
        """The option with its facts, or None when one is missing."""
        found = {slot: self.find(reference) for slot, reference in option.slots.items()}
        carried = {f"carried{n}": self.find(reference) for n, reference in enumerate(option.evidence, start=1)}
        facts = found | carried
        if any(fact is None for fact in facts.values()):
            return None
        ids = {slot: fact.id for slot, fact in facts.items() if fact is not None}
        return Beat(option.key, option.role, ids, must=required)

    def beats(self, rows: Iterable[Row]) -> tuple[tuple[Beat, ...], tuple[str, ...]]:
        """The beats that can be said, in order, and in words what is missing for those that must be."""
        said: list[Beat] = []
        missing: list[str] = []
        for line in rows:
            options = (self.beat(option, required=line.must) for option in line.options)
            beat = next((b for b in options if b is not None and not _is_said(b, said)), None)
            if beat is not None:
                said.append(beat)
            elif line.must:
                missing.append(line.need)
        return tuple(said), tuple(missing)


def _is_said(beat: Beat, said: list[Beat]) -> bool:
    """Whether the same words with the same facts stand in the text already."""
    return any(beat.key == other.key and beat.facts == other.facts for other in said)


def _belongs(fact: Fact, place: Place) -> bool:
    return not (place.collection and fact.source) or fact.source[0].object == place.collection
