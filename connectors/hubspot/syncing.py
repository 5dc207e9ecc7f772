"""What changed in HubSpot, page by page, for the mirror: everything at first, then by the time of modification.

A cursor is `kind;after;from`: which kind of record, where HubSpot's own paging stands, and from when on this kind is
read. HubSpot's search gives at most 10,000 results, so a long search goes on from the newest time it has seen.
Deleted records of the watched kinds come last, every three hours, from HubSpot's lists of archived ones: those cannot
be asked for by time and hold ninety days. What the mirror keeps of a page stands in `mirroring.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.hubspot import mapping
from connectors.hubspot.account import AccountBook
from connectors.hubspot.client import PAGE, HubSpotClient, next_cursor
from connectors.hubspot.mapping import ACTIVITY_TYPES, HISTORY, properties_of
from connectors.hubspot.mirroring import SINGULAR, Mirror
from connectors.hubspot.telling import Teller
from crmplugin.domain.event import ObjectRef
from crmplugin.errors import UsageError
from crmplugin.ports import Changes

Thing = Mapping[str, Any]
ORDER = (
    "companies", "contacts", "products", "deals", "line_items", "quotes", "orders", "tickets", "leads",
    *ACTIVITY_TYPES,
)  # fmt: skip
TIES: Mapping[str, tuple[str, ...]] = {
    "contacts": ("companies",), "deals": ("companies", "contacts"), "line_items": ("deals",),
    "quotes": ("deals", "line_items"), "orders": ("companies", "contacts", "deals", "line_items"),
    "tickets": ("companies", "contacts"), "leads": ("contacts",),
    **dict.fromkeys(ACTIVITY_TYPES, ("deals", "contacts", "companies", "tickets")),
}  # fmt: skip
DELETED = ("companies", "contacts", "deals", "tickets")
SEARCH_END = 9_900
ARCHIVE_HOURS = 3
LAG = timedelta(seconds=30)
"""HubSpot's index shows a change some seconds late: the next read begins so much earlier."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull stands."""

    kind: str
    after: str | None
    since: datetime | None
    started: datetime

    def text(self) -> str:
        since = self.since.isoformat() if self.since else ""
        return ";".join((self.kind, self.after or "", since, self.started.isoformat()))


class Puller:
    """Pages of changes of one connection. `without`: kinds of record that are not read."""

    def __init__(
        self, client: HubSpotClient, book: AccountBook, teller: Teller, *, without: Sequence[str] = ()
    ) -> None:
        self._client, self._book, self._teller = client, book, teller
        self._mirror, self._without = Mirror(client, book, without), frozenset(without)
        kinds = [kind for kind in ORDER if kind not in without]
        self._kinds = [*kinds, *(f"deleted:{kind}" for kind in DELETED if kind not in without)]

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes:
        """One page, and the cursor of the next."""
        place = _place(cursor) if cursor else Place(self._kinds[0], None, since, now)
        if place.kind not in self._kinds:
            raise UsageError(f"cursor {cursor!r} is none of HubSpot's: start the pull again without one")
        if place.kind.startswith("deleted:"):
            return self._deleted(place, since)
        things, after, total = self._things(place)
        records = self._mirror.records(place.kind, things)
        if place.kind == self._kinds[0] and not cursor:
            self._mirror.begin()
            self._book.read()
            records["users"] = self._book.users
        following = self._following(place, since, things, after)
        merged = tuple(pair for thing in things for pair in _merged(place.kind, thing))
        up_to = place.started - LAG if following is None else None
        told = self._teller.tell(place.kind, things, since, now) if since else ()
        gone = self._mirror.no_longer_bought(place.kind, things) if since else ()
        return Changes(records, told, gone, merged, following, up_to, total)

    def _things(self, place: Place) -> tuple[list[Thing], str | None, int | None]:
        """One page of records: all by the list, changed ones by the search with their ties and past read after it."""
        account = self._book.read()
        properties = properties_of(place.kind, account)
        ties = [to for to in TIES.get(place.kind, ()) if to not in self._without]
        if place.since is None:
            past = HISTORY.get(place.kind, ())
            page = self._client.list_page(place.kind, properties, associations=ties, history=past, after=place.after)
            return list(page.get("results") or ()), next_cursor(page), None
        changed = "lastmodifieddate" if place.kind == "contacts" else "hs_lastmodifieddate"
        value = str(int(place.since.timestamp() * 1000))
        filters = [{"propertyName": changed, "operator": "GTE", "value": value}]
        sort = {"propertyName": changed, "direction": "ASCENDING"}
        page = self._client.search(place.kind, filters, properties, sort=sort, limit=PAGE, after=place.after or "0")
        things = self._with_past(place.kind, self._with_ties(place.kind, list(page.get("results") or ()), ties))
        return things, next_cursor(page), page.get("total")

    def _with_ties(self, kind: str, things: list[Thing], ties: Sequence[str]) -> list[Thing]:
        """The records with their associations, which a search does not give."""
        ids = [str(thing["id"]) for thing in things]
        if not ids or not ties:
            return things
        answers = self._client.transport.together(
            *[lambda to=to: self._client.associated(kind, to, ids) for to in ties]
        )
        found = dict(zip(ties, answers, strict=True))
        return [
            {
                **thing,
                "associations": {
                    to: {"results": [{"id": other} for other in found[to].get(str(thing["id"]), ())]} for to in ties
                },
            }
            for thing in things
        ]

    def _with_past(self, kind: str, things: list[Thing]) -> list[Thing]:
        """The records with the past of what is watched, which a search does not give either."""
        watched = tuple(dict.fromkeys((*HISTORY.get(kind, ()), *self._teller.watched(kind))))
        if not things or not watched:
            return things
        ids = [str(thing["id"]) for thing in things]
        pasts = {str(one["id"]): one for one in self._client.read_many(kind, ids, (), history=watched)}
        past = "propertiesWithHistory"
        return [{**thing, past: pasts.get(str(thing["id"]), {}).get(past) or {}} for thing in things]

    def _following(
        self, place: Place, since: datetime | None, things: Sequence[Thing], after: str | None
    ) -> str | None:
        """The cursor of the next page: this kind's, the same search from a later time, or the next kind's."""
        if after and place.since is not None and after.isdigit() and int(after) >= SEARCH_END:
            newest = mapping.changed_at(things)
            if newest is not None and newest > place.since:
                return Place(place.kind, None, newest, place.started).text()
        if after:
            return Place(place.kind, after, place.since, place.started).text()
        ahead = self._kinds[self._kinds.index(place.kind) + 1 :]
        if not ahead or (ahead[0].startswith("deleted:") and not _is_archive_due(since, place.started)):
            return None
        return Place(ahead[0], None, since, place.started).text()

    def _deleted(self, place: Place, since: datetime | None) -> Changes:
        """One page of deleted records of a kind, as far as they were deleted since then."""
        kind = place.kind.partition(":")[2]
        page = self._client.list_page(kind, (), after=place.after, archived=True)
        things = list(page.get("results") or ())
        gone = [ObjectRef(SINGULAR[kind], str(thing["id"])) for thing in things if _since(thing, since)]
        gone += self._mirror.orders_of(gone)
        following = self._following(place, since, things, next_cursor(page))
        up_to = place.started - LAG if following is None else None
        return Changes(deleted=tuple(gone), cursor=following, up_to=up_to)


def _place(cursor: str) -> Place:
    parts = cursor.split(";")
    try:
        kind, after, since, started = parts
        return Place(
            kind,
            after or None,
            datetime.fromisoformat(since) if since else None,
            datetime.fromisoformat(started).astimezone(UTC),
        )
    except ValueError as error:
        raise UsageError(f"cursor {cursor!r} is none of HubSpot's: start the pull again without one") from error


def _merged(kind: str, thing: Thing) -> list[tuple[ObjectRef, ObjectRef]]:
    """Pairs of a record that is gone and the one it went into."""
    given = str((thing.get("properties") or {}).get("hs_merged_object_ids") or "") if kind in SINGULAR else ""
    into = ObjectRef(SINGULAR.get(kind, kind), str(thing["id"]))
    return [(ObjectRef(into.type, old.strip()), into) for old in given.split(";") if old.strip()]


def _is_archive_due(since: datetime | None, started: datetime) -> bool:
    """Whether the lists of archived records are looked at: never at first, when nothing of them is in the mirror."""
    span = ARCHIVE_HOURS * 3600
    return since is not None and since.timestamp() // span != started.timestamp() // span


def _since(thing: Thing, since: datetime | None) -> bool:
    """Whether a record was archived since then, or since the lists were looked at before."""
    archived = instant_text(thing.get("archivedAt"))
    earliest = since - timedelta(hours=ARCHIVE_HOURS) if since else None
    return earliest is None or archived is None or datetime.fromisoformat(archived) >= earliest
