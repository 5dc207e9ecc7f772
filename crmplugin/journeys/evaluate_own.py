"""The own approved drafts as quality cases: the same task at the same moment, held to what a person approved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from crmplugin.domain.draft import PASSING, Draft
from crmplugin.journeys.evaluate import Case
from crmplugin.journeys.present import draft_from_json
from crmplugin.store.draft_rows import DraftRow

APPROVED = ("approved", "writing_back", "written")
MOST_FACTS = 12
_ASKED = ("to_contact_id", "channel", "language", "tone", "length", "instruction")


def own_cases(rows: Iterable[DraftRow]) -> list[Case]:
    """A case for each draft that a person approved; those that a campaign or a playbook wrote for many are left out."""
    return [_case(row, draft_from_json(dict(row.document))) for row in rows if row.origin != "campaign"]


def _case(row: DraftRow, draft: Draft) -> Case:
    asked = {name: row.request[name] for name in _ASKED if row.request.get(name)}
    type_ = {"type": draft.type} if draft.type and draft.kind == "follow_up" else {}
    return Case(
        id=f"approved-{row.id}", about="approved by a person", kind=row.kind, subject=draft.subject_of,
        as_of=draft.as_of.isoformat(), records=(), task={**asked, **type_}, expect=_expected(draft),
        connection=row.connection,
    )  # fmt: skip


def _expected(draft: Draft) -> Mapping[str, Any]:
    """The same kind of text to the same person in the same language, about the facts that the approved one told."""
    told = [i for s in draft.sentences if s.verdict in PASSING and s.action != "removed" for i in s.evidence]
    to = {"to": draft.to.contact_id} if draft.to and draft.to.contact_id else {}
    return {"status": "proposed", "language": draft.language, "uses": list(dict.fromkeys(told))[:MOST_FACTS], **to}
