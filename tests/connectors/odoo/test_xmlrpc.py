"""XML-RPC as real Odoos 17, 18 and 19 answered it, byte for byte."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from requests import PreparedRequest

from connectors.odoo.connector import OdooConnector
from connectors.transport import Refused
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound
from tests.connectors.cases.odoo import AT, make_connector
from tests.connectors.drafts import make_draft
from tests.fakes.odoo import FIELDS, RECORDED, FakeOdoo

ODOO = "https://odoo.example"
DEAL = {"17": "1", "18": "1", "19": "45"}
STAGES = [{"id": 1, "name": "New"}, {"id": 2, "name": "Qualified"}, {"id": 3, "name": "Proposition"}]
GONE = 99


class Recorded:
    """An Odoo of one series. What is not recorded of it is the same in all: who may read what, and which fields."""

    def __init__(self, series: str) -> None:
        self.folder, self.calls = RECORDED / f"xmlrpc-{series}", list[tuple[Any, ...]]()

    def __call__(self, request: PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        parameters, method = xmlrpc.client.loads(request.body or b"")
        if method == "authenticate":
            return 200, {}, answer(7)
        _, _, _, model, name, positional, named = parameters
        self.calls.append((model, name, positional, named))
        given = {
            "check_access_rights": lambda: answer(model in FIELDS),
            "fields_get": lambda: answer(FIELDS.get(str(model), {})),
            "context_get": lambda: self.kept("whoami"),
            "web_read": lambda: self.kept("gone" if positional == [[GONE]] else "deal"),
            "write": lambda: answer(True),
            "load": lambda: self.kept("activity"),
            "search_read": lambda: self.kept("refused") if model == "base.automation" else answer(ROWS[str(model)]),
        }[str(name)]()
        return 200, {"Content-Type": "text/xml"}, given

    def kept(self, name: str) -> bytes:
        return (self.folder / f"{name}.xml").read_bytes()


ROWS: dict[str, Any] = {"crm.stage": STAGES, "crm.lead": [{"id": 1, "user_id": [6, "demo"]}]}


def answer(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True, allow_none=True).encode()


@pytest.fixture(params=["17", "18", "19"])
def series(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def recorded(series: str) -> Iterator[Recorded]:
    odoo = Recorded(series)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as crm:
        for service in ("common", "object"):
            crm.add_callback("POST", f"{ODOO}/xmlrpc/2/{service}", odoo)
        yield odoo


@pytest.fixture
def connector(recorded: Recorded) -> OdooConnector:
    return make_connector(FakeOdoo(), base_url=ODOO, protocol="xmlrpc", login="crmplugin-marketing")


def test_deal_is_read_whole(connector, series):
    context = connector.read_context(Subject("deal", DEAL[series]))

    assert (context.deal.name, context.deal.amount, context.deal.currency) == ("Line 3 controls", 11250, "USD")
    assert (context.deal.status, context.company.name) == ("open", "Orbis Dairy")
    assert [(c.first_name, c.email) for c in context.contacts] == [("Dana", "dana@orbis.example")]
    assert [(o.total, o.lines[0].quantity, o.lines[0].unit_price) for o in context.orders] == [(4000, 10, 400)] * 5
    assert [(q.status, q.total) for q in context.quotes] == [("sent", 12500)]
    told = {(a.type, a.direction): a.body for a in context.activities if a.source is None}
    assert told["email", "inbound"] == "What is the delivery time of the C-7?"
    assert ("meeting", None) in told


def test_deal_that_is_gone_is_not_found(connector):
    with pytest.raises(NotFound, match="has no deal 99"):
        connector.read_context(Subject("deal", str(GONE)))


def test_refusal_is_told_in_odoos_words(connector):
    with pytest.raises(Refused, match="base.automation.*Administrat") as refused:
        connector._client.search("base.automation", [], ["name"])

    assert refused.value.status == 403


def test_activity_is_made_by_its_external_id(connector, recorded):
    written = connector.write_back(make_draft(Subject("deal", "1")), marker="crmplugin:draft-1", at=AT)

    (load,) = [call for call in recorded.calls if call[1] == "load"]
    assert written.startswith("activity:")
    assert load[3]["data"][0][0] == "__import__.crmplugin_draft-1"


def test_values_of_a_write_have_no_name_that_a_module_could_call_otherwise(connector, recorded):
    assert connector._client.call("crm.lead", "write", [1], vals={"referred": "Ines"}) is True

    assert recorded.calls[-1][:3] == ("crm.lead", "write", [[1], {"referred": "Ines"}])
