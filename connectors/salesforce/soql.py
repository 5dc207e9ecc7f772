"""Queries as SOQL writes them. What comes from outside goes in only through `checked_id` or `soql_time`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from crmplugin.errors import NotFound

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)


def select(fields: Iterable[str], source: str, where: str = "", *, order: str = "", limit: int = 0) -> str:
    """A query; `order` and `limit` when they are given."""
    parts = ["SELECT", ",".join(fields), "FROM", source]
    parts += ["WHERE", where] if where else []
    parts += ["ORDER BY", order] if order else []
    parts += ["LIMIT", str(limit)] if limit else []
    return " ".join(parts)


def equal(field: str, id_: str) -> str:
    """The condition that a field is this id. Raises NotFound for what is no id."""
    return f"{field} = '{checked_id(id_)}'"


def among(field: str, ids: Iterable[str]) -> str:
    """The condition that a field is one of these ids."""
    listed = ",".join(f"'{checked_id(one)}'" for one in ids)
    return f"{field} IN ({listed})"


def within(field: str, query: str) -> str:
    """The condition that a field is among what a query gives."""
    return f"{field} IN ({query})"


def checked_id(id_: str, what: str = "record") -> str:
    """The id, in the form that ids have: what goes into a query. Raises NotFound for anything else."""
    if not ID.fullmatch(id_):
        raise NotFound(f"{what} {id_!r} is no id of Salesforce: it has 15 or 18 letters and digits")
    return id_


def soql_time(moment: datetime) -> str:
    """An instant as SOQL writes it, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
