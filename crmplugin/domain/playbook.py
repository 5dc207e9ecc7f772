"""A playbook row: which event makes which drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

WriteBack = Literal["on_approval", "at_once", "never"]


@dataclass(frozen=True, slots=True)
class PlaybookRow:
    """`when` names an event; each key of `where` must be one of its values; `draft` are kinds in order, none = nothing.

    write_back None: internal kinds at once, customer kinds on approval. `scheduled`: written on the day of the
    right-moment rule, not now; with `after_business_days` so many business days after the event.
    """

    when: str
    where: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    draft: tuple[str, ...] = ()
    channel: str | None = None
    write_back: WriteBack | None = None
    scheduled: bool = False
    after_business_days: int | None = None
