"""Who may do what: tokens, sessions, the table of rights, the panel's passes, the headers of every answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from crmplugin.domain.crm import Subject
from crmplugin.journeys.launch import launch_url
from crmplugin.store.database import open_engine
from crmplugin.store.tables_work import tokens
from crmplugin.web.app import api_document
from crmplugin.web.auth import COOKIE, right_of
from tests.web.conftest import wait_until
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def clock_of_this_test():
    """Each test's own beginning: the suite takes longer than a link lasts."""
    global NOW
    NOW = datetime.now(UTC)


def test_every_route_has_a_row_in_the_table_of_rights(app):
    missing = [rule.endpoint for rule in app.url_map.iter_rules() if right_of(rule.endpoint) is None]

    assert missing == []


def test_route_without_a_row_is_closed(office):
    from crmplugin.web.app import create_app

    app = create_app(office.desk)
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")

    is_problem(app.test_client().get("/forgotten"), 403, "closed")


ROUTES = [
    ("GET", "/api/v1/drafts", "rep manager director marketing admin"),
    ("GET", "/api/v1/briefs?deal=D-1", "rep manager director admin"),
    ("GET", "/api/v1/events", "manager director admin"),
    ("POST", "/api/v1/events/nothing/replay", "admin"),
    ("GET", "/api/v1/jobs", "manager director admin"),
    ("GET", "/metrics", "manager director admin"),
]


@pytest.mark.parametrize("role", ["rep", "manager", "director", "marketing", "admin"])
@pytest.mark.parametrize(("method", "path", "roles"), ROUTES, ids=[f"{m} {p}" for m, p, _ in ROUTES])
def test_role_may_use_a_route_or_not(signed_in, role, method, path, roles):
    response = signed_in(role).open(path, method=method)

    assert (response.status_code == 403) == (role not in roles.split())


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer crmp_\x80", "Bearer " + "x" * 9000]
)
def test_without_a_good_token_it_is_401(client, header):
    response = client.get("/api/v1/drafts", headers={"Authorization": header} if header else {})

    is_problem(response, 401, "not_signed_in")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_revoked_and_expired_tokens_are_401(office, client):
    access = office.desk.access
    revoked_id, revoked = access.create_token("admin", at=NOW)
    access.revoke_token(revoked_id, at=NOW)
    _, expired = access.create_token("admin", at=NOW, expires_at=NOW - timedelta(seconds=1))

    for token in (revoked, expired):
        is_problem(client.get("/api/v1/drafts", headers={"Authorization": f"Bearer {token}"}), 401, "not_signed_in")


def test_database_holds_no_token_in_clear(office):
    _, token = office.desk.access.create_token("admin", at=NOW)

    engine = open_engine(office.desk.settings.database_url)
    with engine.connect() as connection:
        rows = str(connection.execute(select(tokens)).all())
    engine.dispose()

    assert "admin" in rows
    assert token not in rows
    assert token.removeprefix("crmp_") not in rows


@pytest.fixture
def link(office):
    return office.desk.access.create_link("manager", expires_at=NOW + timedelta(minutes=5))


def csrf_of(client, app):
    from crmplugin.web.auth import csrf_token

    with app.test_request_context():
        return csrf_token(client.get_cookie(COOKIE).value)


def test_sign_in_link_works_once(app, link):
    first, second = app.test_client(), app.test_client()

    response = first.get(f"/sign-in/{link}")

    assert (response.status_code, response.headers["Location"]) == (303, "/console")
    cookie = response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert first.get("/api/v1/drafts").status_code == 200
    is_problem(second.get(f"/sign-in/{link}"), 401, "not_genuine")


def test_link_preview_does_not_use_the_link_up(app, link):
    app.test_client().head(f"/sign-in/{link}")

    assert app.test_client().get(f"/sign-in/{link}").status_code == 303


def test_old_link_is_refused(app, office):
    old = office.desk.access.create_link("manager", expires_at=NOW - timedelta(seconds=1))

    is_problem(app.test_client().get(f"/sign-in/{old}"), 401, "not_genuine")


def test_session_needs_the_csrf_token_to_change_something(app, link):
    client = app.test_client()
    client.get(f"/sign-in/{link}")
    body = {"kind": "summary", "deal_id": "D-1"}

    is_problem(client.post("/api/v1/drafts", json=body), 403, "forbidden")
    is_problem(client.post("/api/v1/drafts", json=body, headers={"X-CSRF-Token": "x"}), 403, "forbidden")
    token = csrf_of(client, app)
    assert client.post("/api/v1/drafts", json=body, headers={"X-CSRF-Token": token}).status_code in (201, 202)


def test_signed_out_session_is_over(app, link):
    client = app.test_client()
    client.get(f"/sign-in/{link}")
    session = client.get_cookie(COOKIE).value

    client.post("/sign-out", headers={"X-CSRF-Token": csrf_of(client, app)})

    client.set_cookie(COOKIE, session)
    is_problem(client.get("/api/v1/drafts"), 401, "not_signed_in")


@pytest.fixture
def launch(office):
    def make(user="U-1", now=NOW, connection="local"):
        key = office.desk.settings.signing_key
        return launch_url(key, connection, Subject("deal", "D-1"), user, base="", now=now)

    return make


def test_signed_launch_gives_a_pass_for_its_record(client, launch):
    answer = client.get(launch()).json

    assert answer["about"] == {"type": "deal", "id": "D-1"}
    headers = {"Authorization": f"Bearer {answer['pass']}"}
    body = {"kind": "summary", "deal_id": "D-1", "key": "card-1"}
    first = client.post("/panel/local/drafts?wait=20", json=body, headers=headers)
    assert first.status_code == 201
    assert client.post("/panel/local/drafts", json=body, headers=headers).json["id"] == first.json["id"]
    assert client.get(f"/panel/local/drafts/{first.json['id']}", headers=headers).json["status"] == first.json["status"]
    assert client.post("/panel/local/actions/draft", json=body, headers=headers).json["id"] == first.json["id"]


def test_forged_or_old_launch_is_refused(client, launch):
    is_problem(client.get(launch().replace("D-1", "D-2")), 401, "not_genuine")
    is_problem(client.get(launch() + "&user=U-2"), 401, "not_genuine")
    is_problem(client.get("/panel/local"), 401, "not_genuine")
    is_problem(client.get(launch(now=NOW - timedelta(minutes=16))), 401, "not_genuine")
    is_problem(client.get(launch(connection="acme").replace("acme", "local")), 401, "not_genuine")
    is_problem(client.get("/panel/nobody"), 404, "not_found")


def test_panel_pass_is_a_rep_and_no_api_token(client, launch):
    headers = {"Authorization": f"Bearer {client.get(launch(user='U-2')).json['pass']}"}
    body = {"kind": "summary", "deal_id": "D-1"}

    is_problem(client.post("/panel/local/drafts", json=body, headers=headers), 404, "not_found")
    is_problem(client.get("/api/v1/drafts", headers=headers), 401, "not_signed_in")
    is_problem(
        client.post("/panel/local/drafts", json=body, headers={"Authorization": "Bearer x.y.z"}), 401, "not_genuine"
    )
    is_problem(client.post("/panel/local/drafts", json=body), 401, "not_genuine")


def test_panel_names_wrong_fields(client, launch):
    headers = {"Authorization": f"Bearer {client.get(launch()).json['pass']}"}

    problem = is_problem(client.post("/panel/local/drafts", json={"kind": "poem"}, headers=headers), 422, "invalid")

    assert "kind" in [f["field"] for f in problem["errors"]]


def test_answers_forbid_frames_and_foreign_scripts(client):
    headers = client.get("/healthz").headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_unknown_address_and_wrong_method_are_problems(client):
    is_problem(client.get("/nowhere"), 404, "not_found")
    is_problem(client.delete("/api/v1/drafts"), 405, "method_not_allowed")


def test_health_needs_no_token_and_metrics_does(client, admin):
    assert client.get("/healthz").json["status"] == "ok"
    assert client.get("/readyz").json["checks"] == {"database": "ok", "engine": "ok", "disk": "ok"}
    is_problem(client.get("/metrics"), 401, "not_signed_in")
    assert "crmplugin_drafts" in admin.get("/metrics").get_data(as_text=True)


def test_api_document_is_valid_and_every_operation_is_named(client):
    from openapi_spec_validator import validate

    document = client.get("/api/v1/openapi.json").json

    validate(document)
    assert document["openapi"] == "3.0.3"
    operations = [op for path in document["paths"].values() for name, op in path.items() if name != "parameters"]
    names = [op["operationId"] for op in operations]
    assert len(set(names)) == len(names) >= 17
    assert all("Problem" in str(op["responses"]["default"]) for op in operations)
    assert "application/problem+json" in str(document["components"]["responses"]["Problem"])
    assert document["paths"] == api_document()["paths"]


def test_jobs_show_what_is_done_about_an_event(admin, post_webhook):
    from tests.web.conftest import make_event

    post_webhook(make_event("evt-job"))

    job = wait_until(lambda: (j := admin.get("/api/v1/jobs/local/evt-job").json).get("state") == "done" and j)
    assert (job["kind"], job["connection"], job["event"], job["attempts"]) == ("event", "local", "evt-job", 1)
    assert "local/evt-job" in [j["id"] for j in admin.get("/api/v1/jobs?limit=200").json["items"]]
    is_problem(admin.get("/api/v1/jobs/nothing"), 404, "not_found")
