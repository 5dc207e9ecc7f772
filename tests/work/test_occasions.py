"""What falls due by the clock, and what is called off: once per occasion, through nights of 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crmplugin.domain.event import Event, ObjectRef
from crmplugin.journeys.accept_event import accept_event
from crmplugin.journeys.import_records import import_document
from crmplugin.journeys.occasions import find_occasions, local_day
from crmplugin.work.sweeps import sweep
from crmplugin.work.upkeep import Upkeep

SELLER = {"name": "Meridian", "timezone": "Europe/Berlin", "currency": "EUR", "country": "DE"}
RECORDS = {
    "format": "crmplugin-records/1",
    "seller": SELLER,
    "companies": [{"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}],
    "contacts": [{"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "email": "a@k.example"}],
    "deals": [
        {
            "id": "D-1", "name": "Deal", "company_id": "CO-1", "contact_ids": ["C-1"], "primary_contact_id": "C-1",
            "status": "open", "stage": "Offer", "stage_kind": "proposal", "created_at": "2026-03-02T09:00:00Z",
        },
        {"id": "D-2", "name": "Won", "company_id": "CO-1", "status": "won", "created_at": "2026-03-02T09:00:00Z"},
    ],
    "activities": [
        {"id": "A-1", "type": "call", "direction": "outbound", "at": "2026-03-06T15:00:00Z", "deal_id": "D-1"},
    ],
    "quotes": [
        {"id": "Q-1", "deal_id": "D-1", "status": "sent", "valid_until": "2026-03-25"},
        {"id": "Q-2", "deal_id": "D-1", "status": "draft", "valid_until": "2026-03-25"},
    ],
}  # fmt: skip


class Clock:
    """A moment that a test moves."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock(datetime(2026, 3, 10, 9, tzinfo=UTC))


@pytest.fixture
def desk(open_office, clock):
    made = open_office(work=False, clock=clock).desk
    assert import_document(RECORDS, connection="local", records=made.records).refused == ()
    return made


def told(desk, type_):
    desk.intake.settle(5)
    return [event.id for event in desk.events.list(type=type_).items]


def test_quiet_deal_is_told_once_and_again_only_after_another_touch(desk):
    # A-1 was on Friday 6 March; ten business days later is Friday 20 March.
    days = [date(2026, 3, 19), date(2026, 3, 20), date(2026, 3, 23)]
    assert [find_occasions(desk, "local", day) for day in days] == [0, 2, 0]

    later = {"id": "A-2", "type": "call", "direction": "outbound", "at": "2026-03-24T10:00:00Z", "deal_id": "D-1"}
    desk.records.upsert_many("local", [("activities", later)])
    # 3 and 6 April are Good Friday and Easter Monday.
    assert [find_occasions(desk, "local", date(2026, 4, day)) for day in (8, 9)] == [0, 1]

    assert sorted(told(desk, "deal.idle")) == ["idle:D-1:2026-03-06", "idle:D-1:2026-03-24"]


def test_deal_that_was_quiet_for_months_is_no_news(desk):
    assert find_occasions(desk, "local", date(2026, 9, 1)) == 0


def test_quote_is_told_once_before_its_end_and_a_draft_never(desk):
    days = [date(2026, 3, day) for day in (19, 20, 21, 25, 26)]

    for day in days:
        find_occasions(desk, "local", day)

    assert told(desk, "quote.expiring") == ["expiring:Q-1:2026-03-25"]


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-03-29T04:59:00+00:00", "Europe/London", None),  # 05:59, clocks went forward at one
        ("2026-03-29T05:00:00+00:00", "Europe/London", date(2026, 3, 29)),
        ("2026-10-25T05:59:00+00:00", "Europe/London", None),  # 05:59 again of GMT, an hour later than in summer
        ("2026-10-25T06:00:00+00:00", "Europe/London", date(2026, 10, 25)),
        ("2026-03-10T20:30:00+00:00", "Asia/Tokyo", None),
        ("2026-03-10T21:00:00+00:00", "Asia/Tokyo", date(2026, 3, 11)),
        ("2026-03-10T06:00:00+00:00", None, date(2026, 3, 10)),
    ],
)
def test_sweep_is_due_from_six_by_the_sellers_wall_clock(instant, zone, day):
    assert local_day(datetime.fromisoformat(instant), zone) == day


@pytest.mark.parametrize("first", [date(2026, 3, 28), date(2026, 10, 24)], ids=["23 hours", "25 hours"])
def test_every_day_has_one_sweep_around_a_change_of_the_clocks(desk, clock, first):
    start = datetime(first.year, first.month, first.day, 1, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    for half_hours in range(3 * 48 - 4):
        clock.now = start + timedelta(minutes=30 * half_hours)
        # Every tick by another process, and one whose clock jumps back for a moment.
        Upkeep(desk).tick()
        clock.now -= timedelta(minutes=45)
        Upkeep(desk).tick()

    jobs, _ = desk.jobs.list(limit=100, cursor=None, state=None)

    days = [first + timedelta(days=n) for n in range(3)]
    assert sorted(job.id for job in jobs if job.kind == "sweep") == [f"sweep/local/{day}" for day in days]


def test_new_orders_are_learned_by_day_and_all_of_them_at_night(desk, clock):
    clock.now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    line = {"product_id": "GK-12", "quantity": 2}
    placed = {"id": "O-LATE", "company_id": "CO-1", "ordered_at": "2026-03-09T09:00:00Z", "lines": [line]}
    desk.records.upsert_many("local", [("orders", placed)])
    upkeep = Upkeep(desk)
    upkeep.tick()
    upkeep.tick()
    clock.now += timedelta(hours=14)
    upkeep.tick()

    jobs, _ = desk.jobs.list(limit=100, cursor=None, state=None)

    fits = sorted(job.id for job in jobs if job.kind == "fit")
    assert [id_.split("/")[1] for id_ in fits] == ["local", "local"]
    assert fits[1] == "fit/local/night-2026-03-11"


def event(desk, name, type_, about, **more):
    made = Event(name, "local", type_, desk.clock(), ObjectRef(*about), received_at=desk.clock(), **more)
    desk.intake.take([made])
    desk.intake.settle(5)
    return made


def schedule(desk):
    """A follow-up that a stage change asked for three business days later."""
    event(desk, "stage-1", "deal.stage_changed", ("deal", "D-1"))
    (draft_id,) = accept_event(desk, "local", "stage-1")
    return draft_id


@pytest.fixture
def delayed(open_office, clock, monkeypatch, clean_environment):
    config = clean_environment / "crmplugin.toml"
    config.write_text('[[playbook]]\nwhen = "deal.stage_changed"\ndraft = ["follow_up"]\nafter_business_days = 3\n')
    monkeypatch.setenv("CRMPLUGIN_CONFIG", str(config))
    clock.now = datetime(2026, 4, 1, 9, tzinfo=UTC)
    made = open_office(work=False, clock=clock).desk
    assert import_document(RECORDS, connection="local", records=made.records).refused == ()
    return made


def test_follow_up_in_three_business_days_waits_over_easter_and_survives_restarts(delayed, open_office, clock):
    draft_id = schedule(delayed)
    assert delayed.drafts.get(draft_id).due == "2026-04-08"  # Wednesday; Thu 2, then Tue 7 and Wed 8 April

    again = open_office(work=False, clock=clock).desk
    for day in (2, 7):
        clock.now = datetime(2026, 4, day, 9, tzinfo=UTC)
        sweep(again)
    assert again.drafts.get(draft_id).status == "scheduled"
    clock.now = datetime(2026, 4, 8, 0, 1, tzinfo=UTC)
    sweep(again)

    assert again.drafts.get(draft_id).status == "writing"


ACTIVITY = {"type": "email", "at": "2026-04-02T09:00:00Z", "deal_id": "D-1", "contact_ids": ["C-1"]}


@pytest.mark.parametrize(
    ("type_", "about", "activity", "reason"),
    [
        ("message.received", ("activity", "A-9"), {"direction": "inbound"}, "they wrote meanwhile"),
        (
            "message.received",
            ("activity", "A-9"),
            {"direction": "inbound", "bounced": True},
            "a message to them bounced",
        ),
        ("meeting.ended", ("activity", "A-9"), {"type": "meeting"}, "there was a meeting meanwhile"),
        ("contact.opted_out", ("contact", "C-1"), None, "the contact has opted out"),
        ("deal.lost", ("deal", "D-1"), None, "the deal was lost meanwhile"),
        ("record.deleted", ("deal", "D-1"), None, "the record was deleted in the CRM"),
    ],
    ids=["reply", "bounce", "meeting", "opt-out", "lost", "deleted"],
)
def test_what_happened_meanwhile_calls_the_follow_up_off(delayed, type_, about, activity, reason):
    draft_id = schedule(delayed)
    if activity:
        delayed.records.upsert_many("local", [("activities", {"id": "A-9", **ACTIVITY, **activity})])

    event(delayed, "later-1", type_, about)
    accept_event(delayed, "local", "later-1")

    assert delayed.drafts.get(draft_id).status == "cancelled"
    assert delayed.drafts.moves(draft_id)[-1].reason == reason


@pytest.mark.parametrize(
    "activity",
    [
        {"direction": "outbound"},
        {"direction": "inbound", "automatic": True},
        {"direction": "inbound", "deal_id": "D-2"},
    ],
    ids=["our own mail", "out of office", "about another deal"],
)
def test_what_is_no_answer_calls_nothing_off(delayed, activity):
    draft_id = schedule(delayed)
    delayed.records.upsert_many("local", [("activities", {"id": "A-9", **ACTIVITY, **activity})])

    event(delayed, "later-1", "message.received", ("activity", "A-9"))
    accept_event(delayed, "local", "later-1")

    assert delayed.drafts.get(draft_id).status == "scheduled"


def test_event_without_a_playbook_row_has_a_job_when_it_may_call_something_off(desk):
    event(desk, "out-1", "contact.opted_out", ("contact", "C-1"))
    event(desk, "changed-1", "contact.changed", ("contact", "C-1"))

    assert desk.events.get("local", "out-1").state == "stored"
    assert desk.events.get("local", "changed-1").state == "ignored"
    assert desk.jobs.find("local/out-1") is not None
