"""`recommend` for one company: two lists with reasons, what is left out, and what was learned kept up to date."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.fit_products import keep_fit_fresh, learn_if_changed, learn_products
from crmplugin.journeys.import_records import import_records
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant

NOW = datetime(2026, 3, 11, 11, tzinfo=UTC)
SHELVES = {"brew": ["HOPS", "MALT", "YEAST", "CAPS", "KEG"], "dairy": ["RENNET", "CLOTH", "BRINE", "WAX", "MOULD"]}


def product(id_: str, **changes: Any) -> dict[str, Any]:
    given = {"id": id_, "name": id_.title(), "active": True, "list_price": "10", "currency": "EUR", "stock": 50}
    return {**given, **changes}


def order(account: str, day: str, *products: str) -> dict[str, Any]:
    lines = [{"product_id": id_, "quantity": 2, "unit_price": "10"} for id_ in products]
    return {"id": f"{account}/{day}", "company_id": account, "ordered_at": f"{day}T09:00:00Z", "currency": "EUR",
            "total": "20", "lines": lines}  # fmt: skip


def records() -> dict[str, Any]:
    """Sixty accounts of two trades; buyers of hops also buy malt, one in three accounts has no third order."""
    orders = []
    for n in range(60):
        shelf = SHELVES["brew" if n % 2 else "dairy"]
        days = ("2025-12-01", "2026-01-05", "2026-02-09")[: 2 if n % 3 == 0 else 3]
        for place, day in enumerate(days):
            orders.append(order(f"CO-{n:02}", day, shelf[0], shelf[1 + (n + place) % 4]))
    orders.append(order("CO-NEW2", "2026-02-20", "HOPS"))
    return {
        "format": "crmplugin-records/1",
        "seller": {"name": "Halden", "country": "DE", "timezone": "Europe/Berlin", "currency": "EUR"},
        "companies": [{"id": f"CO-{n:02}", "name": f"Firm {n}", "country": "GB"} for n in range(60)]
        + [{"id": "CO-NEW", "name": "Nobody yet"}, {"id": "CO-NEW2", "name": "Just begun", "country": "GB"}],
        "products": [product(id_) for shelf in SHELVES.values() for id_ in shelf]
        + [product("OLD", active=False), product("GONE", stock=0), product("US-ONLY", regions=["US"])],
        "orders": orders,
    }


@pytest.fixture
def assistant(tmp_path: Path) -> Iterator[Assistant]:
    opened = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path / "var")}))
    take(opened, tmp_path, records())
    yield opened
    opened.close()


def take(assistant: Assistant, folder: Path, document: dict[str, Any]) -> None:
    path = folder / "records.json"
    path.write_text(json.dumps(document), "utf-8")
    assert import_records([path], connection="local", records=assistant.records).refused == ()


def test_the_command_gives_both_lists_with_reasons_and_counts(tmp_path: Path, crmplugin: Any) -> None:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records()), "utf-8")
    crmplugin("import", str(path))

    found = crmplugin("recommend", "--company", "CO-01", "--as-of", "2026-03-11", "--json").json

    by_list = {name: [i for i in found["items"] if i["list"] == name] for name in ("repeat", "new")}
    assert by_list["repeat"][0]["product_id"] == "HOPS"
    assert by_list["repeat"][0]["evidence"] == ["CO-01/2025-12-01", "CO-01/2026-01-05", "CO-01/2026-02-09"]
    assert by_list["new"][0]["product_id"] in SHELVES["brew"]
    assert all(i["reason"] and i["method"] and i["n"] and i["evidence"] for i in found["items"])
    assert {(row["reason"], row["count"]) for row in found["left_out"]} == {
        ("inactive", 1), ("out of stock", 1), ("not sold in region", 1),
    }  # fmt: skip
    assert found["fallback"] is None


def test_a_company_without_purchases_gets_a_list_that_says_so(tmp_path: Path, crmplugin: Any) -> None:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records()), "utf-8")
    crmplugin("import", str(path))

    answer = crmplugin("recommend", "--company", "CO-NEW", "--top", "2", "--json")

    assert answer.code == 0
    assert "no purchases on record" in answer.json["fallback"]
    assert len(answer.json["items"]) == 2
    assert {i["method"] for i in answer.json["items"]} == {"popularity"}


def test_without_the_named_purchase_the_score_falls(tmp_path: Path, crmplugin: Any) -> None:
    def scores(document: dict[str, Any]) -> Any:
        path = tmp_path / "records.json"
        path.write_text(json.dumps(document), "utf-8")
        crmplugin("import", str(path))
        return crmplugin("recommend", "--company", "CO-01", "--as-of", "2026-03-11", "--json").json["items"]

    document = records()
    before = {i["product_id"]: i for i in scores(document) if i["list"] == "new" and i["method"] == "association"}
    assert before
    for pick in before.values():
        named = set(pick["evidence"])
        emptied = [{**o, "lines": []} if o["id"] in named else o for o in document["orders"]]
        after = {i["product_id"]: i["score"] for i in scores({**document, "orders": emptied}) if i["list"] == "new"}
        scores(document)

        assert after.get(pick["product_id"], 0) < pick["score"]


def test_new_orders_are_learned_for_their_account_alone(assistant: Assistant, tmp_path: Path) -> None:
    first = learn_products("local", records=assistant.records, fits=assistant.fits)
    kept = assistant.fits.read_account("local", "CO-02")
    assert first.accounts == 61
    assert keep_fit_fresh("local", records=assistant.records, fits=assistant.fits).done == "nothing"

    more = {"format": "crmplugin-records/1", "orders": [order("CO-01", "2026-03-10", "KEG", "CAPS")]}
    take(assistant, tmp_path, more)
    later = datetime.now(UTC) + timedelta(minutes=5)
    second = keep_fit_fresh("local", records=assistant.records, fits=assistant.fits, clock=lambda: later)

    assert second.done == "ranked again"
    ranking = assistant.fits.read_account("local", "CO-01").ranking
    assert ranking is not None
    assert {"KEG", "CAPS"} <= set(ranking.repeat)
    assert assistant.fits.read_account("local", "CO-02").rfm_class == kept.rfm_class
    assert keep_fit_fresh("local", records=assistant.records, fits=assistant.fits).done == "nothing"


def test_the_night_learns_all_anew_once_orders_have_changed(assistant: Assistant, tmp_path: Path) -> None:
    learn_products("local", records=assistant.records, fits=assistant.fits)
    stores: Any = {"records": assistant.records, "fits": assistant.fits}

    unchanged = learn_if_changed("local", **stores)
    take(assistant, tmp_path, {"format": "crmplugin-records/1", "orders": [order("CO-01", "2026-03-10", "KEG")]})
    by_day = keep_fit_fresh("local", **stores)
    by_night = learn_if_changed("local", **stores)

    assert [r.done for r in (unchanged, by_day, by_night)] == ["nothing", "ranked again", "learned"]
    assert learn_if_changed("local", **stores).done == "nothing"


def test_where_no_night_comes_all_is_learned_by_day(assistant: Assistant, tmp_path: Path) -> None:
    learn_products("local", records=assistant.records, fits=assistant.fits)
    tomorrow = datetime.now(UTC) + timedelta(hours=49)

    unchanged = keep_fit_fresh("local", records=assistant.records, fits=assistant.fits, clock=lambda: tomorrow)
    take(assistant, tmp_path, {"format": "crmplugin-records/1", "orders": [order("CO-01", "2026-03-10", "KEG")]})
    changed = keep_fit_fresh("local", records=assistant.records, fits=assistant.fits, clock=lambda: tomorrow)

    assert (unchanged.done, changed.done) == ("nothing", "learned")


def test_a_brief_knows_what_was_learned_of_its_account(assistant: Assistant) -> None:
    learn_products("local", records=assistant.records, fits=assistant.fits)
    request = Request("local", "pitch", Subject("company", "CO-01"))

    brief = make_brief(request, tools=assistant.tools("local"), now=NOW)

    assert brief.decision is not None
    assert assistant.fits.read_account("local", "CO-01").rfm_class is not None


@pytest.mark.parametrize(
    "given", [[], ["--company", "CO-01", "--baskets", "x"], ["--baskets", "x"], ["--company", "A", "--contact", "B"]]
)
def test_what_cannot_be_asked_is_said(given: list[str], crmplugin: Any) -> None:
    answer = crmplugin("recommend", *given)

    assert answer.code == 1
    assert "--company ID" in answer.err
