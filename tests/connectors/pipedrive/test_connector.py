"""Contexts, write-back, sync, segments and diagnosis of Pipedrive, before a fake with state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.pipedrive import mapping
from connectors.pipedrive.mapping import COLLECTIONS, PREFIXED, Company, to_document
from connectors.tracing import traced
from crmplugin.domain.crm import Subject
from crmplugin.domain.event import ObjectRef
from crmplugin.domain.records import build
from crmplugin.errors import CrmRefused, CrmUnavailable, NotFound, SettingsError, UsageError
from crmplugin.ports import CampaignPush
from tests.connectors.cases.pipedrive import AT, URL, make_connector
from tests.connectors.drafts import make_draft
from tests.connectors.specs import Book, pipedrive_book
from tests.fakes.pipedrive import FakePipedrive, with_orbis

DEAL = Subject("deal", "9001")
MARKER = "crmplugin:draft-1"
HASH = "d4de1c1518b4531717c676029a45911c340390a6"


@pytest.fixture
def pipedrive() -> Iterator[FakePipedrive]:
    fake = with_orbis(FakePipedrive())
    with fake.running():
        yield fake


def test_deal_is_read_whole(pipedrive):
    context = make_connector(pipedrive, stages={"4": "proposal"}).read_context(DEAL)

    deal = context.deal
    assert (deal.name, deal.amount, deal.currency) == ("Line 3 controls", Decimal(12500), "EUR")
    assert (deal.stage, deal.pipeline, deal.stage_kind, deal.status) == ("Proposal", "Sales", "proposal", "open")
    assert (context.company.name, context.company.country) == ("Orbis Dairy", "United Kingdom")
    assert [(c.first_name, c.email, c.consent["email"].state) for c in context.contacts] == [
        ("Dana", "dana@orbis.example", "granted")
    ]
    assert [(a.id, a.type, a.direction) for a in context.activities] == [
        ("activities:6201", "meeting", None),
        ("mails:6101", "email", "inbound"),
        ("notes:6001", "note", "internal"),
    ]
    assert context.activities[1].body == "What is the delivery time of the C-7?"
    assert [(o.deal_id, o.lines[0].product_id) for o in context.orders] == [("9002", "301"), ("9003", "301")]
    assert [(li.id, li.discount_pct) for li in context.line_items if li.deal_id == "9001"] == [("8001", Decimal(10))]


def test_reading_takes_three_rounds_with_earlier_products_and_two_without(pipedrive):
    with traced() as whole:
        make_connector(pipedrive).read_context(DEAL)
    with traced() as short:
        make_connector(pipedrive, earlier_lines=False).read_context(DEAL)

    # 7 at once and 3 about the company; organisation, deals, archived deals, products, one mail; earlier products.
    assert (whole.rounds, len(whole.calls)) == (3, 7 + 3 + 5 + 1)
    assert (short.rounds, len(short.calls)) == (2, 7 + 3 + 5)


def test_archived_deals_are_part_of_the_history(pipedrive):
    pipedrive.things["deals"][9002]["is_archived"] = True

    context = make_connector(pipedrive).read_context(DEAL)

    assert [(o.deal_id, o.lines[0].product_id) for o in context.orders] == [("9002", "301"), ("9003", "301")]


def test_custom_field_becomes_our_field(pipedrive):
    connector = make_connector(pipedrive, fields={"deal.competitors": HASH})

    assert connector.read_context(DEAL).deal.competitors == ("Rival A", "Rival B")


@pytest.mark.parametrize(
    "subject", [Subject("company", "7001"), Subject("contact", "501"), Subject("activity", "notes:6001")]
)
def test_other_subjects_are_read_with_their_company(pipedrive, subject):
    context = make_connector(pipedrive).read_context(subject)

    assert context.company.id == "7001"
    assert len(context.deals) == 3


@pytest.mark.parametrize(
    "subject", [Subject("ticket", "1"), Subject("activity", "6001"), Subject("activity", "notes:1")]
)
def test_what_pipedrive_does_not_have_is_not_found(pipedrive, subject):
    with pytest.raises(NotFound):
        make_connector(pipedrive).read_context(subject)


def test_mail_becomes_an_activity_with_its_person(pipedrive):
    result = make_connector(pipedrive).write_back(make_draft(DEAL), marker=MARKER, at=AT)

    task = pipedrive.things["activities"][int(result.removeprefix("activities:"))]
    assert (task["type"], task["subject"], task["due_date"]) == ("email", "Your quote Q-118", "2026-11-21")
    assert task["participants"] == [{"person_id": 501, "primary": True}]
    assert (task["deal_id"], task["org_id"], task["owner_id"]) == (9001, 7001, 777)


def test_internal_text_becomes_a_note_that_is_known_as_ours(pipedrive):
    connector = make_connector(pipedrive)
    draft = make_draft(DEAL, audience="internal", channel="note", to=None)

    result = connector.write_back(draft, marker=MARKER, at=AT)
    note = next(a for a in connector.read_context(DEAL).activities if a.id == result)

    assert note.source == MARKER
    assert connector.find_written(MARKER, draft=draft) == result


def test_500_after_the_write_is_found_again(pipedrive):
    connector = make_connector(pipedrive)
    before = pipedrive.written()
    pipedrive.fail("POST", "/api/v2/activities", 500, after=True)

    with pytest.raises(CrmUnavailable):
        connector.write_back(make_draft(DEAL), marker=MARKER, at=AT)

    assert connector.find_written(MARKER, draft=make_draft(DEAL))
    assert pipedrive.written() == before + 1


def test_field_of_the_deal_is_set_and_too_long_a_text_refused(pipedrive):
    connector = make_connector(pipedrive, write_back={"summary": f"field:{HASH}"})
    short, long = (make_draft(DEAL, kind="summary", audience="internal", body=text) for text in ("Short.", "x" * 256))

    assert connector.write_back(short, marker=MARKER, at=AT) == f"deals:9001.{HASH}"
    with pytest.raises(CrmRefused, match="Shorten"):
        connector.write_back(long, marker=MARKER, at=AT)


CONFLICTS = {"stage": {"stage_id": 5}, "status": {"status": "lost"}, "amount": {"value": 9000},
             "close date": {"expected_close_date": "2027-01-31"}}  # fmt: skip


@pytest.mark.parametrize(("word", "values"), CONFLICTS.items(), ids=CONFLICTS)
def test_deal_that_changed_since_the_draft_is_a_conflict(pipedrive, word, values):
    pipedrive.change("deals", 9001, "2026-11-21T09:35:00Z", **values)

    with pytest.raises(CrmRefused, match=f"the {word} of deal 9001 was changed in Pipedrive at 2026-11-21T09:35:00Z"):
        make_connector(pipedrive).write_back(make_draft(DEAL), marker=MARKER, at=AT)
    assert pipedrive.written("activities") == 1


def test_deal_whose_title_changed_is_written_to_and_so_is_one_that_changed_before(pipedrive):
    connector = make_connector(pipedrive)
    pipedrive.change("deals", 9001, "2026-11-21T09:00:00Z", value=9000)
    connector.write_back(make_draft(DEAL), marker=MARKER, at=AT)
    pipedrive.change("deals", 9001, "2026-11-21T09:35:00Z", title="Line 4")

    assert connector.write_back(make_draft(DEAL), marker="crmplugin:draft-2", at=AT)
    assert len(pipedrive.asked("GET", ".*/changelog")) == 1


NO_MAIL = {"unsubscribed": {"marketing_status": "unsubscribed"}, "own field": {"custom_fields": {HASH: True}}}


@pytest.mark.parametrize("values", NO_MAIL.values(), ids=NO_MAIL)
def test_person_who_opted_out_since_the_draft_gets_no_mail(pipedrive, values):
    pipedrive.things["persons"][501] |= values

    with pytest.raises(CrmRefused, match="Reject draft draft-1: whom it is for has opted out of mails in Pipedrive"):
        make_connector(pipedrive, opt_out_field=HASH).write_back(make_draft(DEAL), marker=MARKER, at=AT)
    assert pipedrive.written("activities") == 1


def test_answer_to_a_question_is_written_whatever_the_person_says_of_promotion(pipedrive):
    pipedrive.things["persons"][501]["marketing_status"] = "unsubscribed"

    assert make_connector(pipedrive).write_back(make_draft(DEAL, type="answer"), marker=MARKER, at=AT)


def test_person_who_is_gone_is_refused_with_what_to_do(pipedrive):
    pipedrive.things["persons"][501]["is_deleted"] = True

    with pytest.raises(CrmRefused, match="Reject draft draft-1: Pipedrive has no person 501 any more"):
        make_connector(pipedrive).write_back(make_draft(DEAL), marker=MARKER, at=AT)


def test_validation_error_is_told_in_pipedrives_words(pipedrive):
    pipedrive.fail("POST", "/api/v2/activities", 400, body={"error": "Bad request", "error_info": "type is unknown"})

    with pytest.raises(CrmRefused, match="Bad request; type is unknown"):
        make_connector(pipedrive).write_back(make_draft(DEAL), marker=MARKER, at=AT)


def test_page_of_its_network_is_no_answer(pipedrive):
    pipedrive.fail("GET", ".*", 403, body=b"<html>blocked</html>", times=20)

    with pytest.raises(CrmRefused, match="turned the call away"):
        make_connector(pipedrive).read_context(DEAL)


def test_what_pipedrive_cannot_hold_is_refused_at_the_start(pipedrive):
    with pytest.raises(SettingsError, match="takes no mails"):
        make_connector(pipedrive, write_back={"email": "draft_email"})


def test_campaign_is_refused_with_the_way_out(pipedrive):
    with pytest.raises(CrmRefused, match="export the campaign as files"):
        make_connector(pipedrive).push_campaign(CampaignPush("c", "n", "email", "en", "s", "t", ""), marker="m", at=AT)


def pull(connector: Any, since: datetime | None = None) -> list[Any]:
    pages = [connector.changes_since(since)]
    while pages[-1].cursor:
        pages.append(connector.changes_since(since, cursor=pages[-1].cursor))
    return pages


def docs(pages: list[Any], collection: str) -> list[Any]:
    return [doc for page in pages for doc in page.records.get(collection, ())]


def gone(pages: list[Any]) -> list[ObjectRef]:
    return [ref for page in pages for ref in page.deleted]


def test_pull_gives_all_once_then_changes_and_deletions(pipedrive):
    pipedrive.page = 1
    pipedrive.things["deals"][9003]["is_archived"] = True
    connector = make_connector(pipedrive)
    first = pull(connector)
    pipedrive.change("deals", 9001, "2026-11-21T08:00:00Z", is_deleted=True)
    later = pull(connector, datetime(2026, 11, 21, tzinfo=UTC))

    assert [d["id"] for d in docs(first, "deals")] == ["9001", "9002", "9003"]
    assert gone(later) == [ObjectRef("deal", "9001"), ObjectRef("order", "deal:9001")]
    assert first[-1].up_to == AT - timedelta(seconds=30)


def test_products_of_deals_are_mirrored_and_won_deals_are_purchases(pipedrive):
    pages = pull(make_connector(pipedrive))

    assert [(line["id"], line["deal_id"]) for line in docs(pages, "line_items")] == [
        ("90020", "9002"),
        ("90030", "9003"),
        ("8001", "9001"),
    ]
    assert [(o["id"], o["lines"][0]["quantity"]) for o in docs(pages, "orders")] == [
        ("deal:9002", "10"),
        ("deal:9003", "10"),
    ]
    assert len(pipedrive.asked("GET", "/api/v2/deals/products")) == 1


def test_deal_that_is_won_no_more_is_no_purchase_any_more(pipedrive):
    pipedrive.change("deals", 9002, "2026-11-21T08:00:00Z", status="open", first_won_time="2025-11-03T10:00:00Z")

    assert gone(pull(make_connector(pipedrive), datetime(2026, 11, 21, tzinfo=UTC))) == [
        ObjectRef("order", "deal:9002")
    ]


DELETED = {
    "person": ("persons", 501, ObjectRef("contact", "501")),
    "organisation": ("organizations", 7001, ObjectRef("company", "7001")),
    "product": ("products", 301, ObjectRef("product", "301")),
    "activity": ("activities", 6201, ObjectRef("activity", "activities:6201")),
    "note": ("notes", 6001, ObjectRef("activity", "notes:6001")),
}


@pytest.mark.parametrize(("kind", "id_", "ref"), DELETED.values(), ids=DELETED)
def test_deletion_whose_webhook_was_lost_is_found(pipedrive, kind, id_, ref):
    pipedrive.change(kind, id_, "2026-11-21T08:00:00Z", is_deleted=True)

    assert gone(pull(make_connector(pipedrive), datetime(2026, 11, 21, tzinfo=UTC))) == [ref]


LOOKED = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
SHORT = {
    "nothing": ([], []),
    "a person": ([("persons", 501, {"job_title": "Head"})], ["/api/v2/persons"]),
    "a deal": (
        [("deals", 9001, {"value": 5})],
        ["/api/v2/deals", "/api/v2/deals/products", "/api/v1/deals/9001/changelog"],
    ),
    "a deleted deal": ([("deals", 9001, {"is_deleted": True})], ["/api/v2/deals", "/api/v2/deals"]),
    "an archived deal": (
        [("deals", 9001, {"is_archived": True})],
        ["/api/v2/deals", "/api/v2/deals/archived", "/api/v2/deals/products"],
    ),
    "two kinds": ([("notes", 6001, {"content": "x"}), ("organizations", 7001, {"name": "Orbis"})],
                  ["/api/v2/organizations", "/api/v1/notes"]),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "asked"), SHORT.values(), ids=SHORT)
def test_look_asks_only_for_the_lists_of_what_changed(pipedrive, changes, asked):
    for kind, id_, values in changes:
        pipedrive.change(kind, id_, "2026-11-21T09:20:00Z", **values)

    pull(make_connector(pipedrive), LOOKED)

    about = ("/api/v1/users", "/api/v2/pipelines", "/api/v2/stages")
    assert [r.path for r in pipedrive.requests if r.path not in about] == ["/api/v1/recents", *asked]


def test_look_over_many_recent_changes_asks_for_each_list_once(pipedrive):
    pipedrive.page = 1
    for kind, id_ in (("notes", 6001), ("persons", 501), ("activities", 6201)):
        pipedrive.change(kind, id_, "2026-11-21T09:20:00Z")

    pages = pull(make_connector(pipedrive), LOOKED)

    assert [len(pipedrive.asked("GET", f"/api/../{name}")) for name in ("recents", "persons", "activities")] == [
        3,
        1,
        1,
    ]
    assert len(pipedrive.asked("GET", "/api/v1/notes")) == 1
    assert pages[-1].up_to == AT - timedelta(seconds=30)


def test_pull_that_an_earlier_version_began_goes_on(pipedrive):
    page = make_connector(pipedrive).changes_since(None, cursor=f"deals;;{NOON}")

    assert [deal["id"] for deal in page.records["deals"]] == ["9001", "9002", "9003"]
    assert page.cursor == f"archived;;{NOON};leads,activities,notes"


def test_every_three_hours_all_lists_are_asked_for(pipedrive):
    pipedrive.put("persons", 502, name="Bo Lind")
    pipedrive.put("leads", 1, title="Lead", person_id=502, update_time="2026-11-21T08:59:00Z")

    pages = pull(make_connector(pipedrive), datetime(2026, 11, 21, 8, 55, tzinfo=UTC))

    assert [doc["lifecycle"] for doc in docs(pages, "contacts")] == ["lead"]


NOON = "2026-11-21T12:00:00+00:00"


@pytest.mark.parametrize(
    "cursor", ["x", f"aliens;;{NOON};", f"notes;b;{NOON};", f"deals;;{NOON};aliens", "deals;;noon;"]
)
def test_foreign_cursor_is_refused(pipedrive, cursor):
    with pytest.raises(UsageError):
        make_connector(pipedrive).changes_since(None, cursor=cursor)


def test_filter_leaves_out_whoever_did_not_subscribe(pipedrive):
    pipedrive.put("persons", 502, name="Bo Lind", emails=[{"value": "bo@x.example"}], marketing_status="no_consent")
    pipedrive.filters["7"] = [501, 502]

    page = make_connector(pipedrive).find_segment("7")

    assert [c["id"] for c in page.contacts] == ["501", "502"]
    assert page.opted_out == {"email": ("502",)}


def test_without_the_add_on_and_a_field_everybody_is_left_out(pipedrive):
    pipedrive.campaigns = False
    del pipedrive.things["persons"][501]["marketing_status"]
    pipedrive.filters["7"] = [501]

    assert make_connector(pipedrive).find_segment("7").opted_out == {"email": ("501",)}
    assert make_connector(pipedrive, opt_out_field="no_mail").find_segment("7").opted_out == {"email": ()}


def test_diagnosis_names_missing_webhook_and_meaningless_stage(pipedrive):
    found = {name: (good, mend) for name, good, mend in make_connector(pipedrive).diagnose()}
    pipedrive.hooks.append({"subscription_url": URL, "event_object": "*", "is_active": 1})
    mended = {name: good for name, good, _ in make_connector(pipedrive, stages={"4": "proposal"}).diagnose()}

    assert found["API token"] == (True, "")
    assert "/webhooks/acme" in found["webhooks"][1]
    assert "4 (Proposal)" in found["stages"][1]
    # The fake's clock is this machine's; the connector's stands on 21 November 2026.
    assert {name for name, good in mended.items() if not good} == {"clock"}


WRONG_HOSTS = {
    "no such path": (404, {"error": "Not Found"}, "base_url is probably not Pipedrive's"),
    "a web page": (200, b"<html>Welcome</html>", "answers, but not as Pipedrive does"),
    "moved": (302, b"", "set base_url to the address that answers itself"),
    "down": (503, b"", "Check base_url and the network"),
}


@pytest.mark.parametrize(("status", "body", "mend"), WRONG_HOSTS.values(), ids=WRONG_HOSTS)
def test_wrong_host_is_named(pipedrive, status, body, mend):
    pipedrive.fail("GET", ".*", status, body=body, times=9)

    ((_, good, told),) = make_connector(pipedrive).diagnose()

    assert not good
    assert mend in told


def test_refused_token_says_where_to_find_it(pipedrive):
    assert "Personal preferences" in make_connector(pipedrive, api_token="x" * 40).diagnose()[0][2]


VALUES = st.none() | st.text(max_size=12) | st.integers() | st.booleans() | st.dictionaries(
    st.sampled_from(["value", "label", "id"]), st.none() | st.text(max_size=5) | st.integers()
)  # fmt: skip


@pytest.mark.parametrize("kind", COLLECTIONS)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_record_is_mapped_and_nothing_unknown_is_lost(kind, data):
    names = [
        *mapping.FIELDS[kind].values(),
        "emails",
        "prices",
        "participants",
        "custom_fields",
        "from",
        "note",
        "done",
    ]
    thing = data.draw(st.dictionaries(st.sampled_from(names), VALUES)) | {
        "id": data.draw(st.integers(1)),
        "odd": "kept",
    }

    document = to_document(kind, thing, Company())

    build(COLLECTIONS[kind], document)
    assert document["id"] == (f"{kind}:{thing['id']}" if kind in PREFIXED else str(thing["id"]))
    assert document["x_pipedrive"]["odd"] == "kept"


@pytest.fixture(scope="module")
def book() -> Book:
    return pipedrive_book()


def test_every_request_is_allowed_by_the_description(book, pipedrive):
    connector = make_connector(pipedrive)
    for subject in (
        DEAL,
        Subject("company", "7001"),
        Subject("contact", "501"),
        Subject("activity", "activities:6201"),
    ):
        connector.read_context(subject)
    for target in ("note", "task", f"field:{HASH}"):
        writer = make_connector(pipedrive, write_back={"email": target})
        writer.write_back(make_draft(DEAL), marker=MARKER, at=AT)
        writer.find_written(MARKER, draft=make_draft(DEAL))
    connector.read_context(Subject("activity", "notes:6001"))
    pull(connector)
    pipedrive.change("deals", 9001, "2026-11-21T10:00:00Z", value=5)
    pull(connector, AT)
    pipedrive.filters["7"] = [501]
    connector.find_segment("7")
    connector.diagnose()
    connector.may_see("777", DEAL)
    make_connector(pipedrive, webhook_url=URL).renew(now=AT)

    assert [problem for request in pipedrive.requests for problem in book.problems(request)] == []


EXAMPLES = {
    "/deals": "deals", "/deals/{id}": "deals", "/deals/{id}/products": "lines", "/deals/products": "lines",
    "/persons": "persons", "/persons/{id}": "persons", "/organizations": "organizations",
    "/organizations/{id}": "organizations", "/products": "products", "/activities": "activities",
    "/activities/{id}": "activities", "/notes": "notes", "/notes/{id}": "notes", "/users": "users",
    "/users/me": "users", "/deals/archived": "deals",
    "/deals/{id}/mailMessages": "mails", "/mailbox/mailMessages/{id}": "mails",
}  # fmt: skip
"""Calls whose answers are records -> what kind."""


def examples_of(book: Book, path: str) -> list[Any]:
    """The records that the description shows as an answer; mails of a deal lie one step deeper."""
    found = [e for op in book.operations if (op.path, op.method) == (path, "get") for e in op.examples()]
    data = [example["data"] for example in found if isinstance(example, dict) and example.get("data")]
    entries = [one for part in data for one in (part if isinstance(part, list) else [part])]
    return [one["data"] if set(one) == {"object", "timestamp", "data"} else one for one in entries]


@pytest.mark.parametrize(("path", "kind"), EXAMPLES.items())
def test_every_example_answer_is_mapped(book, path, kind):
    entries = examples_of(book, path)

    assert entries
    for entry in entries:
        document = to_document(kind, entry, Company())
        build(COLLECTIONS[kind], document)
        assert document["id"].rpartition(":")[2] == str(entry["id"])
