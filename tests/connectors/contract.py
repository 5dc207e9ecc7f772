"""What every connector must be able to show, and the test files that say how each of them is tried.

`tests/connectors/cases/<crm>.py` has a class `Case` (see the Protocol) for each registered CRM. `SIGNS` names what
the CRM's proof of a webhook covers, because a CRM that sends a password proves neither the body nor the time.
`CANNOT` names what the CRM has no way of doing, with the reason; everything else is tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol

from connectors.registry import VENDORS
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.ports import Connector

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"


@dataclass(frozen=True)
class Delivery:
    """A webhook call as the CRM would make it."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class World:
    """A connector before a CRM that answers. `written` counts what write-backs made there."""

    connector: Connector
    deal: Subject
    gone: Subject
    draft: Draft
    fake: Any = None
    written: Any = field(default=lambda: 0)


class Case(Protocol):
    SIGNS: ClassVar[frozenset[str]]
    """Of: body, clock, secret."""
    CANNOT: ClassVar[Mapping[str, str]]
    """Of: pages, rate_limit."""

    def deliver(self, *, secret: str | None = None, at: datetime | None = None) -> Delivery:
        """A genuine webhook, or one made with another secret or at another time."""
        ...

    def spoilt(self, delivery: Delivery) -> Delivery:
        """The same with its proof spoilt."""
        ...

    def world(self, tmp_path: Path) -> AbstractContextManager[World]: ...


def case_of(crm: str) -> Case:
    """The case of a CRM, from its file."""
    made: Case = import_module(f"tests.connectors.cases.{crm}").Case()
    return made


CRMS = sorted(VENDORS)


def crms_that(need: str) -> list[str]:
    """CRMs whose proof covers this, or that can do this."""
    cases = {crm: case_of(crm) for crm in CRMS}
    if need in ("body", "clock", "secret"):
        return [crm for crm, case in cases.items() if need in case.SIGNS]
    return [crm for crm, case in cases.items() if need not in case.CANNOT]
