"""What changed in Pipedrive, page by page, for the mirror; and saved filters as segments.

A cursor is `kind;where`. Deleted deals are a list of their own for thirty days; of other kinds a deleted record comes
marked where Pipedrive still lists it. Merges are only told by webhooks, as a deletion that names the survivor. A lead
is its person, who is a contact with the lifecycle `lead` until there is a deal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.pipedrive.client import ABOUT_DEALS, PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.mapping import COLLECTIONS, PREFIXED, to_document
from connectors.pipedrive.telling import tell
from connectors.transport import Refused
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound, UsageError
from crmplugin.ports import Changes, SegmentPage

ORDER = ("organizations", "persons", "products", "deals", "leads", "activities", "notes")
DELETED = "deleted"
"""The list of deleted deals, read last."""
OLD = frozenset({"leads", "notes"})
"""Kinds that only the first version of the API has: paged by number."""
TIMED = frozenset({"organizations", "persons", "deals", "leads", "activities", "notes"})
"""Kinds that can be asked for by the time of their change; products are few and read whole."""
SINGULAR = {"organizations": "company", "persons": "contact", "products": "product", "deals": "deal",
            "leads": "lead", "activities": "activity", "notes": "activity"}  # fmt: skip
OVERLAP = timedelta(seconds=30)

Thing = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Puller:
    """Pages of changes of one connection. `without`: kinds of record that are not read."""

    client: PipedriveClient
    book: CompanyBook
    connection: str
    without: Sequence[str] = ()

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes:
        """One page, and the cursor of the next."""
        order = self._order(since)
        kind, where, started = _place(cursor, order, now)
        things, following = self._things(kind, since, where)
        gone = tuple(ObjectRef(SINGULAR[_kind(kind)], _our_id(kind, one)) for one in things if _is_gone(kind, one))
        alive = [one for one in things if not _is_gone(kind, one)]
        more: dict[str, Any] = {"deleted": gone, "events": self._told(kind, alive, since, now)}
        records = self._records(kind, alive)
        if cursor is None:
            records["users"] = self.book.users
        ahead = order[order.index(kind) + 1 :]
        if following is None and not ahead:
            return Changes(records, up_to=started - OVERLAP, **more)
        place = (kind, following) if following is not None else (ahead[0], "")
        return Changes(records, cursor=f"{place[0]};{place[1]};{started.isoformat()}", **more)

    def _order(self, since: datetime | None) -> list[str]:
        kinds = [kind for kind in ORDER if kind not in self.without]
        return [*kinds, DELETED] if since is not None and "deals" in kinds else kinds

    def _things(self, kind: str, since: datetime | None, where: str | None) -> tuple[Sequence[Thing], str | int | None]:
        stamp = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if since else None
        timed = {"updated_since": stamp} if stamp and _kind(kind) in TIMED else {}
        if kind in OLD:
            return self.client.old_page(kind, int(where or 0), **timed)
        if kind == "persons":
            return self.client.persons_page(where, **timed)
        if kind == "deals":
            return self.client.page(kind, where, include_fields=ABOUT_DEALS, **timed)
        if kind == DELETED:
            return self.client.page("deals", where, status="deleted", **timed)
        return self.client.page(kind, where, **timed)

    def _records(self, kind: str, things: Sequence[Thing]) -> dict[str, list[Document]]:
        company = self.book.read()
        if kind == "leads":
            return {"contacts": [to_document("persons", person, company) for person in self._people_of(things)]}
        return {COLLECTIONS[_kind(kind)]: [to_document(_kind(kind), thing, company) for thing in things]}

    def _people_of(self, leads: Sequence[Thing]) -> list[Thing]:
        """The people of these leads, each with what is wanted of them."""
        wanted: dict[str, list[Thing]] = {}
        for lead in leads:
            if lead.get("person_id") and lead.get("is_archived") is not True:
                wanted.setdefault(str(lead["person_id"]), []).append(lead)
        people = self.client.persons(ids=",".join(sorted(wanted))) if wanted else []
        return [{**person, "leads": wanted.get(str(person.get("id")), [])} for person in people]

    def _told(self, kind: str, things: Sequence[Thing], since: datetime | None, now: datetime) -> tuple[Event, ...]:
        if since is None:
            return ()
        field = self.book.company.opt_out_field
        return tell(kind, things, since, connection=self.connection, now=now, opt_out_field=field)


def _kind(kind: str) -> str:
    return "deals" if kind == DELETED else kind


def _is_gone(kind: str, thing: Thing) -> bool:
    marked = thing.get("is_deleted") is True or thing.get("active_flag") is False
    return kind == DELETED or (marked and kind != "leads")


def _place(cursor: str | None, order: Sequence[str], now: datetime) -> tuple[str, str | None, datetime]:
    if cursor is None:
        return order[0], None, now
    try:
        kind, where, started = cursor.split(";")
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except ValueError as error:
        raise UsageError(f"cursor {cursor!r} is none of Pipedrive's: start the pull again without one") from error
    if kind not in order or (kind in OLD and where and not where.isdigit()):
        raise UsageError(f"cursor {cursor!r} is none of Pipedrive's: start the pull again without one")
    return kind, where or None, moment


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
