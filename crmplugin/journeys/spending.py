"""Whom a call of a model is counted for, and what people see of the limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crmplugin.domain.spending import FOR, Payer, Spender
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
    person = _user_behind(name, payer.connection, access, records)
    kept = connections.get(payer.connection)
    sort, _, user = person.partition(":")
    teams = [team for team in (kept.teams if kept else ()) if f"{sort}:" in COUNTED and user in team]
    team = frozenset(f"{how}{member}" for member in set().union(*teams) for how in COUNTED)
    return Spender(payer.connection, payer.kind, person, team)


def _user_behind(name: str, connection: str, access: AccessStore, records: RecordStore) -> str:
    kind, _, rest = name.partition(":")
    if kind == "token":
        token = access.find_token(rest)
        return f"user:{token.user_id}" if token is not None and token.user_id else name
    if kind == "person":
        users = records.iterate(connection, "users")
        mine = [user.id for user in users if (user.email or "").strip().casefold() == rest]
        return f"user:{mine[0]}" if len(mine) == 1 else name
    return name


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
