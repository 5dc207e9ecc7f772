"""Who stands behind a name: one person with a token, a sign-in and a panel is one."""

from __future__ import annotations

from crmplugin.store.access import AccessStore
from crmplugin.store.records import RecordStore

NAMELESS = ("console:", "token:", "user:panel", "user:nobody")
"""How those are called of whom nobody knows who they are: a link, token or panel that was made for no user."""


def user_behind(name: str, connection: str, *, access: AccessStore, records: RecordStore) -> str:
    """The connection's CRM user behind a token or a sign-in, as `user:U-7`; the name itself where there is none."""
    kind, _, rest = name.partition(":")
    if kind == "token":
        token = access.find_token(rest)
        return f"user:{token.user_id}" if token is not None and token.user_id else name
    if kind == "person":
        users = records.iterate(connection, "users")
        mine = [user.id for user in users if (user.email or "").strip().casefold() == rest]
        return f"user:{mine[0]}" if len(mine) == 1 else name
    return name
