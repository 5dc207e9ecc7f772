"""What an approved draft becomes in Odoo, once; segments and mailings; and what an admin is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound
from crmplugin.ports import CampaignMessage, CampaignPush
from tests.connectors.cases.odoo import AT, make_connector
from tests.connectors.drafts import make_draft
from tests.fakes.odoo import BOT, FakeOdoo, with_orbis

MARK = "crmplugin:draft-1"
DEAL = Subject("deal", "9001")


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    with with_orbis(FakeOdoo()).running() as running:
        yield running


def test_mail_becomes_an_activity_of_the_owner_with_the_reference(fake):
    written = make_connector(fake).write_back(make_draft(DEAL), marker=MARK, at=AT)

    activity = fake.things["mail.activity"][int(written.removeprefix("activity:"))]
    assert (activity["summary"], activity["user_id/.id"], activity["date_deadline"]) == (
        "Your quote Q-118",
        "777",
        "2026-11-21",
    )
    assert activity["activity_type_id/id"] == "mail.mail_activity_data_email"
    assert activity["note"].endswith("<p>Ref crmplugin:draft-1</p>")


def test_internal_draft_becomes_a_note_that_mails_nobody(fake):
    draft = make_draft(DEAL, audience="internal", channel="note", kind="negotiation_note")

    written = make_connector(fake).write_back(draft, marker=MARK, at=AT)

    note = fake.things["mail.message"][int(written.removeprefix("message:"))]
    assert note["message_id"] == "<crmplugin:draft-1@crmplugin>"
    assert fake.asked("POST", ".*/message_post")[0].body["subtype_xmlid"] == "mail.mt_note"
    assert make_connector(fake).find_written(MARK, draft=draft) == written


def test_own_note_is_read_back_as_ours(fake):
    draft = make_draft(DEAL, audience="internal", channel="note")
    connector = make_connector(fake)
    connector.write_back(draft, marker=MARK, at=AT)
    connector.write_back(make_draft(DEAL), marker="crmplugin:draft-2", at=AT)

    read = connector.read_context(DEAL)

    assert {a.source for a in read.activities if a.source} == {MARK, "crmplugin:draft-2"}
    assert all("Ref crmplugin" not in (a.body or "") for a in read.activities)


def test_activity_written_twice_is_one(fake):
    connector = make_connector(fake)

    first, second = (connector.write_back(make_draft(DEAL), marker=MARK, at=AT) for _ in range(2))

    assert first == second


def test_answer_that_was_lost_is_looked_for(fake):
    fake.fail("POST", ".*/message_post", 502, after=True)
    draft = make_draft(DEAL, audience="internal", channel="note")
    connector = make_connector(fake)

    with pytest.raises(CrmUnavailable):
        connector.write_back(draft, marker=MARK, at=AT)

    assert len(fake.asked("POST", ".*/message_post")) == 1
    assert connector.find_written(MARK, draft=draft) is not None


def test_field_is_set_when_the_settings_say_so(fake):
    connector = make_connector(fake, write_back={"email": "field:x_next_mail"})

    assert connector.write_back(make_draft(DEAL), marker=MARK, at=AT) == "crm.lead:9001.x_next_mail"
    assert fake.things["crm.lead"][9001]["x_next_mail"].startswith("Hello Dana")


@pytest.mark.parametrize("changed", ["date_last_stage_update", "date_closed"])
def test_deal_that_moved_after_the_draft_is_not_written_to(fake, changed):
    fake.things["crm.lead"][9001][changed] = "2026-11-21 09:31:00"

    with pytest.raises(CrmRefused, match="Ask for a new draft"):
        make_connector(fake).write_back(make_draft(DEAL), marker=MARK, at=AT)


def test_deleted_deal_says_to_reject_the_draft(fake):
    del fake.things["crm.lead"][9001]

    with pytest.raises(CrmRefused, match="Reject draft draft-1"):
        make_connector(fake).write_back(make_draft(DEAL), marker=MARK, at=AT)


def test_draft_about_a_message_is_written_where_the_message_is(fake):
    draft = make_draft(Subject("activity", "message:6101"))

    written = make_connector(fake).write_back(draft, marker=MARK, at=AT)

    assert fake.things["mail.activity"][int(written.removeprefix("activity:"))]["res_id"] == 9001


def subscribed(fake: FakeOdoo) -> FakeOdoo:
    fake.put("mailing.list", 5, name="Newsletter")
    people = (
        (1, "dana@orbis.example", {}, {}),
        (2, "out@orbis.example", {}, {"opt_out": True}),
        (3, "black@orbis.example", {"is_blacklisted": True}, {}),
        (4, "bounced@orbis.example", {"message_bounce": 3}, {}),
        (5, "fine@voss.example", {}, {}),
    )
    for id_, address, person, subscription in people:
        fake.put("mailing.contact", id_, name=f"Person {id_}", email=address, email_normalized=address, **person)
        fake.put("mailing.subscription", id_, list_id=5, contact_id=id_, **subscription)
    return fake


def test_list_leaves_out_opt_outs_blacklisted_and_bounced(fake):
    page = make_connector(subscribed(fake)).find_segment("list:5")

    assert [contact["id"] for contact in page.contacts] == ["501", "mailing:2", "mailing:3", "mailing:4", "mailing:5"]
    assert (page.opted_out["email"], page.total) == (("mailing:2", "mailing:3", "mailing:4"), 5)


def test_person_on_a_list_whose_contact_is_blacklisted_is_left_out(fake):
    fake.things["res.partner"][501]["is_blacklisted"] = True

    assert "501" in make_connector(subscribed(fake)).find_segment("list:5").opted_out["email"]


def test_saved_filter_of_deals_gives_their_customers(fake):
    fake.put("ir.filters", 12, name="Open", model_id="crm.lead", domain="[('won_status', '=', 'pending')]")

    page = make_connector(fake).find_segment("filter:12")

    assert [contact["id"] for contact in page.contacts] == ["501"]
    assert page.opted_out == {"email": ()}


@pytest.mark.parametrize(
    "segment",
    ["list:6", "filter:13", "mailing:1", "5", "list:x", "", "report:1", "filter:14", "filter:15", "filter:16"],
)
def test_what_is_no_segment_is_said(fake, segment):
    fake.put("ir.filters", 14, name="Mine", model_id="res.partner", domain="[('user_id', '=', uid)]")
    fake.put("ir.filters", 15, name="Tasks", model_id="project.task", domain="[]")
    fake.put("ir.filters", 16, name="Odd", model_id="res.partner", domain="7")

    with pytest.raises(NotFound):
        make_connector(fake).find_segment(segment)


def campaign(*contacts: str) -> CampaignPush:
    messages = tuple(CampaignMessage(one, f"{n}@x.example", "S", "T") for n, one in enumerate(contacts))
    return CampaignPush("c-1", "Autumn", "email", "en", "Filters", "Hello", "<p>Hello</p>", messages)


def test_campaign_is_a_draft_mailing_once(fake):
    connector = make_connector(fake)

    first, second = (connector.push_campaign(campaign("501", "600"), marker="crmplugin:c-1", at=AT) for _ in range(2))

    (mailing,) = fake.things["mailing.mailing"].values()
    assert first == second == f"mailing.mailing:{mailing['id']}"
    assert (mailing["mailing_domain"], mailing["state"]) == ("[('id', 'in', [501, 600])]", "draft")
    assert mailing["subject"] == "Filters"


def test_people_of_lists_and_contacts_are_two_mailings(fake):
    connector = make_connector(fake)

    made = connector.push_campaign(campaign("501", "mailing:5"), marker="crmplugin:c-1", at=AT)

    assert len(made.split(",")) == 2
    assert {one["mailing_domain"] for one in fake.things["mailing.mailing"].values()} == {
        "[('id', 'in', [501])]",
        "[('id', 'in', [5])]",
    }


@pytest.mark.parametrize("pushed", [replace(campaign("501"), channel="sms"), campaign(), campaign("lead:9002")])
def test_campaign_that_odoo_cannot_hold_is_refused(fake, pushed):
    with pytest.raises(CrmRefused):
        make_connector(fake).push_campaign(pushed, marker="crmplugin:c-1", at=AT)


def problems(fake: FakeOdoo, **options: Any) -> dict[str, str]:
    return {name: mend for name, good, mend in make_connector(fake, **options).diagnose() if not good}


def test_connection_that_is_well_has_nothing_to_mend(fake):
    assert problems(fake) == {}


def test_diagnosis_says_what_to_do(fake):
    fake.forbidden |= {"mailing.list", "mailing.mailing"}
    fake.put("crm.stage", 9, name="Haggling", is_won=False)
    fake.put("res.users.apikeys", 1, expiration_date="2026-11-28 09:30:00")
    fake.forbidden.discard("ir.module.module")
    fake.models.add("ir.module.module")

    found = problems(fake, fields={"deal.competitors": "x_competitors"})

    assert found["key's end"].startswith("The API key ends on 2026-11-28 (in 7 days)")
    assert "Email Marketing / User" in found["read mailing.list"]
    assert "9 (Haggling)" in found["stages"]
    assert "x_competitors" in found["field x_competitors"]
    assert "administrator's" in found["low privilege"]


def test_bot_that_sees_only_its_own_deals_is_told(fake):
    fake.groups.clear()

    assert "All Documents" in problems(fake)["all deals"]


def test_company_that_the_bot_may_not_work_for_is_told(fake):
    fake.put("res.users", BOT, name="Deal assistant", login="bot", company_ids=[1])

    assert problems(fake, company_ids=[1]) == {}
    assert "company 2, 3:" in problems(fake, company_ids=[1, 2, 3])["companies"]
    assert fake.asked("POST", ".*/res.users/search_read")[-1].body["context"]["allowed_company_ids"] == []


@pytest.mark.parametrize(
    ("options", "words"), [({"api_key": "not-the-key-12345"}, "Make a new one"), ({"timeout_s": 1}, "base_url")]
)
def test_key_that_is_refused_is_all_that_is_said(fake, options, words):
    if "timeout_s" in options:
        fake.fail("POST", ".*", 502, times=500)

    (only,) = problems(fake, **options).values()

    assert words in only


def test_key_is_looked_at_again_two_weeks_before_its_end(fake, caplog):
    connector = make_connector(fake)
    fake.put("res.users.apikeys", 1, expiration_date="2027-02-17 06:00:00")

    assert connector.renew(now=AT) == datetime(2027, 2, 3, 6, tzinfo=UTC)
    assert connector.renew(now=AT + timedelta(days=80)) == AT + timedelta(days=81)
    assert "ends soon" in caplog.text


def test_key_that_never_ends_needs_no_look(fake):
    fake.put("res.users.apikeys", 1, expiration_date=False)

    assert make_connector(fake).renew(now=AT) is None
    assert make_connector(fake, api_key_ends="2027-02-17").renew(now=AT) == datetime(2027, 2, 3, tzinfo=UTC)
