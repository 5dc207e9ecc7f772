"""The commands around a server: tokens, connections, links, documents, events and jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from crmplugin.domain.event import Event, ObjectRef
from crmplugin.settings import load_settings
from crmplugin.wiring import open_office


def test_token_is_shown_once_listed_without_its_secret_and_revoked(crmplugin):
    made = crmplugin("token", "create", "--role", "manager", "--name", "CI", "--json").json

    assert set(made) == {"id", "token", "role"}
    listed = crmplugin("token", "list", "--json")
    assert made["token"] not in listed.out
    assert [(t["id"], t["role"], t["revoked_at"]) for t in listed.json["items"]] == [(made["id"], "manager", None)]
    assert crmplugin("token", "revoke", made["id"]).code == 0
    assert crmplugin("token", "list", "--json").json["items"][0]["revoked_at"]
    again = crmplugin("token", "revoke", made["id"])
    assert (again.code, "no valid token" in again.err) == (1, True)


def test_token_for_an_unknown_connection_is_refused(crmplugin):
    answer = crmplugin("token", "create", "--role", "rep", "--connection", "acme")

    assert (answer.code, "no connection 'acme'" in answer.err) == (1, True)


def test_connection_shows_its_secret_only_when_asked(crmplugin, clean_environment):
    hidden = crmplugin("connections", "show", "local", "--json").json
    shown = crmplugin("connections", "show", "local", "--secrets", "--json").json

    assert hidden["webhook_secret"] is None
    secret = (clean_environment / "var" / "local-webhook.secret").read_text().strip()
    assert shown == {
        "name": "local",
        "crm": "local",
        "webhook_url": "http://127.0.0.1:8000/webhooks/local",
        "webhook_secret": secret,
    }


def test_public_url_stands_in_addresses(crmplugin, monkeypatch):
    monkeypatch.setenv("CRMPLUGIN_PUBLIC_URL", "https://sales.example.com/")

    assert crmplugin("connections", "list", "--json").json["items"][0]["webhook_url"] == (
        "https://sales.example.com/webhooks/local"
    )


def test_panel_link_names_record_user_and_end(crmplugin):
    url = urlsplit(crmplugin("panel-link", "--deal", "D-1", "--user", "U-1", "--json").json["url"])

    query = parse_qs(url.query)
    assert url.path == "/panel/local"
    assert (query["deal"], query["user"]) == (["D-1"], ["U-1"])
    assert {"exp", "sig"} <= set(query)


def test_openapi_needs_no_server_and_has_an_older_form(crmplugin):
    from openapi_spec_validator import OpenAPIV2SpecValidator, validate

    new, old = crmplugin("openapi").json, crmplugin("openapi", "--swagger2").json

    validate(new)
    OpenAPIV2SpecValidator(old).validate()
    assert (new["openapi"], old["swagger"]) == ("3.0.3", "2.0")
    assert set(new["paths"]) == set(old["paths"])
    assert old["paths"]["/api/v1/drafts"]["post"]["operationId"] == "createDraft"


@pytest.fixture
def stored_event(clean_environment):
    """An event that was taken while nobody worked."""
    import os

    office = open_office(load_settings(os.environ), work=False)
    now = datetime.now(UTC)
    office.desk.intake.take([Event("evt-1", "local", "deal.created", now, ObjectRef("deal", "D-1"), received_at=now)])
    office.desk.intake.settle(10)
    office.close()


def test_events_and_jobs_are_listed_and_shown(crmplugin, stored_event):
    listed = crmplugin("events", "list", "--json").json
    shown = crmplugin("events", "show", "evt-1", "--json").json
    job = crmplugin("jobs", "show", "local/evt-1", "--json").json

    assert [e["id"] for e in listed["items"]] == ["evt-1"]
    assert (shown["state"], shown["drafts"], shown["attempts"]) == ("stored", [], 0)
    assert (job["kind"], job["state"], job["event"]) == ("event", "waiting", "evt-1")
    assert [j["id"] for j in crmplugin("jobs", "list", "--json").json["items"]] == ["local/evt-1"]


def test_waiting_job_is_cancelled_and_retried_by_hand(crmplugin, stored_event):
    assert crmplugin("jobs", "cancel", "local/evt-1", "--json").json["state"] == "cancelled"
    assert crmplugin("jobs", "cancel", "local/evt-1").code == 1
    assert crmplugin("jobs", "retry", "local/evt-1", "--json").json["state"] == "waiting"
    assert crmplugin("jobs", "retry", "local/evt-1").code == 1


def test_event_that_waits_is_not_replayed(crmplugin, stored_event):
    answer = crmplugin("events", "replay", "evt-1")

    assert (answer.code, "it can be replayed when" in answer.err) == (1, True)


@pytest.mark.parametrize("command", [("events", "show"), ("events", "replay"), ("jobs", "show"), ("jobs", "retry")])
def test_unknown_ids_are_one_sentence(crmplugin, command):
    answer = crmplugin(*command, "nothing")

    assert answer.code == 1
    assert "there is no" in answer.err


@pytest.mark.embedded
def test_more_processes_than_sqlite_takes_are_refused(crmplugin):
    answer = crmplugin("serve", "--workers", "2")

    assert (answer.code, "SQLite takes one process" in answer.err) == (1, True)


@pytest.mark.parametrize("name", ["serve", "worker", "events", "jobs", "token", "openapi", "connections", "panel-link"])
def test_every_command_has_help_with_an_example(crmplugin, name):
    answer = crmplugin(name, "--help")

    assert answer.code == 0
    assert "Example: crmplugin " + name in answer.out


def test_json_is_all_there_is_on_stdout(crmplugin):
    json.loads(crmplugin("token", "create", "--role", "rep", "--json").out)
    json.loads(crmplugin("connections", "test", "local", "--json").out)
