"""Servers that are killed, frozen and cut off while events come in; all is counted at the fakes, which live on."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import requests
from sqlalchemy import Column, Engine, func, select, text

from crmplugin.llm.scripted import Reply, scripted_model
from crmplugin.store.database import open_engine
from crmplugin.store.guard import reading
from crmplugin.store.tables_work import drafts, events
from tests.fakes.connector import sign
from tests.fakes.crm import FakeCrm, Trouble, fake_crm

SECRET = "torture"
RUN = [sys.executable, "-c", "from tests.fakes.main import main; main()"]
ROOT = Path(__file__).parents[2]
ANSWER = "context\tD-{n}.amount\tThe deal is worth 900 GBP."
AT_WORK_SHARE, AT_WORK_S = 0.8, 10.0
BUSY_SHARE, LOST_SHARE, LATE_SHARE = 0.02, 0.03, 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard it is. Times in seconds."""

    events: int
    kills: int
    pause_s: tuple[float, float]
    cuts: int = 1
    settle_s: float = 60.0
    model_s: float = 0.2
    seed: int = 11


@dataclass
class Count:
    """What was found when all was quiet."""

    events: int = 0
    lost: list[int] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    paid_twice: list[int] = field(default_factory=list)
    kept_and_paid_again: list[int] = field(default_factory=list)
    paid_again_in_flight: int = 0
    kept_after_s: list[float] = field(default_factory=list)
    """How long after the model had said it an answer was kept, shortest first."""
    paid: int = 0
    kills: int = 0
    unfinished: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.events} events, {self.kills} kills: lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"paid {self.paid}, twice {len(self.paid_twice)} (and {self.paid_again_in_flight} in flight at a kill), "
            f"asked again though an answer was kept {len(self.kept_and_paid_again)}; an answer was kept after "
            + ", ".join(f"{_share(self.kept_after_s, share):.2f} s ({share:.0%})" for share in (0.5, 0.99, 1.0))
        )


def _share(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not pass; zero of none."""
    return values[max(0, round(share * len(values)) - 1)] if values else 0.0


class Process:
    """One command that is started again when it was killed.

    Each start asks for a model of another name, so that the fake knows who asked.
    """

    def __init__(self, name: str, folder: Path, env: dict[str, str], *args: str) -> None:
        self.name, self._args, self._env, self._folder = name, args, env, folder
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self.start()

    @property
    def works(self) -> bool:
        """Whether it does jobs."""
        return "--no-worker" not in self._args

    @property
    def model(self) -> str:
        return f"scripted-{self.name}-{self._starts}"

    def start(self) -> None:
        self._starts += 1
        self._env["CRMPLUGIN_MODEL"] = self.model
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen([*RUN, *self._args], env=self._env, cwd=ROOT, stdout=log, stderr=log)

    def tree(self) -> list[psutil.Process]:
        assert self.process is not None
        try:
            me = psutil.Process(self.process.pid)
            return [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self, chance: random.Random) -> None:
        """kill -9 of one process of the tree or of all; gone when this returns."""
        tree = self.tree()
        for victim in tree if chance.random() < 0.3 else [chance.choice(tree)] if tree else []:
            _quietly(victim.kill)
        if self.process is not None and tree and tree[0].pid == self.process.pid and not tree[0].is_running():
            psutil.wait_procs(tree, timeout=10)

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def end(self) -> None:
        for one in self.tree():
            _quietly(one.kill)
        if self.process is not None:
            self.process.wait(20)


def _quietly(act: Callable[[], Any]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return


class Call(NamedTuple):
    """One call of the model: when it began, when the answer was said, and the name that the caller asked for."""

    began: float
    said: float
    model: str


@dataclass
class World:
    """The fakes, the processes, and what happened when."""

    folder: Path
    database_url: str
    plan: Plan
    crm: FakeCrm
    crm_url: str
    model_url: str
    port: int
    calls: dict[int, list[Call]]
    pace: dict[str, float]
    blows: list[tuple[float, str]] = field(default_factory=list)
    """When who was killed or frozen: the name of the model that they asked."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each process asked the model, by the name that it asked for."""
    processes: list[Process] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environ(self) -> dict[str, str]:
        foreign = ("CRMPLUGIN_", "OPENAI_", "COVERAGE_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        return kept | {
            "CRMPLUGIN_CONFIG": str(self.folder / "crmplugin.toml"),
            "CRMPLUGIN_VAR": str(self.folder / "var"),
            "CRMPLUGIN_DATABASE_URL": self.database_url,
            "OPENAI_BASE_URL": self.model_url,
            "OPENAI_API_KEY": "scripted",
            "TEST_IN_HASTE": "1",
        }

    def launch(self, name: str, *args: str) -> Process:
        self.processes.append(Process(name, self.folder, self.environ(), *args))
        return self.processes[-1]

    def serve(self, *args: str) -> Process:
        return self.launch("serve", "serve", "--no-demo", "--port", str(self.port), *args)

    def blow(self, process: Process) -> None:
        """Remembers that this one is killed or frozen now."""
        self.blows.append((time.monotonic(), process.model))


@contextmanager
def open_world(folder: Path, database_url: str, plan: Plan) -> Iterator[World]:
    """Both fakes with the accounts of all events, and settings that write a note for each change of a stage."""
    calls: dict[int, list[Call]] = {}
    pace = {"model_s": plan.model_s}
    asked: Counter[str] = Counter()

    def script(body: dict[str, Any]) -> Reply:
        n = _deal_in(json.dumps(body["messages"]))
        began = time.monotonic()
        calls.setdefault(n, []).append(Call(began, began + pace["model_s"], body["model"]))
        asked[body["model"]] += 1
        return Reply(ANSWER.format(n=n), first_s=pace["model_s"])

    with ExitStack() as stack:
        crm, crm_url = stack.enter_context(fake_crm())
        model = stack.enter_context(scripted_model(script))
        _fill(crm, plan.events)
        (folder / "crmplugin.toml").write_text(SETTINGS.format(url=crm_url, secret=SECRET))
        world = World(folder, database_url, plan, crm, crm_url, model.base_url, _free_port(), calls, pace, asked=asked)
        try:
            yield world
        finally:
            for process in world.processes:
                process.end()


SETTINGS = """
[connections.acme]
crm = "fake"
base_url = "{url}"
secret = "{secret}"

[[playbook]]
when = "deal.stage_changed"
draft = ["summary"]
write_back = "at_once"
"""


def _fill(crm: FakeCrm, deals: int) -> None:
    old = time.time() - 3600
    crm.put("companies", {"id": "CO-1", "name": "Kestrel Foods", "country": "GB"}, at=old)
    contact = {"id": "C-1", "company_id": "CO-1", "first_name": "Amir", "last_name": "Shah", "email": "a@k.example"}
    crm.put("contacts", contact, at=old)
    for n in range(deals):
        crm.put("deals", deal(n), at=old)


def deal(n: int) -> dict[str, Any]:
    return {
        "id": f"D-{n}",
        "name": f"Deal number {n}.",
        "company_id": "CO-1",
        "contact_ids": ["C-1"],
        "primary_contact_id": "C-1",
        "status": "open",
        "stage": "Offer",
        "stage_kind": "proposal",
        "amount": "900.00",
        "currency": "GBP",
        "created_at": "2026-03-01T09:00:00Z",
    }


def _deal_in(text: str) -> int:
    """Which deal a prompt is about: the id of its facts."""
    start = text.index("D-") + 2
    end = start
    while text[end].isdigit():
        end += 1
    return int(text[start:end])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def post_all(world: World, done: threading.Event) -> None:
    """Sends every event until it is taken, as a CRM that repeats itself would; some twice."""
    chance = random.Random(world.plan.seed)
    with ThreadPoolExecutor(4) as pool:
        for n in range(world.plan.events):
            pool.submit(post, world, n)
            if chance.random() < 0.1:
                pool.submit(post, world, n)
    done.set()


def post(world: World, n: int) -> None:
    """Sends one event until it is taken."""
    about = {"type": "deal", "id": f"D-{n}"}
    body = json.dumps([{"id": f"evt-{n}", "type": "deal.stage_changed", "at": time.time(), "object": about}]).encode()
    headers = {"X-Fake-Signature": sign(body, SECRET.encode())}
    while True:
        try:
            answer = requests.post(f"{world.address}/webhooks/acme", data=body, headers=headers, timeout=10)
        except requests.RequestException:
            time.sleep(0.2)
            continue
        if answer.status_code == 200:
            return
        assert answer.status_code == 503, f"a webhook was answered {answer.status_code}: {answer.text[:300]}"
        time.sleep(0.2)


def wait_for_server(world: World, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if requests.get(world.address + "/healthz", timeout=1).ok:
                return
        except requests.RequestException:
            time.sleep(0.05)
    raise AssertionError(f"no server after {seconds} s: {_last_words(world)}")


def _last_words(world: World) -> str:
    """The end of what the processes wrote to their logs."""
    return " ".join(f"{p.name}: {(world.folder / f'{p.name}.log').read_text()[-1000:]}" for p in world.processes)


def torment(world: World, victims: list[Process], enough: Callable[[], bool]) -> int:
    """Kills at random moments until the plan's number is reached; whoever is killed starts again.

    Most victims are left alone until they are at work again: on a busy machine all kills would else hit their starts.
    """
    chance, kills = random.Random(world.plan.seed), 0
    cut_at = {world.plan.kills * (n + 1) // (world.plan.cuts + 1) for n in range(world.plan.cuts)}
    while kills < world.plan.kills or not enough():
        victim = chance.choice(victims)
        if chance.random() < AT_WORK_SHARE:
            _wait_until_at_work(world, victim)
        time.sleep(chance.uniform(*world.plan.pause_s))
        if kills in cut_at:
            cut_at.discard(kills)
            _cut_off(world)
        if kills < world.plan.kills and not victim.ended():
            world.blow(victim)
            victim.kill(chance)
            kills += 1
        time.sleep(0.1)
        start_ended(victims)
    return kills


def _wait_until_at_work(world: World, victim: Process) -> None:
    """Until it has asked the model since it was started; not for ever, for there may be nothing to do."""
    deadline = time.monotonic() + AT_WORK_S
    while victim.works and not world.asked[victim.model] and time.monotonic() < deadline:
        if victim.ended():
            victim.start()
        time.sleep(0.05)


def start_ended(victims: Sequence[Process]) -> None:
    for process in victims:
        if process.ended():
            process.start()


def _cut_off(world: World, seconds: float = 1.5) -> None:
    """The network to the CRM is away for a moment."""
    before, world.crm.trouble = world.crm.trouble, Trouble(cut=True)
    time.sleep(seconds)
    world.crm.trouble = before


def usual_trouble() -> Trouble:
    return Trouble(
        delay_s=0.01, busy=BUSY_SHARE, retry_after_s=3, lose_answer=LOST_SHARE, late=LATE_SHARE, late_s=0.8, fail=0.01
    )


def settle(world: World, victims: Sequence[Process] = ()) -> dict[str, int]:
    """Waits until every event has its note, or nothing was written for `settle_s`; what is unfinished, by state.

    A victim that ends late, because what was killed was a child of its, is still started again.
    """
    engine = open_engine(world.database_url)
    most, deadline = 0, time.monotonic() + world.plan.settle_s
    try:
        while True:
            states = _by_state(engine, "event", events.c.state) | _by_state(engine, "draft", drafts.c.status)
            left = {state: n for state, n in states.items() if state not in ("event done", "draft written")}
            written = states.get("draft written", 0)
            if written > most:
                most, deadline = written, time.monotonic() + world.plan.settle_s
            if not left and written < world.plan.events:
                left = {"not begun": world.plan.events - written}
            if not left or time.monotonic() > deadline:
                return dict(left)
            start_ended(victims)
            time.sleep(0.5)
    finally:
        engine.dispose()


def _by_state(engine: Engine, name: str, column: Column[str]) -> dict[str, int]:
    with reading(engine) as connection:
        rows = connection.execute(select(column, func.count()).group_by(column)).all()
    return {f"{name} {state}": n for state, n in rows}


def _drafts_of(engine: Engine) -> dict[str, list[str]]:
    """The drafts of each event."""
    found: dict[str, list[str]] = {}
    with reading(engine) as connection:
        for event, draft_id in connection.execute(select(drafts.c.event, drafts.c.id)):
            found.setdefault(event, []).append(draft_id)
    return found


def _answers_kept(world: World) -> dict[str, float]:
    """When the engine first kept a model's answer for a draft, on our monotonic clock."""
    embedded = world.database_url.startswith("sqlite")
    engine = open_engine(f"sqlite:///{world.folder}/var/jobs.sqlite" if embedded else world.database_url)
    query = (
        "SELECT workflow_uuid, min(completed_at_epoch_ms) FROM " + ("" if embedded else "dbos.") + "operation_outputs"
        " WHERE function_name = 'write' AND output LIKE '%\"value\"%' GROUP BY workflow_uuid"
    )
    ours = time.monotonic() - time.time()
    found: dict[str, float] = {}
    with reading(engine) as connection:
        for job, at_ms in connection.execute(text(query)):
            draft = job.split("/")[1]
            found[draft] = min(found.get(draft, float("inf")), at_ms / 1000 + ours)
    engine.dispose()
    return found


def count(world: World, kills: int, unfinished: dict[str, int]) -> Count:
    """What the fakes saw, held against what was sent.

    A call paid for again was in flight when who made it was killed or frozen after it began and before it was made
    again, and no answer to it was kept. Any other is paid twice.
    """
    engine = open_engine(world.database_url)
    made = _drafts_of(engine)
    engine.dispose()
    notes = Counter(note["marker"] for note in world.crm.notes)
    found = Count(events=world.plan.events, kills=kills, unfinished=unfinished)
    for n in range(world.plan.events):
        ids = made.get(f"evt-{n}", [])
        if len(ids) != 1 or not notes[f"crmplugin:{ids[0]}"]:
            found.lost.append(n)
    found.doubled = [marker for marker, times in notes.items() if times > 1]
    found.paid = len(world.calls)
    events_of = {ids[0]: int(event.rpartition("-")[2]) for event, ids in made.items()}
    kept_at = {events_of[draft]: at for draft, at in _answers_kept(world).items() if draft in events_of}
    found.kept_and_paid_again = [
        n for n, calls in world.calls.items() if calls[-1].began > kept_at.get(n, float("inf"))
    ]
    found.kept_after_s = sorted(at - _said(world.calls[n], at) for n, at in kept_at.items())
    for n, calls in world.calls.items():
        for call, again in pairwise(calls):
            if _was_cut_off(world, call, again):
                found.paid_again_in_flight += 1
            else:
                found.paid_twice.append(n)
    return found


def _was_cut_off(world: World, call: Call, again: Call) -> bool:
    """Whether who made a call was killed or frozen before it was made again.

    The fake may read a call only after the kill, on a busy machine: such a call is one of a process that is dead.
    """
    blows = [at for at, who in world.blows if who == call.model]
    if any(call.began <= at <= again.began for at in blows):
        return True
    is_dead = call.model not in {process.model for process in world.processes}
    return is_dead and bool(blows) and max(blows) <= again.began


def _said(calls: Sequence[Call], kept_at: float) -> float:
    """When the answer that was kept had been said: the last one before it."""
    return max((call.said for call in calls if call.said <= kept_at), default=kept_at)


def freeze(world: World, process: Process, seconds: float) -> None:
    """Stands still for longer than a lease lasts, then goes on as if nothing had been."""
    world.blow(process)
    for one in process.tree():
        _quietly(lambda one=one: one.send_signal(signal.SIGSTOP))  # type: ignore[misc]
    time.sleep(seconds)
    for one in process.tree():
        _quietly(lambda one=one: one.send_signal(signal.SIGCONT))  # type: ignore[misc]
