"""Every route × role × connection, own and foreign: the table of rights says what happens, and this walks it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from crmplugin.domain.crm import Subject
from crmplugin.journeys.campaigns import create_campaign
from crmplugin.journeys.launch import launch_url
from crmplugin.store.access import Principal
from crmplugin.store.guard import reading
from crmplugin.store.tables_work import draft_moves, drafts
from crmplugin.web.rights import RIGHTS, ROLES
from tests.access.conftest import HERE, NAMES, THERE
from tests.web.conftest import documents, make_event, wait_until
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def clock_of_this_test():
    """Each test's own beginning: the suite takes longer than a link lasts."""
    global NOW
    NOW = datetime.now(UTC)


MASTER = {"language": "en", "channel": "email", "variant": "A", "patterns": {}}
WISH = {"kind": "summary", "deal_id": "D-1"}
ASKED: dict[str, dict[str, Any]] = {
    "drafts.create_draft": {"json": WISH},
    "campaigns.create_campaign": {"json": {"segment": {}, "goal": "win_back"}},
    "briefs.get_brief": {"query_string": {"deal": "D-1"}},
    "styles.edit_one": {"json": {"user_id": "U-1", "kind": "follow_up", "language": "en", "words": 60}},
    "styles.erase_some": {"query_string": {"user_id": "U-1"}},
    "console.ask": {"data": {"about": "deal:D-1", "kind": "summary"}},
    "console.keep_campaign": {"data": {"segment": f"{HERE}:SG-walk", "goal": "win_back"}},
    "console.rules": {"query_string": {"collection": "voice"}},
    "console.change_rules": {"data": {"collection": "voice"}},
    "console.change_style": {"data": {"user_id": "U-1", "kind": "follow_up", "language": "en", "words": "60"}},
    "console.new_draft": {"query_string": {"about": "deal:D-1"}},
    "console.replay": {"data": {"connection": HERE, "event": "evt-walk"}},
    "console.retry_job": {"data": {"job": f"{HERE}/evt-walk"}},
    "panel.create_panel_draft": {"json": WISH},
    "panel.draft_action": {"json": WISH},
    "panel_pages.ask": {"data": {"about": "deal:D-1", "kind": "summary"}},
}
"""What is sent to a route whose address does not say what it is about. A new one needs a line."""
SENT: dict[str, dict[str, Any]] = {
    "drafts.edit_draft": {"json": {"version": 1, "body": "x"}},
    "campaigns.edit_campaign": {"json": {"version": 1, "masters": [MASTER]}},
    "console.act": {"data": {"version": "1"}},
    "panel_pages.act": {"data": {"version": "1"}},
    "console.make_link": {"data": {"role": "rep"}},
    "console.check_typing": {"data": {"body": "x"}},
    "panel_pages.check_typing": {"data": {"body": "x"}},
}
"""Bodies without which a route would refuse before it does anything."""
DECIDED_ELSEWHERE = {("marketing", "drafts.approve_draft"), ("manager", "campaigns.approve_campaign")}
"""Who may approve what is a table of its own."""
OWN_RECORD = ("panel_pages.record", "panel_pages.customer", "panel.list_panel_drafts")
"""Routes of a pass without an id in their address: they show the pass's own record."""
SHARED_NAMES = {("colleague", "console.deals")}
"""The colleague's own deal is with the same company."""
CALLERS = [
    *((role, "own", {"connections": [HERE]} | ({"user_id": "U-1"} if role == "rep" else {})) for role in ROLES),
    *((role, "foreign", {"connections": [THERE]} | ({"user_id": "U-1"} if role == "rep" else {})) for role in ROLES),
    ("rep", "colleague", {"connections": [HERE], "user_id": "U-2"}),
]


@pytest.fixture(scope="module")
def walk(office, app) -> dict[str, str]:
    """What stands for each variable of an address: an event of ours with the same id on both, its draft, its job."""
    for connection in (HERE, THERE):
        import json

        from connectors.local.events import read_events

        body = json.dumps(make_event("evt-walk")).encode()
        office.desk.intake.take(read_events(body, connection=connection, received_at=NOW).events)
    done = wait_until(lambda: _drafts_of_event(office.desk))
    return {
        "connection": HERE,
        "draft_id": done,
        "campaign_id": _campaign(office.desk),
        "event_id": "evt-walk",
        "job_id": f"{HERE}/evt-walk",
        "collection": "deals",
        "record_id": "D-1",
        "action": "stop",
        "form": "txt",
        "path": "",
        "secret": "nothing",
        "filename": "console.css",
    }


def _campaign(desk) -> str:
    desk.records.upsert_many(HERE, documents({"segments": [{"id": "SG-walk", "where": {}}]}))
    wish = {"connection": HERE, "segment": {}, "goal": "win_back", "name": NAMES[HERE]}
    return create_campaign(desk, wish, Principal("admin", "admin")).id


def _drafts_of_event(desk) -> str | None:
    for connection in (HERE, THERE):
        row = desk.events.find(connection, "evt-walk")
        if row is None or row.state != "done":
            return None
    (draft_id,) = desk.drafts.of_event(HERE, "evt-walk")
    row = desk.drafts.get(draft_id)
    return draft_id if row.status not in ("writing", "scheduled") else None


def rules(app: Flask) -> list[Any]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.endpoint, rule.rule))


def calls(app: Flask, values: dict[str, str]) -> list[tuple[str, str, str]]:
    """Endpoint, method and address of every route."""
    urls = app.url_map.bind("localhost")
    found = []
    for rule in rules(app):
        unknown = set(rule.arguments) - set(values)
        assert not unknown, f"{rule.endpoint}: say in the fixture `walk` what stands for {unknown}"
        chosen = {name: values[name] for name in rule.arguments}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            found.append((rule.endpoint, method, urls.build(rule.endpoint, chosen, method=method)))
    return found


NAMED = ("console.replay", "console.retry_job", "console.keep_campaign")
"""What is sent there says already whose it is."""


def body_of(endpoint: str, connection: str = HERE) -> dict[str, Any]:
    sent = dict(ASKED.get(endpoint) or SENT.get(endpoint) or {})
    if endpoint in ASKED and not endpoint.startswith("panel") and endpoint not in NAMED:
        part = next(iter(sent))
        sent[part] = {**sent[part], "connection": connection}
    return sent


def state_of(office) -> tuple[int, int]:
    """Drafts and moves of drafts on the connection that is looked at, when nothing is being done any more."""
    board = office.desk.jobs
    wait_until(lambda: not any(board.list(limit=1, state=state)[0] for state in ("waiting", "running")))
    with reading(office._house.engine) as connection:
        mine = select(func.count()).select_from(drafts).where(drafts.c.connection == HERE)
        moved = select(func.count()).select_from(draft_moves).join(drafts, drafts.c.id == draft_moves.c.draft)
        return connection.execute(mine).scalar_one(), connection.execute(
            moved.where(drafts.c.connection == HERE)
        ).scalar_one()


def test_every_route_has_a_row_and_every_row_a_route(app):
    endpoints = {rule.endpoint for rule in rules(app)}

    assert set(RIGHTS) == endpoints


def test_what_asks_for_a_record_is_sent_one_here(app):
    asking = {name for name, right in RIGHTS.items() if right.about == "asked"}

    assert asking <= set(ASKED)


def test_nobody_gets_into_what_is_not_open(app, office, walk, client):
    before = state_of(office)
    for endpoint, method, path in calls(app, walk):
        right = RIGHTS[endpoint]
        answer = client.open(path, method=method, **body_of(endpoint))
        if right.roles or right.about in ("signature", "pass"):
            assert answer.status_code == 401, (endpoint, answer.status_code)
    assert state_of(office) == before


@pytest.mark.parametrize(("role", "whose", "scope"), CALLERS, ids=[f"{r}-{w}" for r, w, _ in CALLERS])
def test_each_role_gets_what_the_table_says(app, office, walk, signed_in, role, whose, scope):
    caller = signed_in(role, **scope)
    before = state_of(office)
    for endpoint, method, path in calls(app, walk):
        right = RIGHTS[endpoint]
        if not right.roles or endpoint == "sign_in.sign_out":
            continue
        answer = caller.open(path, method=method, **body_of(endpoint))
        told = (endpoint, answer.status_code, answer.get_data(as_text=True)[:300])
        if role not in right.roles:
            assert answer.status_code == 403, told
        elif right.about in ("nothing", "list"):
            assert answer.status_code in (200, 303), told
        elif whose == "own":
            refused = {401, 403, 404, 405, 500} - ({403} if (role, endpoint) in DECIDED_ELSEWHERE else set())
            assert answer.status_code not in refused, told
        elif right.about == "event" and whose == "foreign":
            assert answer.json["connection"] == THERE, told  # the same id is another event there
        else:
            assert answer.status_code == 404, told
        if whose != "own" and (whose, endpoint) not in SHARED_NAMES:
            assert NAMES[HERE] not in answer.get_data(as_text=True), told
        if whose != "own":
            assert answer.status_code >= 400 or walk["draft_id"] not in answer.get_data(as_text=True), told
    if whose != "own":
        assert state_of(office) == before


@pytest.fixture
def pass_for(app, office):
    """A client with the pass of a launch."""

    def make(connection: str, deal: str, user: str | None):
        key = office.desk.settings.signing_key
        url = launch_url(key, connection, Subject("deal", deal), user, base="", now=NOW)
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made.get(url).json['pass']}"
        return made

    return make


PASSES = [
    (HERE, "D-1", "U-1", HERE, "own"),
    (HERE, "D-1", None, HERE, "own"),
    (HERE, "D-2", "U-2", HERE, "not found"),
    (HERE, "D-2", None, HERE, "not found"),
    (THERE, "D-1", "U-1", HERE, "not genuine"),
    (THERE, "D-1", "U-1", THERE, "not found"),
]


@pytest.mark.parametrize(("of", "deal", "user", "at", "wanted"), PASSES)
def test_a_pass_opens_its_own_record_and_no_other(app, office, walk, pass_for, of, deal, user, at, wanted):
    holder = pass_for(of, deal, user)
    for endpoint, method, path in calls(app, walk | {"connection": at}):
        if RIGHTS[endpoint].about != "pass" or (at == THERE and "<draft_id>" not in str(rule_of(app, endpoint))):
            continue
        if wanted == "not found" and endpoint in OWN_RECORD:
            continue
        answer = holder.open(path, method=method, **body_of(endpoint))
        told = (endpoint, answer.status_code, answer.get_data(as_text=True)[:200])
        if wanted == "own":
            assert answer.status_code not in (401, 403, 404, 405, 500), told
        else:
            assert answer.status_code == {"not found": 404, "not genuine": 401}[wanted], told


def test_counts_are_of_the_callers_connections(walk, signed_in):
    told = signed_in("manager", connections=[THERE]).get("/metrics").get_data(as_text=True)

    assert f'connection="{THERE}"' in told
    assert f'connection="{HERE}"' not in told


def rule_of(app: Flask, endpoint: str) -> str:
    return next(rule.rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)


def test_rep_finds_drafts_that_an_event_made_about_their_deal(walk, signed_in):
    rep = signed_in("rep", connections=[HERE], user_id="U-1")

    assert walk["draft_id"] in [d["id"] for d in rep.get("/api/v1/drafts?event=evt-walk").json["items"]]


def test_rep_with_a_user_and_no_connection_is_a_user_of_the_local_crm(signed_in):
    rep = signed_in("rep", user_id="U-1")

    assert {d["connection"] for d in rep.get("/api/v1/drafts").json["items"]} == {HERE}
    is_problem(rep.get(f"/api/v1/briefs?deal=D-1&connection={THERE}"), 404, "not_found")


def test_deal_that_changes_hands_changes_readers(office, walk, signed_in):
    old, new = (signed_in("rep", connections=[HERE], user_id=user) for user in ("U-1", "U-2"))
    path = f"/api/v1/drafts/{walk['draft_id']}"
    office.desk.records.upsert_many(HERE, documents({"deals": [{"id": "D-1", "owner_id": "U-2"}]}))
    try:
        answers = [old.get(path).status_code, new.get(path).status_code]
        listed = [d["id"] for d in old.get("/api/v1/drafts?limit=200").json["items"]]
    finally:
        office.desk.records.upsert_many(HERE, documents({"deals": [{"id": "D-1", "owner_id": "U-1"}]}))

    assert answers == [404, 200]
    assert walk["draft_id"] not in listed
