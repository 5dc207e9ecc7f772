"""The pages for people as HTML: who may see them, what forms do, and that nothing in them runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crmplugin.journeys.run_draft import current_draft
from crmplugin.web.console_sheet import lay_out
from crmplugin.web.console_show import Reader, choose_locale, plain_field
from crmplugin.web.console_words import LANGUAGES, load_words
from tests.web.conftest import documents, wait_until

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGES = ("/console", "/console/new", "/console/events", "/console/jobs", "/console/connections")
HOSTILE = "<script>alert(1)</script><b onmouseover=alert(1)>\u202e"


@pytest.fixture
def person(app, office):
    """`person("admin")`: a client that is signed in as people are."""

    def _person(role="admin", user_id=None):
        ends = datetime.now(UTC) + timedelta(hours=1)
        secret = office.desk.access.create_link(role, expires_at=ends, user_id=user_id)
        made = app.test_client()
        made.get(f"/sign-in/{secret}")
        made.environ_base["HTTP_ACCEPT"] = HTML["Accept"]
        return made

    return _person


@pytest.fixture
def ask(admin):
    """A finished draft about the deal, asked for over the API."""

    def _ask(**wish):
        return admin.post("/api/v1/drafts?wait=20", json={"kind": "summary", "deal_id": "D-1", **wish}).json

    return _ask


def csrf_of(client):
    return re.search(r'<meta name="csrf" content="([0-9a-f]+)">', client.get("/console").text)[1]


@pytest.mark.parametrize("path", PAGES)
def test_who_is_signed_out_is_sent_to_sign_in(client, path):
    answer = client.get(path, headers=HTML)

    assert answer.status_code == 303
    assert answer.location == "/sign-in"


def test_programs_without_a_token_still_get_a_problem(client):
    answer = client.get("/console", headers={"Accept": "application/json"})

    assert answer.status_code == 401
    assert answer.json["code"] == "not_signed_in"


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_no_inline_script_or_style_and_ask_nobody_else(person, path):
    page = person().get(path)

    assert page.status_code == 200
    assert not re.search(r"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son\w+=", page.text)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_a_used_sign_in_link_is_refused_in_words(app, office):
    secret = office.desk.access.create_link("rep", expires_at=datetime.now(UTC) + timedelta(hours=1))
    app.test_client().get(f"/sign-in/{secret}")

    page = app.test_client().get(f"/sign-in/{secret}", headers=HTML)

    assert page.status_code == 401
    assert "This link does not work" in page.text


@pytest.mark.parametrize("path", ["/console/events", "/console/jobs", "/console/connections"])
def test_reps_have_no_page_of_the_engine_room(person, path):
    page = person("rep", "U-1").get(path)

    assert page.status_code == 403
    assert "This is not for your role" in page.text


def test_a_form_without_the_csrf_token_changes_nothing(person, ask):
    draft = ask()

    page = person().post(f"/console/drafts/{draft['id']}/reject", data={"version": "1"})

    assert page.status_code == 403
    assert "CSRF" in page.text


def test_a_form_rejects_with_a_reason(person, ask, admin):
    draft, client = ask(), person()

    page = client.post(
        f"/console/drafts/{draft['id']}/reject",
        data={"csrf_token": csrf_of(client), "version": "1", "reason": "Not needed."},
    )

    assert page.status_code == 303
    assert admin.get(f"/api/v1/drafts/{draft['id']}").json["status"] == "rejected"
    assert "Not needed." in client.get(page.location).text


def test_an_edit_of_an_older_version_is_refused_and_says_so(person, ask):
    draft, client = ask(), person()
    token = csrf_of(client)
    form = {"csrf_token": token, "version": "1", "subject": draft["subject"] or "", "body": draft["body"]}
    client.post(f"/console/drafts/{draft['id']}/edit", data=form)

    page = client.post(f"/console/drafts/{draft['id']}/edit", data=form)

    assert page.status_code == 409
    assert "version" in page.text


def test_typing_is_checked_without_saving(person, ask, admin):
    draft, client = ask(), person()
    body = draft["body"] + "\nThe amount is 99,999.00 GBP."

    answer = client.post(
        f"/console/drafts/{draft['id']}/check",
        data={"csrf_token": csrf_of(client), "subject": draft["subject"] or "", "body": body},
    )

    assert "1 sentence needs you" in answer.text
    assert admin.get(f"/api/v1/drafts/{draft['id']}").json["version"] == 1


def test_approved_by_a_form_it_is_written_and_shown(person, ask, admin):
    draft, client = ask(), person()

    client.post(f"/console/drafts/{draft['id']}/approve", data={"csrf_token": csrf_of(client), "version": "1"})

    done = wait_until(lambda: (d := admin.get(f"/api/v1/drafts/{draft['id']}").json)["status"] == "written" and d)
    assert (
        f"/console/records/local/activities/{done['written_id']}" in client.get(f"/console/drafts/{draft['id']}").text
    )
    assert "written by this assistant" in client.get(f"/console/records/local/activities/{done['written_id']}").text


def test_hostile_names_are_text_everywhere(person, office, admin):
    records = {
        "companies": [{"id": "CO-H", "name": HOSTILE, "country": "GB", "owner_id": "U-1"}],
        "contacts": [{"id": "C-H", "company_id": "CO-H", "first_name": HOSTILE, "last_name": "X" * 100_000}],
        "deals": [{"id": "D-H", "name": HOSTILE, "company_id": "CO-H", "primary_contact_id": "C-H", "owner_id": "U-1"}],
    }
    office.desk.records.upsert_many("local", documents(records))
    draft = admin.post("/api/v1/drafts?wait=20", json={"kind": "summary", "deal_id": "D-H"}).json
    client = person()
    paths = ["/console", "/console?show=held", "/console?show=done", "/console/new?q=script",
             "/console/new?about=deal:D-H", f"/console/drafts/{draft['id']}", f"/console/drafts/{draft['id']}/facts",
             "/console/records/local/deals/D-H", "/console/records/local/companies/CO-H",
             "/console/records/local/contacts/C-H"]  # fmt: skip

    for path in paths:
        page = client.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text, path
        assert "<b onmouseover" not in page.text, path


def test_a_reps_pages_hold_only_their_own(person, ask):
    draft = ask()
    other = person("rep", "U-2")

    assert other.get(f"/console/drafts/{draft['id']}").status_code == 404
    assert other.get("/console/records/local/deals/D-1").status_code == 404
    assert "Flow meters" not in other.get("/console/new?q=flow").text


def test_an_unchanged_page_is_not_sent_again(person):
    client = person()
    page = client.get("/console/new?about=deal:D-1")

    again = client.get("/console/new?about=deal:D-1", headers={"If-None-Match": page.headers["ETag"]})

    assert again.status_code == 304


def test_no_page_may_be_framed_but_the_panel(client, person):
    assert "frame-ancestors 'none'" in person().get("/console").headers["Content-Security-Policy"]
    assert "frame-ancestors" in client.get("/panel/local", headers=HTML).headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_words_and_values_of_english(language):
    english, theirs = load_words("en").tables, load_words(language).tables

    assert {t: w.keys() for t, w in theirs.items()} == {t: w.keys() for t, w in english.items()}
    for table, words in theirs.items():
        for key, text in words.items():
            assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", english[table][key])), (table, key)


@pytest.mark.parametrize(
    ("language", "amount", "day", "age"),
    [("en-GB", "£26,505", "4 Mar", "5 hours ago"), ("de-DE", "26.505\xa0£", "4. März", "vor 5 Stunden")],
)
def test_dates_and_money_are_written_as_the_reader_writes_them(language, amount, day, age):
    now = datetime(2026, 3, 10, 14, 0, tzinfo=UTC)
    reader = Reader(choose_locale([language], language[:2], "en_GB"), ZoneInfo("Europe/London"), now)

    assert reader.money("26505.00", "GBP") == amount
    assert reader.day(datetime(2026, 3, 4, tzinfo=UTC).date()) == day
    assert reader.age(now - timedelta(hours=5)) == age


def test_a_field_is_named_in_words():
    assert plain_field("lines[1].unit_price") == "lines 2, unit price"


def test_the_sheet_covers_the_whole_body(office, ask):
    draft = current_draft(office.desk.drafts.get(ask()["id"]))

    sheet = lay_out(draft)

    shown = ["".join(p.text for line in block.lines for p in line) for block in sheet.blocks]
    assert "".join("".join(shown).split()) == "".join((draft.body or "").split())
    assert all(p.sentence for block in sheet.blocks for line in block.lines for p in line if p.text.strip())


def test_what_may_be_done_instead_is_a_button_or_a_sentence(person, office, admin):
    no = {"email": {"state": "withdrawn", "at": "2026-01-01T00:00:00Z"}}
    records = {
        "companies": [{"id": "CO-N", "name": "Silent Mills", "country": "GB", "owner_id": "U-1"}],
        "contacts": [
            {"id": "C-O", "company_id": "CO-N", "first_name": "Ned", "last_name": "Moss", "email": "ned@k.example"},
            {"id": "C-N", "company_id": "CO-N", "first_name": "Ida", "last_name": "Moss", "email": "ida@k.example",
             "consent": no, "phone": "+44 161 496 0000"},
        ],
        "deals": [{"id": "D-N", "name": "Mill", "company_id": "CO-N", "contact_ids": ["C-N"],
                   "primary_contact_id": "C-N", "owner_id": "U-1", "status": "open"}],
    }  # fmt: skip
    office.desk.records.upsert_many("local", documents(records))
    held = admin.post("/api/v1/drafts?wait=20", json={"kind": "pitch", "deal_id": "D-N"}).json

    page = person().get(f"/console/drafts/{held['id']}")

    assert held["status"] == "blocked"
    assert page.status_code == 200
    assert "Nothing was written: a rule forbids it." in page.text
    assert "Write to Ned Moss" in page.text
    assert 'name="to_contact_id" value="C-O"' in page.text


def test_a_talk_that_two_systems_kept_is_one_line_of_the_timeline(office, signed_in):
    mail = {"type": "email", "direction": "inbound", "company_id": "CO-1", "contact_ids": ["C-1"]}
    first = mail | {"id": "A-one", "at": "2026-03-01T09:00:00Z", "subject": "Valve", "body": "The valve sticks again."}
    copy = mail | {
        "id": "A-two",
        "at": "2026-03-01T09:04:00Z",
        "subject": "Re: Valve",
        "body": "The valve sticks again.",
    }
    office.desk.records.upsert_many("local", documents({"activities": [first, copy]}))

    page = signed_in("manager").get("/console/records/local/companies/CO-1")

    assert page.text.count("The valve sticks again.") == 1


def test_what_cannot_be_judged_yet_has_no_bars(person, admin, ask):
    """A few decisions are no rate: the page says so, and draws only how many there were."""
    for _ in range(2):
        admin.post(f"/api/v1/drafts/{ask()['id']}/approve", json={})

    page = person().get("/console/figures")

    for key in ("accepted", "changed"):
        figure = page.text.partition(f'id="chart-{key}"')[2].partition("</figure>")[0]
        assert "cannot be judged yet: " in figure
        assert "<svg" not in figure
    assert "<svg" in page.text.partition('id="chart-decided"')[2].partition("</figure>")[0]


def test_a_sign_in_link_that_was_used_says_where_the_next_one_comes_from(app):
    page = app.test_client().get("/sign-in/used-before", headers=HTML)

    assert page.status_code == 401
    assert "This sign-in link was used before or is too old." in page.text
    assert "crmplugin token link" in page.text


def test_a_deal_with_nothing_due_shows_the_step_that_was_agreed(person, office):
    """Where the summary would only say that nothing is due, the deal's own next step stands, and no button."""
    records = {
        "companies": [{"id": "CO-A", "name": "Agreed Ltd", "country": "GB", "owner_id": "U-1"}],
        "contacts": [{"id": "C-A", "company_id": "CO-A", "first_name": "Una", "email": "una@a.example"}],
        "deals": [{"id": "D-A", "name": "Agreed", "company_id": "CO-A", "contact_ids": ["C-A"], "owner_id": "U-1",
                   "primary_contact_id": "C-A", "status": "open", "next_step": "Send the drawing",
                   "next_step_due": "2999-05-04"}],
    }  # fmt: skip
    office.desk.records.upsert_many("local", documents(records))

    page = person().get("/console/deals?health=1")

    row = page.text.partition("/deals/D-A")[2].partition("</li>")[0]
    assert "Send the drawing" in row
    assert "due 4 May 2999" in row
    assert "Nothing is due" not in row
