"""The audit for people: one draft made again from what was kept of it, and rows as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crmplugin.errors import NotFound, StateConflict
from crmplugin.journeys.draft import Tools
from crmplugin.journeys.present import show_instant, to_json
from crmplugin.journeys.recording import make_again, versions
from crmplugin.store.audit import AuditLog, AuditRow
from crmplugin.store.drafts_told import digest


@dataclass(frozen=True, slots=True)
class Replay:
    """A draft made again. `changed`: what of the program is another than then, when the two differ it may be why."""

    draft: str
    same: bool
    then: str
    now: str
    changed: tuple[str, ...]
    subject: str | None
    body: str | None


def replay_draft(draft_id: str, *, audit: AuditLog, tools: Callable[[str], Tools]) -> Replay:
    """Makes a draft again and compares it with the hash of the first. Raises NotFound or StateConflict."""
    row = _row_with_text(draft_id, audit)
    if row.personal is None:
        why = "a person was erased, or the time to keep it is over"
        raise StateConflict(f"what draft {draft_id} was made of is gone: {why}")
    assert row.connection is not None
    again = to_json(make_again(row.personal["kept"], tools(row.connection)))
    then, now = row.body["document"], digest(again)
    told = row.body.get("versions") or {}
    changed = tuple(name for name, value in versions().items() if told.get(name) != value)
    return Replay(draft_id, then == now, then, now, changed, again["subject"], again["body"])


def _row_with_text(draft_id: str, audit: AuditLog) -> AuditRow:
    """The last row of a draft that tells how its text came to be."""
    rows = [row for row in audit.rows(draft=draft_id) if "versions" in row.body]
    if not rows:
        raise NotFound(f"the audit has no text of a draft {draft_id}: see `crmplugin audit show`")
    return rows[-1]


def row_json(row: AuditRow, *, personal: bool) -> dict[str, Any]:
    """A row as JSON; its personal part only when asked for."""
    document: dict[str, Any] = {
        "seq": row.seq,
        "at": show_instant(row.at),
        "kind": row.kind,
        "connection": row.connection,
        "draft": row.draft,
        "by": row.by,
        "body": dict(row.body),
        "hash": row.hash,
    }
    if row.gone:
        document["personal"] = "gone"
    elif personal and row.personal is not None:
        document["personal"] = dict(row.personal)
    return document


def told(body: Mapping[str, Any]) -> str:
    """The body of a row in one line."""
    return ", ".join(
        f"{name} {value}" for name, value in body.items() if isinstance(value, (str, int)) and name != "document"
    )
