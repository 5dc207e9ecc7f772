"""What models may cost: counted for whom, refused before it is spent, by many processes at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from multiprocessing import get_context

import pytest

from crmplugin.domain.spending import Payer, Spender, SpendingLimit
from crmplugin.errors import SettingsError, SpendingLimitReached, SpendingRefused
from crmplugin.journeys.spending import spender_of
from crmplugin.llm.scripted import Reply, replies, scripted_model
from crmplugin.settings import ConnectionSettings, load_settings
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.spending import SpendingBook
from crmplugin.wiring import Assistant
from crmplugin.work.office import Office
from tests.web.conftest import RECORDS, documents, make_event, wait_until

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
PRICES = (Decimal(1), Decimal(2))
ANN, BOB = Payer("local", "follow_up", "user:U-1"), Payer("local", "follow_up", "user:U-2")
MAIL = Payer("local", "follow_up", "playbook", "U-1")
"""What an event asked for, about a deal of Ann's."""
ONE = 1_000_000
"""So many input tokens cost 1.00."""


@pytest.fixture
def book(database_url, tmp_path):
    """A book of limits: `book(SpendingLimit(cost=Decimal(3)))`; the users of the local CRM are one team."""
    engines = []

    def make(*limits: SpendingLimit, now: datetime = NOON) -> SpendingBook:
        (tmp_path / "var").mkdir(exist_ok=True)
        engines.append(open_engine(database_url))
        migrate(engines[-1])
        return SpendingBook(engines[-1], limits=limits, prices=PRICES, who=_spender, clock=lambda: now)

    yield make
    for engine in engines:
        engine.dispose()


def _spender(payer: Payer) -> Spender:
    connections = {"local": ConnectionSettings("local", "local", {}, teams=(("U-1", "U-2"),))}
    return spender_of(payer, access=None, records=None, connections=connections)


def test_estimate_is_promised_before_and_the_tokens_are_counted_after(book):
    mine = book()

    settle = mine.reserve(ANN, 2 * ONE, ONE)
    (before,) = mine.rows(NOON.date())
    settle(ONE, ONE // 2)
    (after,) = mine.rows(NOON.date())

    assert (before.promised, before.cost, before.calls) == (Decimal(4), Decimal(0), 1)
    assert (after.promised, after.cost, after.calls) == (Decimal(0), Decimal(2), 1)


def test_what_would_pass_a_limit_is_refused_in_a_sentence(book):
    mine = book(SpendingLimit(cost=Decimal(3)))
    mine.reserve(ANN, 2 * ONE, 0)(2 * ONE, 0)

    with pytest.raises(SpendingLimitReached) as refused:
        mine.reserve(BOB, ONE, 1)
    mine.reserve(BOB, ONE, 0)

    assert str(refused.value) == (
        "today's limit on model calls for all together would be passed: "
        "2 of 3 are used or promised, and this may cost 1"
    )


@pytest.mark.parametrize(
    ("limit", "first", "second", "refused"),
    [
        (SpendingLimit(("person",), Decimal(1)), ANN, ANN, True),
        (SpendingLimit(("person",), Decimal(1)), ANN, BOB, False),
        (SpendingLimit(("person",), Decimal(1)), ANN, Payer("acme", "pitch", "user:U-1"), False),
        (SpendingLimit(("person",), Decimal(1)), Payer("local", "pitch"), Payer("local", "pitch"), False),
        (SpendingLimit(("team",), Decimal(1)), ANN, BOB, True),
        (SpendingLimit(("team",), Decimal(1)), ANN, Payer("local", "pitch", "user:U-9"), False),
        (SpendingLimit(("kind",), Decimal(1)), ANN, Payer("acme", "follow_up"), True),
        (SpendingLimit(("kind",), Decimal(1)), ANN, Payer("local", "pitch", "user:U-1"), False),
        (SpendingLimit(("connection",), Decimal(1)), ANN, Payer("local", "pitch"), True),
        (SpendingLimit(("connection",), Decimal(1)), ANN, Payer("acme", "follow_up"), False),
        (SpendingLimit(("person", "kind"), Decimal(1)), ANN, Payer("local", "pitch", "user:U-1"), False),
        (SpendingLimit((), Decimal(1), where={"kind": ("pitch",)}), ANN, ANN, False),
        (SpendingLimit((), Decimal(1), where={"person": ("user:U-1",)}), ANN, ANN, True),
        (SpendingLimit((), None, 1), ANN, BOB, True),
        (SpendingLimit((), Decimal(1)), MAIL, BOB, True),
        (SpendingLimit(("connection",), Decimal(1)), MAIL, ANN, True),
        (SpendingLimit(("kind",), Decimal(1)), MAIL, Payer("acme", "follow_up", "user:U-5"), True),
        (SpendingLimit(("team",), Decimal(1)), MAIL, BOB, True),
        (SpendingLimit(("team",), Decimal(1)), BOB, MAIL, True),
        (SpendingLimit(("team",), Decimal(1)), MAIL, Payer("local", "follow_up", "playbook", "U-9"), False),
        (SpendingLimit(("person",), Decimal(1)), MAIL, ANN, False),
        (SpendingLimit(("person",), Decimal(1)), MAIL, MAIL, False),
        (SpendingLimit((), None, 2), ANN, BOB, False),
    ],
)
def test_a_limit_counts_for_whom_it_says(book, limit, first, second, refused):
    mine = book(limit)
    mine.reserve(first, ONE, 0)(ONE, 0)

    if refused:
        with pytest.raises(SpendingLimitReached):
            mine.reserve(second, ONE, 0)
    else:
        mine.reserve(second, ONE, 0)


def test_a_new_day_begins_at_nothing(book):
    limit = SpendingLimit(cost=Decimal(1))
    book(limit).reserve(ANN, ONE, 0)(ONE, 0)

    book(limit, now=NOON + timedelta(days=1)).reserve(ANN, ONE, 0)


def test_refused_call_promises_nothing(book):
    mine = book(SpendingLimit(cost=Decimal(1)))
    with pytest.raises(SpendingLimitReached):
        mine.reserve(ANN, 2 * ONE, 0)

    mine.reserve(ANN, ONE, 0)


def _spend(url: str, tries: int) -> int:
    """How many of so many calls of 1.00 a process gets under a limit of 25."""
    engine = open_engine(url)
    mine = SpendingBook(engine, limits=(SpendingLimit(cost=Decimal(25)),), prices=PRICES, clock=lambda: NOON)
    got = 0
    for _ in range(tries):
        try:
            mine.reserve(ANN, ONE, 0)(ONE, 0)
            got += 1
        except SpendingLimitReached:
            continue
    engine.dispose()
    return got


def test_processes_at_once_do_not_pass_a_limit_together(book, database_url):
    book()
    with get_context("spawn").Pool(2) as pool:
        got = pool.starmap(_spend, [(database_url, 20), (database_url, 20)])

    assert sum(got) == 25


def test_threads_at_once_do_not_pass_a_limit_on_postgresql(postgres_url):
    engine = open_engine(postgres_url)
    migrate(engine)
    engine.dispose()
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: _spend(postgres_url, 10), range(4)))

    assert sum(got) == 25


SETTINGS = {
    "CRMPLUGIN_MODEL_INPUT_PRICE": "1",
    "CRMPLUGIN_MODEL_OUTPUT_PRICE": "2",
    "CRMPLUGIN_MODEL_MAX_TOKENS": "1000",
}
WISH = {"kind": "pitch", "deal_id": "D-1"}


@pytest.fixture
def served(tmp_path):
    """A server with limits and a model that says nothing usable: `served(toml)` gives its office, client and model."""
    from contextlib import ExitStack

    from crmplugin.web.app import create_app

    with ExitStack() as stack:

        def make(toml: str, reply: Reply | str = "subject\t\tHello there\ncontext\t\tGood day.\n"):
            (tmp_path / "crmplugin.toml").write_text(toml)
            model = stack.enter_context(scripted_model(replies(reply)))
            environ = {"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path / "var")}
            office = Office(Assistant(load_settings({**environ, **SETTINGS, **model.environment})))
            stack.callback(office.close)
            office.desk.records.upsert_many("local", documents(RECORDS))
            _, token = office.desk.access.create_token("rep", at=datetime.now(UTC), user_id="U-1")
            client = create_app(office.desk).test_client()
            client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
            return office, client, model

        yield make


@pytest.mark.embedded
def test_past_the_limit_the_template_writer_writes_and_says_why(served):
    office, client, model = served('[[spending]]\nper = "person"\ncost = "0.000001"\n')

    draft = client.post("/api/v1/drafts?wait=30", json=WISH).json

    assert (draft["status"], draft["writer"]) == ("proposed", "template")
    (told,) = [w["text"] for w in draft["warnings"] if w["code"] == "model_fell_back"]
    assert "today's limit on model calls for user:U-1 would be passed" in told
    assert model.requests == []


@pytest.mark.embedded
def test_where_no_template_may_take_over_it_is_refused(served):
    office, client, model = served('[[spending]]\nkind = "pitch"\ncalls = 0\nover = "refuse"\n')

    draft = client.post("/api/v1/drafts?wait=30", json=WISH).json
    other = client.post("/api/v1/drafts?wait=30", json=WISH | {"writer": "template"}).json

    assert (draft["status"], other["status"]) == ("failed", "proposed")
    assert "ask again tomorrow (UTC)" in office.desk.drafts.get(draft["id"]).problem
    assert model.requests == []


@pytest.mark.embedded
def test_calls_are_counted_for_the_user_behind_the_token(served):
    office, client, model = served("")

    client.post("/api/v1/drafts?wait=30", json=WISH)

    (row,) = office.desk.spending.rows(datetime.now(UTC).date())
    assert (row.connection, row.person, row.kind) == ("local", "user:U-1", "pitch")
    assert row.calls == len(model.requests)
    assert row.cost > 0
    assert row.promised == 0


@pytest.mark.embedded
def test_what_an_event_asked_for_counts_for_the_team_of_the_owner(served):
    office, client, _ = served(
        '[connections.local]\nteams = [["U-1", "U-2"]]\n[[spending]]\nper = "team"\ncost = "2.50"\n'
        '[[playbook]]\nwhen = "meeting.ended"\ndraft = ["pitch"]\n'
    )
    read = office.desk.connector("local").read_events(
        json.dumps(make_event("evt-1", type="meeting.ended")).encode(), received_at=datetime.now(UTC)
    )
    office.desk.intake.take(read.events)
    (draft_id,) = wait_until(lambda: office.desk.drafts.of_event("local", "evt-1"), 60)
    wait_until(lambda: office.desk.drafts.get(draft_id).status == "proposed", 60)

    (row,) = office.desk.spending.rows(datetime.now(UTC).date())
    (used,) = office.desk.spending.used()
    assert (row.person, row.kind) == ("for:U-1", "pitch")
    assert (used.whose, used.cost) == ("user:U-1, user:U-2", row.cost)
    assert row.cost > 0


@pytest.mark.embedded
def test_call_that_failed_before_a_word_costs_nothing(served):
    office, client, _ = served("", Reply(status=500))

    client.post("/api/v1/drafts?wait=30", json=WISH)

    (row,) = office.desk.spending.rows(datetime.now(UTC).date())
    assert (row.cost, row.promised) == (0, 0)


@pytest.mark.embedded
def test_cut_answer_is_counted_by_what_came(served):
    office, client, _ = served("", Reply("subject\t\tHello there\n" * 20, cut_after=3))

    client.post("/api/v1/drafts?wait=30", json=WISH)

    (row,) = office.desk.spending.rows(datetime.now(UTC).date())
    assert row.cost > 0
    assert row.promised == 0


@pytest.mark.embedded
def test_figures_and_command_show_what_is_left(served, crmplugin, monkeypatch, tmp_path):
    office, client, _ = served('[[spending]]\nper = "person"\ncost = "2.50"\n')
    client.post("/api/v1/drafts?wait=30", json=WISH)
    _, token = office.desk.access.create_token("manager", at=datetime.now(UTC))

    page = client.get("/console/figures", headers={"Authorization": f"Bearer {token}"}).get_data(as_text=True)

    assert "user:U-1" in page
    assert "2.50" in page
    monkeypatch.setenv("CRMPLUGIN_CONFIG", str(tmp_path / "crmplugin.toml"))
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    shown = crmplugin("spending", "--json").json
    assert [row["whose"] for row in shown["limits"]] == ["user:U-1"]
    assert shown["items"][0]["kind"] == "pitch"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ('per = "person"', "limits nothing"),
        ('cost = "5"', "needs model_input_price"),
        ('per = "house"\ncalls = 5', "expected one of connection, kind, person, team"),
        ('calls = 5\nover = "shrug"', "expected one of template, refuse"),
        ("calls = 5\nmoon = 1", "is no setting"),
    ],
)
def test_wrong_row_is_named(tmp_path, row, sentence):
    (tmp_path / "crmplugin.toml").write_text(f"[[spending]]\n{row}\n")

    with pytest.raises(SettingsError, match=sentence):
        load_settings({"CRMPLUGIN_CONFIG": str(tmp_path / "crmplugin.toml"), "CRMPLUGIN_VAR": str(tmp_path)})


def test_refusal_is_a_conflict_and_no_model_error():
    from crmplugin.errors import ModelError, StateConflict

    assert issubclass(SpendingRefused, StateConflict)
    assert not issubclass(SpendingRefused, ModelError)
