"""Whom a call of a model is counted for, and what people see of the limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crmplugin.domain.spending import FOR, Payer, Spender
from crmplugin.journeys.persons import user_behind
from crmplugin.settings import ConnectionSettings
from crmplugin.store.access import AccessStore
from crmplugin.store.records import RecordStore
from crmplugin.store.spending import Used

NOBODY = frozenset({"", "playbook", "user:panel", "user:nobody"})
"""What no person asked for is counted for its connection and kind and the team of its owner, and for no person."""

COUNTED = ("user:", FOR)
"""What counts for a team: what its people asked for, and what no person asked for about their records."""


def spender_of(
    payer: Payer, *, access: AccessStore, records: RecordStore, connections: Mapping[str, ConnectionSettings]
) -> Spender:
    """A payer as it is counted: the user of the CRM behind a token or a sign-in, so that one person is one."""
    name = payer.asked_by or ""
    if name in NOBODY:
        name = f"{FOR}{payer.owner_id}" if payer.owner_id else ""
    person = user_behind(name, payer.connection, access=access, records=records)
    kept = connections.get(payer.connection)
    sort, _, user = person.partition(":")
    teams = [team for team in (kept.teams if kept else ()) if f"{sort}:" in COUNTED and user in team]
    team = frozenset(f"{how}{member}" for member in set().union(*teams) for how in COUNTED)
    return Spender(payer.connection, payer.kind, person, team)


def used_rows(used: Iterable[Used]) -> list[dict[str, Any]]:
    """How much of each limit is used today, as people read it."""
    return [
        {
            "whose": row.whose,
            "of": {key: list(values) for key, values in row.limit.where.items()},
            "cost": None if row.limit.cost is None else format(row.cost, "f"),
            "most_cost": None if row.limit.cost is None else format(row.limit.cost, "f"),
            "calls": row.calls,
            "most_calls": row.limit.calls,
            "over": row.limit.over,
        }
        for row in used
    ]
