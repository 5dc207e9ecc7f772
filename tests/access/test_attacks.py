"""The attack list: each way in that is known to work elsewhere, tried here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connectors import signatures
from crmplugin.domain.crm import Subject
from crmplugin.journeys.launch import launch_url
from crmplugin.web.auth import COOKIE
from tests.access.conftest import HERE, THERE
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def clock_of_this_test():
    """Each test's own beginning: the suite takes longer than a link lasts."""
    global NOW
    NOW = datetime.now(UTC)


WISH = {"kind": "summary", "deal_id": "D-1"}


@pytest.fixture
def launch(office):
    def make(user: str | None = "U-1", *, connection: str = HERE, now: datetime = NOW, deal: str = "D-1") -> str:
        key = office.desk.settings.signing_key
        return launch_url(key, connection, Subject("deal", deal), user, base="", now=now)

    return make


@pytest.fixture
def session(app, office):
    """A signed-in browser."""
    made = app.test_client()
    made.get(f"/sign-in/{office.desk.access.create_link('manager', expires_at=NOW + timedelta(minutes=5))}")
    return made


# Mass assignment: what a caller may not set is no field.


@pytest.mark.parametrize(
    "extra", ["id", "status", "created_by", "owner_id", "version", "write_back", "origin", "role", "facts", "decision"]
)
def test_field_of_ours_cannot_be_set(signed_in, extra):
    problem = is_problem(signed_in("rep").post("/api/v1/drafts", json=WISH | {extra: "x"}), 422, "invalid")

    assert [e["field"] for e in problem["errors"]] == [extra]


@pytest.mark.parametrize("extra", ["status", "created_by", "sentences", "decision"])
def test_edit_and_approve_take_their_own_fields_only(signed_in, extra):
    client = signed_in("manager")
    draft = client.post("/api/v1/drafts?wait=30", json=WISH).json

    path = f"/api/v1/drafts/{draft['id']}"
    is_problem(client.patch(path, json={"version": 1, "body": "x", extra: "x"}), 422, "invalid")
    is_problem(client.post(f"{path}/approve", json={extra: "x"}), 422, "invalid")


# CSRF: a change by cookie needs the token of that session.


CHANGES = [
    ("POST", "/api/v1/drafts", {"json": WISH}),
    ("POST", "/console/drafts", {"data": {"about": "deal:D-1", "kind": "summary"}}),
    ("POST", "/sign-out", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=[path for _, path, _ in CHANGES])
def test_change_without_the_sessions_token_is_refused(session, method, path, body):
    is_problem(session.open(path, method=method, **body), 403, "forbidden")
    is_problem(session.open(path, method=method, **body, headers={"X-CSRF-Token": "0" * 64}), 403, "forbidden")


def test_token_of_another_session_is_refused(app, office, session):
    from crmplugin.web.auth import csrf_token

    other = app.test_client()
    other.get(f"/sign-in/{office.desk.access.create_link('manager', expires_at=NOW + timedelta(minutes=5))}")
    with app.test_request_context():
        theirs = csrf_token(other.get_cookie(COOKIE).value)

    is_problem(session.post("/api/v1/drafts", json=WISH, headers={"X-CSRF-Token": theirs}), 403, "forbidden")


def test_reading_by_get_changes_nothing(session):
    assert session.get("/sign-out").status_code == 405


# Clickjacking.


def test_nobody_frames_the_console_and_only_its_hosts_the_panel(app, client, session, launch):
    for answer in (session.get("/console"), client.get("/sign-in"), client.get("/healthz"), client.get("/nowhere")):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    panel = client.get(launch(), headers={"Accept": "text/html"})
    assert "frame-ancestors 'none'" in panel.headers["Content-Security-Policy"]  # this connection names no host


# Session fixation.


def test_a_session_that_somebody_planted_does_not_become_the_victims(app, office):
    victim = app.test_client()
    victim.set_cookie(COOKIE, "planted-by-somebody")
    link = office.desk.access.create_link("manager", expires_at=NOW + timedelta(minutes=5))

    victim.get(f"/sign-in/{link}")

    assert victim.get_cookie(COOKIE).value != "planted-by-somebody"
    attacker = app.test_client()
    attacker.set_cookie(COOKIE, "planted-by-somebody")
    is_problem(attacker.get("/api/v1/drafts"), 401, "not_signed_in")


# Launches.


def test_launch_works_once_and_says_so_in_words(client, launch):
    url = launch()
    client.get(url)

    again = is_problem(client.get(url), 401, "not_genuine")

    assert again["detail"] == "this panel link was opened before: open the panel from the CRM again"


def test_launch_is_used_up_once_by_many_at_the_same_time(app, launch):
    from concurrent.futures import ThreadPoolExecutor

    url = launch()
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: app.test_client().get(url).status_code, range(8)))

    assert sorted(codes) == [200] + [401] * 7


def test_old_launch_is_refused_in_words(client, launch):
    problem = is_problem(client.get(launch(now=NOW - timedelta(minutes=16))), 401, "not_genuine")

    assert problem["detail"] == "this panel link is too old: open the panel from the CRM again"


def spoiled(url: str, **changes: str | None) -> str:
    values = dict(parse_qsl(urlsplit(url).query)) | changes
    return f"{urlsplit(url).path}?{urlencode({k: v for k, v in values.items() if v is not None})}"


@pytest.mark.parametrize(
    "changes",
    [
        {"deal": "D-2"}, {"user": "U-2"}, {"user": None}, {"exp": "99999999999"}, {"once": "again"}, {"once": None},
        {"sig": ""}, {"sig": None}, {"sig": "0" * 64}, {"alg": "none"}, {"deal": None, "company": "CO-1"},
    ],
    ids=str,
)  # fmt: skip
def test_spoiled_launch_is_refused(client, launch, changes):
    is_problem(client.get(spoiled(launch(), **changes)), 401, "not_genuine")


def test_launch_of_one_connection_opens_no_other(client, launch):
    is_problem(client.get(launch(connection=THERE).replace(THERE, HERE)), 401, "not_genuine")


# `alg` confusion of the panel's pass.


def part(value: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CLAIMS = {"aud": "panel", "con": HERE, "sub": "U-1", "abt": "deal:D-1", "exp": int(NOW.timestamp()) + 7200}


def forged_passes(key: str) -> dict[str, str]:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    by_pem = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(CLAIMS)}"
    signature = base64.urlsafe_b64encode(hmac.new(pem, by_pem.encode(), hashlib.sha256).digest()).decode().rstrip("=")
    good = jwt.encode(CLAIMS, key, algorithm="HS256")
    return {
        "none": f"{part({'alg': 'none'})}.{part(CLAIMS)}.",
        "None": f"{part({'alg': 'NoNe'})}.{part(CLAIMS)}.",
        "no signature": good.rpartition(".")[0] + ".",
        "RS256 header": f"{part({'alg': 'RS256'})}.{part(CLAIMS)}.{good.rpartition('.')[2]}",
        "HS512 with our key": jwt.encode(CLAIMS, key, algorithm="HS512"),
        "HS256 by a public key": f"{by_pem}.{signature}",
        "another key": jwt.encode(CLAIMS, "x" * 64, algorithm="HS256"),
        "own key in the header": jwt.encode(CLAIMS, "y" * 64, algorithm="HS256", headers={"jwk": {"kty": "oct"}}),
        "three parts of nothing": "a.b.c",
        "expired": jwt.encode(CLAIMS | {"exp": 1}, key, algorithm="HS256"),
        "without an end": jwt.encode({k: v for k, v in CLAIMS.items() if k != "exp"}, key, algorithm="HS256"),
        "another audience": jwt.encode(CLAIMS | {"aud": "api"}, key, algorithm="HS256"),
        "another connection": jwt.encode(CLAIMS | {"con": THERE}, key, algorithm="HS256"),
    }


@pytest.mark.parametrize("how", forged_passes("k" * 64))
def test_forged_pass_is_refused(client, office, how):
    forged = forged_passes(office.desk.settings.signing_key)[how]

    answer = client.post(f"/panel/{HERE}/drafts", json=WISH, headers={"Authorization": f"Bearer {forged}"})

    is_problem(answer, 401, "not_genuine")


# Downgraded webhook signatures.


@pytest.mark.parametrize(
    "header",
    [
        "v1=", "t=1", "t={t},v0={v1}", "t={t},v1=", "t={t},v1={v1}x", "t={t}", "t={t},t={t},v1={v1}", "{v1}",
        "t={t},v1=0", "sha1={v1}", "t={t};v1={v1}", "t= {t} ,v2={v1}",
    ],
)  # fmt: skip
def test_downgraded_signature_is_refused(client, header):
    body, t = b'{"id":"evt-x","type":"deal.created","object":{"type":"deal","id":"D-1"}}', int(NOW.timestamp())
    v1 = hmac.new(b"webhook-secret-of-the-tests", f"{t}.".encode() + body, hashlib.sha256).hexdigest()

    answer = client.post("/webhooks/local", data=body, headers={"X-Crmplugin-Signature": header.format(t=t, v1=v1)})

    is_problem(answer, 401, "not_genuine")


# Idempotency keys of one caller are nothing to another.


def test_key_of_another_tenant_gives_their_draft_to_nobody(signed_in):
    here, there = signed_in("manager", connections=[HERE]), signed_in("manager", connections=[THERE])
    headers = {"Idempotency-Key": "the-same-key"}

    mine = here.post("/api/v1/drafts?wait=30", json=WISH, headers=headers).json
    theirs = there.post("/api/v1/drafts?wait=30", json=WISH | {"connection": THERE}, headers=headers).json

    assert (mine["connection"], theirs["connection"]) == (HERE, THERE)
    assert mine["id"] != theirs["id"]
    assert here.post("/api/v1/drafts?wait=30", json=WISH, headers=headers).json["id"] == mine["id"]


def test_key_of_one_connections_panel_is_nothing_to_anothers(app, launch):
    ids = []
    for connection in (HERE, THERE):
        client = app.test_client()
        headers = {"Authorization": f"Bearer {client.get(launch(connection=connection)).json['pass']}"}
        ids.append(client.post(f"/panel/{connection}/drafts", json=WISH | {"key": "k"}, headers=headers).json["id"])

    assert ids[0] != ids[1]


# Compares take as long for a near miss as for a far one.


def test_secrets_are_compared_in_constant_time():
    from connectors.local import verify
    from connectors.signatures import verify_stamped
    from crmplugin.journeys import launch as launching
    from crmplugin.store import access, audit
    from crmplugin.web import auth

    assert "compare_digest" in inspect.getsource(signatures)
    assert "verify_stamped" in inspect.getsource(verify.verify)
    assert "matches_any" in inspect.getsource(verify_stamped)
    assert "compare_digest" in inspect.getsource(launching.read_launch)
    assert "compare_digest" in inspect.getsource(auth._check_csrf)
    assert "compare_digest" in inspect.getsource(audit)
    assert "hash == _hash(secret)" in inspect.getsource(access)  # looked up by hash: no compare of the secret itself


# SSRF: a caller cannot make the server call anything.


URLS = ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://127.0.0.1:25/", "http://[::1]:8000/"]


@pytest.mark.parametrize("url", URLS)
def test_no_url_of_a_caller_is_called(signed_in, monkeypatch, url):
    import socket

    called = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: called.append(address))
    client = signed_in("admin")

    client.post("/api/v1/drafts?wait=30", json=WISH | {"instruction": f"read {url}"})
    is_problem(client.post("/api/v1/drafts", json=WISH | {"webhook_url": url}), 422, "invalid")
    is_problem(client.post("/api/v1/drafts", json=WISH | {"connection": url[:60]}), 404, "not_found")
    client.get("/api/v1/drafts", query_string={"cursor": url})

    assert [a for a in called if a[0] not in ("127.0.0.1",)] == []


# Header injection and open redirects.


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "a%0d%0aSet-Cookie:%20x=1"])
def test_no_header_comes_out_of_what_came_in(client, session, value):
    answers = [
        client.get("/sign-in/" + value.replace("\r", "").replace("\n", "")),
        client.get("/console", query_string={"show": value}),
        client.post("/sign-in", data={"link": f"http://x/sign-in/{value}"}),
        session.get("/console", query_string={"kind": value, "cursor": value}),
    ]

    for answer in answers:
        assert "x" not in [c.partition("=")[0] for c in answer.headers.getlist("Set-Cookie")]
        assert all("\n" not in v and "\r" not in v for _, v in answer.headers)


@pytest.mark.parametrize("link", ["https://evil.example/sign-in/abc", "//evil.example", "javascript:alert(1)"])
def test_pasted_link_leads_nowhere_else(client, link):
    where = client.post("/sign-in", data={"link": link}).headers["Location"]

    assert where.startswith("/sign-in")


# Path traversal.


PATHS = ["../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd", "/etc/passwd"]


@pytest.mark.parametrize("path", PATHS)
def test_no_file_outside_is_served(client, session, path):
    for answer in (
        client.get(f"/static/{path}"),
        session.get(f"/console/records/local/deals/{path}"),
        session.get(f"/console/drafts/{path}"),
        session.get(f"/api/v1/drafts/{path}"),
    ):
        assert answer.status_code in (301, 308, 404), answer.status_code
        assert b"root:" not in answer.get_data()


def test_download_has_a_name_of_ours(office, session, signed_in):
    draft = signed_in("manager").post("/api/v1/drafts?wait=30", json=WISH).json

    for kind in ("txt", "eml", "../../x"):
        answer = session.get(f"/console/drafts/{draft['id']}/download/{kind}")
        given = answer.headers.get("Content-Disposition", "")
        assert "/" not in given
        assert ".." not in given


# Characters that a database does not keep.


UNKEPT = ["a\x00b", "\x00", "a\ud800b"]


@pytest.mark.parametrize("text", UNKEPT, ids=ascii)
def test_character_that_no_database_keeps_is_refused_by_field(signed_in, text):
    client = signed_in("admin")
    draft = client.post("/api/v1/drafts?wait=30", json=WISH).json["id"]
    sent = {"content_type": "application/json"}
    told = [
        client.post("/api/v1/drafts", data=json.dumps(WISH | {"instruction": text}), **sent),
        client.post("/api/v1/drafts", data=json.dumps(WISH | {"deal_id": text}), **sent),
        client.patch(f"/api/v1/drafts/{draft}", data=json.dumps({"version": 1, "subject": "x", "body": text}), **sent),
        client.post(f"/api/v1/drafts/{draft}/reject", data=json.dumps({"reason": text}), **sent),
        client.post("/api/v1/campaigns", data=json.dumps({"segment": {"region": [text]}, "goal": "win_back"}), **sent),
    ]

    fields = [[e["field"] for e in is_problem(answer, 422, "invalid")["errors"]] for answer in told]
    assert fields == [["instruction"], ["deal_id"], ["body"], ["reason"], ["segment.region[0]"]]
    assert client.get(f"/api/v1/drafts/{draft}").json["status"] == "proposed"


def test_nul_in_an_address_or_query_is_refused(session, signed_in):
    client = signed_in("admin")
    for path in ("/api/v1/drafts/a%00b", "/api/v1/campaigns/a%00b", "/api/v1/events/a%00b", "/api/v1/jobs/a%00b"):
        is_problem(client.get(path), 404, "not_found")
    for name in ("connection", "deal", "event", "cursor"):
        problem = is_problem(client.get(f"/api/v1/drafts?{name}=a%00b"), 422, "invalid")
        assert [e["field"] for e in problem["errors"]] == [name]
    assert session.get("/console?kind=a%00b").status_code == 422
    assert session.get("/console/records/local/deals/a%00b").status_code == 404
