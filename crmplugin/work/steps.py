"""Steps of a job whose answers are remembered: those that cost money. The others are quick, pure, and run again.

The engine remembers an answer with the attempt that got it. A later attempt of the same job asks for nothing that an
earlier one was answered: whatever made that one fail, a CRM, a database, a kill, its answer is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from dbos import DBOS
from sqlalchemy.exc import SQLAlchemyError

from crmplugin.domain.draft import Written
from crmplugin.errors import CrmPluginError, ModelError, ModelUnavailable, ModelUnusable, StoreError
from crmplugin.journeys.present import from_json, to_json
from crmplugin.ports import Step
from crmplugin.work.jobs import base_id
from crmplugin.work.running import leave_if_ending, leave_if_lost

Payload = dict[str, Any]
RESULTS: Mapping[str, type] = {"write": Written, "repair": Written}
"""Steps whose answer is remembered, and what it is."""
PATIENT_WAITS = 3
"""How often a draft that nobody waits for sleeps until a busy model is free; then the template writer takes over."""
MOST_UNKEPT = 1_000
"""More are not held; what they cost would be paid again."""


class ModelBusy(CrmPluginError):
    """The model is over its limit and said until when; nobody waits for this draft, so its job does."""

    code = "model_busy"
    retryable = True

    def __init__(self, message: str, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class Answers:
    """What models answered in attempts that did not come to their end. The engine sets `earlier` before it launches.

    `earlier`: workflow id and name of a step -> the answer that an earlier attempt of that job kept, or None.
    """

    earlier: Callable[[str, str], Payload | None] | None = None
    _unkept: ClassVar[dict[tuple[str, str], Payload]] = {}
    """Answers on their way into the engine, by job and step; they stay when its disk is full."""

    @classmethod
    def find(cls, workflow_id: str, name: str) -> Payload | None:
        """What this attempt's job was answered before, in a step of this name."""
        job = base_id(workflow_id)
        if answer := cls._unkept.get((job, name)):
            return answer
        return cls.earlier(workflow_id, name) if cls.earlier and job != workflow_id else None

    @classmethod
    def hold(cls, workflow_id: str, name: str, answer: Payload) -> None:
        if "value" in answer and len(cls._unkept) < MOST_UNKEPT:
            cls._unkept[base_id(workflow_id), name] = answer

    @classmethod
    def let_go(cls, workflow_id: str, name: str) -> None:
        """The engine has it."""
        cls._unkept.pop((base_id(workflow_id), name), None)


def durable_step(payload: Payload) -> Step:
    """The steps of one job: the answers of a model are remembered, its failures too, so that no crash pays twice.

    Raises StoreError when a database refused meanwhile, so that the job is tried again; ModelBusy instead of a failure
    that will pass at a known time, where the job may wait for that.
    """
    patient = payload.get("priority", 10) >= 10 and payload.get("waits", 0) < PATIENT_WAITS

    def step(name: str, fn: Callable[..., Any], *args: Any) -> Any:
        kind = RESULTS.get(name)
        if kind is None:
            return fn(*args)
        answer = _ask_once(name, fn, args)
        if "refused" in answer:
            raise StoreError(answer["refused"])
        if "failed" not in answer:
            return from_json(kind, answer["value"])
        if patient and answer.get("retry_after_s"):
            raise ModelBusy(answer["failed"], answer["retry_after_s"])
        raise (ModelUnavailable if answer["retryable"] else ModelUnusable)(answer["failed"])

    return step


def _ask_once(name: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> Payload:
    """The answer, asked for unless this job was given it before."""
    leave_if_lost()
    here = DBOS.workflow_id or ""
    before = Answers.find(here, name)

    def ask() -> Payload:
        if not before:
            leave_if_ending()
        answer = before or _call(fn, args)
        Answers.hold(here, name, answer)
        return answer

    kept: Payload = DBOS.run_step({"name": name}, ask)
    Answers.let_go(here, name)
    return kept


def _call(fn: Callable[..., Any], args: tuple[Any, ...]) -> Payload:
    try:
        return {"value": to_json(fn(*args))}
    except (StoreError, SQLAlchemyError) as error:
        # Kept as an answer: the engine gives a step's error back as one of its own, which would say nothing to us.
        return {"refused": str(error)}
    except ModelError as error:
        wait_s = getattr(error, "retry_after_s", None)
        return {"failed": str(error), "retryable": error.retryable, "retry_after_s": wait_s}
