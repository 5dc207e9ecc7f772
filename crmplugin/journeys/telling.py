"""What the audit says beside drafts: exports, and settings and rules that changed. Never a value, only what it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from crmplugin.journeys.import_records import ImportReport
from crmplugin.store.audit import AuditLog, Entry

EXPORTED, SETTINGS_CHANGED, RULES_CHANGED = "export.made", "settings.changed", "rules.changed"
IMPORTED = "records.imported"


def tell_export(
    audit: AuditLog,
    what: str,
    *,
    by: str,
    at: datetime,
    connection: str | None = None,
    contact: str | None = None,
    **about: str | int | None,
) -> None:
    """Something left: `what` is all, contact, campaign, audit or draft. Whom it was about is sealed."""  # fmt: skip
    body = {"what": what, **{name: value for name, value in about.items() if value is not None}}
    personal = None if contact is None else {"contact": contact}
    persons = () if contact is None else (contact,)
    draft = body.pop("draft", None)
    audit.add(Entry(EXPORTED, at, by, connection, str(draft) if draft else None, body, personal, persons))


def tell_settings(audit: AuditLog, digests: Mapping[str, str], *, at: datetime) -> tuple[str, ...]:
    """Says which settings are not as they were at the last start; gives back their keys. Nothing new says nothing."""
    last = next(iter(audit.rows(kinds=[SETTINGS_CHANGED], newest=1)), None)
    before: Mapping[str, str] = last.body["digests"] if last is not None else {}
    changed = sorted(key for key in {*before, *digests} if before.get(key) != digests.get(key))
    if changed or last is None:
        body = {"changed": changed, "digests": dict(digests)}
        audit.add(Entry(SETTINGS_CHANGED, at, "start", body=body))
    return tuple(changed)


def tell_rules(audit: AuditLog, collections: Collection[str], *, by: str, at: datetime, connection: str) -> None:
    """Rules of the owner (policy, voice, claims, prices, …) were changed or imported."""
    if collections:
        audit.add(Entry(RULES_CHANGED, at, by, connection, body={"collections": sorted(collections)}))


def tell_import(audit: AuditLog, connection: str, report: ImportReport, *, by: str, at: datetime) -> None:
    """Records came in from files, the owner's rules among them."""
    body = {"taken": report.taken, "updated": report.updated, "refused": report.refused_rows}
    audit.add(Entry(IMPORTED, at, by, connection, body=body))
