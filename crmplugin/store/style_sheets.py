"""Style sheets: one a rep, kind and language; visible, editable, erasable."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine, Row, delete, select

from crmplugin.domain.style import StyleSheet
from crmplugin.store.database import replace_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_styles import style_sheets

PHRASES = ("phrases_used", "phrases_removed")


class StyleStore:
    """Every method takes the connection first and sees nothing of another one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, connection: str, user_id: str, kind: str, language: str) -> StyleSheet | None:
        """The sheet, or None when nothing was learned yet."""
        query = select(style_sheets).where(*_key(connection, user_id, kind, language))
        with reading(self._engine) as db:
            row = db.execute(query).first()
        return _sheet(row) if row else None

    def list(self, connection: str, user_id: str | None = None) -> tuple[StyleSheet, ...]:
        """The sheets of one rep, or of all, by rep, kind and language."""
        c = style_sheets.c
        query = select(style_sheets).where(c.connection == connection).order_by(c.user_id, c.kind, c.language)
        if user_id is not None:
            query = query.where(c.user_id == user_id)
        with reading(self._engine) as db:
            return tuple(_sheet(row) for row in db.execute(query))

    def write(self, connection: str, sheet: StyleSheet) -> None:
        """Keeps a sheet in the place of the one that was there."""
        document = {key: value for key, value in asdict(sheet).items() if key != "updated_at"}
        row = {
            "connection": connection, "user_id": sheet.user_id, "kind": sheet.kind, "language": sheet.language,
            "edited": sheet.edited, "updated_at": sheet.updated_at, "document": document,
        }  # fmt: skip
        with writing(self._engine) as db:
            db.execute(replace_into(db, style_sheets), row)

    def erase(self, connection: str, user_id: str, kind: str | None = None, language: str | None = None) -> int:
        """Deletes sheets of a rep, all or those of a kind or language; gives back how many."""
        c = style_sheets.c
        where = [c.connection == connection, c.user_id == user_id]
        where += [column == value for column, value in ((c.kind, kind), (c.language, language)) if value]
        with writing(self._engine) as db:
            return db.execute(delete(style_sheets).where(*where)).rowcount


def _key(connection: str, user_id: str, kind: str, language: str) -> tuple[Any, ...]:
    c = style_sheets.c
    return c.connection == connection, c.user_id == user_id, c.kind == kind, c.language == language


def _sheet(row: Row[Any]) -> StyleSheet:
    document = {**row.document, **{name: tuple(row.document.get(name, ())) for name in PHRASES}}
    return StyleSheet(**document, updated_at=row.updated_at)
