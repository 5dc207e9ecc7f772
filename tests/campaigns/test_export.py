"""What leaves: gates and caps at the last moment, and files that programs of others read back whole."""

from __future__ import annotations

import csv
import email
import email.policy
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmplugin.errors import StateConflict, UsageError
from crmplugin.journeys import campaigns
from crmplugin.journeys.campaign_export import cap_reason, export_campaign, plain_cell, safe_cell
from crmplugin.store.campaigns import Leaving, RecipientRow, Touch
from tests.campaigns.conftest import MARKETER, days_ago, make_wish, make_world, rows, run_here
from tests.web.conftest import documents


def test_csv_has_a_row_for_each_recipient_and_comes_back_whole(open_desk):
    desk = open_desk(make_world(4))
    done = run_here(desk, make_wish())

    file = export_campaign(desk, done.id, MARKETER)

    found = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"), newline="")))
    kept = {row.contact: row.document for row in rows(desk, done, "exported")}
    assert [row["contact_id"] for row in found] == ["C-1", "C-2", "C-3", "C-4"]
    for row in found:
        assert row["to"] == kept[row["contact_id"]]["to"]["address"]
        assert row["text"] == kept[row["contact_id"]]["body"]


@given(st.text(max_size=40))
def test_no_cell_can_start_a_formula_and_none_loses_anything(text):
    cell = safe_cell(text)

    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert plain_cell(cell) == text


def test_mails_have_both_parts_and_the_headers_of_one_click_opt_out(open_desk):
    desk = open_desk(make_world(2))
    done = run_here(desk, make_wish())

    file = export_campaign(desk, done.id, MARKETER, form="eml")

    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        mails = [email.message_from_bytes(archive.read(n), policy=email.policy.default) for n in archive.namelist()]
    first = mails[0]
    assert len(mails) == 2
    assert first["To"] == "Kim1 Reed <kim1@works1.example>"
    assert first["From"] == "Ann Ray <ann@meridian.example>"
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["List-Unsubscribe"] == f"<https://meridian.example/stop?campaign={done.id}&contact=C-1>"
    plain, html = first.get_body(("plain",)), first.get_body(("html",))
    assert "1 Wharf Road, Leeds" in plain.get_content()
    assert "https://meridian.example/stop" in html.get_content()


def test_names_with_line_breaks_make_no_headers(open_desk):
    world = make_world(1)
    world["contacts"][0] |= {"first_name": "Kim\r\nBcc: all@evil.example", "last_name": "Reed"}
    desk = open_desk(world)
    done = run_here(desk, make_wish())

    file = export_campaign(desk, done.id, MARKETER, form="eml")

    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        mail = email.message_from_bytes(archive.read(archive.namelist()[0]), policy=email.policy.default)
    assert mail["Bcc"] is None


def test_ids_of_contacts_stay_in_their_folder(open_desk):
    world = make_world(1)
    world["contacts"][0]["id"] = "../../etc/passwd"
    for order in world["orders"]:
        order["contact_id"] = None
    desk = open_desk(world)
    done = run_here(desk, make_wish())

    file = export_campaign(desk, done.id, MARKETER, form="html")

    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        assert archive.namelist() == ["~2e~2e~2f~2e~2e~2fetc~2fpasswd.html"]


def test_json_has_what_carries_each_sentence(open_desk):
    desk = open_desk(make_world(1))
    done = run_here(desk, make_wish())

    document = json.loads(export_campaign(desk, done.id, MARKETER, form="json").data)

    (message,) = document["messages"]
    cited = {id_ for s in message["sentences"] for id_ in s["evidence"]}
    assert cited
    assert cited == {fact["id"] for fact in message["facts"]}


def test_an_opt_out_after_the_message_was_made_holds_it_back(open_desk):
    desk = open_desk(make_world(3))
    done = run_here(desk, make_wish())
    stop = {"email": {"state": "withdrawn", "at": days_ago(0)}}
    desk.records.upsert_many("local", documents({"contacts": [{"id": "C-2", "consent": stop}]}))

    file = export_campaign(desk, done.id, MARKETER)

    found = csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"), newline=""))
    assert [row["contact_id"] for row in found] == ["C-1", "C-3"]
    assert [(r.contact, r.reason) for r in rows(desk, done, "blocked")] == [("C-2", "opted_out:email")]


def test_a_bounce_after_the_message_was_made_holds_it_back(open_desk):
    desk = open_desk(make_world(1))
    done = run_here(desk, make_wish())
    bounced = {"id": "A-1", "type": "email", "direction": "outbound", "at": days_ago(1), "company_id": "CO-1",
               "contact_ids": ["C-1"], "bounced": True, "user_id": "U-1"}  # fmt: skip
    desk.records.upsert_many("local", documents({"activities": [bounced]}))

    export_campaign(desk, done.id, MARKETER)

    assert [r.reason for r in rows(desk, done, "blocked")] == ["unreachable"]


def test_overlapping_campaigns_do_not_write_to_one_person_twice_within_the_cap(open_desk):
    desk = open_desk(make_world(3))
    first, second = run_here(desk, make_wish()), run_here(desk, make_wish(name="another"))

    export_campaign(desk, first.id, MARKETER)
    export_campaign(desk, second.id, MARKETER)

    assert len(rows(desk, first, "exported")) == 3
    assert [r.reason for r in rows(desk, second, "blocked")] == ["cap", "cap", "cap"]


def test_what_left_through_a_campaign_counts_for_pitches_and_later_campaigns(open_desk):
    desk = open_desk(make_world(2))
    done = run_here(desk, make_wish())
    export_campaign(desk, done.id, MARKETER)
    later = campaigns.create_campaign(desk, make_wish(), MARKETER)

    preview = campaigns.preview_campaign(desk, later.id)

    assert preview["channels"]["email"]["removed"] == {"cap": 2}


def test_asking_for_the_files_again_adds_nothing(open_desk):
    desk = open_desk(make_world(2))
    done = run_here(desk, make_wish())

    first = export_campaign(desk, done.id, MARKETER).data
    again = export_campaign(desk, done.id, MARKETER).data

    assert first == again


def test_a_campaign_that_was_not_run_has_nothing_to_export(open_desk):
    desk = open_desk(make_world(1))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)

    with pytest.raises(StateConflict, match="approve and run it first"):
        export_campaign(desk, made.id, MARKETER)
    with pytest.raises(UsageError, match="format: expected one of csv"):
        export_campaign(desk, made.id, MARKETER, form="pdf")


MOMENTS = st.lists(st.tuples(st.integers(0, 60 * 24), st.sampled_from(["a", "b", "c"])), min_size=1, max_size=25)


@settings(max_examples=25, deadline=None)
@given(MOMENTS)
def test_no_sequence_of_campaigns_exceeds_a_cap(capped_store, sends):
    """Hours after a beginning at which campaigns try to leave for one of three people."""
    store, salt = capped_store
    start = datetime(2026, 1, 1, tzinfo=UTC)
    run = salt()
    for n, (hour, person) in enumerate(sorted(sends)):
        at = start + timedelta(hours=hour)
        row = RecipientRow(f"{run}-{n}", person, "email", "CO", "en", "A", 0, "drafted", at)
        store.leave([Leaving(row, Touch("local", f"{run}/{person}", f"{run}-{n}", "email", person, at))], cap_reason)

    for person in "abc":
        left = [t.at for t in store.touches_of("local", [f"{run}/{person}"])]
        for at in left:
            assert sum(at - timedelta(days=7) < t <= at for t in left) <= 2
            assert sum(at - timedelta(days=30) < t <= at for t in left) <= 4
        assert all(b - a >= timedelta(hours=72) for a, b in zip(left, left[1:], strict=False))


@pytest.fixture(scope="module")
def capped_store(tmp_path_factory):
    from itertools import count

    from crmplugin.store.campaigns import CampaignStore
    from crmplugin.store.database import migrate, open_engine

    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('caps')}/caps.sqlite")
    migrate(engine)
    numbers = count()
    yield CampaignStore(engine), lambda: f"run{next(numbers)}"
    engine.dispose()
