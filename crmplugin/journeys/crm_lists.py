"""A list of the CRM (a list, filter, report or campaign there) as a segment: its people, read from the CRM just now."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crmplugin.domain.crm import Segment, Where
from crmplugin.domain.records import Document, check_record
from crmplugin.errors import NotFound, RecordProblem
from crmplugin.ports import Connector, SegmentPage
from crmplugin.store.records import RecordStore

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CrmList:
    """Contact ids of a list, and by channel who of them the CRM says must not be written to (or does not know of)."""

    segment: Segment
    members: frozenset[str]
    opted_out: Mapping[str, frozenset[str]]

    def out(self, channel: str) -> frozenset[str]:
        return self.opted_out.get(channel, frozenset())

    def reason(self, contact_id: str, channel: str) -> str | None:
        """Why somebody may get nothing: no longer on the list, or opted out; None when nothing speaks against it."""
        if contact_id not in self.members:
            return "left_list"
        return f"opted_out:{channel}" if contact_id in self.out(channel) else None


def read_list(connection: str, list_id: str, *, connector: Connector, records: RecordStore) -> CrmList:
    """Reads all pages; its people are in the mirror afterwards. Raises NotFound and what the CRM refuses."""
    members: set[str] = set()
    opted_out: dict[str, set[str]] = {}
    for page in _pages(connector, list_id):
        records.upsert_many(connection, list(_good(page)))
        members |= {str(contact["id"]) for contact in page.contacts}
        for channel, ids in page.opted_out.items():
            opted_out.setdefault(channel, set()).update(ids)
    segment = Segment(list_id, f"list {list_id}", Where())
    return CrmList(segment, frozenset(members), {channel: frozenset(ids) for channel, ids in opted_out.items()})


def _pages(connector: Connector, list_id: str) -> Iterator[SegmentPage]:
    cursor: str | None = None
    while True:
        page = connector.find_segment(list_id, cursor=cursor)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def _good(page: SegmentPage) -> Iterator[tuple[str, Document]]:
    for contact in page.contacts:
        try:
            yield "contacts", check_record("contacts", dict(contact))
        except RecordProblem as problem:
            _log.warning("contact %s of a list was not taken: %s", contact.get("id"), problem.key)


def find_list(connection: str, segment_id: str, *, connector: Connector, records: RecordStore) -> CrmList | None:
    """The CRM's list of this id; None when a saved segment has it. Raises NotFound when there is neither."""
    if records.read_one(connection, "segments", segment_id) is not None:
        return None
    if connector.crm == "local":
        raise NotFound(
            f"The connection {connection} has no segment {segment_id}; import it under `segments`, or look the id up."
        )
    return read_list(connection, segment_id, connector=connector, records=records)
