"""The open deals of a connection, a page at a time, in the order in which somebody wants to look at them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Engine, func, select

from crmplugin.domain.crm import Deal
from crmplugin.domain.records import build
from crmplugin.store.doc_fields import field_reader
from crmplugin.store.draft_order import by_worth
from crmplugin.store.guard import reading
from crmplugin.store.tables_records import records

DealOrder = Literal["value", "due", "changed"]


def open_deals(
    engine: Engine,
    connection: str,
    order: DealOrder,
    *,
    rates: Mapping[str, Decimal],
    owners: Collection[str] | None,
    offset: int,
    limit: int,
) -> tuple[tuple[Deal, ...], int]:
    """One page of open deals, and how many there are in all. `owners`: only theirs; None for everybody's."""
    with reading(engine) as db:
        field = field_reader(db)
        doc = records.c.doc
        conditions = [
            records.c.connection == connection,
            records.c.collection == "deals",
            func.coalesce(field(doc, "status"), "open") == "open",
        ]
        conditions += [] if owners is None else [field(doc, "owner_id").in_(owners)]
        due = func.coalesce(field(doc, "next_step_due"), field(doc, "close_date"))
        by: dict[str, tuple[Any, ...]] = {
            "value": by_worth(field, doc, rates),
            "due": (due.is_(None), due),
            "changed": (records.c.changed_at.desc(),),
        }
        query = select(doc).where(*conditions).order_by(*by[order], records.c.id)
        docs = db.execute(query.offset(offset).limit(limit)).scalars().all()
        total = db.execute(select(func.count()).select_from(records).where(*conditions)).scalar() or 0
    return tuple(build("deals", json.loads(text)) for text in docs), total
