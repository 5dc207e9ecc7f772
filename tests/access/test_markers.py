"""Markers in customers' texts, in secrets and in tokens go the whole way; nothing written outside the database has one.

A real server, its log at `debug`: webhook, draft by a model, approval, write-back, errors, refused calls, a crash. Then
everything that it printed and every file that it left is searched, and every answer for the secrets.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import requests
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crmplugin.llm.scripted import Reply, replies, scripted_model
from crmplugin.store.database import open_engine
from tests.web.conftest import RECORDS
from tests.work.servers import SECRET, Server, environ, run, wait_until
from tests.written import kept_log, markers_in

TEXTS = {
    "company": "Markerhawk Foods", "first": "Zephyrine", "last": "Quarrelmark", "mail": "marked.mail@quarrel.example",
    "phone": "+44 20 7946 0321", "note": "PLANTED-NOTE-7f3a", "wish": "PLANTED-WISH-91bc", "edit": "PLANTED-EDIT-55de",
    "reason": "PLANTED-REASON-20aa", "said": "PLANTED-ANSWER-88cd", "refused": "PLANTED-REFUSED-31ef",
    "garbage": "PLANTED-GARBAGE-63ab",
}  # fmt: skip
API_KEY, GUESS, LINK = "sk-PLANTED-KEY-4d4d", "crmp_PLANTED-GUESS-1e1e", "PLANTED-LINK-0c0c"
DATABASES = (".sqlite", ".sqlite-wal", ".sqlite-shm", ".sqlite-journal")
KEYS = ("signing.key", "vault.key", "local-webhook.secret")
"""Files that are there to hold a secret, readable by their owner alone."""


def marked_records() -> dict:
    person = {**RECORDS["contacts"][0], "first_name": TEXTS["first"], "last_name": TEXTS["last"]}
    note = {
        "id": "A-1", "type": "note", "direction": "internal", "at": "2026-03-09T10:00:00Z", "deal_id": "D-1",
        "company_id": "CO-1", "user_id": "U-1", "body": TEXTS["note"],
    }  # fmt: skip
    return {
        "companies": [{**RECORDS["companies"][0], "name": TEXTS["company"]}],
        "contacts": [person | {"email": TEXTS["mail"], "phone": TEXTS["phone"]}],
        "deals": RECORDS["deals"],
        "activities": [note],
    }


def event(id_: str) -> dict:
    return {
        "id": id_, "type": "deal.stage_changed", "at": "2026-03-10T14:05:00Z", "object": {"type": "deal", "id": "D-1"},
        "records": marked_records(),
    }  # fmt: skip


def test_no_marker_leaves_the_database(tmp_path: Path):
    var, answers, out = tmp_path / "var", [], []
    said = Reply(f"subject\t\t{TEXTS['said']}\ncontext\t\t{TEXTS['said']} is here.\n")
    with scripted_model(replies(said, Reply(status=500, error=TEXTS["refused"]), said)) as model:
        more = model.environment | {"OPENAI_API_KEY": API_KEY, "CRMPLUGIN_LOG_LEVEL": "debug"}
        server = Server(var, "--no-demo", more=more)
        try:
            answers += whole_path(server)
            server.webhook(event("evt-crash"))
            server.kill()
            again = Server(var, "--no-demo", more=more)
            try:
                wait_until(lambda: again.get("/api/v1/events/evt-crash").json().get("state") in ("done", "ignored"))
                answers += [again.get("/console/audit?look=1"), again.get("/console/connections")]
                secrets = [API_KEY, SECRET, server.token, again.token, link_of(server), link_of(again)]
                assert again.stop() == 0
            finally:
                again.clean_up()
        finally:
            server.clean_up()
    for command in (["connections", "show", "local", "--json"], ["audit", "export"],
                    ["export", "--all"], ["draft", "follow_up", "--deal", "no-such"]):  # fmt: skip
        done = run(var, *command)
        out.append(done.stdout + done.stderr)
    assert model.requests

    secrets += [(var / "signing.key").read_text().strip()]
    outside = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and is_outside(path)}
    log = (tmp_path / "serve.log").read_text("utf-8")
    assert log.count("\n") > 10
    assert found_in(outside, [*TEXTS.values(), *secrets, GUESS, LINK]) == []
    told = [answer.text + str(answer.headers) for answer in answers] + out
    assert [secret for secret in secrets for text in told if secret in text] == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in var.iterdir() if path.name in KEYS)


def whole_path(server: Server) -> list[requests.Response]:
    """From the webhook to the write-back, with what goes wrong on the way; gives back every answer."""
    answers = [server.webhook(event("evt-1"))]
    wait_until(lambda: server.get("/api/v1/events/evt-1").json().get("state") == "done")
    wish = {"kind": "follow_up", "deal_id": "D-1", "instruction": TEXTS["wish"]}
    asked = server.post("/api/v1/drafts?wait=30", wish)
    path = f"/api/v1/drafts/{asked.json()['id']}"
    answers += [asked, server.get(path), server.post(f"{path}/approve", {"override": {"reason": TEXTS["reason"]}})]
    note = server.post("/api/v1/drafts?wait=30", {**wish, "kind": "summary"})
    mine = f"/api/v1/drafts/{note.json()['id']}"
    edited = requests.patch(
        server.address + mine, json={"version": note.json()["version"], "body": TEXTS["edit"]},
        headers={"Authorization": f"Bearer {server.token}"}, timeout=30,
    )  # fmt: skip
    answers += [note, edited, server.post(f"{mine}/approve", {"override": {"reason": TEXTS["reason"]}})]
    wait_until(lambda: server.get(mine).json()["status"] in ("written", "failed"))
    return answers + what_is_refused(server)


def what_is_refused(server: Server) -> list[requests.Response]:
    unsigned = json.dumps(event("evt-2")).encode() + TEXTS["garbage"].encode()
    signed = {"X-Crmplugin-Signature": f"t=1,v1={TEXTS['refused']}"}
    bearer = {"Authorization": f"Bearer {GUESS}"}
    at = server.address
    return [
        requests.post(f"{at}/webhooks/local?token={GUESS}", data=unsigned, headers=signed, timeout=30),
        requests.post(f"{at}/webhooks/{TEXTS['garbage']}", data=unsigned, timeout=30),
        server.webhook(TEXTS["garbage"]),
        server.webhook({"id": TEXTS["garbage"], "type": TEXTS["note"]}),
        requests.get(f"{at}/sign-in/{LINK}", timeout=30),
        requests.get(f"{at}/api/v1/drafts", headers=bearer, timeout=30),
        requests.get(f"{at}/panel/local?deal=D-1&sig={TEXTS['garbage']}", timeout=30),
        server.post("/api/v1/drafts", {"kind": TEXTS["garbage"], "deal_id": TEXTS["garbage"]}),
        server.post("/api/v1/drafts?wait=30", {"kind": "summary", "deal_id": TEXTS["garbage"]}),
        requests.post(f"{at}/api/v1/drafts", data=TEXTS["garbage"], headers=server._headers(), timeout=30),
    ]


def link_of(server: Server) -> str:
    """The secret of the sign-in link, which is printed once for whoever started it."""
    return server.link_line.strip().rpartition("/")[2]


def is_outside(path: Path) -> bool:
    return not path.name.endswith(DATABASES) and path.name not in KEYS


def found_in(files: dict[Path, bytes], marks: list[str]) -> list[tuple[str, str]]:
    return [(path.name, mark) for path, data in files.items() for mark in marks if mark.encode() in data]


def test_an_error_in_a_log_has_its_kind_and_place_and_not_its_words(tmp_path: Path):
    with kept_log(tmp_path / "x.log"):
        try:
            try:
                int(TEXTS["note"])
            except ValueError as error:
                raise LookupError(TEXTS["mail"]) from error
        except LookupError:
            logging.getLogger("crmplugin.web").exception("request failed")
    told = json.loads((tmp_path / "x.log").read_text())

    assert (told["message"], told["level"]) == ("request failed", "error")
    assert [line for line in told["exception"].splitlines() if not line.startswith(" ")] == [
        "builtins.LookupError", "builtins.ValueError"
    ]  # fmt: skip
    assert "test_markers.py:" in told["exception"]
    assert not any(text in str(told) for text in TEXTS.values())


def test_error_of_the_database_does_not_say_what_it_was_given(database_url: str):
    engine = open_engine(database_url)
    with pytest.raises(DBAPIError) as broken, engine.begin() as db:
        db.execute(text("INSERT INTO nowhere VALUES (:a)"), {"a": TEXTS["note"]})
    engine.dispose()

    assert "nowhere" in str(broken.value)
    assert TEXTS["note"] not in str(broken.value)


@pytest.mark.parametrize(
    "line",
    [
        "sent to amir@kestrel.example", "for Amir Shah", "crmp_0123456789abcdefghij", "/sign-in/" + "x" * 43,
        "Authorization: Bearer abcdefghijklmnopqrst", "GET /panel/local?deal=D-1&sig=0123456789", SECRET,
        "Bäckerei Steinhuber GmbH", "As just said on the phone: line 1 is down", "for Matthias Dorn",
    ],
)  # fmt: skip
def test_a_marker_in_a_log_of_the_suite_is_found(tmp_path: Path, line: str):
    (tmp_path / "serve.log").write_text(json.dumps({"event": line}))
    try:
        assert {name for _, name, _ in markers_in(tmp_path)} == {"serve.log"}
    finally:
        (tmp_path / "serve.log").unlink()


def test_a_marker_in_a_file_is_found(tmp_path: Path):
    (tmp_path / "left.txt").write_text(f'{{"event": "x", "body": "{TEXTS["note"]}"}}')
    files = {path: path.read_bytes() for path in tmp_path.iterdir() if is_outside(path)}

    assert found_in(files, list(TEXTS.values())) == [("left.txt", TEXTS["note"])]
    assert not is_outside(Path("crmplugin.sqlite-wal"))
    assert set(environ(tmp_path)) >= {"CRMPLUGIN_VAR"}
