"""Drafts that wait, by what their deals are worth or when they are due: the order in which a person should look.

Value and due day are the deal's own (the one a draft is about, or that its mail or ticket belongs to), read when the
list is: a draft whose deal grew yesterday moves up today.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Engine, Float, and_, case, cast, func, select

from crmplugin.store.doc_fields import ReadField, field_reader
from crmplugin.store.guard import reading
from crmplugin.store.tables_records import records
from crmplugin.store.tables_work import drafts

Order = Literal["value", "due"]
COLLECTIONS = {
    "deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets", "activity": "activities",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """Ids of one page in order. `behind`: whether there are more. `unrated`: currencies that no rate leads to."""

    ids: tuple[str, ...]
    behind: bool
    unrated: tuple[str, ...] = ()


def rank(
    engine: Engine,
    order: Order,
    *,
    conditions: Collection[Any],
    rates: Mapping[str, Decimal],
    offset: int,
    limit: int,
) -> Ranked:
    """One page of drafts by their deals. `rates`: what one unit of a currency is worth in the seller's.

    Deals whose currency has no rate, or that have no amount or day, come last; ties by age, newest first. Without any
    rate amounts are compared as they stand.
    """
    subject, deal = records.alias("subject"), records.alias("deal")
    with reading(engine) as connection:
        field = field_reader(connection)
        deal_id = case((drafts.c.subject_type == "deal", drafts.c.subject_id), else_=subject.c.deal_id)
        about = case(COLLECTIONS, value=drafts.c.subject_type)
        query = (
            select(drafts.c.id, field(deal.c.doc, "currency").label("currency"))
            .outerjoin(subject, and_(subject.c.connection == drafts.c.connection, subject.c.collection == about,
                                     subject.c.id == drafts.c.subject_id))
            .outerjoin(deal, and_(deal.c.connection == drafts.c.connection, deal.c.collection == "deals",
                                  deal.c.id == deal_id))
            .where(*conditions)
            .order_by(*_by(order, field, deal.c.doc, rates), drafts.c.created_at.desc(), drafts.c.id)
        )  # fmt: skip
        rows = connection.execute(query.offset(offset).limit(limit + 1)).all()
    unrated = {row.currency for row in rows[:limit] if row.currency and row.currency not in rates}
    return Ranked(tuple(row.id for row in rows[:limit]), len(rows) > limit, tuple(sorted(unrated)))


def _by(order: Order, field: Any, doc: Any, rates: Mapping[str, Decimal]) -> tuple[ColumnElement[Any], ...]:
    if order == "due":
        day = func.coalesce(field(doc, "next_step_due"), field(doc, "close_date"))
        return (day.is_(None), day)
    return by_worth(field, doc, rates)


def by_worth(field: ReadField, doc: Any, rates: Mapping[str, Decimal]) -> tuple[ColumnElement[Any], ...]:
    """The order of what is worth most; what no rate leads to comes behind, by its bare amount."""
    value, bare = worth(field, doc, rates), worth(field, doc, {})
    return (value.is_(None), value.desc(), bare.is_(None), bare.desc())


def worth(field: ReadField, doc: Any, rates: Mapping[str, Decimal]) -> Any:
    """A deal's amount in the seller's currency, null where there is none or no rate."""
    value: Any = cast(func.nullif(field(doc, "amount"), ""), Float)
    if rates:
        value *= case({currency: float(rate) for currency, rate in rates.items()}, value=field(doc, "currency"))
    return value
