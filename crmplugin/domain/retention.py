"""How long what is kept for whom: days by kind of what is kept. What has no row is kept until somebody erases it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

EVERY_OTHER = "*"
"""The row for kinds that have none of their own."""
Days = Mapping[str, int]


def _none() -> Days:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Retention:
    """events, streams, campaigns: days. drafts: days by kind of draft. audit: days by kind of row, personal parts only.

    Days count from when something last changed; a draft counts from its end, and one that waits is never touched.
    """

    events: int | None = None
    streams: int | None = None
    campaigns: int | None = None
    drafts: Days = field(default_factory=_none)
    audit: Days = field(default_factory=_none)

    @property
    def keeps_all(self) -> bool:
        return self == Retention()
