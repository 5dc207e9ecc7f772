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
def pipedrive() -> Iterator[FakePipedrive]:
    fake = with_orbis(FakePipedrive())
    fake.codes = {"code-1", "code-2"}
    with fake.running():
        yield fake


@pytest.fixture(scope="module")
def here(pipedrive: FakePipedrive, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    app = {"client_id": "app-1", "client_secret": "app-secret", "auth_url": f"{pipedrive.url}/oauth/token"}
    options = {**OPTIONS, **app, "base_url": pipedrive.url, "calls_per_second": 500, "company_id": "7654321",
               "panel_secret": SECRET}  # fmt: skip
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


def test_rep_who_installed_the_app_is_sent_back_to_pipedrive_once(here, pipedrive):
    first, again = (here.client.get("/panel/acme/installed?code=code-1") for _ in range(2))

    assert (first.status_code, first.headers["Location"]) == (302, pipedrive.url)
    sent = pipedrive.asked("POST", "/oauth/token")[0].raw.decode()
    assert "redirect_uri=https%3A%2F%2Fassist.example.com%2Fpanel%2Facme%2Finstalled" in sent
    assert again.status_code == 401


def test_app_that_was_installed_in_another_company_is_refused(here, pipedrive):
    pipedrive.domain = "https://other.pipedrive.com"
    answer = here.client.get("/panel/acme/installed?code=code-2")
    pipedrive.domain = ""

    assert answer.status_code == 401


@pytest.mark.parametrize("address", ["/panel/acme/installed", "/panel/acme/installed?error=user_denied"])
def test_installation_without_a_code_is_told(here, address):
    assert here.client.get(address).status_code == 401


def test_local_crm_has_no_app_to_install(here):
    assert here.client.get("/panel/local/installed?code=x").status_code == 404


def test_removal_is_believed_only_with_the_apps_own_name_and_password(here):
    good = here.client.delete("/panel/acme/installed", auth=("app-1", "app-secret"))
    bad = here.client.delete("/panel/acme/installed", auth=("app-1", "x"))

    assert (good.status_code, bad.status_code) == (204, 401)


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
