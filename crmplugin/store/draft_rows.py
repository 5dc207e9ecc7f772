"""A draft as a row of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft as stored. `request` is what was asked for; `replaces` the draft it is another variant of.

    `attempt` counts the jobs that worked on it; `problem` says why the last one failed, in a sentence.
    """

    id: str
    connection: str
    kind: str
    status: str
    version: int
    created_at: datetime
    updated_at: datetime
    origin: str
    subject_type: str
    subject_id: str
    write_back: str
    request: Mapping[str, Any]
    document: Mapping[str, Any]
    due: str | None = None
    event: str | None = None
    owner_id: str | None = None
    created_by: str | None = None
    attempt: int = 1
    replaces: str | None = None
    written_id: str | None = None
    problem: str | None = None
