"""Learning from people: what approved drafts show of a rep's style, kept where everybody can see, change and delete it.

A sheet changes wording only: it holds no fact, and it never decides the language. One that a person edited is not
learned over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from crmplugin.domain.draft import Draft
from crmplugin.domain.style import StyleSheet
from crmplugin.errors import NotFound, UsageError
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.present import draft_from_json
from crmplugin.journeys.run_draft import current_draft
from crmplugin.journeys.visibility import check_connection
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow
from crmplugin.store.style_sheets import StyleStore
from crmplugin.writing.habits import learn_sheet

APPROVED = ("approved", "writing_back", "written")
NEWEST = 30
MAY_SEE_ALL = frozenset({"manager", "director", "admin"})
LONGEST_KEY = (255, 32, 16)
"""Letters of user, kind and language."""
EDITABLE = frozenset({"words", "greeting", "phrases_used", "phrases_removed"})
MARKS = ("{first}", "{last}")


def learn_style(desk: Desk, row: DraftRow) -> StyleSheet | None:
    """Learns the sheet that an approved draft belongs to anew; None when there is nothing to learn from yet."""
    draft = current_draft(row)
    if not row.owner_id or draft.audience == "internal" or not draft.language:
        return None
    kept = desk.styles.read(row.connection, row.owner_id, row.kind, draft.language)
    if kept is not None and kept.edited:
        return kept
    pairs = _pairs(desk, row, draft.language)
    sheet = learn_sheet(pairs, user_id=row.owner_id, kind=row.kind, language=draft.language)
    if sheet is not None:
        sheet = replace(sheet, updated_at=desk.clock())
        desk.styles.write(row.connection, sheet)
    return sheet


def _pairs(desk: Desk, row: DraftRow, language: str) -> list[tuple[Draft, Draft]]:
    """The newest approved drafts of this rep, kind and language, as first written and as approved."""
    page = desk.drafts.list(
        limit=NEWEST, connection=row.connection, kind=row.kind, owner_id=row.owner_id, status=APPROVED
    )  # fmt: skip
    pairs = []
    for one in page.items:
        after = current_draft(one)
        first = desk.drafts.version(one.id, 1)
        if first is not None and after.language == language:
            pairs.append((draft_from_json(first), after))
    return pairs


def list_styles(desk: Desk, who: Principal, connection: str | None, user_id: str | None) -> tuple[StyleSheet, ...]:
    """The sheets that somebody may see: their own, or everybody's for who leads; no connection: on all of them.

    Raises NotFound for a connection that is not theirs.
    """
    if connection:
        check_connection(desk, who, connection)
    asked = [connection] if connection else [name for name in desk.settings.connections if who.sees(name)]
    return tuple(sheet for name in asked for sheet in _seen(desk, who, name, user_id))


def _seen(desk: Desk, who: Principal, connection: str, user_id: str | None) -> tuple[StyleSheet, ...]:
    own = user_id or (None if who.role in MAY_SEE_ALL else who.user_on(connection))
    if own is None and who.role not in MAY_SEE_ALL:
        return ()
    if own is not None:
        _check_own(who, connection, own)
    return desk.styles.list(connection, own)


def edit_style(
    desk: Desk, who: Principal, connection: str, key: tuple[str, str, str], changes: Mapping[str, Any]
) -> StyleSheet:  # fmt: skip
    """Changes the sheet of (user, kind, language) by hand; from then on it is not learned over. Raises NotFound."""
    check_connection(desk, who, connection)
    _check_own(who, connection, key[0])
    return change_sheet(desk.styles, connection, key, changes, at=desk.clock())


def change_sheet(
    styles: StyleStore, connection: str, key: tuple[str, str, str], changes: Mapping[str, Any], *, at: datetime
) -> StyleSheet:  # fmt: skip
    """The sheet of (user, kind, language) with these changes, kept. Raises UsageError naming a field that is none."""
    if unknown := set(changes) - EDITABLE:
        known = ", ".join(sorted(EDITABLE))
        raise UsageError(f"{', '.join(sorted(unknown))}: no field of a style sheet; known are {known}")
    for value, most in zip(key, LONGEST_KEY, strict=True):
        if not 0 < len(value) <= most:
            raise UsageError(
                f"{value[:40]!r}: user, kind and language have 1 to {', '.join(map(str, LONGEST_KEY))} letters"
            )
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()
    }
    _check_greeting(given.get("greeting"))
    sheet = replace(styles.read(connection, *key) or StyleSheet(*key), **given, edited=True, updated_at=at)
    styles.write(connection, sheet)
    return sheet


def erase_styles(
    desk: Desk, who: Principal, connection: str, user_id: str, kind: str | None = None, language: str | None = None
) -> int:  # fmt: skip
    """Deletes sheets; gives back how many. Raises NotFound for somebody else's."""
    check_connection(desk, who, connection)
    _check_own(who, connection, user_id)
    return desk.styles.erase(connection, user_id, kind, language)


def style_json(sheet: StyleSheet) -> dict[str, Any]:
    """A sheet as people read it."""
    row = {field.name: getattr(sheet, field.name) for field in fields(sheet)}
    lists = {name: list(row[name]) for name in ("phrases_used", "phrases_removed")}
    return row | lists | {"updated_at": sheet.updated_at.isoformat() if sheet.updated_at else None}


def _check_own(who: Principal, connection: str, user_id: str) -> None:
    """Raises NotFound unless the sheets of a user are theirs to see: their own, or everybody's for who leads."""
    own = who.user_on(connection) == user_id
    if not who.sees(connection) or not (own or who.role in MAY_SEE_ALL):
        raise NotFound(f"no style sheets of {user_id} on {connection} that you may see")


def _check_greeting(form: object) -> None:
    if isinstance(form, str) and (form.count("{") != sum(form.count(mark) for mark in MARKS) or len(form) > 60):
        raise UsageError("greeting: expected at most 60 characters, with {first} or {last} for the name")
