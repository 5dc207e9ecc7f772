"""What the tables of one import share: who is called what, which ids exist, and what is to be told afterwards."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from babel import Locale

from crmplugin.domain.records import MAX_ID_LENGTH, Document, Target
from crmplugin.tables.headings import fold, fold_name, plain
from crmplugin.tables.reading import BadRow

KIND_SHOWN = 20
"""Notes of one kind that are told one by one."""
SINGULAR: Mapping[str, str] = MappingProxyType(
    {"companies": "company", "contacts": "contact", "products": "product", "users": "user", "deals": "deal"}
)
NOTES: Mapping[str, str] = MappingProxyType(
    {
        "joined": '{file}: the {what} "{cell}" ({times}) is "{name}" but for spaces, hyphens or case',
        "unknown_name": '{file}: no {what} is called "{cell}" ({times}), so none was joined{suggestion}',
        "several": '{file}: several {what} records are called "{cell}" ({times}), so none was joined',
        "blank": "{file}: no {what} is named in {rows}: kept without one",
        "near_word": '{file}: "{cell}" under {heading} ({times}) is kept as it is; did you mean "{near}"?',
        "country": '{file}: "{cell}" under {heading} ({times}) is no country we know and is kept beside the record'
        "{suggestion}",
        "word": '{file}: what "{cell}" under {heading} means is not known ({times}), and it is kept beside the record',
        "sign": '{file}: which currency "{cell}" means stands nowhere ({times}), so it stays unknown; '
        "name it in a mapping file or in the seller",
        "no_currency": "{file}: no currency is named ({times}), so amounts have none; name it in a mapping file "
        "or in the seller",
        "seller_currency": "{file}: amounts name no currency ({times}) and are taken as {currency}, the seller's",
        "zone": "{file}: times under {heading} name no zone and are read as {zone}",
        "noon": "{file}: days under {heading} stand where a time is kept, as 12:00 in {zone}",
        "unreadable": "{file}: no cell under {heading} is {wanted}, so the column is kept beside the records",
        "stage": '{file}: what the stage "{cell}" means for a deal is not known ({times}), so it is only a name',
        "conflict": "{file}: rows give a {what} different values of {field} ({times}): none was taken",
        "repeated": "{file}: what another row says already stands in {rows} more and counts once",
        "dropped": "{file}: the column {heading} has no place in an order and was left out",
        "nothing": "{file}: these are {name}, which nothing here uses: left out",
        "service": "{file}: {what} is a service and no product: {lines} are kept without a product",
        "free": "{file}: the price is 0 in {lines}",
        "returns": "{file}: returns stand in {lines}",
        "dialect": "{file}: read as {name} ({source})",
    }
)


class Notes:
    """What is worth telling, counted; silent while a table is read again."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self.silent = False

    def add(self, kind: str, times: int = 1, **what: str) -> None:
        if not self.silent and times:
            self._counts[kind, tuple(what.items())] += times

    def sentences(self) -> tuple[str, ...]:
        """One sentence a note, in the order they came; of very many of a kind the most frequent."""
        by_kind: dict[str, list[tuple[dict[str, str], int]]] = {}
        for (kind, what), n in self._counts.items():
            by_kind.setdefault(kind, []).append((dict(what), n))
        return tuple(sentence for kind, found in by_kind.items() for sentence in _of_kind(kind, found))


def _of_kind(kind: str, found: list[tuple[dict[str, str], int]]) -> Iterator[str]:
    shown = found if len(found) <= KIND_SHOWN else sorted(found, key=lambda each: -each[1])[:KIND_SHOWN]
    for what, n in shown:
        yield NOTES[kind].format(**what, **_counted(n))
    if len(found) > len(shown):
        yield f"… and {len(found) - len(shown):,} more notes like the last"


def _counted(n: int) -> dict[str, str]:
    """A number as the sentences need it."""
    if n == 1:
        return {"times": "once", "rows": "1 row", "lines": "1 line"}
    return {"times": f"{n:,} times", "rows": f"{n:,} rows", "lines": f"{n:,} lines"}


@dataclass(slots=True)
class Names:
    """Names of one collection: as they stand, and folded."""

    exact: dict[str, set[str]] = field(default_factory=dict)
    folded: dict[str, set[str]] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    """Id -> its name."""
    owners: dict[str, str | None] = field(default_factory=dict)
    """Id of a contact -> the company it belongs to."""
    new: set[str] = field(default_factory=set)
    """Ids that this import made of names."""
    closed: bool = False
    """Whether a table of this import lists all there are."""

    def add(self, name: str, id_: str, owner: str | None = None) -> None:
        self.exact.setdefault(plain(name), set()).add(id_)
        self.folded.setdefault(fold_name(name), set()).add(id_)
        self.shown.setdefault(id_, plain(name))
        self.owners[id_] = owner


@dataclass(frozen=True, slots=True)
class Taken:
    """What one row became, in the order to be stored; `line` 0 for what many rows tell together."""

    line: int
    cells: tuple[str, ...]
    docs: tuple[tuple[str, Document], ...]


Item = Taken | BadRow
Named = Callable[[str], Iterable[tuple[str, str, str | None]]]
"""Collection -> name, id and owning company of what the store holds."""
Exist = Callable[[Iterable[Target]], set[Target]]
"""Which of these records the store holds."""


class World:
    """The state of one import. `zone` and `currency` are the seller's; the currency may be unknown."""

    def __init__(
        self, *, named: Named, exist: Exist, zone: tzinfo = UTC, zone_name: str = "UTC", currency: str = ""
    ) -> None:
        self.zone, self.zone_name, self.currency = zone, zone_name, currency
        self.notes = Notes()
        self.made: set[Target] = set()
        self.lookups: dict[str, dict[str, str]] = {}
        self.headers: dict[str, Taken] = {}
        """Orders that wait for their lines, by id."""
        self._named, self._exist = named, exist
        self._names: dict[str, Names] = {}
        self._absent: set[Target] = set()
        self._asked: set[Target] = set()

    def names(self, collection: str) -> Names:
        """Who is called what, those of the store among them."""
        if collection not in self._names:
            self._names[collection] = names = Names()
            for name, id_, owner in self._named(collection):
                names.add(name, id_, owner)
        return self._names[collection]

    def resolve(self, collection: str, name: str, file: str) -> tuple[str | None, bool]:
        """The id of what is called so, and whether it was there before; None where that is not certain.

        Equal names are one, and names equal but for spaces, hyphens and case, unless several are. Else it is new: its
        id is its name; but where a table of the import lists all there are, it is nobody, with a suggestion.
        """
        names, what = self.names(collection), SINGULAR[collection]
        found = names.exact.get(name) or names.folded.get(fold_name(name), set())
        if len(found) == 1:
            (id_,) = found
            if name in names.exact:
                return id_, id_ not in names.new
            self.notes.add("joined", file=file, what=what, cell=name, name=names.shown[id_])
            return id_, True
        if found:
            self.notes.add("several", file=file, what=what, cell=name)
            return None, False
        if names.closed:
            near = get_close_matches(name, list(names.exact), n=1, cutoff=0.75)
            self.notes.add("unknown_name", file=file, what=what, cell=name, suggestion=did_you_mean(near))
            return None, False
        names.add(name, as_id(name))
        names.new.add(as_id(name))
        return as_id(name), False

    def find_contact(self, name: str, company: str | None) -> str | None:
        """The one contact of this company who is called so; None where there is none, or more than one."""
        names = self.names("contacts")
        found = [id_ for id_ in names.exact.get(name, ()) if names.owners[id_] == company]
        return found[0] if len(found) == 1 else None

    def settle(self, targets: Iterable[Target]) -> None:
        """Finds out which of these records exist, before rows that name them are taken."""
        unknown = {target for target in targets if target not in self.made and target not in self._asked}
        self._asked |= unknown
        self._absent |= unknown - self._exist(unknown)

    def is_absent(self, target: Target) -> bool:
        return target in self._absent and target not in self.made


def as_id(name: str) -> str:
    """A name as an id: what an id cannot hold is left out."""
    return "".join(c for c in plain(name) if c.isprintable())[:MAX_ID_LENGTH]


def did_you_mean(near: Iterable[str]) -> str:
    return "".join(f'; did you mean "{name}"?' for name in near)


def near_word(word: str, known: Iterable[str]) -> str | None:
    """A known word that this one nearly is; None where it is one, or like none."""
    words = {fold(w): w for w in known}
    near = get_close_matches(fold(word), list(words), n=1, cutoff=0.85)
    return words[near[0]] if near and near[0] != fold(word) and fold(word) not in words else None


@cache
def word_list(name: str) -> Mapping[str, tuple[str, ...]]:
    """The lists of one file of words."""
    text = (files("crmplugin.tables") / "dialects" / "words" / f"{name}.toml").read_text("utf-8")
    return {key: tuple(words) for key, words in tomllib.loads(text).items()}


@cache
def stage_kinds() -> Mapping[str, str]:
    """Folded name of a stage -> its kind."""
    return {fold(word): kind for kind, words in word_list("stages").items() for word in words}


@cache
def country_names() -> tuple[str, ...]:
    return tuple(Locale("en").territories.values())
