"""Pipedrive's panel before our real server: calls with a token that Pipedrive made; and its sources type-check."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.connectors.cards import installed, type_check
from tests.connectors.cases.pipedrive import OPTIONS
from tests.connectors.journey import Server, server
from tests.fakes.pipedrive import FakePipedrive, with_orbis

UI = Path(__file__).resolve().parents[3] / "connectors" / "pipedrive" / "ui"
SECRET = "panel-jwt-secret-example-0123456789"
ASKED = {"kind": "meeting_brief", "deal_id": "9001", "key": "panel-1"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    fake = with_orbis(FakePipedrive())
    with fake.running():
        options = {
            **OPTIONS,
            "base_url": fake.url,
            "calls_per_second": 500,
            "company_id": "7654321",
            "panel_secret": SECRET,
        }
        var = tmp_path_factory.mktemp("var")
        with server(var, options, crm="pipedrive", public_url="https://assist.example.com") as made:
            yield made


def call(here: Server, *, secret: str = SECRET, body: Any = ASKED, **claims: Any) -> Any:
    now = int(time.time())
    token = jwt.encode({"userId": 777, "companyId": 7654321, "iat": now, "exp": now + 300} | claims, secret, "HS256")
    headers = {"Authorization": f"Bearer {token}"}
    return here.client.post("/panel/acme/drafts?wait=20", json=body, headers=headers)


def test_rep_gets_a_draft_about_the_deal_and_the_same_for_the_same_key(here):
    first, again = call(here), call(here)

    assert first.status_code == 201
    assert first.json["id"] == again.json["id"]


def test_other_rep_does_not_see_the_deal(here):
    assert call(here, userId=778).status_code == 404


@pytest.mark.parametrize("case", [{"secret": "x" * 32}, {"companyId": 1}, {"exp": 1, "iat": 0}])
def test_token_that_pipedrive_did_not_make_for_us_is_401(here, case):
    assert call(here, **case).status_code == 401


@pytest.mark.long
def test_panel_type_checks_with_the_vendors_package_and_is_built(tmp_path):
    folder = installed(UI, tmp_path)

    done = type_check(folder)
    built = subprocess.run(
        [folder / "node_modules" / "esbuild" / "bin" / "esbuild", "panel.ts", "--bundle", "--outfile=panel.js"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    (folder / "wrong.ts").write_text(
        "import { Command } from '@pipedrive/app-extensions-sdk';\nCommand.NOTHING;\n", "utf-8"
    )

    assert done.returncode == 0, done.stdout
    assert built.returncode == 0, built.stderr
    assert "NOTHING" in type_check(folder).stdout
