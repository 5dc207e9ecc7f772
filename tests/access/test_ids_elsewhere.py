"""Ids and names of others where no address has them: in queries, bodies, forms, keys, and inside other records."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crmplugin.domain.style import StyleSheet
from crmplugin.web.rights import RIGHTS
from tests.access.conftest import HERE, NAMES, THERE
from tests.web.conftest import documents
from tests.web.test_webhooks import is_problem

WISH = {"kind": "summary", "deal_id": "D-1"}
LISTS = sorted(name for name, right in RIGHTS.items() if right.about in ("list", "asked") and right.roles)


@pytest.fixture(scope="module")
def known_here(office):
    """What only the one connection has, and names it."""
    sheet = StyleSheet("U-1", "follow_up", "en", greeting=f"Hello {NAMES[HERE]}", updated_at=datetime.now(UTC))
    office.desk.styles.write(HERE, sheet)


@pytest.mark.parametrize("endpoint", LISTS)
def test_no_list_names_what_is_on_a_connection_that_somebody_asks_for_and_may_not_see(
    app, signed_in, known_here, endpoint
):
    path = next(rule for rule in app.url_map.iter_rules() if rule.endpoint == endpoint)
    if "GET" not in (path.methods or set()):
        return
    for role in sorted(RIGHTS[endpoint].roles):
        caller = signed_in(role, connections=[THERE])
        for asked in (
            {"connection": HERE},
            {"connection": HERE, "deal": "D-1"},
            {"connection": HERE, "user_id": "U-1"},
        ):
            answer = caller.get(path.rule, query_string=asked)
            told = answer.get_data(as_text=True)
            assert answer.status_code in (200, 403, 404, 422), (role, asked)
            assert NAMES[HERE] not in told, (role, asked)


def test_style_sheets_of_another_connection_are_not_there(signed_in, known_here):
    manager = signed_in("manager", connections=[THERE])

    is_problem(manager.get(f"/api/v1/styles?connection={HERE}"), 404, "not_found")
    assert manager.get(f"/api/v1/styles?connection={THERE}").json == {"items": []}
    for name in (HERE, "x" * 300):
        key = {"connection": name, "user_id": "U-1", "kind": "follow_up", "language": "en"}
        is_problem(manager.patch("/api/v1/styles", json=key | {"words": 60}), 404, "not_found")
        is_problem(manager.delete("/api/v1/styles", query_string=key), 404, "not_found")
    is_problem(signed_in("admin").patch("/api/v1/styles", json=key), 404, "not_found")
    assert NAMES[HERE] in signed_in("manager", connections=[HERE]).get(f"/api/v1/styles?connection={HERE}").text


def test_audit_of_the_installation_is_for_who_is_bound_to_no_connection(office, signed_in):
    whole, narrow = signed_in("manager"), signed_in("manager", connections=[THERE])

    assert "A program got a key" in whole.get("/console/audit").text
    assert "A program got a key" not in narrow.get("/console/audit").text


ORDERED = {"ordered_at": "2026-02-01T09:00:00Z", "currency": "GBP", "total": "77.00"}


def test_record_of_a_colleagues_customer_is_not_there_whatever_says_so(office, signed_in):
    """An order may hang on a contact alone, a quote on a deal, a contract on a company."""
    records = {
        "companies": [{"id": "CO-9", "name": "Heron Mills", "owner_id": "U-2"}],
        "contacts": [{"id": "C-9", "company_id": "CO-9", "last_name": "Lundheron"}],
        "orders": [{"id": "O-9", "contact_id": "C-9", **ORDERED}, {"id": "O-8", "contact_id": "C-1", **ORDERED}],
        "quotes": [{"id": "Q-9", "deal_id": "D-2"}],
        "contracts": [{"id": "K-9", "company_id": "CO-9", "name": "Yearly"}],
    }
    office.desk.records.upsert_many(HERE, documents(records))
    rep = signed_in("rep", connections=[HERE], user_id="U-1")

    found = {
        path: rep.get(f"/console/records/{HERE}/{path}").status_code
        for path in ("orders/O-9", "quotes/Q-9", "contracts/K-9", "orders/O-8")
    }
    assert found == {"orders/O-9": 404, "quotes/Q-9": 404, "contracts/K-9": 404, "orders/O-8": 200}


@pytest.mark.parametrize("kind", ["follow_up", "pitch"])
def test_nobody_writes_to_another_accounts_contact(office, signed_in, kind):
    stranger = {"id": "C-7", "company_id": "CO-7", "last_name": "Strangely", "email": "strangely@heron.example"}
    office.desk.records.upsert_many(HERE, documents({"contacts": [stranger]}))
    rep = signed_in("rep", connections=[HERE], user_id="U-1")
    wish = {"kind": kind, "deal_id": "D-1", "to_contact_id": "C-7"}
    mine = rep.post("/api/v1/drafts?wait=30", json=WISH).json["id"]

    told = [
        rep.post("/api/v1/drafts?wait=30", json=wish),
        rep.post(f"/api/v1/drafts/{mine}/regenerate?wait=30", json={"to_contact_id": "C-7"}),
    ]

    assert not any("trangely" in answer.text for answer in told)


def test_key_that_somebody_used_up_on_another_connection_is_still_free_here(office, app):
    """Links without a user give everybody the same name; a guessed key must not shut another tenant out."""
    from datetime import timedelta

    from crmplugin.web.auth import COOKIE, csrf_token

    headers = {"Idempotency-Key": "order-4711"}
    answers = []
    for name in (THERE, HERE):
        person = app.test_client()
        ends = datetime.now(UTC) + timedelta(minutes=5)
        person.get(f"/sign-in/{office.desk.access.create_link('manager', expires_at=ends, connections=[name])}")
        with app.test_request_context():
            token = csrf_token(person.get_cookie(COOKIE).value)
        sent = headers | {"X-CSRF-Token": token}
        answers.append(person.post("/api/v1/drafts", json=WISH | {"connection": name}, headers=sent))

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json["id"] != answers[1].json["id"]
