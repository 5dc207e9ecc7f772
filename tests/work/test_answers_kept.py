"""A model's answer is paid once: it is kept, whatever comes between it and the draft."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace

import pytest
from dbos._dbos import _get_dbos_instance
from sqlalchemy.exc import OperationalError

from crmplugin import wiring
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import StoreError
from crmplugin.journeys.ask import Ask, ask_for_drafts, start_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.llm.scripted import scripted_model
from crmplugin.work import running, workflows
from tests.work.servers import wait_until
from tests.work.test_waiting import GOOD, RECORDS


@pytest.fixture
def model():
    """A model that answers; `requests` are what it was asked. `asked` is called before it says anything."""
    with scripted_model(lambda _body: replace(GOOD, before_piece=lambda n: n == 0 and served.asked())) as served:
        served.asked = lambda: None
        yield served


@pytest.fixture
def office(model, clean_environment, monkeypatch):
    for name, value in model.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CRMPLUGIN_RETRY_FIRST_S", "0.1")
    opened = wiring.open_office()
    import_document(RECORDS, connection="local", records=opened.desk.records)
    yield opened
    opened.close()


@pytest.fixture
def desk(office):
    return office.desk


def ask(desk):
    request = Request("local", "summary", Subject("deal", "D-0"))
    ask_for_drafts(desk, [Ask("asked", request, "event", desk.clock())])
    start_draft(desk, "asked", connection="local", priority=10)


def proposed(desk):
    return wait_until(lambda: (d := desk.drafts.get("asked")).status == "proposed" and d)


def failing(real, times):
    """`DraftStore.move`, which fails as a full disk lets it when the text is to be kept, so many times."""
    left = [times]

    def move(*args, **more):
        if left[0] and args[1] == "proposed":
            left[0] -= 1
            raise StoreError("the disk is full")
        return real(*args, **more)

    return move


@pytest.mark.parametrize("times", [1, 2])
def test_answer_is_not_paid_again_when_the_draft_could_not_be_kept(desk, model, monkeypatch, times):
    monkeypatch.setattr(desk.drafts, "move", failing(desk.drafts.move, times))

    ask(desk)

    assert proposed(desk).document["writer"] == "model"
    assert len(model.requests) == 1
    assert desk.jobs.find("draft/asked/1").attempts == times + 1


def test_answer_is_not_paid_again_when_the_engine_could_not_keep_it(desk, model, monkeypatch):
    rows, full = _get_dbos_instance()._sys_db, [True]
    keep = rows.record_operation_result

    def refuse_once(*args, **more):
        if full:
            full.clear()
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))
        return keep(*args, **more)

    monkeypatch.setattr(rows, "record_operation_result", refuse_once)

    ask(desk)

    assert proposed(desk).document["writer"] == "model"
    assert len(model.requests) == 1
    assert not full


def test_database_that_refuses_before_the_model_is_asked_is_no_answer_of_the_step(office, model, monkeypatch):
    limiter, full = office._house.limiter, [True]
    reserve = limiter.reserve

    def refuse_once(*args, **more):
        if full:
            full.clear()
            raise StoreError("the disk is full")
        return reserve(*args, **more)

    monkeypatch.setattr(limiter, "reserve", refuse_once)

    ask(office.desk)

    assert proposed(office.desk).document["writer"] == "model"
    # A process that was killed here would find this again, and must know it for what it was.
    (first,) = [s for s in office.jobs._client.list_workflow_steps("draft/asked/1") if s["function_name"] == "write"]
    assert (first["output"], first["error"]) == ({"refused": "the disk is full"}, None)


def test_pieces_that_could_not_be_kept_do_not_end_the_text(office, model, monkeypatch):
    store, full = office.desk.broadcast.store, [True]
    add = store.add

    def refuse_once(*args, **more):
        if full:
            full.clear()
            raise StoreError("the disk is full")
        return add(*args, **more)

    monkeypatch.setattr(store, "add", refuse_once)
    monkeypatch.setattr(office.desk.broadcast, "_flush_s", 0.0)

    ask(office.desk)

    assert proposed(office.desk).document["writer"] == "model"
    assert len(model.requests) == 1
    wait_until(lambda: workflows.Workplace.busy() == 0)
    assert [p.n for p in store.after("asked", 0)] == list(range(1, store.last("asked") + 1))
    assert not full


def test_run_that_stood_still_while_its_job_was_given_to_another_pays_nothing(office, model, monkeypatch):
    still, woken = threading.Event(), threading.Event()
    first = [True]
    tools = office.desk.tools("local")

    def read(subject):
        if first:
            first.clear()
            still.set()
            woken.wait(20)
        return tools.read_context(subject)

    def wake_the_first() -> None:
        woken.set()
        wait_until(lambda: workflows.Workplace.busy() == 1 or len(model.requests) > 1)

    # The desk is frozen data, and the workflows stand around the one that the engine was launched with.
    slow = replace(tools, read_context=read)
    monkeypatch.setattr(workflows.Workplace, "desk", replace(office.desk, tools=lambda name: slow))
    model.asked = wake_the_first
    ask(office.desk)
    assert still.wait(20)

    running.hand_back("draft/asked/1", office.jobs.executor_id)

    assert proposed(office.desk).document["writer"] == "model"
    wait_until(lambda: workflows.Workplace.busy() == 0)
    assert len(model.requests) == 1


def test_job_that_has_not_asked_yet_leaves_when_its_process_ends(office, model):
    office.jobs.ask_no_more()
    ask(office.desk)
    wait_until(running.some_left)
    wait_until(lambda: not running.in_progress())

    assert office.close() is False

    assert model.requests == []
    with closing(wiring.open_office()) as successor:
        assert proposed(successor.desk).document["writer"] == "model"
    assert len(model.requests) == 1
