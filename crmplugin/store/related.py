"""Which records hang together, for events: who is named where, and when a deal was last touched."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, func, select

from crmplugin.store.guard import reading
from crmplugin.store.record_keys import instant_of
from crmplugin.store.tables_records import contact_links, records

TOUCHES = ("activities", "stage_changes", "quotes")


class RelatedRecords:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def deals_of(self, connection_name: str, contact_id: str) -> tuple[str, ...]:
        """The deals that name a contact."""
        query = select(contact_links.c.id).where(
            contact_links.c.connection == connection_name,
            contact_links.c.contact_id == contact_id,
            contact_links.c.collection == "deals",
        )
        with reading(self._engine) as connection:
            return tuple(row.id for row in connection.execute(query.order_by(contact_links.c.id)))

    def last_touches(self, connection_name: str) -> dict[str, datetime]:
        """When each deal last had an activity, a change of its stage or a quote."""
        query = (
            select(records.c.deal_id, func.max(records.c.at))
            .where(
                records.c.connection == connection_name,
                records.c.collection.in_(TOUCHES),
                records.c.deal_id.is_not(None),
                records.c.at != "",
            )
            .group_by(records.c.deal_id)
        )
        with reading(self._engine) as connection:
            return {deal_id: instant_of(at) for deal_id, at in connection.execute(query)}
