"""The job of a draft: sweeps, stops, failures, and the pieces that readers follow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.journeys.approve import stop
from crmplugin.journeys.ask import Ask, ask_for_drafts
from crmplugin.journeys.broadcast import Broadcast, Stopped
from crmplugin.journeys.run_draft import fail_draft, run_draft
from crmplugin.store.pieces import PieceStore
from crmplugin.work.sweeps import sweep
from tests.work.conftest import ADMIN
from tests.work.servers import wait_until

NOW = datetime.now(UTC)


def wanted(draft_id: str, **more) -> Ask:
    return Ask(draft_id, Request("local", "summary", Subject("deal", "D-1")), "api", NOW - timedelta(minutes=5), **more)


def test_draft_without_a_job_gets_one_at_the_next_start(open_office):
    desk = open_office(work=False).desk
    ask_for_drafts(desk, [wanted("lost")])

    desk = open_office().desk

    # The fake CRM reads nothing, so what matters is that somebody tried.
    wait_until(lambda: desk.drafts.get("lost").status != "writing")
    assert desk.jobs.find("draft/lost/1") is not None


def test_sweeping_twice_adds_one_job(open_office):
    desk = open_office(work=False).desk
    ask_for_drafts(desk, [wanted("lost")])

    sweep(desk)
    sweep(desk)

    assert len(desk.jobs.list(limit=10, cursor=None, state=None)[0]) == 1


def test_scheduled_draft_is_started_on_its_day_and_not_before(open_office):
    desk = open_office(work=False).desk
    tomorrow = date.today() + timedelta(days=2)  # noqa: DTZ011 - far enough from midnight everywhere
    ask_for_drafts(desk, [wanted("due", due=date(2026, 1, 1)), wanted("later", due=tomorrow)])

    sweep(desk)

    assert desk.drafts.get("due").status == "writing"
    assert desk.drafts.get("later").status == "scheduled"
    assert desk.jobs.find("draft/due/1") is not None


def test_draft_whose_job_died_is_failed_with_its_reason(open_office):
    desk = open_office(work=False).desk
    ask_for_drafts(desk, [wanted("dead")])
    sweep(desk)
    desk.jobs.cancel("draft/dead/1")

    sweep(desk)

    assert desk.drafts.get("dead").status == "failed"
    assert "cancelled" in desk.drafts.get("dead").problem


def test_unexpected_error_ends_in_failed_and_says_what_to_do(open_office):
    desk = open_office().desk  # the fake CRM has no read_context
    ask_for_drafts(desk, [wanted("odd")])
    sweep(desk)

    failed = wait_until(lambda: (d := desk.drafts.get("odd")).status == "failed" and d)
    assert "retry the job" in failed.problem


def test_stopped_draft_stays_stopped_whatever_its_job_does(open_office):
    desk = open_office(work=False).desk
    ask_for_drafts(desk, [wanted("halt")])

    stop(desk, "halt", ADMIN)

    assert run_draft(desk, "halt") == "stopped"
    fail_draft(desk, "halt", "late")
    assert desk.drafts.get("halt").status == "stopped"


def test_scheduled_draft_is_cancelled_by_stop(open_office):
    desk = open_office(work=False).desk
    ask_for_drafts(desk, [wanted("plan", due=date(2099, 1, 1))])

    assert stop(desk, "plan", ADMIN).status == "cancelled"


@pytest.fixture
def broadcast(open_office):
    return open_office(work=False).desk.broadcast


def test_reader_of_an_open_channel_gets_what_is_behind_a_number(broadcast):
    channel = broadcast.open("d")
    for n in range(3):
        channel.emit("text", {"n": n})

    assert [p.n for p in channel.wait(0, 0)] == [1, 2, 3]
    assert [p.data["n"] for p in channel.wait(2, 0)] == [2]


def test_pieces_of_a_closed_channel_are_in_the_store(broadcast):
    channel = broadcast.open("d")
    channel.emit("text", {"text": "Grüße"})

    broadcast.close("d")

    assert broadcast.find("d") is None
    assert [(p.n, p.event, p.data) for p in broadcast.store.after("d", 0)] == [(1, "text", {"text": "Grüße"})]


def test_second_attempt_goes_on_counting(broadcast):
    broadcast.open("d").emit("text", {"n": 1})
    broadcast.close("d")

    channel = broadcast.open("d")
    channel.emit("text", {"n": 2})

    assert [p.n for p in channel.wait(0, 0)] == [1, 2]
    assert [p.n for p in channel.wait(1, 0)] == [2]


def test_stopped_channel_ends_its_writer(broadcast: Broadcast):
    channel = broadcast.open("d")

    broadcast.stop("d")

    with pytest.raises(Stopped):
        channel.emit("text", {})


def test_piece_that_is_kept_stays_as_it_was(broadcast):
    from crmplugin.store.pieces import Piece

    store: PieceStore = broadcast.store
    store.add("d", [Piece(1, "text", {"v": 1})])
    store.add("d", [Piece(1, "text", {"v": 2}), Piece(2, "text", {"v": 3})])

    assert [p.data["v"] for p in store.after("d", 0)] == [1, 3]
    assert store.last("d") == 2


def test_note_that_goes_alone_is_written_also_when_its_job_died_right_before(open_office, crm):
    desk = open_office(work=False).desk
    request = Request("local", "summary", Subject("deal", "D-1"))
    ask_for_drafts(desk, [Ask("note-1", request, "event", desk.clock(), write_back="at_once")])
    sentence = {"text": "The quote is out.", "role": "claim", "evidence": [], "verdict": "supported"}
    document = desk.drafts.get("note-1").document | {"status": "proposed", "sentences": [sentence]}
    desk.drafts.move("note-1", "proposed", at=desk.clock(), document=document)

    assert run_draft(desk, "note-1") == "approved"
    assert run_draft(desk, "note-1") == "approved"

    assert [job.id for job in desk.jobs.list(limit=9, cursor=None, state=None)[0]] == ["write/note-1/2"]
