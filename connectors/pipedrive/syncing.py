"""What changed in Pipedrive, page by page, for the mirror; and saved filters as segments.

A look at what changed begins with the recent changes of all kinds, one call: only the lists of kinds that stand there
are asked for. Every three hours all of them are, because leads do not stand there. A cursor is
`kind;where;started;ahead`.
Deals that were archived or deleted are lists of their own; that another record was deleted is seen among the recent
changes, where it is switched off. Of a merge Pipedrive keeps no more than that: the record that
went into another one is found as deleted, and into which one is told by the webhook alone. A lead is its person, who is
a contact with the lifecycle `lead` until there is a deal. Won deals with their products are the purchases.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.pipedrive.client import ABOUT_DEALS, PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.mapping import COLLECTIONS, PREFIXED, to_document
from connectors.pipedrive.reading import orders_of
from connectors.pipedrive.telling import tell, tell_changes, unexplained
from connectors.transport import Refused
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound, UsageError
from crmplugin.ports import Changes, SegmentPage

ORDER = ("organizations", "persons", "products", "deals", "archived", "leads", "activities", "notes")
DELETED, RECENT = "deleted", "recents"
"""Deals that were deleted; what was changed lately, of every kind. Read only after a first read."""
WHOLE_HOURS = 3
"""So often all lists are asked for (140 tokens), whatever the recent changes (20) name."""
LISTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "deals": ("deals", {"include_fields": ABOUT_DEALS}),
    "archived": ("deals/archived", {"include_fields": ABOUT_DEALS}),
    DELETED: ("deals", {"status": "deleted"}),
}
"""Lists of deals: where each is, and how it is asked for."""
OLD = frozenset({"leads", "notes", RECENT})
"""Kinds that only the first version of the API has: paged by number."""
TIMED = frozenset({"organizations", "persons", "leads", "activities", "notes", *LISTS})
"""Kinds that can be asked for by the time of their change; products are few and read whole."""
SINGULAR = {"organizations": "company", "persons": "contact", "products": "product", "deals": "deal",
            "leads": "lead", "activities": "activity", "notes": "activity"}  # fmt: skip
RECENT_ITEMS = {"deal": "deals", "person": "persons", "organization": "organizations", "product": "products",
                "activity": "activities", "note": "notes"}  # fmt: skip
"""Pipedrive's word for one record among the recent changes -> its kind."""
OVERLAP = timedelta(seconds=30)
MOST_ASKED = 50
"""Deals of a page whose changes are asked for one by one, at 20 tokens each: a bulk edit must not eat the day's."""

Thing = Mapping[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull stands, and which kinds are still ahead."""

    kind: str
    where: str | None
    started: datetime
    ahead: tuple[str, ...]

    def next(self, following: str | int | None) -> Place:
        """The next page of this kind, or the first of the next one."""
        if following is not None:
            return replace(self, where=str(following))
        return replace(self, kind=self.ahead[0], where=None, ahead=self.ahead[1:])

    def text(self) -> str:
        return ";".join((self.kind, self.where or "", self.started.isoformat(), ",".join(self.ahead)))


@dataclass(frozen=True, slots=True)
class Puller:
    """Pages of changes of one connection. `without`: kinds of record that are not read (`lines` too).

    `history`: whether the changes of a deal's fields are asked for where nothing else says what changed.
    """

    client: PipedriveClient
    book: CompanyBook
    connection: str
    without: Sequence[str] = ()
    history: bool = True

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes:
        """One page, and the cursor of the next."""
        place = _place(cursor) if cursor else self._first(since, now)
        kind = place.kind
        things, following = self._things(kind, since, place.where)
        alive = [] if kind in (DELETED, RECENT) else [one for one in things if not _is_gone(kind, one)]
        records = self._records(kind, alive) if kind not in (DELETED, RECENT) else {}
        told = self._told(kind, alive, since, now) if since else ()
        if cursor is None and records:
            records["users"] = self.book.users
        if kind == RECENT and _is_short(since, place.started):
            place = replace(place, ahead=self._named(things, place.ahead))
        gone = _gone(kind, things, since)
        if following is None and not place.ahead:
            return Changes(records, told, gone, up_to=place.started - OVERLAP)
        return Changes(records, told, gone, cursor=place.next(following).text())

    def _first(self, since: datetime | None, now: datetime) -> Place:
        """Where a pull begins: with the recent changes alone, or with all lists ahead."""
        if _is_short(since, now):
            return Place(RECENT, None, now, ())
        kinds = [kind for kind in ORDER if _kind(kind) not in self.without]
        if since is not None:
            kinds += [*([DELETED] if "deals" in kinds else []), RECENT]
        return Place(kinds[0], None, now, tuple(kinds[1:]))

    def _named(self, things: Sequence[Thing], ahead: Sequence[str]) -> tuple[str, ...]:
        """The lists that must be asked for, in their order: of the kinds that changed, and those found before."""
        named = {RECENT_ITEMS.get(str(one.get("item")), "") for one in things}
        deals = [one.get("data") or {} for one in things if one.get("item") == "deal"]
        named |= {"archived"} if any(deal.get("is_archived") for deal in deals) else set()
        named |= {DELETED} if any(deal.get("deleted") or deal.get("status") == DELETED for deal in deals) else set()
        wanted = named | set(ahead)
        return tuple(kind for kind in (*ORDER, DELETED) if kind in wanted and _kind(kind) not in self.without)

    def _things(self, kind: str, since: datetime | None, where: str | None) -> tuple[Sequence[Thing], str | int | None]:
        stamp = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if since else None
        timed = {"updated_since": stamp} if stamp and kind in TIMED else {}
        if kind == RECENT:
            timed = {"since_timestamp": str(stamp).replace("T", " ").removesuffix("Z"), "items": ",".join(RECENT_ITEMS)}
        if kind in OLD:
            return self.client.old_page(kind, int(where or 0), **timed)
        if kind == "persons":
            return self.client.persons_page(where, **timed)
        path, asked = LISTS.get(kind, (kind, {}))
        return self.client.page(path, where, **asked, **timed)

    def _records(self, kind: str, things: Sequence[Thing]) -> dict[str, list[Document]]:
        company = self.book.read()
        if kind == "leads":
            return {"contacts": [to_document("persons", person, company) for person in self._people_of(things)]}
        documents = [to_document(_kind(kind), thing, company) for thing in things]
        records = {COLLECTIONS[_kind(kind)]: documents}
        if _kind(kind) == "deals":
            records["line_items"] = self._lines(documents)
            records["orders"] = orders_of(records)
        return records

    def _lines(self, deals: Sequence[Document]) -> list[Document]:
        """The products of these deals: one call for a page of them."""
        ids = [deal["id"] for deal in deals] if "lines" not in self.without else []
        found = self.client.all("deals/products", deal_ids=ids) if ids else []
        return [to_document("lines", line, self.book.company) for line in found]

    def _people_of(self, leads: Sequence[Thing]) -> list[Thing]:
        """The people of these leads, each with what is wanted of them."""
        wanted: dict[str, list[Thing]] = {}
        for lead in leads:
            if lead.get("person_id") and lead.get("is_archived") is not True:
                wanted.setdefault(str(lead["person_id"]), []).append(lead)
        people = self.client.persons(ids=",".join(sorted(wanted))) if wanted else []
        return [{**person, "leads": wanted.get(str(person.get("id")), [])} for person in people]

    def _told(self, kind: str, things: Sequence[Thing], since: datetime, now: datetime) -> tuple[Event, ...]:
        field = self.book.company.opt_out_field
        about: dict[str, Any] = {"connection": self.connection, "now": now, "opt_out_field": field}
        told = tell(_kind(kind), things, since, **about)
        if kind != "deals" or not self.history:
            return told
        unsaid = unexplained(things, since)
        calls = [lambda id_=str(deal["id"]): self.client.changes_of(id_) for deal in unsaid[:MOST_ASKED]]
        if len(unsaid) > MOST_ASKED:
            log.warning("changes of deals are too many to be asked for one by one", extra={
                "connection": self.connection, "deals": len(unsaid), "asked": MOST_ASKED})  # fmt: skip
        pasts = zip(unsaid, self.client.transport.together(*calls), strict=False)
        return (*told, *tell_changes(list(pasts), since, own_user=self.book.own_user, **about))


def _gone(kind: str, things: Sequence[Thing], since: datetime | None) -> tuple[ObjectRef, ...]:
    """Records that these things say are gone, and purchases that are none any more."""
    if kind == RECENT:
        off = [one for one in things if _is_off(one.get("data"))]
        kinds = [(RECENT_ITEMS.get(str(one.get("item")), ""), one) for one in off]
        return tuple(ObjectRef(SINGULAR[of], _our_id(of, one)) for of, one in kinds if of and of != "deals")
    gone = [one for one in things if _is_gone(kind, one)]
    found = [ObjectRef(SINGULAR[_kind(kind)], _our_id(_kind(kind), one)) for one in gone]
    if _kind(kind) == "deals" and since is not None:
        unbought = [one for one in things if one in gone or (one.get("first_won_time") and one.get("status") != "won")]
        found += [ObjectRef("order", f"deal:{one['id']}") for one in unbought]
    return tuple(found)


def _is_off(record: Any) -> bool:
    return isinstance(record, Mapping) and record.get("active_flag") in (False, 0)


def _kind(kind: str) -> str:
    return "deals" if kind in LISTS else kind


def _is_gone(kind: str, thing: Thing) -> bool:
    marked = thing.get("is_deleted") is True or thing.get("active_flag") is False
    return kind == DELETED or (marked and kind != "leads")


def _place(cursor: str) -> Place:
    wrong = f"cursor {cursor!r} is none of Pipedrive's: start the pull again without one"
    try:
        kind, where, started, *rest = cursor.split(";")
        # Cursors of version 0.1 do not say what is ahead.
        ahead = rest[0].split(",") if rest else ORDER[ORDER.index(kind) + 1 :]
        place = Place(kind, where or None, datetime.fromisoformat(started).astimezone(UTC), tuple(filter(None, ahead)))
    except ValueError as error:
        raise UsageError(wrong) from error
    known = {*ORDER, DELETED, RECENT}
    if not {kind, *place.ahead} <= known or (kind in OLD and where and not where.isdecimal()):
        raise UsageError(wrong)
    return place


def _is_short(since: datetime | None, now: datetime) -> bool:
    """Whether the recent changes say what must be read: no whole look is due since then."""
    return since is not None and since.timestamp() // (WHOLE_HOURS * 3600) == now.timestamp() // (WHOLE_HOURS * 3600)


def _our_id(kind: str, thing: Thing) -> str:
    return f"{kind}:{thing['id']}" if kind in PREFIXED else str(thing["id"])


def find_segment(
    client: PipedriveClient, book: CompanyBook, filter_id: str, cursor: str | None, *, opt_out_field: str | None
) -> SegmentPage:
    """One page of the people of a saved filter, with who may not be written to.

    Without the Campaigns add-on and without a field that says who opted out nothing is known: then all are left out.
    """
    try:
        people, following = client.persons_page(cursor, filter_id=filter_id)
    except Refused as error:
        if error.status == 404:
            raise NotFound(f"Pipedrive has no filter {filter_id}: take the number from the filter's address") from error
        raise
    contacts = [to_document("persons", one, book.read()) for one in people]
    out = [c["id"] for c, one in zip(contacts, people, strict=True) if not _may_be_mailed(c, one, opt_out_field)]
    return SegmentPage(tuple(contacts), {"email": tuple(sorted(out))}, following)


def _may_be_mailed(contact: Document, person: Thing, opt_out_field: str | None) -> bool:
    if not contact.get("email"):
        return False
    status = person.get("marketing_status")
    if status is not None:
        return bool(status == "subscribed")
    state = ((contact.get("consent") or {}).get("email") or {}).get("state")
    return opt_out_field is not None and state != "withdrawn"
