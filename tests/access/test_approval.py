"""Who may let what out: the owner's table, the second pair of eyes, and drafts that wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.domain.approval import ApprovalCase, ApprovalRow
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Sentence
from crmplugin.errors import AccessDenied, SettingsError
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.approval_waits import see_to_waiting
from crmplugin.journeys.ask import Ask, blank_draft
from crmplugin.journeys.present import to_json
from crmplugin.settings import load_settings
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow
from tests.access.conftest import HERE

LEADERS = frozenset({"manager", "director"})
BIG = {"above": Decimal("20000"), "currency": "GBP"}


def who(role: str, user: str = "U-9") -> Principal:
    return Principal(f"user:{user}", role, user)


def with_rows(office, *rows: ApprovalRow, now: datetime | None = None):
    desk = replace(office.desk, settings=replace(office.desk.settings, approvals=rows))
    return replace(desk, clock=lambda: now) if now else desk


@pytest.fixture
def proposed(office):
    """Makes a proposed draft with a text that passes: `proposed("d-1", kind="pitch", created_by="user:U-1")`."""

    def make(
        draft_id: str, *, kind: str = "follow_up", deal: str = "D-1", created_by: str = "user:U-1", **changes: Any
    ):
        ask = Ask(draft_id, Request(HERE, kind, Subject("deal", deal), channel="email"), "api", office.desk.clock())
        draft = replace(blank_draft(ask), status="proposed", sentences=(Sentence("Hello.", "context"),), body="Hello.")
        made_at = changes.pop("at", office.desk.clock())
        row = DraftRow(
            draft_id, HERE, kind, "proposed", 1, made_at, made_at, "api", "deal", deal, "never", to_json(ask.request),
            to_json(draft), owner_id="U-1", created_by=created_by, replaces=changes.pop("replaces", None),
        )  # fmt: skip
        office.desk.drafts.create(row)
        return draft_id

    return make


ROLE_TABLE = [
    ("meeting_brief", "rep manager director marketing admin"),
    ("follow_up", "rep manager director admin"),
    ("social_reply", "manager director marketing admin"),
]


@pytest.mark.parametrize("role", ["rep", "manager", "director", "marketing", "admin"])
@pytest.mark.parametrize(("kind", "roles"), ROLE_TABLE)
def test_without_a_table_the_defaults_decide(office, proposed, kind, roles, role):
    draft_id = proposed(f"default-{kind}-{role}", kind=kind)

    if role in roles.split():
        assert decisions.approve(office.desk, draft_id, who(role)).status == "approved"
    else:
        with pytest.raises(AccessDenied, match=f"a {role} may not approve this {kind}"):
            decisions.approve(office.desk, draft_id, who(role))


CASE = ApprovalCase(
    {"connection": "local", "kind": "pitch", "type": None, "audience": "customer", "channel": "email"},
    {"GBP": Decimal("26505.00")},
    Decimal("12.5"),
)


@pytest.mark.parametrize(
    ("row", "fits"),
    [
        ({"where": {"kind": ("pitch",)}}, True),
        ({"where": {"kind": ("follow_up",)}}, False),
        ({"where": {"channel": ("email", "letter"), "audience": ("customer",)}}, True),
        ({"where": {"channel": ("sms",)}}, False),
        ({"where": {"connection": ("acme",)}}, False),
        ({"above": Decimal("26504.99"), "currency": "GBP"}, True),
        ({"above": Decimal("26505.00"), "currency": "GBP"}, False),
        ({"above": Decimal("99999999"), "currency": "EUR"}, True),
        ({"discount_above": Decimal("12.4")}, True),
        ({"discount_above": Decimal("12.5")}, False),
    ],
)
def test_row_fits_by_kind_channel_audience_amount_and_discount(row, fits):
    assert ApprovalRow(LEADERS, **row).fits(CASE) is fits


def test_large_deal_needs_a_leader(office, proposed):
    desk = with_rows(office, ApprovalRow(LEADERS, **BIG))
    draft_id = proposed("large")

    with pytest.raises(AccessDenied, match="ask one of director, manager"):
        decisions.approve(desk, draft_id, who("rep"))
    assert decisions.approve(desk, draft_id, who("manager")).status == "approved"


def test_first_row_that_fits_decides(office, proposed):
    rows = (ApprovalRow(frozenset({"rep"}), {"kind": ("follow_up",)}), ApprovalRow(LEADERS, **BIG))

    assert decisions.approve(with_rows(office, *rows), proposed("first"), who("rep")).status == "approved"


def test_discount_of_the_deal_counts(office, proposed):
    from tests.web.conftest import documents

    office.desk.records.upsert_many(HERE, documents({"deals": [{"id": "D-2", "discount_pct": "18"}]}))
    desk = with_rows(office, ApprovalRow(LEADERS, discount_above=Decimal("15")))

    with pytest.raises(AccessDenied):
        decisions.approve(desk, proposed("discounted", deal="D-2"), who("rep"))
    assert decisions.approve(desk, proposed("plain", deal="D-1"), who("rep")).status == "approved"


FOUR_EYES = ApprovalRow(frozenset({"rep", "manager"}), four_eyes=True)


def test_whoever_asked_may_not_approve_where_two_are_needed(office, proposed):
    desk = with_rows(office, FOUR_EYES)
    draft_id = proposed("asked", created_by="user:U-1")

    with pytest.raises(AccessDenied, match="needs a second person"):
        decisions.approve(desk, draft_id, who("rep", "U-1"))
    assert decisions.approve(desk, draft_id, who("rep", "U-2")).status == "approved"


def test_whoever_edited_may_not_approve_where_two_are_needed(office, proposed):
    desk = with_rows(office, FOUR_EYES)
    draft_id = proposed("edited", created_by="playbook")
    office.desk.drafts.edit(
        draft_id, {**office.desk.drafts.get(draft_id).document, "version": 2}, version=1, by="user:U-2",
        at=office.desk.clock(),
    )  # fmt: skip

    with pytest.raises(AccessDenied, match="needs a second person"):
        decisions.approve(desk, draft_id, who("rep", "U-2"))


def test_a_token_of_the_author_is_the_author(office, proposed):
    desk = with_rows(office, FOUR_EYES)
    token_id, secret = office.desk.access.create_token("rep", at=datetime.now(UTC), user_id="U-1")
    draft_id = proposed("by-session", created_by="user:U-1")

    with pytest.raises(AccessDenied, match="needs a second person"):
        decisions.approve(desk, draft_id, office.desk.access.by_token(secret, now=datetime.now(UTC)))
    with pytest.raises(AccessDenied, match="needs a second person"):
        decisions.approve(desk, proposed("by-token", created_by=f"token:{token_id}"), who("rep", "U-1"))


def test_a_sign_in_of_the_author_is_the_author(office, proposed):
    from tests.web.conftest import documents

    office.desk.records.upsert_many(HERE, documents({"users": [{"id": "U-1", "email": "Ann@Halden.example"}]}))
    desk = with_rows(office, FOUR_EYES)
    ann, bo = (Principal(f"person:{name}@halden.example", "manager") for name in ("ann", "bo"))

    with pytest.raises(AccessDenied, match="needs a second person: you"):
        decisions.approve(desk, proposed("in-the-panel", created_by="user:U-1"), ann)
    with pytest.raises(AccessDenied, match="needs a second person: you"):
        decisions.approve(desk, proposed("signed-in", created_by="person:ann@halden.example"), who("rep", "U-1"))
    assert decisions.approve(desk, proposed("by-bo", created_by="user:U-1"), bo).status == "approved"


@pytest.mark.parametrize("name", ["console:manager", "user:panel", "user:nobody", "token:of-nobody"])
def test_whoever_has_no_name_is_no_second_person(office, proposed, name):
    draft_id = proposed(f"nameless-{name}", created_by="user:U-1")

    with pytest.raises(AccessDenied, match="nobody knows who you are"):
        decisions.approve(with_rows(office, FOUR_EYES), draft_id, Principal(name, "manager"))
    assert decisions.approve(office.desk, draft_id, Principal(name, "manager")).status == "approved"


def test_words_stay_their_authors_in_a_variant_that_somebody_else_asks_for(office, proposed):
    desk = with_rows(office, FOUR_EYES)
    draft_id = proposed("variant-of", created_by="playbook")
    document = office.desk.drafts.get(draft_id).document
    office.desk.drafts.edit(
        draft_id, {**document, "version": 2}, version=1, by="user:U-2", at=office.desk.clock()
    )  # fmt: skip
    variant = proposed("variant", created_by="user:U-1", replaces=draft_id)

    for author in ("U-1", "U-2"):
        with pytest.raises(AccessDenied, match="needs a second person"):
            decisions.approve(desk, variant, who("rep", author))
    assert decisions.approve(desk, variant, who("rep", "U-3")).status == "approved"


def test_api_says_in_a_sentence_why_not(office, app, signed_in, proposed):
    app.extensions["desk"] = with_rows(office, ApprovalRow(LEADERS, **BIG))
    try:
        answer = signed_in("rep").post(f"/api/v1/drafts/{proposed('by-api')}/approve")
    finally:
        app.extensions["desk"] = office.desk

    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert answer.json["detail"] == "a rep may not approve this follow_up: ask one of director, manager"


WAITING = ApprovalRow(
    frozenset({"rep"}), {"kind": ("pitch",)}, remind_hours=24, escalate_hours=72, escalate_to=frozenset({"director"})
)


def told(office, draft_id: str) -> list[str]:
    return [row.kind for row in office.desk.audit.rows(draft=draft_id) if row.kind.startswith("approval.")]


def test_waiting_draft_is_reminded_of_and_escalated_once(office, proposed):
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    draft_id = proposed("waits", kind="pitch", at=start)

    def look(hours: int) -> None:
        see_to_waiting(with_rows(office, WAITING, now=start + timedelta(hours=hours)))

    look(23)
    assert told(office, draft_id) == []
    look(25)
    look(26)  # as after a restart: what was told is in the store
    assert told(office, draft_id) == ["approval.reminded"]
    look(73)
    look(74)
    assert told(office, draft_id) == ["approval.reminded", "approval.escalated", "approval.reminded"]


def test_escalated_draft_may_be_approved_by_others(office, proposed):
    start = datetime(2026, 3, 1, 9, tzinfo=UTC)
    draft_id = proposed("stuck", kind="pitch", at=start)
    desk = with_rows(office, WAITING, now=start + timedelta(hours=73))

    with pytest.raises(AccessDenied):
        decisions.approve(desk, draft_id, who("director"))
    see_to_waiting(desk)

    assert decisions.approve(desk, draft_id, who("director")).status == "approved"


def test_table_is_read_from_the_settings(tmp_path):
    (tmp_path / "crmplugin.toml").write_text(
        '[[approval]]\nkind = ["pitch"]\nabove = "50000"\ncurrency = "EUR"\nroles = ["director"]\nfour_eyes = true\n'
        'remind_hours = 24\nescalate_hours = 72\nescalate_to = ["admin"]\n'
    )

    (row,) = load_settings(
        {"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)}
    ).approvals

    assert row == ApprovalRow(
        frozenset({"director"}), {"kind": ("pitch",)}, Decimal("50000"), "EUR", four_eyes=True, remind_hours=24,
        escalate_hours=72, escalate_to=frozenset({"admin"}),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('kind = "pitch"', "has no roles"),
        ('roles = ["boss"]', "expected one of rep, manager"),
        ('roles = ["admin"]\nabove = "5"', "needs above and currency together"),
        ('roles = ["admin"]\nescalate_hours = 5', "needs escalate_hours and escalate_to together"),
        ('roles = ["admin"]\nremind_hours = 0', "expected more than 0"),
        ('roles = ["admin"]\nrolls = 1', "is no setting"),
    ],
)
def test_wrong_row_is_named(tmp_path, row, sentence):
    (tmp_path / "crmplugin.toml").write_text(f"[[approval]]\n{row}\n")

    with pytest.raises(SettingsError, match=sentence):
        load_settings({"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)})


def made_campaign(office, by: str = "user:U-8", channels: tuple[str, ...] = ("email",)) -> str:
    from crmplugin.journeys.campaigns import create_campaign

    wish = {"connection": HERE, "segment": {}, "goal": "win_back", "channels": list(channels)}
    return create_campaign(office.desk, wish, Principal(by, "admin")).id


def try_campaign(desk, campaign_id: str, who: Principal) -> str:
    """What comes of an approval: `denied` with the sentence, else past the table."""
    from crmplugin.errors import StateConflict
    from crmplugin.journeys.campaigns import approve_campaign

    try:
        return approve_campaign(desk, campaign_id, who).status
    except AccessDenied as error:
        return str(error)
    except StateConflict:
        return "past the table"


@pytest.mark.parametrize("role", ["rep", "manager", "director", "marketing", "admin"])
def test_campaign_goes_by_the_defaults_without_a_row(office, role):
    said = try_campaign(office.desk, made_campaign(office), who(role))

    assert ("may not approve a campaign" in said) is (role in ("rep", "manager"))


def test_campaign_goes_by_the_owners_rows(office):
    rows = (ApprovalRow(frozenset({"manager"}), {"kind": ("campaign_message",), "channel": ("sms",)}),)
    desk = with_rows(office, *rows)

    assert "may not" not in try_campaign(desk, made_campaign(office, channels=("sms",)), who("manager"))
    assert "ask one of manager" in try_campaign(desk, made_campaign(office, channels=("sms",)), who("director"))
    both = made_campaign(office, channels=("sms", "email"))
    assert "may not" in try_campaign(desk, both, who("manager"))  # each channel must be theirs
    assert "may not" in try_campaign(desk, both, who("director"))


def test_large_audience_needs_somebody_else(office):
    from crmplugin.journeys.campaigns import preview_campaign

    campaign_id = made_campaign(office)
    size = preview_campaign(office.desk, campaign_id)["channels"]["email"]["left"]
    rows = [ApprovalRow(frozenset({"director"}), recipients_above=n) for n in (size, size - 1)]
    at_most, more = (with_rows(office, row) for row in rows)

    assert "may not" not in try_campaign(at_most, campaign_id, who("marketing"))
    assert "ask one of director" in try_campaign(more, made_campaign(office), who("marketing"))


def test_campaign_needs_a_second_person_where_set(office):
    desk = with_rows(office, ApprovalRow(frozenset({"admin"}), {"kind": ("campaign_message",)}, four_eyes=True))

    assert "second person" in try_campaign(desk, made_campaign(office, by="user:U-9"), who("admin", "U-9"))
    assert "second person" not in try_campaign(desk, made_campaign(office, by="user:U-8"), who("admin", "U-9"))


def test_whoever_edited_a_campaign_is_not_its_second_person(office):
    from crmplugin.journeys.campaigns import edit_campaign, get_campaign

    desk = with_rows(office, ApprovalRow(frozenset({"admin"}), {"kind": ("campaign_message",)}, four_eyes=True))
    campaign_id = made_campaign(office, by="user:U-8")
    made = get_campaign(desk, campaign_id)
    key = next(iter(made.masters[0].patterns))
    master = made.masters[0]
    same = {"language": master.language, "channel": master.channel, "variant": master.variant,
            "patterns": {key: master.patterns[key]}}  # fmt: skip
    edit_campaign(desk, campaign_id, who("admin", "U-9"), version=made.version, masters=[same])

    assert "edited it" in try_campaign(desk, campaign_id, who("admin", "U-9"))
    assert "second person" in try_campaign(desk, campaign_id, who("admin", "U-8"))
    assert "second person" not in try_campaign(desk, campaign_id, who("admin", "U-7"))


def test_approval_of_words_that_changed_meanwhile_is_refused(office):
    from crmplugin.errors import StateConflict

    row = office.desk.campaigns.get(made_campaign(office))

    with pytest.raises(StateConflict, match="changed meanwhile"):
        office.desk.campaigns.move(row.id, "approved", at=row.updated_at, version=row.version - 1)
    assert office.desk.campaigns.get(row.id).status == "created"


WAITING_CAMPAIGN = ApprovalRow(
    frozenset({"marketing"}), {"kind": ("campaign_message",)}, remind_hours=24, escalate_hours=72,
    escalate_to=frozenset({"manager"}),
)  # fmt: skip


def test_waiting_campaign_is_reminded_of_and_escalated_as_a_draft_is(office):
    campaign_id = made_campaign(office)
    since = office.desk.campaigns.get(campaign_id).updated_at

    def look(hours: int) -> list[str]:
        see_to_waiting(with_rows(office, WAITING_CAMPAIGN, now=since + timedelta(hours=hours)))
        rows = office.desk.audit.rows(kinds=["approval.reminded", "approval.escalated"])
        return [row.kind.removeprefix("approval.") for row in rows if row.body.get("campaign") == campaign_id]

    assert look(23) == []
    assert look(25) == look(26) == ["reminded"]
    desk = with_rows(office, WAITING_CAMPAIGN)
    assert "may not approve" in try_campaign(desk, campaign_id, who("manager"))
    assert look(73) == look(74) == ["reminded", "escalated", "reminded"]
    assert "may not" not in try_campaign(desk, campaign_id, who("manager"))
    assert "may not approve" in try_campaign(desk, campaign_id, who("rep"))


def test_row_about_recipients_is_about_no_single_draft():
    assert not ApprovalRow(LEADERS, recipients_above=1).fits(CASE)
