"""A whole server in this process: real SQLite files, real jobs, requests through Flask's test client."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from connectors.local.verify import sign
from crmplugin.domain.records import check_record
from crmplugin.settings import load_settings
from crmplugin.web.app import create_app
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.postgres import make_database

SECRET = "webhook-secret-of-the-tests"
RECORDS: dict[str, Any] = {
    "seller": {"name": "Meridian", "country": "GB", "timezone": "Europe/London", "currency": "GBP"},
    "users": [{"id": "U-1", "name": "Ann Ray", "role": "rep"}, {"id": "U-2", "name": "Bo Lind", "role": "rep"}],
    "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB", "owner_id": "U-1"}],
    "contacts": [
        {
            "id": "C-1",
            "company_id": "CO-1",
            "first_name": "Amir",
            "last_name": "Shah",
            "email": "amir@kestrel.example",
            "language": "en",
        }
    ],
    "deals": [
        {
            "id": "D-1",
            "name": "Flow meters",
            "company_id": "CO-1",
            "contact_ids": ["C-1"],
            "primary_contact_id": "C-1",
            "owner_id": "U-1",
            "pipeline": "sales",
            "stage": "Proposal",
            "stage_kind": "proposal",
            "status": "open",
            "created_at": "2026-01-05T09:00:00Z",
            "amount": "26505.00",
            "currency": "GBP",
        }
    ],
    "tickets": [{"id": "T-1", "company_id": "CO-1", "priority": "P1", "status": "open", "subject": "Line 2 stopped"}],
}


def documents(records: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs = [(name, doc) for name, part in records.items() for doc in (part if isinstance(part, list) else [part])]
    return [(name, check_record(name, doc)) for name, doc in pairs]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Office]:
    """One server for all tests of a file; each test uses ids of its own."""
    var: Path = tmp_path_factory.mktemp("var")
    environ = {
        "CRMPLUGIN_CONFIG": "",
        "CRMPLUGIN_VAR": str(var),
        "CRMPLUGIN_STREAMS": "4",
        "CRMPLUGIN_CONNECTIONS__LOCAL__WEBHOOK_SECRET": SECRET,
    }
    if request.config.getoption("--database") == "postgresql":
        environ["CRMPLUGIN_DATABASE_URL"] = make_database(request.getfixturevalue("postgres_folder"))
    opened = Office(Assistant(load_settings(environ)))
    opened.desk.records.upsert_many("local", documents(RECORDS))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def app(office: Office) -> Flask:
    return create_app(office.desk)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Nobody: no token, no session."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask, office: Office) -> Callable[..., FlaskClient]:
    """A client with a new token: `signed_in("manager")`, `signed_in("rep", user_id="U-1")`."""

    def _signed_in(role: str = "admin", **scope: Any) -> FlaskClient:
        _, token = office.desk.access.create_token(role, at=datetime.now(UTC), **scope)
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return made

    return _signed_in


@pytest.fixture
def admin(signed_in: Callable[..., FlaskClient]) -> FlaskClient:
    return signed_in("admin")


@pytest.fixture
def post_webhook(client: FlaskClient) -> Callable[..., Any]:
    """Sends a document as a genuine webhook of the local CRM."""

    def _post(document: Any, *, path: str = "/webhooks/local", headers: dict[str, str] | None = None) -> Any:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        signature = {"X-Crmplugin-Signature": sign(body, secret=SECRET, now=datetime.now(UTC))}
        return client.post(path, data=body, headers=signature | (headers or {}))

    return _post


def make_event(id_: str, **changes: Any) -> dict[str, Any]:
    base = {
        "id": id_,
        "type": "deal.stage_changed",
        "at": "2026-03-10T14:05:00Z",
        "object": {"type": "deal", "id": "D-1"},
    }
    return base | changes


def wait_until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer of a condition; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")
