"""The table `[retention]` of the settings file: days by kind of what is kept."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from crmplugin.domain.retention import EVERY_OTHER, Retention
from crmplugin.settings_file import Source

PLAIN = ("events", "streams", "campaigns")
BY_KIND = ("drafts", "audit")


def read_retention(source: Source) -> Retention:
    """What the table says. Raises SettingsError naming line and key."""
    source.refuse_unknown(("retention",), {*PLAIN, *BY_KIND})
    found: dict[str, Any] = {name: _days(source, ("retention", name)) for name in PLAIN}
    found |= {name: MappingProxyType(_by_kind(source, ("retention", name))) for name in BY_KIND}
    return Retention(**found)


def _by_kind(source: Source, path: tuple[str, ...]) -> dict[str, int]:
    """A number of days is for every kind; a table has one for each, `"*"` for those without."""
    written: Any = source.at(path)
    if written is None:
        return {}
    if not hasattr(written, "items"):
        return {EVERY_OTHER: _days(source, path) or 0}
    return {kind: _days(source, (*path, kind)) or 0 for kind in written}


def _days(source: Source, path: tuple[str, ...]) -> int | None:
    days: int | None = source.value(path, int)
    if days is not None and days <= 0:
        raise source.problem(path, f"is {days}: expected days, 1 or more")
    return days
