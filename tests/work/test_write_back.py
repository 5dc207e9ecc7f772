"""Write-back happens once: whatever fails, before or after the CRM has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crmplugin.errors import CrmRefused, CrmUnavailable, StateConflict
from crmplugin.journeys.approve import withdraw
from crmplugin.journeys.write_back import ACTION, UNSURE, write_back
from crmplugin.work.leases import LeaseLost
from tests.work.conftest import ADMIN
from tests.work.servers import wait_until


def soon(text="busy"):
    return CrmUnavailable(text, retry_after_s=0.2)


@pytest.fixture
def idle(open_office):
    """A desk whose jobs are done by nobody, so that a test does them itself."""
    return open_office(work=False).desk


def test_approved_draft_is_written_without_asking_the_crm_first(idle, crm, make_approved):
    draft_id = make_approved(idle)

    assert write_back(idle, draft_id) == "written"

    assert crm.written == [f"crmplugin:{draft_id}"]
    assert crm.looked_for == []
    assert idle.drafts.get(draft_id).written_id == f"note-of-crmplugin:{draft_id}"


def test_crash_after_the_crm_wrote_is_found_by_the_marker(idle, crm, make_approved):
    draft_id = make_approved(idle)
    crm.after = [RuntimeError("killed here")]
    with pytest.raises(RuntimeError):
        write_back(idle, draft_id)

    assert write_back(idle, draft_id) == "written"

    assert crm.written == [f"crmplugin:{draft_id}"]
    assert crm.looked_for == [f"crmplugin:{draft_id}"]


def test_crash_before_the_crm_wrote_is_written_after_looking(idle, crm, make_approved):
    draft_id = make_approved(idle)
    crm.troubles = [RuntimeError("killed here")]
    with pytest.raises(RuntimeError):
        write_back(idle, draft_id)

    with pytest.raises(CrmUnavailable, match="not known yet") as early:
        write_back(idle, draft_id)
    later = replace(idle, clock=lambda: datetime.now(UTC) + UNSURE)

    assert early.value.retry_after_s == pytest.approx(15, abs=2)
    assert write_back(later, draft_id) == "written"
    assert crm.written == [f"crmplugin:{draft_id}"]


def test_second_call_is_made_by_one_of_two_who_saw_the_same_claim(idle, make_approved):
    draft_id = make_approved(idle)
    now = idle.clock()
    idle.ledger.claim("local", draft_id, ACTION, at=now)
    seen = [idle.ledger.claim("local", draft_id, ACTION, at=now) for _ in range(2)]

    won = [idle.ledger.claim_again("local", draft_id, ACTION, seen=claim, at=now) for claim in seen]

    assert won == [True, False]


def test_who_stood_still_calls_nobody(idle, crm, make_approved):
    draft_id = make_approved(idle)

    def lost():
        raise LeaseLost("stood still")

    with pytest.raises(LeaseLost):
        write_back(replace(idle, check_lease=lost), draft_id)

    assert crm.written == []


def test_crash_between_result_and_status_writes_nothing_more(idle, crm, make_approved):
    draft_id = make_approved(idle)
    now = idle.clock()
    idle.drafts.move(draft_id, "writing_back", at=now)
    idle.ledger.claim("local", draft_id, ACTION, at=now)
    idle.ledger.finish("local", draft_id, ACTION, result="note-7", at=now)

    assert write_back(idle, draft_id) == "written"

    assert (crm.written, crm.looked_for) == ([], [])
    assert idle.drafts.get(draft_id).written_id == "note-7"


def test_written_draft_is_left_alone(idle, crm, make_approved):
    draft_id = make_approved(idle)

    assert [write_back(idle, draft_id) for _ in range(3)] == ["written"] * 3
    assert len(crm.written) == 1


def test_withdrawn_draft_is_not_written(idle, crm, make_approved):
    draft_id = make_approved(idle)
    withdraw(idle, draft_id, ADMIN, version=None)

    assert write_back(idle, draft_id) == "proposed"
    assert crm.written == []


def test_approval_cannot_be_taken_back_once_writing_began(idle, crm, make_approved):
    draft_id = make_approved(idle)
    idle.drafts.move(draft_id, "writing_back", at=idle.clock())

    with pytest.raises(StateConflict):
        withdraw(idle, draft_id, ADMIN, version=None)


def test_busy_crm_is_tried_again_and_written_once(open_office, crm, make_approved):
    desk = open_office().desk
    crm.troubles = [soon(), soon()]

    draft_id = make_approved(desk)

    wait_until(lambda: desk.drafts.get(draft_id).status == "written")
    job = wait_until(lambda: (j := desk.jobs.find(f"write/{draft_id}/2")) and j.state == "done" and j)
    assert (job.attempts, len(crm.written)) == (3, 1)


def test_refusing_crm_ends_in_failed_with_the_reason_and_can_be_retried(open_office, crm, make_approved):
    desk = open_office().desk
    crm.troubles = [CrmRefused("acme says: the deal is locked")]
    draft_id = make_approved(desk)
    job_id = f"write/{draft_id}/2"
    wait_until(lambda: (j := desk.jobs.find(job_id)) and j.state == "dead")

    failed = desk.drafts.get(draft_id)
    assert (failed.status, failed.problem) == ("failed", "acme says: the deal is locked")
    assert "locked" in desk.jobs.find(job_id).wait_reason
    assert [j.id for j in desk.jobs.list(limit=10, cursor=None, state="dead")[0]] == [job_id]

    desk.jobs.retry(job_id)
    wait_until(lambda: desk.drafts.get(draft_id).status == "written")
    assert len(crm.written) == 1


def test_job_that_runs_or_is_done_cannot_be_retried_or_cancelled(open_office, make_approved):
    desk = open_office().desk
    draft_id = make_approved(desk)
    wait_until(lambda: desk.drafts.get(draft_id).status == "written")
    job_id = f"write/{draft_id}/2"
    wait_until(lambda: desk.jobs.find(job_id).state == "done")

    with pytest.raises(StateConflict):
        desk.jobs.retry(job_id)
    assert desk.jobs.cancel(job_id) is False
    assert desk.jobs.cancel("nothing") is False


def test_waiting_job_can_be_cancelled_and_retried(open_office, crm, make_approved):
    desk = open_office().desk
    crm.troubles = [CrmUnavailable("closed for the night", retry_after_s=3600)]
    draft_id = make_approved(desk)
    job_id = f"write/{draft_id}/2"
    waiting = wait_until(lambda: (j := desk.jobs.find(job_id)) and j.state == "waiting" and j)

    assert waiting.wait_reason == "closed for the night"
    assert waiting.next_at > desk.clock()
    assert desk.jobs.cancel(job_id) is True
    assert desk.jobs.find(job_id).state == "cancelled"
    desk.jobs.retry(job_id)
    wait_until(lambda: desk.drafts.get(draft_id).status == "written")


def test_next_start_writes_what_was_approved_before_its_job_was_added(open_office, crm, make_approved, make_proposed):
    desk = open_office(work=False).desk
    draft_id = make_proposed(desk)
    desk.drafts.move(draft_id, "approved", at=desk.clock(), attempt=2)  # killed here: no job

    desk = open_office().desk

    wait_until(lambda: desk.drafts.get(draft_id).status == "written")
    assert crm.written == [f"crmplugin:{draft_id}"]


def test_draft_that_is_never_written_back_stays_approved(open_office, crm, make_proposed):
    from crmplugin.journeys.approve import approve

    desk = open_office().desk
    draft_id = make_proposed(desk, write_back="never")

    approve(desk, draft_id, ADMIN)

    assert desk.drafts.get(draft_id).status == "approved"
    assert desk.jobs.find(f"write/{draft_id}/2") is None
