"""Cursors of lists: newest first, told on by the time and id of the last row seen."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, or_

from crmplugin.errors import UsageError

T = TypeVar("T")
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows and the cursor for those after them; None when these were the last."""

    items: tuple[T, ...]
    next: str | None


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], tuple[datetime, str]]) -> Page[T]:
    """A page from up to limit + 1 rows: the extra one only says that there is more."""
    shown = tuple(rows[:limit])
    return Page(shown, write_cursor(*key(shown[-1])) if len(rows) > limit else None)


def write_cursor(at: datetime, id_: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{id_}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """The time and id in a cursor. Raises UsageError for anything that is none of ours."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8")
        at, _, id_ = text.partition("|")
        return datetime.fromisoformat(at), id_
    except (ValueError, binascii.Error) as error:
        raise UsageError("cursor: expected what the list gave as next; ask again without cursor") from error


def after(cursor: str | None, at: Any, id_: Any) -> list[ColumnElement[bool]]:
    """The condition for rows behind a cursor, where the list goes down by (at, id)."""
    if not cursor:
        return []
    seen_at, seen_id = read_cursor(cursor)
    return [or_(at < seen_at, and_(at == seen_at, id_ < seen_id))]
