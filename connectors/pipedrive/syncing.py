"""What changed in Pipedrive, page by page, for the mirror; and saved filters as segments.

A cursor is `kind;where`. Deleted records come marked in the same lists for thirty days; merges are only told by
webhooks, as a deletion that names the survivor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.pipedrive.client import PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.mapping import COLLECTIONS, PREFIXED, to_document
from connectors.transport import Refused
from crmplugin.domain.event import ObjectRef
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound, UsageError
from crmplugin.ports import Changes, SegmentPage

ORDER = ("organizations", "persons", "products", "deals", "activities", "notes")
TIMED = frozenset({"organizations", "persons", "deals", "activities", "notes"})
"""Kinds that can be asked for by the time of their change; products are few and read whole."""
SINGULAR = {"organizations": "company", "persons": "contact", "products": "product", "deals": "deal",
            "activities": "activity", "notes": "activity"}  # fmt: skip
OVERLAP = timedelta(seconds=30)
CONSENT = "marketing_status"

Thing = Mapping[str, Any]


def read_changes(
    client: PipedriveClient, book: CompanyBook, since: datetime | None, cursor: str | None, now: datetime
) -> Changes:
    """One page, and the cursor of the next."""
    kind, where, started = _place(cursor, now)
    things, following = _page(client, kind, since, where)
    company = book.read()
    alive = [thing for thing in things if thing.get("is_deleted") is not True and thing.get("active_flag") is not False]
    records: dict[str, list[Document]] = {COLLECTIONS[kind]: [to_document(kind, one, company) for one in alive]}
    if cursor is None:
        records["users"] = book.users
    gone = tuple(ObjectRef(SINGULAR[kind], _our_id(kind, one)) for one in things if one not in alive)
    number = ORDER.index(kind) + 1
    stamp = started.isoformat()
    if following is not None:
        return Changes(records, deleted=gone, cursor=f"{kind};{following};{stamp}")
    if number < len(ORDER):
        return Changes(records, deleted=gone, cursor=f"{ORDER[number]};;{stamp}")
    return Changes(records, deleted=gone, up_to=started - OVERLAP)


def _place(cursor: str | None, now: datetime) -> tuple[str, str | None, datetime]:
    if cursor is None:
        return ORDER[0], None, now
    try:
        kind, where, started = cursor.split(";")
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except ValueError as error:
        raise UsageError(f"cursor {cursor!r} is none of Pipedrive's: start the pull again without one") from error
    if kind not in ORDER or (kind == "notes" and where and not where.isdigit()):
        raise UsageError(f"cursor {cursor!r} is none of Pipedrive's: start the pull again without one")
    return kind, where or None, moment


def _page(
    client: PipedriveClient, kind: str, since: datetime | None, where: str | None
) -> tuple[Sequence[Thing], str | int | None]:
    stamp = since.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if since else None
    timed = {"updated_since": stamp} if stamp and kind in TIMED else {}
    if kind == "notes":
        return client.notes_page(int(where or 0), **timed)
    return client.page(kind, where, **timed)


def _our_id(kind: str, thing: Thing) -> str:
    return f"{kind}:{thing['id']}" if kind in PREFIXED else str(thing["id"])


def find_segment(
    client: PipedriveClient, book: CompanyBook, filter_id: str, cursor: str | None, *, opt_out_field: str | None
) -> SegmentPage:
    """One page of the people of a saved filter, with who may not be written to.

    Without the Campaigns add-on and without a field that says who opted out nothing is known: then all are left out.
    """
    try:
        try:
            people, following = client.page("persons", cursor, filter_id=filter_id, include_fields=CONSENT)
        except Refused as error:
            if error.status not in (400, 403):
                raise
            people, following = client.page("persons", cursor, filter_id=filter_id)
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
