"""How the database finds what a context needs: by indexes, looking at little more than the account's own rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from crmplugin.domain.crm import Subject
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.records import RecordStore
from crmplugin.store.shared import CATALOGUE_BOUND
from tests.store.filled import take

ACCOUNTS, PRODUCTS = 400, CATALOGUE_BOUND + 300
OUTSIDE_THE_CATALOGUE = f"P-{PRODUCTS - 1:04}"
SUBJECTS = (
    Subject("deal", "D-7"),
    Subject("company", "CO-7"),
    Subject("contact", "C-7"),
    Subject("ticket", "T-7"),
    Subject("activity", "A-7"),
)
GROWING = re.compile(r"\b(records|contact_links|addresses|names|ours|theirs)\b")
"""Tables whose rows grow with the accounts; the others hold a few rows a connection."""
LOOKED_AT_MOST = 60
"""Rows that one query may look at for an account with a dozen records."""
WHOLE_COLLECTION = "(connection=? AND collection=?)"
"""An index that helps no further goes through every record of a collection."""


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """A store with many accounts and more priced products than a context holds; its statistics are fresh."""
    opened = open_engine(database_url)
    migrate(opened)
    store = RecordStore(opened)
    take(
        store,
        companies=[{"id": f"CO-{n}", "name": f"Company {n}"} for n in range(ACCOUNTS)],
        contacts=[{"id": f"C-{n}", "company_id": f"CO-{n}", "email": f"c{n}@example.com"} for n in range(ACCOUNTS)],
        deals=[{"id": f"D-{n}", "company_id": f"CO-{n}", "primary_contact_id": f"C-{n}"} for n in range(ACCOUNTS)],
        quotes=[{"id": f"Q-{n}", "deal_id": f"D-{n}"} for n in range(ACCOUNTS)],
        orders=[
            {"id": f"O-{n}", "company_id": f"CO-{n}", "lines": [{"product_id": OUTSIDE_THE_CATALOGUE, "quantity": 1}]}
            for n in range(ACCOUNTS)
        ],
        tickets=[{"id": f"T-{n}", "company_id": f"CO-{n}", "contact_id": f"C-{n}"} for n in range(ACCOUNTS)],
        activities=[{"id": f"A-{n}", "deal_id": f"D-{n}", "contact_ids": [f"C-{n}"]} for n in range(ACCOUNTS)],
        products=[{"id": f"P-{n:04}", "name": f"Part {n}"} for n in range(PRODUCTS)],
        prices=[{"id": f"PR-{n}", "product_id": f"P-{n:04}", "unit_price": "5"} for n in range(PRODUCTS)],
    )
    with opened.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.exec_driver_sql("ANALYZE" if opened.dialect.name == "postgresql" else "SELECT 1")
    yield opened
    opened.dispose()


def test_no_query_of_a_context_goes_through_all_rows(engine: Engine) -> None:
    asked = _asked(engine)

    with engine.connect() as db:
        slow = {query: why for query, given in asked.items() if (why := _slow_steps(db, query, given))}

    assert len(asked) >= 8
    assert slow == {}


def test_the_look_at_plans_finds_a_query_without_an_index(engine: Engine) -> None:
    with engine.connect() as db:
        unhelped = _slow_steps(db, "SELECT id FROM records WHERE doc = 'x'", ())
        half_helped = _slow_steps(
            db, "SELECT id FROM records WHERE connection = 'local' AND collection = 'prices' AND doc = 'x'", ()
        )

    assert unhelped
    assert half_helped


def test_postgresql_counts_its_tables_anew_after_a_large_import(postgres_url: str) -> None:
    opened = open_engine(postgres_url)
    migrate(opened)
    store = RecordStore(opened)
    counts = take(store, products=[{"id": f"P-{n}"} for n in range(1_200)])
    store.note_import("local", counts, refused=0)

    with opened.connect() as db:
        known = db.exec_driver_sql("SELECT reltuples FROM pg_class WHERE relname = 'records'").scalar()
    opened.dispose()

    assert known == 1_200


def _asked(engine: Engine) -> dict[str, Any]:
    """Every query of a context of each kind, when what all contexts share is read, with the values it was given."""
    store = RecordStore(engine)
    asked: dict[str, Any] = {}
    store.read_context("local", Subject("company", "CO-1"))

    def note(_db: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            asked[statement] = values

    event.listen(engine, "before_cursor_execute", note)
    for subject in SUBJECTS:
        store.read_context("local", subject)
    event.remove(engine, "before_cursor_execute", note)
    return asked


def _slow_steps(db: Connection, query: str, values: Any) -> list[str]:
    """Steps of its plan that look at far more rows than an account has."""
    if db.dialect.name == "postgresql":
        (answer,) = db.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", values).one()
        plan = answer if isinstance(answer, list) else json.loads(answer)
        return [f"{step['Node Type']}: {seen} rows" for step, seen in _steps(plan[0]["Plan"]) if seen > LOOKED_AT_MOST]
    rows = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
    details = [row[3] for row in rows if GROWING.search(row[3])]
    return [detail for detail in details if detail.startswith("SCAN") or detail.endswith(WHOLE_COLLECTION)]


def _steps(step: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """Every step that reads a table, with the rows it looked at."""
    if "Relation Name" in step:
        yield step, (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
    for below in step.get("Plans", ()):
        yield from _steps(below)
