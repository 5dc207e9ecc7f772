"""What changed in Salesforce, page by page, for the mirror, and what webhooks would have said of it.

A cursor is `object;time;id;started`: records come by the time of their change and their id, so a pull goes on anywhere
and at any time. Deleted and merged records come in the same pages (queryAll), as long as the recycle bin has them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.consent import merged, read_consents
from connectors.salesforce.events import KINDS, make_event
from connectors.salesforce.mapping import COLLECTIONS, DRAFT_MAIL, owner_of, to_document
from connectors.salesforce.org import OrgBook
from connectors.salesforce.reading import PEOPLE, ties_of
from connectors.salesforce.soql import ID, select, soql_time
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import Document
from crmplugin.errors import UsageError
from crmplugin.ports import Changes

Thing = Mapping[str, Any]
ORDER = (
    "User", "Account", "Contact", "Lead", "Product2", "Opportunity", "OpportunityLineItem", "OpportunityHistory",
    "Quote", "Order", "Contract", "Case", "Task", "Event", "EmailMessage", "Note",
)  # fmt: skip
KEPT = frozenset({"User"})
"""Objects that are never deleted."""
BY_CREATION = frozenset({"OpportunityHistory"})
"""Rows that do not change after they were made."""
MERGED = frozenset({"Account", "Contact", "Lead"})
TOLD = frozenset({"Opportunity", "Case", "Contact", "Lead", "EmailMessage", "Quote", "Order"})
"""Objects whose changes are events."""
PAGE = 2000
LAG = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull stands: the object, and the last record that was read of it."""

    kind: str
    time: str
    id: str
    started: datetime

    def text(self) -> str:
        return ";".join((self.kind, self.time, self.id, self.started.isoformat()))


class Puller:
    """Pages of changes of one connection. `without`: objects that are not read."""

    def __init__(
        self, client: SalesforceClient, book: OrgBook, *, connection: str, without: Sequence[str] = (), page: int = PAGE
    ) -> None:
        self._client, self._book, self._connection, self._page = client, book, connection, page
        self._kinds = tuple(kind for kind in ORDER if kind not in without)

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes:
        """One page, and the cursor of the next."""
        self._book.read()
        place = _place(cursor) if cursor else Place(self._first(None), "", "", now)
        if place.kind not in self._kinds:
            raise UsageError(f"cursor {cursor!r} is none of Salesforce's: start the pull again without one")
        things = self._things(place, since)
        heirs = {one.get("Id"): heir for one in things if (heir := _heir(place.kind, one))}
        alive = [one for one in things if one.get("IsDeleted") is not True and one.get("Id") not in heirs]
        gone = [one for one in things if one.get("IsDeleted") is True and place.kind in KINDS]
        following = self._following(place, things)
        return Changes(
            records=self._records(place.kind, alive, now),
            events=(*self._events(place.kind, alive, since, now), *self._erased(place, since, now)),
            deleted=tuple(_ref(place.kind, one["Id"]) for one in gone if one["Id"] not in heirs),
            merged=tuple((_ref(place.kind, lost), _ref(place.kind, heir)) for lost, heir in heirs.items()),
            cursor=following,
            up_to=None if following else place.started - LAG,
        )

    def _things(self, place: Place, since: datetime | None) -> list[Thing]:
        kind, stamp = place.kind, _stamp(place.kind)
        extra = [stamp, *([] if kind in KEPT | BY_CREATION else ["IsDeleted"])]
        extra += ["MasterRecordId"] if kind in MERGED else []
        fields = dict.fromkeys([*self._book.fields(kind), *extra])
        children = _LISTS.get(kind, "") if self._book.has_children(kind, *_LIST_OF.get(kind, ("", ""))) else ""
        wanted = [*fields, *([children] if children else [])]
        soql = select(wanted, kind, _where(place, stamp, since), order=f"{stamp}, Id", limit=self._page)
        # What was deleted before the first pull was never in the mirror.
        page = self._client.query(soql, deleted_too=since is not None and "IsDeleted" in extra)
        return self._client.rest_of(page)

    def _records(self, kind: str, things: Sequence[Thing], now: datetime) -> dict[str, list[Document]]:
        org = self._book.org
        consents = read_consents(self._client, self._book, things, now) if kind in PEOPLE else {}
        shown = [thing for thing in things if not (kind == "EmailMessage" and str(thing.get("Status")) == DRAFT_MAIL)]
        ties = [
            ties_of(kind, one, {}) | (merged(one, consents.get(str(one["Id"]))) if kind in PEOPLE else {})
            for one in shown
        ]
        records = {
            COLLECTIONS[kind]: [to_document(kind, one, org, **own) for one, own in zip(shown, ties, strict=True)]
        }
        owners = {str(one.get("OwnerId")): owner_of(one, org) for one in things}
        if kind in ("Opportunity", "Account") and "User" not in self._kinds:
            records["users"] = [owner for owner in owners.values() if owner]
        return records

    def _events(self, kind: str, things: Sequence[Thing], since: datetime | None, now: datetime) -> tuple[Event, ...]:
        if since is None or kind not in TOLD:
            return ()
        given: dict[str, Any] = {
            "connection": self._connection,
            "received_at": now,
            "our_user": self._book.org.our_user,
        }
        return tuple(make_event(_event_id(kind, one), kind, _since(one, since), dict(one), **given) for one in things)

    def _erased(self, place: Place, since: datetime | None, now: datetime) -> list[Event]:
        """People who wish to be forgotten, each told once: the mark is on the Individual, which has its own time."""
        told = self._book.has("Individual", "ShouldForget") and self._book.has(place.kind, "IndividualId")
        if since is None or place.id or place.kind not in PEOPLE or not told:
            return []
        changed = f"Individual.ShouldForget = true AND Individual.SystemModstamp >= {soql_time(since)}"
        people = self._client.rest_of(self._client.query(select(["Id", "IndividualId"], place.kind, changed)))
        given: dict[str, Any] = {"connection": self._connection, "received_at": now, "our_user": ""}
        return [
            make_event(_event_id("erased", one), place.kind, one, dict(one), said="contact.erased", **given)
            for one in people
        ]

    def _following(self, place: Place, things: Sequence[Thing]) -> str | None:
        """The cursor of the next page: this object's, or the next one's."""
        if len(things) >= self._page:
            last = things[-1]
            time = instant_text(last.get(_stamp(place.kind))) or place.time
            return Place(place.kind, time, str(last["Id"]), place.started).text()
        kind = self._first(place.kind)
        return Place(kind, "", "", place.started).text() if kind else None

    def _first(self, after: str | None) -> str:
        """The next object that this org has; empty when there is none."""
        start = self._kinds.index(after) + 1 if after else 0
        return next((kind for kind in self._kinds[start:] if self._book.is_there(kind)), "")


_LIST_OF = {"Opportunity": ("OpportunityContactRoles", "OpportunityContactRole"), "Order": ("OrderItems", "OrderItem"),
            "Quote": ("QuoteLineItems", "QuoteLineItem")}  # fmt: skip
_LISTS = {
    "Opportunity": "(SELECT ContactId,Role,IsPrimary FROM OpportunityContactRoles)",
    "Order": "(SELECT Id,Product2Id,Quantity,UnitPrice FROM OrderItems)",
    "Quote": "(SELECT Id,Product2Id,Quantity,UnitPrice,Discount FROM QuoteLineItems)",
}


def _stamp(kind: str) -> str:
    return "CreatedDate" if kind in BY_CREATION else "SystemModstamp"


def _where(place: Place, stamp: str, since: datetime | None) -> str:
    if place.id:
        return f"({stamp} > {place.time} OR ({stamp} = {place.time} AND Id > '{place.id}'))"
    return f"{stamp} >= {soql_time(since)}" if since else ""


def _place(cursor: str) -> Place:
    wrong = f"cursor {cursor!r} is none of Salesforce's: start the pull again without one"
    parts = cursor.split(";")
    try:
        kind, time, id_, started = parts
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except ValueError as error:
        raise UsageError(wrong) from error
    # Both go into a query, so both must be what they say.
    if bool(time) != bool(id_) or (id_ and (instant_text(time) != time or not ID.fullmatch(id_))):
        raise UsageError(wrong)
    return Place(kind, time, id_, moment)


def _ref(kind: str, id_: Any) -> ObjectRef:
    return ObjectRef(KINDS[kind], str(id_))


def _heir(kind: str, thing: Thing) -> str | None:
    """The record in which this one lives on: it was merged into it, or the lead was converted to it."""
    if thing.get("IsDeleted") is True:
        return str(thing["MasterRecordId"]) if kind in MERGED and thing.get("MasterRecordId") else None
    converted = kind == "Lead" and thing.get("IsConverted") is True
    return str(thing["ConvertedContactId"]) if converted and thing.get("ConvertedContactId") else None


def _since(thing: Thing, since: datetime) -> Thing:
    """The record without times that say what was told before; what is new since then is told as one change."""
    fields = dict(thing)
    moved, created = _time(thing.get("LastStageChangeDate")), _time(thing.get("CreatedDate"))
    if created is not None and created >= since and (moved is None or moved <= created + LAG):
        return fields | {"LastModifiedDate": thing.get("CreatedDate")}
    if moved is not None and moved >= since:
        return fields | {"LastModifiedDate": thing.get("LastStageChangeDate")}
    return fields


def _time(value: Any) -> datetime | None:
    text = instant_text(value)
    return datetime.fromisoformat(text) if text else None


def _event_id(kind: str, thing: Thing) -> str:
    """One for each state of a record: the same change seen twice is one event."""
    state = (kind, thing.get("Id"), thing.get("LastStageChangeDate") or thing.get("SystemModstamp"))
    return f"sf-{hashlib.sha256(repr(state).encode()).hexdigest()[:40]}"
