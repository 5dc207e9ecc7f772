"""A real wholesaler's 4,372 customers: segments as plain SQL finds them, and a message for each of 4,000."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.crm import Segment
from crmplugin.domain.records import build, check_record
from crmplugin.journeys.campaigns import get_campaign
from crmplugin.journeys.import_tables import import_files
from crmplugin.journeys.segments import preview_segment
from tests.campaigns.conftest import GRANTED, make_wish, rows, run_here
from tests.journeys.test_import_online_retail import write_lines
from tests.web.conftest import documents

SELLER = {
    "name": "Gift House", "legal_name": "Gift House Ltd", "postal_address": "2 Mill Lane, Derby", "country": "GB",
    "timezone": "UTC", "currency": "GBP", "unsubscribe_url": "https://gifthouse.example/stop",
}  # fmt: skip


def fill(desk: Any, folder: Path, lines: int | None) -> sqlite3.Connection:
    """The order lines imported as a user would, a person with consent for each customer, and the lines as plain SQL."""
    path = write_lines(folder / "lines.csv", lines)
    desk.records.upsert_many("local", documents({"seller": SELLER}))
    import_files([path], connection="local", records=desk.records, folder=folder)
    people = [
        {"id": f"P-{c.id}", "company_id": c.id, "first_name": "Kim", "email": f"kim@c{c.id}.example", "language": "en",
         "consent": GRANTED}
        for c in desk.records.iterate("local", "companies")
    ]  # fmt: skip
    news = [{"id": p.id, "lead_time": "2 weeks", "active": True} for p in desk.records.iterate("local", "products")]
    desk.records.upsert_many("local", documents({"contacts": people, "products": news}))
    return _as_sql(desk)


def _as_sql(desk: Any) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE lines (company TEXT, at TEXT, product TEXT, quantity REAL, price REAL)")
    for order in desk.records.iterate_docs("local", "orders"):
        for line in order["lines"]:
            row = (order["company_id"], order["ordered_at"][:10], line.get("product_id"), line.get("quantity"))
            db.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", (*row, line.get("unit_price")))
    return db


def accounts_of(desk: Any, where: dict[str, Any], now: Any) -> set[str]:
    segment: Segment = build("segments", check_record("segments", {"id": "S", "where": where}))
    tools = desk.tools("local")
    found = preview_segment(
        "local", segment,
        records=desk.records, population=tools.population(), read_context=tools.read_context, now=now,
    )  # fmt: skip
    return {m.account_id for m in found.left} | {r.account_id for r in found.removed}


def check_segments(desk: Any, db: sqlite3.Connection) -> None:
    from datetime import UTC, datetime

    now = datetime(2011, 12, 12, 12, tzinfo=UTC)
    bought = "SELECT company, MAX(at) AS last FROM lines WHERE quantity > 0 AND company IS NOT NULL GROUP BY company"
    lapsed = f"SELECT company FROM ({bought}) WHERE julianday('2011-12-12') - julianday(last) >= 90"
    product = db.execute(
        "SELECT product FROM lines WHERE product IS NOT NULL GROUP BY product ORDER BY COUNT(*) DESC, product LIMIT 1"
    ).fetchone()[0]
    owns = f"SELECT company FROM lines WHERE product = '{product}' GROUP BY company HAVING SUM(quantity) > 0"

    assert accounts_of(desk, {"lapsed_days": 90}, now) == {row[0] for row in db.execute(lapsed)}
    assert accounts_of(desk, {"owns": [product]}, now) == {row[0] for row in db.execute(owns)}


def test_segments_of_the_first_20_000_lines_are_those_of_plain_sql(open_desk, tmp_path):
    desk = open_desk()
    db = fill(desk, tmp_path, 20_000)

    check_segments(desk, db)


@pytest.mark.long
def test_four_thousand_customers_get_a_message_without_a_hard_failure(open_desk, tmp_path):
    desk = open_desk()
    db = fill(desk, tmp_path, None)
    check_segments(desk, db)

    done = run_here(desk, make_wish(segment={"lapsed_days": 1}, goal="win_back"))

    people = rows(desk, get_campaign(desk, done.id))
    written = [row.document for row in people if row.state == "drafted"]
    bad = [s for d in written for s in d["sentences"] if s["verdict"] not in ("supported", "rendered")]
    open_marks = [d["body"] for d in written if re.search(r"[{}]|\bNone\b|\bTODO\b", d["body"])]
    same = Counter((d["body"], tuple(sorted(f["id"] + f["value"] for f in d["facts"]))) for d in written)
    texts = Counter(d["body"] for d in written)
    print(f"\n{len(people)} recipients, {len(written)} messages, {len(texts)} different")
    assert len(written) >= 4_000
    assert bad == []
    assert open_marks == []
    assert len(texts) == len({body for body, _ in same})  # equal texts only where the facts are equal
