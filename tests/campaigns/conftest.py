"""A wholesaler with many small customers: records made by a rule, a server in this process, and campaigns over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crmplugin.domain.campaign import Campaign
from crmplugin.journeys import campaign_run, campaigns
from crmplugin.journeys.desk import Desk
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.postgres import make_database
from tests.web.conftest import documents

MARKETER = Principal("mia", "marketing")
TODAY = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
GRANTED = {"email": {"state": "granted", "basis": "consent", "at": "2025-01-01T00:00:00Z"}}
PRODUCTS = ("Gasket Kit", "Filter Set", "Hose Clamp")


def days_ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_world(companies: int, **contact: Any) -> dict[str, Any]:
    """A seller and so many customers, who each bought one product three times, last 20 to 79 days ago."""
    numbers = range(1, companies + 1)
    return {
        "seller": {
            "name": "Meridian", "legal_name": "Meridian Ltd", "postal_address": "1 Wharf Road, Leeds", "country": "GB",
            "timezone": "Europe/London", "currency": "GBP", "unsubscribe_url": "https://meridian.example/stop",
        },
        "users": [{"id": "U-1", "name": "Ann Ray", "email": "ann@meridian.example", "role": "rep"}],
        "products": [
            {"id": f"P-{n}", "name": name, "active": True, "list_price": "40.00", "currency": "GBP",
             "lead_time": "2 weeks"}
            for n, name in enumerate(PRODUCTS)
        ],
        "companies": [
            {"id": f"CO-{n}", "name": f"Works {n} Ltd", "country": "GB", "language": "en", "owner_id": "U-1"}
            for n in numbers
        ],
        "contacts": [
            {"id": f"C-{n}", "company_id": f"CO-{n}", "first_name": f"Kim{n}", "last_name": "Reed", "language": "en",
             "email": f"kim{n}@works{n}.example", "consent": GRANTED, **contact}
            for n in numbers
        ],
        "orders": [
            {"id": f"O-{n}-{k}", "company_id": f"CO-{n}", "contact_id": f"C-{n}", "currency": "GBP", "total": "80.00",
             "ordered_at": days_ago(20 + n % 60 + 30 * k),
             "lines": [{"product_id": f"P-{n % 3}", "quantity": 2, "unit_price": "40.00"}]}
            for n in numbers for k in range(3)
        ],
    }  # fmt: skip


def make_wish(**changes: Any) -> dict[str, Any]:
    return {"segment": {"lapsed_days": 1}, "goal": "win_back", "languages": ["en"], "holdout_pct": 0} | changes


def run_here(desk: Desk, wish: dict[str, Any]) -> Campaign:
    """A campaign from the wish to its last message, in this thread."""
    made = campaigns.create_campaign(desk, wish, MARKETER)
    campaigns.approve_campaign(desk, made.id, MARKETER)
    started = campaign_run.start_campaign(desk, made.id, MARKETER)
    for lane in range(campaign_run.LANES[started.mode]):
        campaign_run.run_lane(desk, made.id, run=started.run, lane=lane)
    return campaigns.get_campaign(desk, made.id)


def rows(desk: Desk, campaign: Campaign, state: str | None = None) -> list[Any]:
    return list(desk.campaigns.recipients(campaign.id, limit=10_000, state=state)[0])


@pytest.fixture
def environ(tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    environ = {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path / "var")}
    if request.config.getoption("--database") == "postgresql":
        environ["CRMPLUGIN_DATABASE_URL"] = make_database(request.getfixturevalue("postgres_folder"))
    return environ


@pytest.fixture
def open_desk(environ: dict[str, str]) -> Iterator[Callable[..., Desk]]:
    """Opens a desk over records that it first puts in: `open_desk(make_world(30))`."""
    opened: list[Office] = []

    def _open(records: dict[str, Any] | None = None, **settings: str) -> Desk:
        office = Office(Assistant(load_settings(environ | settings)), work=False)
        opened.append(office)
        if records:
            office.desk.records.upsert_many("local", documents(records))
        return office.desk

    yield _open
    for office in opened:
        office.close()
