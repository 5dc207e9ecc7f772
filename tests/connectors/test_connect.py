"""`crmplugin connect`: settings and steps of a new connection."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from crmplugin.settings import load_settings


def test_block_has_what_the_crm_needs_and_the_steps_name_this_server(crmplugin):
    shown = crmplugin("connect", "hubspot", "--name", "north", "--public-url", "https://sales.example", "--json")

    answer = json.loads(shown.out)
    assert tomllib.loads(answer["settings"])["connections"]["north"] == {
        "crm": "hubspot",
        "client_secret": "env:HUBSPOT_CLIENT_SECRET",
        "access_token": "env:HUBSPOT_ACCESS_TOKEN",
        "portal_id": "env:HUBSPOT_PORTAL_ID",
    }
    assert answer["webhook_url"] == "https://sales.example/webhooks/north"
    assert "https://sales.example" in answer["steps"]
    assert "assist.example.com" not in answer["steps"]
    assert "connections test north" in answer["steps"]


def test_addresses_in_the_steps_have_the_name_of_the_connection(crmplugin):
    shown = crmplugin("connect", "salesforce", "--name", "north", "--public-url", "https://sales.acme")

    assert "https://sales.acme/webhooks/north/<webhook_token>" in shown.out
    assert "webhooks/acme" not in shown.out


def test_written_block_is_one_that_the_server_reads(crmplugin, tmp_path: Path, monkeypatch):
    file = tmp_path / "crmplugin.toml"
    monkeypatch.setenv("CRMPLUGIN_CONFIG", str(file))
    given = ["--set", 'client_secret=s"e\\c', "--set", "access_token=t", "--set", "portal_id=62515"]

    first = crmplugin("connect", "hubspot", *given, "--write")
    second = crmplugin("connect", "hubspot", *given, "--write")

    settings = load_settings({"CRMPLUGIN_CONFIG": str(file), "CRMPLUGIN_VAR": str(tmp_path)})
    assert (first.code, second.code) == (0, 1)
    assert settings.connections["acme"].options["client_secret"] == 's"e\\c'


CANNOT = [
    ("sugar",),
    ("local",),
    ("hubspot", "--name", "A b"),
    ("hubspot", "--set", "x"),
    ("hubspot", "--set", "x=1"),
]


@pytest.mark.parametrize("arguments", CANNOT)
def test_what_cannot_be_is_one_sentence(crmplugin, arguments):
    shown = crmplugin("connect", *arguments)

    assert shown.code == 1
    assert "Traceback" not in shown.err
