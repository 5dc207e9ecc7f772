"""The button's calls: signed by our module with the user whom Odoo knows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.odoo.connector import OdooConnector
from connectors.odoo.verify import sign
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine
from crmplugin.ports import PanelCall, Visitor
from tests.connectors.cases.odoo import AT, PANEL_SECRET, make_connector
from tests.fakes.odoo import FakeOdoo, with_orbis

URL = "https://assist.example.com/panel/acme/drafts"


@pytest.fixture
def connector() -> OdooConnector:
    fake = FakeOdoo()
    fake.url = "https://odoo.example"
    return make_connector(fake)


def signed(
    body: bytes = b'{"kind":"follow_up"}', *, secret: str = PANEL_SECRET, seconds: int = 0, **changes: Any
) -> PanelCall:
    said = {
        "db": "crmlab", "user": {"id": 777, "login": "rep"}, "record": {"model": "crm.lead", "id": 9001},
        "method": "POST", "path": "/panel/acme/drafts", "sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    text = json.dumps(said | changes)
    stamp = int(AT.timestamp()) + seconds
    headers = {
        "X-Crmplugin-Call": text,
        "X-Crmplugin-Timestamp": str(stamp),
        "X-Crmplugin-Signature": sign(secret, stamp, text.encode()),
    }
    return PanelCall("POST", URL, headers, body)


def test_signed_call_names_user_and_deal(connector):
    assert connector.verify_panel(signed(), now=AT) == Visitor("777", "rep", Subject("deal", "9001"))


SPOILT = {
    "secret": signed(secret="somebody-elses"),
    "old": signed(seconds=-301),
    "of the future": signed(seconds=301),
    "another body": replace(signed(), body=b"{}"),
    "another method": replace(signed(), method="GET"),
    "another address": replace(signed(), url=f"{URL}/d-1/approve"),
    "another query": replace(signed(), url=f"{URL}?wait=1"),
    "another database": signed(db="other"),
    "no user": signed(user=None),
    "user as text": signed(user={"id": "777"}),
    "no headers": replace(signed(), headers={}),
    "no JSON": replace(signed(), headers={**signed().headers, "X-Crmplugin-Call": "{"}),
}


@pytest.mark.parametrize("call", SPOILT.values(), ids=SPOILT)
def test_spoilt_call_is_refused(connector, call):
    with pytest.raises(NotGenuine):
        connector.verify_panel(call, now=AT)


def test_clock_may_be_a_little_off(connector):
    assert connector.verify_panel(signed(seconds=299), now=AT - timedelta(seconds=1)).user_id == "777"


def test_secret_that_is_being_changed_is_taken():
    fake = FakeOdoo()
    fake.url = "https://odoo.example"
    call = signed()

    assert make_connector(fake, panel_secret="the-new-one", old_panel_secret=PANEL_SECRET).verify_panel(call, now=AT)
    with pytest.raises(NotGenuine, match="panel_secret"):
        make_connector(fake, panel_secret="").verify_panel(call, now=AT)


def test_owner_may_see_the_deal_and_of_others_our_roles_decide():
    with with_orbis(FakeOdoo()).running() as fake:
        connector = make_connector(fake)
        seen = [connector.may_see(user, Subject("deal", "9001")) for user in ("777", "778")]

        assert seen == [True, None]
        assert connector.may_see("777", Subject("deal", "12345")) is False
