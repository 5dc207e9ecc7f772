"""A saved segment over a store: predicates in one pass, gates for those that fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.conftest import Answer

SELLER = {"name": "Halden Controls", "country": "DE", "timezone": "Europe/Berlin", "currency": "EUR"}


def person(n: int, **changes: Any) -> dict[str, Any]:
    yes = {"email": {"state": "granted", "at": "2025-01-01T00:00:00Z"}}
    given = {"id": f"C-{n}", "company_id": f"CO-{n}", "first_name": "P", "last_name": f"N{n}",
             "email": f"p{n}@c{n}.example", "language": "en", "status": "active", "consent": yes}  # fmt: skip
    return {**given, **changes}


def order(n: int, day: str) -> dict[str, Any]:
    lines = [{"product_id": "GK-12", "quantity": "10", "unit_price": "48.00"}]
    return {"id": f"O-{n}-{day}", "company_id": f"CO-{n}", "ordered_at": f"{day}T09:00:00Z", "currency": "EUR",
            "total": "480.00", "lines": lines}  # fmt: skip


def records() -> dict[str, Any]:
    no = {"email": {"state": "withdrawn", "at": "2026-01-14T00:00:00Z"}}
    return {
        "format": "crmplugin-records/1",
        "seller": SELLER,
        "companies": [{"id": f"CO-{n}", "name": f"Firm {n}", "country": "GB", "currency": "GBP"} for n in range(1, 8)],
        "contacts": [
            person(1),
            person(2, consent=no),
            person(3, status="bounced"),
            person(4, email="P2@C2.example"),
            person(5, consent={}),
            person(6),
        ],
        "products": [{"id": "GK-12", "name": "Gasket kit", "active": True}],
        "orders": [order(n, "2025-10-01") for n in range(1, 8)] + [order(6, "2026-03-01")],
        "deals": [{"id": "D-1", "company_id": "CO-7", "stage_kind": "negotiation", "status": "open"}],
        "segments": [{"id": "SG-1", "name": "Lapsed", "where": {"owns": ["GK-12"], "lapsed_days": 90}}],
    }


def test_a_segment_says_who_is_left_and_why_others_are_not(tmp_path: Path, crmplugin: Any) -> None:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records()), "utf-8")
    assert crmplugin("import", str(path)).code == 0

    answer: Answer = crmplugin("segments", "preview", "SG-1", "--as-of", "2026-03-11", "--json")

    found = answer.json
    assert found["accounts"] == 6
    assert found["removed"] == {
        "no_consent:email": 1, "no_contact": 1, "opted_out:email": 2, "unreachable": 1,
    }  # fmt: skip
    assert [m["contact_id"] for m in found["members"]] == ["C-1"]
    assert found["matched"] == 6
    assert found["left"] == 1
    assert found["by_language"] == {"en": 1}
    assert found["by_currency"] == {"GBP": 1}
    assert found["advice"] == "one_to_one"


def test_an_unknown_segment_is_named(crmplugin: Any) -> None:
    answer: Answer = crmplugin("segments", "preview", "SG-9")

    assert answer.code == 1
    assert "SG-9" in answer.err


def test_a_notice_about_a_product_goes_to_its_owners_and_nobody_else(tmp_path: Path, crmplugin: Any) -> None:
    document = records()
    document["orders"] = [order(n, "2025-10-01") for n in (1, 2, 3)]
    path = tmp_path / "records.json"
    path.write_text(json.dumps(document), "utf-8")
    crmplugin("import", str(path))

    found = crmplugin("segments", "owners", "GK-12", "--as-of", "2026-03-11", "--json").json

    assert found["accounts"] == 3
    assert [m["contact_id"] for m in found["members"]] == ["C-1", "C-2"]
    assert found["removed"] == {"unreachable": 1}
    assert "GK-99" in crmplugin("segments", "owners", "GK-99").err
