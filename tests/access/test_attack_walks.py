"""The attack list over everything there is: every route that changes something, every body, compare and URL."""

from __future__ import annotations

import ast
import re
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from crmplugin.domain.brief import Recipient
from crmplugin.journeys.campaign_export import FORMS, Message, mail_of
from crmplugin.journeys.campaigns import get_campaign
from crmplugin.journeys.run_draft import current_draft
from crmplugin.store.campaigns import RecipientRow
from crmplugin.web.rights import RIGHTS
from crmplugin.web.take_away import as_file
from tests.access.conftest import HERE
from tests.web.conftest import documents
from tests.web.test_webhooks import is_problem

ROOT = Path(__file__).resolve().parents[2]
CHOSEN = {"action": "stop"}
SAFE = {"GET", "HEAD", "OPTIONS"}
WISH = {"kind": "summary", "deal_id": "D-1"}


@pytest.fixture
def session(app, office):
    """A signed-in browser of an admin."""
    made = app.test_client()
    ends = datetime.now(UTC) + timedelta(minutes=5)
    made.get(f"/sign-in/{office.desk.access.create_link('admin', expires_at=ends)}")
    return made


def changes(app) -> list[tuple[str, str, str]]:
    """Endpoint, method and an address of every route that changes something."""
    urls = app.url_map.bind("localhost")
    return [
        (
            rule.endpoint,
            method,
            urls.build(rule.endpoint, {n: CHOSEN.get(n, "x") for n in rule.arguments}, method=method),
        )
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - SAFE)
    ]


def test_no_change_by_cookie_goes_without_the_token(app, session):
    asked = 0
    for endpoint, method, path in changes(app):
        if not RIGHTS[endpoint].roles:
            continue
        for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"Origin": "https://evil.example"}):
            problem = is_problem(session.open(path, method=method, json={}, headers=headers), 403, "forbidden")
            assert "CSRF" in problem["detail"], endpoint
        asked += 1
    assert asked > 25


def test_open_routes_that_change_something_prove_themselves_or_change_nothing(app):
    """Beside signatures and passes there are three: nobody gains by making a browser send them."""
    bare = {e for e, _, _ in changes(app) if not RIGHTS[e].roles and RIGHTS[e].about not in ("signature", "pass")}

    assert bare <= {"console.paste_link"}


def test_no_body_takes_a_field_that_is_not_described(app, signed_in):
    client, document = signed_in("admin"), app.test_client().get("/api/v1/openapi.json").json
    asked = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if "requestBody" not in operation:
                continue
            url = re.sub(r"\{[^}]+\}", "x", path)
            answer = client.open(url, method=method.upper(), json={"role": "admin", "owner_id": "U-9"})
            if answer.status_code != 404:  # an id of nobody is refused before its body is read
                fields = {e["field"] for e in is_problem(answer, 422, "invalid")["errors"]}
                assert fields >= {"role", "owner_id"}, path
            asked += 1
    assert asked > 10


# Compares of secrets.


SECRETIVE = re.compile(r"signature|digest|hmac|\bmac\b|secret|token$|csrf|\bsig\b|password", re.IGNORECASE)
NOT_SECRET = {"token_id", "TOKEN", "TOKEN_VARIABLE"}


def compares(path: Path) -> list[str]:
    """Places where something that is called like a secret is compared with == or !=, or looked for in a list."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], (ast.Eq, ast.NotEq)):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        names = [name for side in sides if (name := name_of(side)) is not None and name not in NOT_SECRET]
        found += [f"{path.relative_to(ROOT)}:{node.lineno} {name}" for name in names if SECRETIVE.search(name)]
    return found


def name_of(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return name_of(node.func) if isinstance(node, ast.Call) else None


PUBLIC = {
    "crmplugin/journeys/backup.py", "crmplugin/store/backup.py", "crmplugin/store/archive.py",
    "crmplugin/store/restore.py",
    "crmplugin/checking/canaries.py",
}  # fmt: skip
"""Digests of a backup's own lines, which nobody has to guess; and the checker's words for a leak."""


def test_no_secret_is_compared_letter_by_letter():
    files = [path for folder in ("crmplugin", "connectors") for path in (ROOT / folder).rglob("*.py")]
    found = [place for path in files for place in compares(path) if place.partition(":")[0] not in PUBLIC]

    assert found == []


def test_a_compare_letter_by_letter_would_be_found(tmp_path, monkeypatch):
    (tmp_path / "x.py").write_text("def f(a, given_signature):\n    return a.expected() == given_signature\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)

    assert compares(tmp_path / "x.py") == ["x.py:2 given_signature"]


# URLs that a user can set.


INSIDE = "http://169.254.169.254/latest/meta-data"


def test_no_url_in_records_rules_or_wishes_is_called(office, session, signed_in, monkeypatch):
    called: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: called.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **_: called.append(host) or [])
    client, records = signed_in("admin"), office.desk.records
    before = records.read_doc(HERE, "seller", "seller")
    seller = {"website": INSIDE, "unsubscribe_url": INSIDE}
    records.upsert_many(HERE, documents({"seller": seller, "companies": [{"id": "CO-1", "domain": "169.254.169.254"}]}))
    with_url = {"instruction": f"see {INSIDE}", "tone": INSIDE[:40]}

    told = [
        client.post("/api/v1/drafts?wait=30", json=WISH | {"kind": kind} | with_url) for kind in ("pitch", "outline")
    ]
    made = client.post("/api/v1/campaigns", json={"segment": {}, "goal": INSIDE, "name": INSIDE}).json["id"]
    told += [client.post(f"/api/v1/campaigns/{made}/preview"), client.get("/console/connections")]
    told += [client.get(f"/console?next={INSIDE}"), client.get(f"/sign-in/oidc?next={INSIDE}")]
    if before is not None:
        records.upsert_many(HERE, documents({"seller": dict.fromkeys(seller) | before}))

    assert [answer.status_code for answer in told if answer.status_code >= 500] == []
    assert [to for to in called if (to if isinstance(to, str) else to[0]) not in ("127.0.0.1", "localhost")] == []


# Headers of mails, and names of files.


EVIL = "Amir\r\nBcc: evil@x.example\r\n\r\nhidden"


def test_no_header_of_a_mail_comes_out_of_a_name_or_subject(office, signed_in):
    client = signed_in("admin")
    draft = client.post("/api/v1/drafts?wait=30", json=WISH).json["id"]
    client.patch(f"/api/v1/drafts/{draft}", json={"version": 1, "subject": EVIL, "body": "Hello."})
    edited = current_draft(office.desk.drafts.get(draft))
    to = Recipient(contact_id="C-1", display_name=EVIL, address="amir@kestrel.example")

    answer = as_file(replace(edited, to=to), "eml", EVIL)

    mail = message_from_bytes(answer.get_data(), policy=default)
    assert (mail["Bcc"], [one.addr_spec for one in mail["To"].addresses]) == (None, ["amir@kestrel.example"])
    assert mail["Subject"].startswith("Amir Bcc: evil@x.example")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="amir-bcc-evil-x-example-hidden.eml"'


def test_no_header_or_path_comes_out_of_a_campaign(office, signed_in):
    client, now = signed_in("admin"), office.desk.clock()
    wish = {"segment": {}, "goal": "win_back", "name": "../../etc/passwd"}
    campaign = get_campaign(office.desk, client.post("/api/v1/campaigns", json=wish).json["id"])
    row = RecipientRow(campaign.id, "../C-1", "email", "CO-1", "en", "A", 0, "drafted", now)
    message = Message(row, EVIL, "Hi.", "<p>Hi.</p>", "amir@kestrel.example", EVIL, (EVIL, "a@x.example"), None)

    mail = message_from_bytes(mail_of(campaign, message).as_bytes(), policy=default)

    assert (mail["Bcc"], [to.addr_spec for to in mail["To"].addresses]) == (None, ["amir@kestrel.example"])
    for make in FORMS.values():
        assert re.fullmatch(rf"{campaign.id}(-\w+)?\.\w+", make(campaign, [message]).name)
    for form in ("eml", "html"):
        with ZipFile(BytesIO(FORMS[form](campaign, [message]).data)) as archive:
            assert not [name for name in archive.namelist() if ".." in name or name.startswith("/")]
