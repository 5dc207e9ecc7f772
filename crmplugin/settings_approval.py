"""The approval table of the settings file: `[[approval]]` rows, checked whole."""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from crmplugin.domain.approval import ApprovalRow
from crmplugin.settings_file import Source

ROLES = ("rep", "manager", "director", "marketing", "admin")
WHERES = ("connection", "kind", "type", "audience", "channel")
OTHERS = (
    "above", "currency", "discount_above", "recipients_above", "roles", "four_eyes", "remind_hours", "escalate_hours",
    "escalate_to",
)  # fmt: skip


def read_approvals(source: Source) -> tuple[ApprovalRow, ...]:
    """The rows in their order. Raises SettingsError naming line and key."""
    return tuple(_row(source, ("approval", str(n))) for n, _ in enumerate(source.tables(("approval",))))


def _row(source: Source, path: tuple[str, ...]) -> ApprovalRow:
    source.refuse_unknown(path, {*WHERES, *OTHERS})
    where = {key: source.strings((*path, key)) for key in WHERES if source.at((*path, key)) is not None}
    above, currency = source.value((*path, "above"), Decimal), source.value((*path, "currency"), str)
    if (above is None) != (currency is None) or (currency is not None and not re.fullmatch("[A-Z]{3}", currency)):
        raise source.problem(path, 'needs above and currency together, such as above = "50000", currency = "EUR"')
    row = ApprovalRow(
        roles=_roles(source, (*path, "roles")),
        where=MappingProxyType(where),
        above=above,
        currency=currency,
        discount_above=source.value((*path, "discount_above"), Decimal),
        recipients_above=source.value((*path, "recipients_above"), int),
        four_eyes=bool(source.value((*path, "four_eyes"), bool)),
        remind_hours=_hours(source, (*path, "remind_hours")),
        escalate_hours=_hours(source, (*path, "escalate_hours")),
        escalate_to=_roles(source, (*path, "escalate_to")),
    )
    if not row.roles:
        raise source.problem(path, 'has no roles: say who may approve, such as roles = ["manager", "director"]')
    if (row.escalate_hours is None) != (not row.escalate_to):
        raise source.problem(path, "needs escalate_hours and escalate_to together")
    return row


def _roles(source: Source, path: tuple[str, ...]) -> frozenset[str]:
    return frozenset(source.one_of(path, role, ROLES) for role in source.strings(path))


def _hours(source: Source, path: tuple[str, ...]) -> int | None:
    hours: Any = source.value(path, int)
    if hours is not None and hours <= 0:
        raise source.problem(path, f"is {hours}: expected more than 0")
    return None if hours is None else int(hours)
