"""A rep's style sheet as a page: read, changed, refused when it is no wording, deleted, and nobody else's shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from crmplugin.domain.style import StyleSheet

KEY = ("U-1", "follow_up", "en")


@pytest.fixture
def person(app, office):
    def _person(role="admin", **scope):
        ends = datetime.now(UTC) + timedelta(hours=1)
        made = app.test_client()
        made.get(f"/sign-in/{office.desk.access.create_link(role, expires_at=ends, **scope)}")
        made.environ_base["HTTP_ACCEPT"] = "text/html"
        return made

    return _person


@pytest.fixture
def sheet(office):
    office.desk.styles.write(
        "local",
        StyleSheet(
            *KEY,
            drafts=4,
            words=62,
            greeting="Hi {first},",
            phrases_used=("Speak <soon>.",),
            updated_at=datetime.now(UTC),
        ),
    )
    yield
    office.desk.styles.erase("local", KEY[0])


def send(client, **changes):
    token = re.search(r'name="csrf" content="([0-9a-f]+)"', client.get("/console/styles").text)[1]
    user, kind, language = KEY
    form = {"csrf_token": token, "connection": "local", "user_id": user, "kind": kind, "language": language}
    return client.post("/console/styles", data={**form, **changes})


def test_what_was_learned_is_shown_in_words(person, sheet):
    page = person().get("/console/styles").text

    assert "Learned from 4 approved drafts." in page
    assert 'value="62"' in page
    assert 'value="Hi {first},"' in page
    assert "Speak &lt;soon&gt;." in page


def test_a_change_is_kept_and_no_longer_learned_over(person, office, sheet):
    answer = send(person(), words="40", greeting="", phrases_used="One.\r\n\r\nTwo.", phrases_removed="", do="save")

    kept = office.desk.styles.read("local", *KEY)
    assert answer.status_code == 303
    assert (kept.words, kept.greeting, kept.phrases_used, kept.edited) == (40, None, ("One.", "Two."), True)


@pytest.mark.parametrize("changes", [{"words": "many"}, {"words": "0"}, {"greeting": "Hi {company},"}])
def test_what_is_no_wording_is_refused_and_nothing_is_kept(person, office, sheet, changes):
    answer = send(person(), do="save", **changes)

    assert answer.status_code == 422
    assert office.desk.styles.read("local", *KEY).words == 62


def test_a_sheet_is_deleted(person, office, sheet):
    assert send(person(), do="erase").status_code == 303
    assert office.desk.styles.read("local", *KEY) is None


def test_a_rep_sees_and_changes_no_sheet_of_another(person, office, sheet):
    rep = person("rep", user_id="U-2", connections=["local"])

    assert "Speak" not in rep.get("/console/styles").text
    assert send(rep, do="erase").status_code == 404
    assert office.desk.styles.read("local", *KEY) is not None
