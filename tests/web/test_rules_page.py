"""Voice and policy as forms: what is wrong is said at its field, a change is tried first, and a version comes back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from crmplugin.web.rule_forms import FORMS, document_of, form_of
from tests.web.conftest import documents

VOICE = {
    "person": "we", "address": {"de": "formal"}, "max_exclaim": "0", "emoji": "none", "limits": {"fk_max": "8"},
    "terms": {"avoid": ["cheap"], "use": {"Divider D30": ["D 30", "divider 30"]}}, "x_note": "keep me",
}  # fmt: skip
POLICY = {
    "floor_margin_pct": "28", "stackable": False, "bands": [{"role": "rep", "max_pct": "8"}],
    "terms_days": {"standard": "30", "allowed": ["14", "30"]},
    "trades": [{"id": "TR-1", "text": "Reference visit", "value": "900.00", "currency": "EUR"}],
    "clauses": [{"id": "CLA-1", "text": "Net 30 | from the invoice."}],
}  # fmt: skip


@pytest.fixture
def person(app, office):
    def _person(role="admin"):
        ends = datetime.now(UTC) + timedelta(hours=1)
        made = app.test_client()
        made.get(f"/sign-in/{office.desk.access.create_link(role, expires_at=ends)}")
        made.environ_base["HTTP_ACCEPT"] = "text/html"
        return made

    return _person


@pytest.fixture
def voice(office):
    """The voice as it stands, over whatever a test before it left."""
    empty = dict.fromkeys(("sliders", "examples", *VOICE))
    office.desk.records.upsert_many("local", documents({"voice": {**empty, **VOICE}}))


def inputs(client, **changes):
    """The form as the page shows it, with some inputs changed."""
    page = client.get("/console/rules").text
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', page)[1]
    seen = re.search(r'name="seen" value="([0-9]+)"', page)[1]
    form = form_of("voice", VOICE)
    return {"csrf_token": token, "seen": seen, "collection": "voice", "connection": "local", **form, **changes}


@pytest.mark.parametrize(("collection", "document"), [("voice", VOICE), ("policy", POLICY)])
def test_a_form_that_is_not_touched_changes_nothing(collection, document):
    made = document_of(collection, form_of(collection, document), document)

    kept = {key: value for key, value in made.items() if value not in (None, [], {})}
    assert kept == {key: value for key, value in document.items() if not key.startswith("x_")}


def test_every_field_of_a_form_has_its_words(person, voice):
    page = person().get("/console/rules").text

    assert all(f'name="{field.name}"' in page for field in FORMS["voice"])


def test_a_wrong_value_is_said_at_its_field_and_nothing_is_saved(person, office, voice):
    client = person()

    page = client.post("/console/rules", data=inputs(client, max_exclaim="many", do="save"))

    assert page.status_code == 422
    assert re.search(r'id="r-max_exclaim"[^>]*aria-invalid="true"', page.text)
    assert "This takes a number, such as 12.5; it says" in page.text
    assert office.desk.records.read_doc("local", "voice", "voice")["max_exclaim"] == "0"


def test_trying_saves_nothing(person, office, voice):
    client = person()

    page = client.post("/console/rules", data=inputs(client, avoid="cheap\nlead time", do="try"))

    assert page.status_code == 200
    assert office.desk.records.read_doc("local", "voice", "voice")["terms"]["avoid"] == ["cheap"]


def test_a_saved_rule_holds_and_keeps_what_the_form_does_not_show(person, office, voice):
    client = person()

    page = client.post("/console/rules", data=inputs(client, avoid="synergy", max_exclaim="", do="save"))

    saved = office.desk.records.read_doc("local", "voice", "voice")
    assert page.status_code == 303
    assert saved["terms"]["avoid"] == ["synergy"]
    assert "max_exclaim" not in saved
    assert saved["limits"] == {"fk_max": "8"}
    assert saved["x_note"] == "keep me"


def test_who_was_faster_is_not_overwritten(person, office, voice):
    client = person()
    form = inputs(client, avoid="late", do="save")
    office.desk.records.upsert_many("local", documents({"voice": {"terms": {"avoid": ["early"]}}}))

    page = client.post("/console/rules", data=form)

    assert page.status_code == 409
    assert office.desk.records.read_doc("local", "voice", "voice")["terms"]["avoid"] == ["early"]


def test_a_manager_looks_but_does_not_change(person, voice):
    client = person("manager")

    assert "may read these rules" in client.get("/console/rules?collection=policy").text
    assert client.post("/console/rules", data=inputs(client, do="save")).status_code == 403
