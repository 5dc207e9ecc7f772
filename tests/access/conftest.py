"""One server with two CRMs that use the same ids for everything, and callers of every role on either."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crmplugin.settings import load_settings
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.records import RecordStore
from crmplugin.web.app import create_app
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.access import elsewhere
from tests.postgres import make_database
from tests.web.conftest import RECORDS, SECRET, documents

HERE, THERE = "local", "acme"
NAMES = {HERE: "Kestrel Foods", THERE: "Osprey Mills"}


def records_of(connection: str) -> dict[str, Any]:
    """The records of a connection: the same ids on both, other names and amounts."""
    found = copy.deepcopy(RECORDS)
    found["companies"][0]["name"] = NAMES[connection]
    found["deals"][0]["name"] = f"Deal of {NAMES[connection]}"
    found["deals"][0]["amount"] = {HERE: "26505.00", THERE: "73311.00"}[connection]
    found["contacts"][0]["last_name"] = {HERE: "Shahkestrel", THERE: "Shahosprey"}[connection]
    found["deals"].append(found["deals"][0] | {"id": "D-2", "name": "Of a colleague", "owner_id": "U-2"})
    return found


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of the office, as variables."""
    environ = {
        "CRMPLUGIN_CONFIG": "",
        "CRMPLUGIN_VAR": str(tmp_path_factory.mktemp("var")),
        "CRMPLUGIN_CONNECTIONS__LOCAL__WEBHOOK_SECRET": SECRET,
        "CRMPLUGIN_CONNECTIONS__ACME__CRM": "elsewhere",
        "CRMPLUGIN_CONNECTIONS__ACME__WEBHOOK_SECRET": SECRET,
    }
    if request.config.getoption("--database") == "postgresql":
        environ["CRMPLUGIN_DATABASE_URL"] = make_database(request.getfixturevalue("postgres_folder"))
    return environ


@pytest.fixture(scope="module")
def office(environ: dict[str, str]) -> Iterator[Office]:
    with elsewhere.known_crm():
        crm = RecordStore(open_engine(f"sqlite:///{environ['CRMPLUGIN_VAR']}/acme.sqlite"))
        migrate(crm._engine)
        elsewhere.STORES[THERE] = crm
        opened = Office(Assistant(load_settings(environ)))
        crm.upsert_many(THERE, documents(records_of(THERE)))
        for connection in (HERE, THERE):
            opened.desk.records.upsert_many(connection, documents(records_of(connection)))
        yield opened
        opened.close()
        crm.close()
        elsewhere.RIGHTS.clear()


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
