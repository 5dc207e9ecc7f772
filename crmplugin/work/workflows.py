"""The durable jobs: thin shells around journeys that retry what may pass and bury what will not.

A registered name carries a version. A job that began under the old code would run on under the new, so changed steps
are a new name and the old one stays until no job of it is left.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar, TypeVar

from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from crmplugin.errors import CrmPluginError, CrmUnavailable, StoreError
from crmplugin.journeys.accept_event import accept_event
from crmplugin.journeys.campaign_run import hold_campaign, run_lane
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.erase import keep_no_longer
from crmplugin.journeys.fit_products import keep_fit_fresh, learn_if_changed
from crmplugin.journeys.occasions import find_occasions
from crmplugin.journeys.run_draft import fail_draft, run_draft
from crmplugin.journeys.sync import poll, renew
from crmplugin.journeys.write_back import write_back
from crmplugin.meters import RETRIES
from crmplugin.work.running import leave_if_lost
from crmplugin.work.steps import durable_step

log = logging.getLogger(__name__)

RETRY_DELAYS_S = (2, 10, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200)
"""How long a job waits before its second, third … attempt, when the first wait is `FIRST_S`: about a day in all."""
FIRST_S = RETRY_DELAYS_S[0]
MAX_ATTEMPTS = len(RETRY_DELAYS_S) + 1
MAX_WAITS = 1_000
"""How often a job waits because the other side, or our own limit, named a time; such waits are no failed attempts."""
LONGEST_NAMED_S = 6 * 3600.0
INSIST_S = 1.0

T = TypeVar("T")
Payload = dict[str, Any]
Again = Callable[[Payload, float], str]
"""Adds the next attempt of a job after some seconds and gives back its id."""


class JobDead(Exception):
    """A job that will not be tried again by itself; the message is for people."""


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line of the engine's log says more than that a job died, which the job itself says."""
    return not (record.exc_info and record.exc_info[0] is JobDead)


logging.getLogger("dbos").addFilter(_is_news)


class Workplace:
    """What the workflows of this process work with; the engine sets it before it launches."""

    desk: Desk | None = None
    again: Again | None = None
    _running: ClassVar[dict[int, int]] = {}

    @classmethod
    @contextmanager
    def at_work(cls, priority: int) -> Iterator[None]:
        """Counts this thread as busy with a job of this priority."""
        cls._running[threading.get_ident()] = priority
        try:
            yield
        finally:
            cls._running.pop(threading.get_ident(), None)

    @classmethod
    def busy(cls) -> int:
        """How many jobs run in this process now."""
        return len(cls._running)

    @classmethod
    def clicks(cls) -> int:
        """How many of them somebody waits for."""
        return sum(priority < 10 for priority in tuple(cls._running.values()))


def _desk() -> Desk:
    assert Workplace.desk is not None, "the engine launches only with a desk"
    return Workplace.desk


@DBOS.workflow(name="accept_v1", max_recovery_attempts=20)
def accept_v1(payload: Payload) -> Payload:
    """Makes the drafts of one event."""
    return _attempt(payload, _accept, _bury_event)


@DBOS.workflow(name="draft_v1", max_recovery_attempts=20)
def draft_v1(payload: Payload) -> Payload:
    """Writes one draft."""
    return _attempt(payload, _draft, _bury_draft)


@DBOS.workflow(name="write_back_v1", max_recovery_attempts=20)
def write_back_v1(payload: Payload) -> Payload:
    """Puts one approved draft into the CRM."""
    return _attempt(payload, _write_back, _bury_draft)


@DBOS.workflow(name="campaign_v1", max_recovery_attempts=100)
def campaign_v1(payload: Payload) -> Payload:
    """Settles the recipients of one lane of a campaign."""
    return _attempt(payload, _campaign, _bury_campaign)


@DBOS.workflow(name="poll_v1", max_recovery_attempts=20)
def poll_v1(payload: Payload) -> Payload:
    """Asks a CRM what has changed since the last time."""
    return _attempt(payload, _poll, _bury_nothing)


@DBOS.workflow(name="renew_v1", max_recovery_attempts=20)
def renew_v1(payload: Payload) -> Payload:
    """Renews what a connection has that expires."""
    return _attempt(payload, _renew, _bury_nothing)


@DBOS.workflow(name="sweep_v1", max_recovery_attempts=20)
def sweep_v1(payload: Payload) -> Payload:
    """Finds a day's occasions, and takes out what is kept no longer."""
    return _attempt(payload, _sweep, _bury_nothing)


@DBOS.workflow(name="fit_v1", max_recovery_attempts=5)
def fit_v1(payload: Payload) -> Payload:
    """Learns from the orders that are new."""
    return _attempt(payload, _fit, _bury_nothing)


WORKFLOWS: Mapping[str, str] = {
    "event": "accept_v1",
    "draft": "draft_v1",
    "write_back": "write_back_v1",
    "campaign": "campaign_v1",
    "poll": "poll_v1",
    "renew": "renew_v1",
    "sweep": "sweep_v1",
    "fit": "fit_v1",
}
"""Kind of job -> the name under which a new one is started."""


def _accept(payload: Payload) -> Payload:
    ids = accept_event(_desk(), payload["connection"], payload["event"], replay=payload.get("replay", 0))
    return {"drafts": list(ids)}


def _draft(payload: Payload) -> Payload:
    return {"status": run_draft(_desk(), payload["draft"], step=durable_step(payload))}


def _write_back(payload: Payload) -> Payload:
    return {"status": write_back(_desk(), payload["draft"])}


def _campaign(payload: Payload) -> Payload:
    return {"status": run_lane(_desk(), payload["campaign"], run=payload["run"], lane=payload["lane"])}


def _bury_campaign(payload: Payload, reason: str) -> None:
    hold_campaign(_desk(), payload["campaign"], run=payload["run"], reason=reason)


def _poll(payload: Payload) -> Payload:
    try:
        report = poll(_desk(), payload["connection"])
    except CrmUnavailable as error:
        return {"problem": str(error)}  # the next look comes by itself, and begins where this one ended
    return {"events": report.events, "updated": report.taken + report.updated, "refused": len(report.refused)}


def _renew(payload: Payload) -> Payload:
    next_at = renew(_desk(), payload["connection"])
    return {"next_at": next_at.isoformat() if next_at else None}


def _sweep(payload: Payload) -> Payload:
    events = find_occasions(_desk(), payload["connection"], date.fromisoformat(payload["day"]))
    return {"events": events, "taken_out": dict(keep_no_longer(_desk(), payload["connection"]))}


def _fit(payload: Payload) -> Payload:
    desk = _desk()
    learn = learn_if_changed if payload.get("nightly") else keep_fit_fresh
    report = learn(payload["connection"], records=desk.records, fits=desk.fits, clock=desk.clock)
    return {"done": report.done, "accounts": report.accounts}


def _bury_nothing(payload: Payload, reason: str) -> None:
    """The job itself says that it died; the next one comes at its time."""


def _bury_event(payload: Payload, reason: str) -> None:
    _desk().events.settle(payload["connection"], payload["event"], "dead", reason)


def _bury_draft(payload: Payload, reason: str) -> None:
    fail_draft(_desk(), payload["draft"], reason)


def _attempt(payload: Payload, work: Callable[[Payload], Payload], bury: Callable[[Payload, str], None]) -> Payload:
    """Does the work once; whatever is logged meanwhile says in which job."""
    with bound_contextvars(**about(payload)):
        return _try(payload, work, bury)


def _try(payload: Payload, work: Callable[[Payload], Payload], bury: Callable[[Payload, str], None]) -> Payload:
    """What may pass is tried again later by a job of its own, which holds no thread meanwhile."""
    try:
        with Workplace.at_work(payload.get("priority", 10)):
            return work(payload)
    except CrmPluginError as error:
        return _put_off(payload, error, bury)
    except SQLAlchemyError as error:
        return _put_off(payload, StoreError(f"the database does not answer ({type(error).__name__})"), bury)
    except Exception as error:
        log.exception("job failed")
        reason = f"this should not happen ({type(error).__name__}: {error}): see the log, then retry the job"
        _insist(lambda: bury(payload, reason))
        raise JobDead(reason) from None


def _put_off(payload: Payload, error: CrmPluginError, bury: Callable[[Payload, str], None]) -> Payload:
    """Adds the next attempt, or buries the job and raises JobDead."""
    later = _later(payload, error)
    why = "dead" if later is None else "wait" if "waits" in later[0] else "failed"
    RETRIES.labels(payload.get("kind", "?"), why).inc()
    if later is not None:
        changes, delay_s = later
        return {"next": _insist(lambda: _again({**payload, **changes, "why": str(error)}, delay_s))}
    log.error("job is dead", extra={"reason": type(error).__name__})
    _insist(lambda: bury(payload, str(error)))
    raise JobDead(str(error)) from None


def _again(payload: Payload, delay_s: float) -> str:
    assert Workplace.again is not None
    leave_if_lost()  # else two attempts of one job would be under way
    return Workplace.again(payload, delay_s)


def _insist(act: Callable[[], T]) -> T:
    """Does what must not be forgotten, again and again while the database refuses: its disk may be full."""
    while True:
        try:
            return act()
        except (StoreError, SQLAlchemyError):
            if Workplace.desk is None:  # the process ends; its successor does the job anew
                raise
            log.warning("the database refuses; trying again", extra={"wait_s": INSIST_S})
            time.sleep(INSIST_S)


def _later(payload: Payload, error: CrmPluginError) -> tuple[Payload, float] | None:
    """What the next attempt counts and how long it waits; None when there is none.

    A named time is stretched by up to half at random, so that those who wait for one limit do not all come at once.
    """
    attempts, waits = payload.get("attempts", 1), payload.get("waits", 0)
    named = getattr(error, "retry_after_s", None)
    if error.retryable and named and waits < MAX_WAITS:
        return {"waits": waits + 1}, min(named, LONGEST_NAMED_S) * random.uniform(1.0, 1.5)
    if error.retryable and attempts < MAX_ATTEMPTS:
        first_s = float(Workplace.desk.settings.retry_first_s) if Workplace.desk else FIRST_S
        return {"attempts": attempts + 1}, RETRY_DELAYS_S[attempts - 1] * first_s / FIRST_S
    return None


def about(payload: Payload) -> Payload:
    """What a line of the log says of a job."""
    return {name: payload[name] for name in ("job", "kind", "connection", "event", "draft") if payload.get(name)}
