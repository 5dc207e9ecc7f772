"""What a person decides about a draft: edit, approve, reject, withdraw, stop, another variant. Rules in tables.

Nothing here writes into a CRM: an approval adds the job that does.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from crmplugin.domain.brief import Request
from crmplugin.domain.draft import OVERRIDABLE, PASSING, Draft, Sentence
from crmplugin.errors import AccessDenied, StateConflict, UsageError
from crmplugin.journeys.approval import MAY_APPROVE as MAY_APPROVE
from crmplugin.journeys.approval import check_approver, why_not
from crmplugin.journeys.ask import Ask, ask_for_drafts, start_draft, start_write_back
from crmplugin.journeys.desk import PRIORITIES, Desk
from crmplugin.journeys.draft import recheck
from crmplugin.journeys.present import from_json, to_json
from crmplugin.journeys.run_draft import current_draft
from crmplugin.journeys.styles import learn_style
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow

MAY_OVERRIDE = frozenset({"manager", "director", "admin"})


def may_approve(desk: Desk, row: DraftRow, who: Principal) -> bool:
    """Whether somebody may approve a draft."""
    return why_not(desk, row, who) is None


class Unchecked(StateConflict):
    """A sentence has not passed the checks."""

    code = "not_supported"


def approve(
    desk: Desk, draft_id: str, who: Principal, *, version: int | None = None, override_reason: str | None = None
) -> DraftRow:
    """Approves a draft and adds its write-back. Raises StateConflict or AccessDenied, with the sentence that fails."""
    row = desk.drafts.get(draft_id)
    check_approver(desk, row, who)
    draft = current_draft(row)
    if row.status == "proposed":
        _check_sentences(draft, who, override_reason)
    approved = desk.drafts.move(
        draft_id,
        "approved",
        at=desk.clock(),
        by=who.name,
        reason=override_reason,
        version=version if version is not None else row.version,
        attempt=row.attempt + 1,
    )
    start_write_back(desk, approved)
    learn_style(desk, approved)
    return approved


def preview(desk: Desk, draft_id: str, *, subject: str | None, body: str) -> Draft:
    """The draft with another text, checked but not saved: what somebody sees while typing."""
    row = desk.drafts.get(draft_id)
    return recheck(current_draft(row), subject, body, tools=desk.tools(row.connection))


def reject(desk: Desk, draft_id: str, who: Principal, *, version: int | None, reason: str | None) -> DraftRow:
    """Says no to a proposed draft."""
    return desk.drafts.move(draft_id, "rejected", at=desk.clock(), by=who.name, reason=reason, version=version)


def withdraw(desk: Desk, draft_id: str, who: Principal, *, version: int | None) -> DraftRow:
    """Takes an approval back, as long as writing into the CRM has not begun."""
    return desk.drafts.move(
        draft_id, "proposed", at=desk.clock(), by=who.name, reason="withdrawn", version=version, only_from=("approved",)
    )


def stop(desk: Desk, draft_id: str, who: Principal) -> DraftRow:
    """Stops a draft that is being written, or cancels one that is scheduled."""
    new = "cancelled" if desk.drafts.get(draft_id).status == "scheduled" else "stopped"
    row = desk.drafts.move(draft_id, new, at=desk.clock(), by=who.name)
    desk.broadcast.stop(draft_id)
    return row


def edit(desk: Desk, draft_id: str, who: Principal, *, version: int, subject: str | None, body: str) -> DraftRow:
    """Saves a person's text, checked again. Raises StateConflict unless the draft is proposed at that version."""
    row = desk.drafts.get(draft_id)
    if row.version != version or row.status != "proposed":
        return desk.drafts.edit(draft_id, row.document, version=version, by=who.name, at=desk.clock())
    checked = recheck(current_draft(row), subject, body, tools=desk.tools(row.connection))
    document = to_json(replace(checked, version=version + 1))
    return desk.drafts.edit(draft_id, document, version=version, by=who.name, at=desk.clock())


def regenerate(
    desk: Desk, draft_id: str, who: Principal, changes: Mapping[str, str | None], *, keep_edits: bool = True
) -> DraftRow:
    """Another variant as a new draft; a proposed one gives way to it. A failed one is tried again as itself.

    `keep_edits`: what a person changed in the text goes into the new one.
    """
    row = desk.drafts.get(draft_id)
    if row.status in ("writing", "scheduled", "approved", "writing_back", "written"):
        raise StateConflict(f"draft {draft_id} is {row.status}: another variant can only be made of a finished draft")
    if row.status == "failed" and row.written_id is None and not changes:
        return _try_again(desk, row, who)
    if row.status == "proposed":
        desk.drafts.move(draft_id, "superseded", at=desk.clock(), by=who.name)
    request = replace(from_json(Request, row.request), as_of=None, **changes)  # type: ignore[arg-type]
    ask = Ask(
        draft_id=uuid.uuid4().hex,
        request=request,
        origin="click",
        at=desk.clock(),
        created_by=who.name,
        event=row.event,
        write_back="on_approval" if row.write_back == "at_once" else row.write_back,
        replaces=draft_id,
        owner_id=row.owner_id,
        keep_edits=keep_edits,
    )
    ask_for_drafts(desk, [ask])
    start_draft(desk, ask.draft_id, connection=row.connection, priority=PRIORITIES["click"])
    return desk.drafts.get(ask.draft_id)


def _try_again(desk: Desk, row: DraftRow, who: Principal) -> DraftRow:
    again = desk.drafts.move(row.id, "writing", at=desk.clock(), by=who.name, attempt=row.attempt + 1, problem=None)
    start_draft(desk, row.id, connection=row.connection, priority=PRIORITIES["click"], attempt=again.attempt)
    return again


def _check_sentences(draft: Draft, who: Principal, override_reason: str | None) -> None:
    """Every sentence has passed, or a person with the right to do so takes it on with a reason."""
    failing = [s for s in draft.sentences if s.action != "removed" and s.verdict not in PASSING]
    if not failing:
        return
    final = [s for s in failing if s.verdict not in OVERRIDABLE]
    if final:
        raise Unchecked(f"{_shown(final[0])}, which nobody can override: change or delete that sentence")
    if override_reason is None:
        raise Unchecked(f"{_shown(failing[0])}: change it, or override with a reason")
    if not override_reason.strip():
        raise UsageError("override.reason: expected a reason in words")
    if who.role not in MAY_OVERRIDE:
        raise AccessDenied(f"a {who.role} may not override a check: ask one of {', '.join(sorted(MAY_OVERRIDE))}")


def _shown(sentence: Sentence) -> str:
    return f'"{sentence.text[:80]}" is {sentence.verdict} ({sentence.reason or "no fact carries it"})'
