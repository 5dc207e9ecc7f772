"""What the audit says beside drafts: who signed in and who was refused, keys of programs, exports, settings, rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.journeys.telling import tell_settings
from crmplugin.settings import load_settings
from crmplugin.store.access import AccessStore
from crmplugin.web.app import create_app
from crmplugin.web.auth import COOKIE, csrf_token
from tests.access.conftest import HERE
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


def told(office, kind: str) -> list[Any]:
    return list(office.desk.audit.rows(kinds=[kind]))


def link(office, role: str = "manager", **how: Any) -> str:
    return office.desk.access.create_link(role, expires_at=datetime.now(UTC) + timedelta(minutes=5), **how)


def test_sign_in_and_sign_out_are_told_with_where_from(office, app):
    browser = app.test_client()
    browser.get(f"/sign-in/{link(office, by='cli')}", environ_base={"REMOTE_ADDR": "203.0.113.50"})
    with app.test_request_context():
        token = csrf_token(browser.get_cookie(COOKIE).value)
    browser.post("/sign-out", headers={"X-CSRF-Token": token})

    came, went = told(office, "sign_in.done")[-1], told(office, "sign_out.done")[-1]
    assert (came.by, came.body["role"], came.body["how"]) == ("console:manager", "manager", "link")
    assert came.personal == {"from": "203.0.113.50"}
    assert went.body["session"] == came.body["session"]
    assert told(office, "link.made")[-1].by == "cli"


def test_refused_sign_in_is_told_and_so_is_the_lock(office, app):
    before = len(told(office, "sign_in.refused"))
    for n in range(22):
        app.test_client().get(f"/sign-in/guess-{n}", environ_base={"REMOTE_ADDR": "203.0.113.51"})

    refused = told(office, "sign_in.refused")[before:]
    assert len(refused) == 20
    assert {row.personal["from"] for row in refused} == {"203.0.113.51"}
    assert [row.personal["from"] for row in told(office, "sign_in.locked")][-1] == "203.0.113.51"
    assert "guess" not in str([(row.body, row.personal) for row in refused])


def test_keys_of_programs_are_told_never_their_secret(office):
    token_id, secret = office.desk.access.create_token("rep", at=NOW, user_id="U-1", connections=[HERE], by="cli")
    office.desk.access.revoke_token(token_id, at=NOW, by="user:U-9")

    made, ended = told(office, "token.made")[-1], told(office, "token.revoked")[-1]
    assert (made.by, dict(made.body)) == (
        "cli", {"token": token_id, "role": "rep", "user_id": "U-1", "connections": [HERE]}
    )  # fmt: skip
    assert (ended.by, ended.body["token"]) == ("user:U-9", token_id)
    assert secret not in str([made, ended])


def test_token_that_was_not_made_is_not_told(office):
    from crmplugin.errors import NotFound

    before = len(told(office, "token.revoked"))
    with pytest.raises(NotFound):
        office.desk.access.revoke_token("no-such-token", at=NOW, by="cli")

    assert len(told(office, "token.revoked")) == before


def test_ended_sessions_are_told(office, app):
    browser = app.test_client()
    browser.get(f"/sign-in/{link(office)}")
    mine = told(office, "sign_in.done")[-1].body["session"]

    office.desk.access.end_named(mine, by="cli")

    row = told(office, "session.ended")[-1]
    assert (row.by, dict(row.body)) == ("cli", {"session": mine})


def test_downloaded_draft_is_told(office, signed_in):
    client = signed_in("manager")
    draft = client.post("/api/v1/drafts?wait=30", json={"kind": "summary", "deal_id": "D-1"}).json

    assert client.get(f"/console/drafts/{draft['id']}/file.txt").status_code == 200

    row = told(office, "export.made")[-1]
    assert (row.draft, dict(row.body)) == (draft["id"], {"what": "draft", "form": "txt"})


def test_changed_rules_are_told(office, signed_in):
    client = signed_in("admin")
    page = client.get("/console/rules", query_string={"collection": "voice", "connection": HERE})
    seen = page.get_data(as_text=True).split('name="seen" value="')[1].split('"')[0]
    form = {"collection": "voice", "connection": HERE, "do": "save", "seen": seen}

    assert client.post("/console/rules", data=form).status_code == 303

    assert dict(told(office, "rules.changed")[-1].body) == {"collections": ["voice"]}


def test_command_exports_and_imports_are_told(crmplugin, tmp_path):
    records = tmp_path / "r.json"
    records.write_text(
        '{"format": "crmplugin-records/1", "companies": [{"id": "CO-1", "name": "Kestrel"}], "contacts": '
        '[{"id": "C-1", "company_id": "CO-1", "last_name": "Shah", "email": "shah@kestrel.example"}]}'
    )
    crmplugin("import", records)
    crmplugin("export", "--all", tmp_path / "all.json")
    crmplugin("export", "--contact", "C-1", tmp_path / "one.json")
    crmplugin("audit", "export")

    rows = crmplugin("audit", "show", "--kind", "export.made", "--personal", "--json").json["items"]
    assert [row["body"]["what"] for row in rows] == ["all", "contact", "audit"]
    assert [row.get("personal") for row in rows] == [None, {"contact": "C-1"}, None]
    (came,) = crmplugin("audit", "show", "--kind", "records.imported", "--json").json["items"]
    assert came["body"] == {"taken": 2, "updated": 0, "refused": 0}
    assert crmplugin("audit", "verify").code == 0


def test_settings_that_changed_are_named_without_their_values(office, tmp_path):
    log, file = office.desk.audit, tmp_path / "crmplugin.toml"
    environ = {"CRMPLUGIN_CONFIG": str(file), "CRMPLUGIN_VAR": str(tmp_path)}
    file.write_text('session_hours = 8\nopenai_api_key = "sk-planted"\n')
    tell_settings(log, load_settings(environ).digests, at=NOW)
    assert tell_settings(log, load_settings(environ).digests, at=NOW) == ()

    file.write_text('session_hours = 9\nopenai_api_key = "sk-planted-2"\n[[approval]]\nroles = ["admin"]\n')
    changed = tell_settings(log, load_settings(environ).digests, at=NOW)

    assert changed == ("approval", "openai_api_key", "session_hours")
    row = told(office, "settings.changed")[-1]
    assert row.body["changed"] == list(changed)
    assert "sk-planted" not in str(row.body)


def test_a_start_says_that_settings_are_new(office):
    assert told(office, "settings.changed")[0].by == "start"


# How often somebody may try, and who that is behind a proxy.


PROXIED = {"REMOTE_ADDR": "10.0.0.7"}


@pytest.fixture
def behind_proxies(office):
    """An application that trusts the proxies in 10.0.0.0/8."""
    from ipaddress import ip_network

    desk = replace(office.desk, settings=replace(office.desk.settings, trusted_proxies=(ip_network("10.0.0.0/8"),)))
    return create_app(desk)


def lock(app, environ, header: str) -> None:
    for n in range(20):
        app.test_client().get(f"/sign-in/g-{n}", environ_base=environ, headers={"X-Forwarded-For": header})


def enters(app, office, environ, header: str) -> int:
    answer = app.test_client().get(
        f"/sign-in/{link(office)}", environ_base=environ, headers={"X-Forwarded-For": header}
    )
    return answer.status_code


def test_behind_a_proxy_each_caller_is_locked_alone(behind_proxies, office):
    lock(behind_proxies, PROXIED, "198.51.100.1")

    assert enters(behind_proxies, office, PROXIED, "198.51.100.1") == 429
    assert enters(behind_proxies, office, PROXIED, "198.51.100.2") == 303


def test_nobody_gets_out_of_a_lock_by_writing_the_header(behind_proxies, office):
    lock(behind_proxies, PROXIED, "198.51.100.3")

    assert enters(behind_proxies, office, PROXIED, "1.2.3.4, 198.51.100.3") == 429
    assert enters(behind_proxies, office, PROXIED, "1.2.3.4, 198.51.100.3, 10.0.0.9") == 429


def test_nobody_locks_another_by_writing_the_header(app, behind_proxies, office):
    lock(app, {"REMOTE_ADDR": "198.51.100.4"}, "198.51.100.5")  # no proxy is trusted here
    lock(behind_proxies, {"REMOTE_ADDR": "198.51.100.6"}, "198.51.100.5")  # and this caller is none

    assert enters(behind_proxies, office, PROXIED, "198.51.100.5") == 303
    assert enters(app, office, {"REMOTE_ADDR": "198.51.100.4"}, "9.9.9.9") == 429


def test_wrong_tokens_are_counted_and_never_keep_a_right_one_out(app, office, signed_in):
    here = {"REMOTE_ADDR": "203.0.113.60"}

    def call(secret: str):
        return app.test_client().get("/api/v1/drafts", headers={"Authorization": f"Bearer {secret}"}, environ_base=here)

    codes = [call(f"crmp_guess-{n}").status_code for n in range(22)]
    _, right = office.desk.access.create_token("manager", at=datetime.now(UTC))

    assert codes == [401] * 20 + [429] * 2
    assert int(is_problem(call("crmp_x"), 429, "too_many_tries")["status"]) == 429
    assert call(right).status_code == 200
    assert enters(app, office, here, "") == 303  # tokens are one count, sign-ins another


def test_program_that_calls_too_often_is_told_when_to_come_again(office):
    desk = replace(office.desk, settings=replace(office.desk.settings, token_calls_per_second=1))
    app = create_app(desk)
    tokens = [office.desk.access.create_token("manager", at=datetime.now(UTC))[1] for _ in range(2)]

    def call(secret: str):
        return app.test_client().get("/api/v1/drafts", headers={"Authorization": f"Bearer {secret}"})

    codes = [call(tokens[0]).status_code for _ in range(12)]
    last = call(tokens[0])

    assert codes[:10] == [200] * 10
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1
    assert call(tokens[1]).status_code == 200


def test_sources_are_homes():
    from crmplugin.web.callers import caller_of

    assert caller_of("2001:db8:1:2::77", [], ()) == caller_of("2001:db8:1:2:ffff::1", [], ()) == "2001:db8:1:2::/64"
    assert caller_of("::ffff:203.0.113.9", [], ()) == "203.0.113.9"
    assert caller_of(None, ["203.0.113.9"], ()) == ""


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("198.51.100.9:4711", "198.51.100.9"),
        ('"[2001:db8::1]:80"', "2001:db8::/64"),
        ("unknown", "10.0.0.7"),
        ("", "10.0.0.7"),
        (", ,", "10.0.0.7"),
        ("198.51.100.9, garbage", "10.0.0.7"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ],
)
def test_hop_that_is_no_address_is_nobody(header, wanted):
    from ipaddress import ip_network

    from crmplugin.web.callers import caller_of

    assert caller_of("10.0.0.7", [header], (ip_network("10.0.0.0/8"),)) == wanted


def test_a_store_without_an_audit_works(office):
    AccessStore(office._house.engine).create_token("rep", at=NOW)
