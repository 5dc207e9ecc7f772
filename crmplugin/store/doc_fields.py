"""Fields inside documents that are kept as text, for queries that sort or count by them on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import JSON, Connection, cast, func

ReadField = Callable[[Any, str], Any]


def field_reader(connection: Connection) -> ReadField:
    """`read(column, "amount")`: a member of a document's top level as text, null when it is absent."""
    if connection.dialect.name == "postgresql":
        return lambda doc, name: cast(doc, JSON)[name].as_string()
    return lambda doc, name: func.json_extract(doc, f"$.{name}")
