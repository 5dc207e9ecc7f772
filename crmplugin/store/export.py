"""Everything of one connection, or about one person, as one moment has it, row by row."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, or_, select

from crmplugin.domain.records import Document
from crmplugin.store.drafts import DraftRow, MoveRow
from crmplugin.store.events import EventRow
from crmplugin.store.guard import reading_one_moment
from crmplugin.store.record_writes import Key, chunks, read_docs
from crmplugin.store.tables_campaigns import campaign_recipients, campaigns
from crmplugin.store.tables_records import contact_links, records
from crmplugin.store.tables_work import draft_moves, draft_versions, drafts, events
from crmplugin.store.tables_work import pieces as stream_pieces

PAGE = 500


class Extract:
    """What stands in the store at one moment. Rows come one by one, so that memory does not grow with them."""

    def __init__(self, db: Connection, connection: str) -> None:
        self._db, self._connection = db, connection

    @property
    def connection(self) -> str:
        return self._connection

    def documents(self, collection: str) -> Iterator[Document]:
        """All records of a collection by id, as they were given."""
        here = (records.c.connection == self._connection, records.c.collection == collection)
        for (doc,) in self._rows(select(records.c.doc).where(*here).order_by(records.c.id)):
            yield json.loads(doc)

    def named_by(self, contact_id: str) -> list[Key]:
        """The records that name a contact, by collection and id."""
        link = contact_links.c
        query = select(link.collection, link.id).where(
            link.connection == self._connection, link.contact_id == contact_id
        )
        return [(row.collection, row.id) for row in self._db.execute(query.order_by(link.collection, link.id))]

    def chosen(self, keys: Collection[Key]) -> dict[Key, Document]:
        """These records, where they are stored."""
        return read_docs(self._db, self._connection, keys)

    def drafts(self, contact_id: str | None = None) -> Iterator[DraftRow]:
        """Drafts, oldest first: all, or those to a contact and about it."""
        query = select(drafts).where(drafts.c.connection == self._connection)
        if contact_id is not None:
            addressed = drafts.c.document[("to", "contact_id")].as_string() == contact_id
            about = (drafts.c.subject_type == "contact") & (drafts.c.subject_id == contact_id)
            query = query.where(or_(addressed, about))
        for row in self._rows(query.order_by(drafts.c.created_at, drafts.c.id)):
            yield DraftRow(**row._mapping)

    def moves(self, draft_ids: Collection[str] | None = None) -> Iterator[tuple[str, MoveRow]]:
        """The changes of status of all drafts, or of some, in the order in which they were made."""
        query = select(draft_moves).join(drafts, drafts.c.id == draft_moves.c.draft)
        query = query.where(drafts.c.connection == self._connection).order_by(draft_moves.c.n)
        for row in self._rows(query):
            if draft_ids is None or row.draft in draft_ids:
                yield row.draft, MoveRow(row.old, row.new, row.version, row.by, row.reason, row.at)

    def versions(self, draft_ids: Collection[str]) -> Iterator[Document]:
        """Every text that these drafts have had."""
        for ids in chunks(sorted(draft_ids)):
            query = select(draft_versions).where(draft_versions.c.draft.in_(ids))
            for row in self._db.execute(query.order_by(draft_versions.c.draft, draft_versions.c.version)):
                text = {"subject": row.subject, "body": row.body, "by": row.by, "at": row.at.isoformat()}
                yield {"draft": row.draft, "version": row.version, **text}

    def pieces(self, draft_ids: Collection[str]) -> Iterator[Document]:
        """What was streamed while these drafts were written, in order."""
        for ids in chunks(sorted(draft_ids)):
            query = select(stream_pieces).where(stream_pieces.c.draft.in_(ids))
            for row in self._db.execute(query.order_by(stream_pieces.c.draft, stream_pieces.c.n)):
                yield {"draft": row.draft, "n": row.n, "event": row.event, "data": row.data}

    def campaign_messages(self, contact_id: str) -> Iterator[Document]:
        """What campaigns had for a contact."""
        here = select(campaigns.c.id).where(campaigns.c.connection == self._connection)
        query = select(campaign_recipients).where(
            campaign_recipients.c.contact == contact_id, campaign_recipients.c.campaign.in_(here)
        )
        for row in self._db.execute(query.order_by(campaign_recipients.c.campaign, campaign_recipients.c.channel)):
            state = {"state": row.state, "reason": row.reason, "message": row.document}
            yield {"campaign": row.campaign, "channel": row.channel, **state}

    def events(self) -> Iterator[EventRow]:
        """Events, oldest first."""
        query = select(events).where(events.c.connection == self._connection)
        for row in self._rows(query.order_by(events.c.received_at, events.c.id)):
            yield EventRow(**row._mapping)

    def _rows(self, query: Any) -> Iterator[Any]:
        with self._db.execute(query.execution_options(yield_per=PAGE)) as rows:
            yield from rows


@contextmanager
def open_extract(engine: Engine, connection: str) -> Iterator[Extract]:
    """The connection as it is now, whatever is written meanwhile."""
    with reading_one_moment(engine) as db:
        yield Extract(db, connection)
