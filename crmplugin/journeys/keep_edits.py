"""What a person changed in a text survives when another version of it is written.

The first version of a draft is the writer's; what its last version says otherwise is the person's. Their sentences go
into the new text where the sentences stood that they had changed, and the whole is checked again. Written in another
language or for another channel, a text starts afresh.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from crmplugin.domain.draft import Draft, Sentence
from crmplugin.errors import StateConflict
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.draft import recheck
from crmplugin.journeys.present import draft_from_json, to_json
from crmplugin.store.drafts import DraftRow

_LINE = "\n"
AT_THE_END = ("ask", "close", "signature", "legal")
"""Before the first of these goes what has no place of its own."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Sentences of the writer and what the person put in their place; `after` is the sentence before that."""

    old: tuple[Sentence, ...]
    text: str
    after: str | None
    own_line: bool


def keep_edits(desk: Desk, row: DraftRow) -> DraftRow:
    """The draft with what was changed in the one it replaces, as its second version; done once, whoever calls again."""
    if row.replaces is None or row.status != "proposed" or row.version != 1 or not row.request.get("keep_edits", True):
        return row
    found = _first_and_last(desk, row.replaces)
    new = draft_from_json(row.document)
    merged = merge(*found, new) if found and _is_alike(found[1], new) else None
    if merged is None:
        return row
    checked = replace(recheck(new, *merged, tools=desk.tools(row.connection)), version=2)
    try:
        return desk.drafts.edit(row.id, to_json(checked), version=1, by=row.created_by, at=desk.clock())
    except StateConflict:
        return desk.drafts.get(row.id)


def _first_and_last(desk: Desk, draft_id: str) -> tuple[Draft, Draft] | None:
    numbers = [v.version for v in desk.drafts.versions(draft_id)]
    first, last = (desk.drafts.version(draft_id, n) for n in (min(numbers), max(numbers))) if numbers else (None, None)
    return (draft_from_json(first), draft_from_json(last)) if first and last and len(numbers) > 1 else None


def _is_alike(old: Draft, new: Draft) -> bool:
    return (old.language, old.channel, old.kind) == (new.language, new.channel, new.kind)


def merge(before: Draft, edited: Draft, new: Draft) -> tuple[str | None, str] | None:
    """Subject and body of the new draft with the changes from `before` to `edited`; None when there are none."""
    changes = tuple(_changes(before, edited))
    own_subject = edited.subject if edited.subject != before.subject else None
    if not changes and own_subject is None:
        return None
    body = new.body or ""
    for change in changes:
        body = _apply(change, body, new)
    return own_subject or new.subject, re.sub(r"\n{3,}", "\n\n", body).strip()


def _changes(before: Draft, edited: Draft) -> Iterator[_Change]:
    old, own = _body_of(before), _body_of(edited)
    matcher = SequenceMatcher(None, [s.text for s in old], [s.text for s in own], autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            text, own_line = _as_typed(edited.body or "", own[j1:j2])
            yield _Change(tuple(old[i1:i2]), text, own[j1 - 1].text if j1 else None, own_line)


def _body_of(draft: Draft) -> list[Sentence]:
    return [s for s in draft.sentences if s.action != "removed" and s.role != "subject"]


def _as_typed(body: str, sentences: Sequence[Sentence]) -> tuple[str, bool]:
    """The stretch of a body from the first to the last of some sentences, and whether it begins a line."""
    if not sentences:
        return "", False
    start = body.find(sentences[0].text)
    end = body.find(sentences[-1].text, start) + len(sentences[-1].text)
    if start < 0 or end < start:
        return " ".join(s.text for s in sentences), False
    return body[start:end], body[:start].endswith("\n")


def _apply(change: _Change, body: str, new: Draft) -> str:
    places = [p for s in change.old if (p := _counterpart(s, new)) and p in body]
    for place in places[1:] if change.text else places:
        body = re.sub(r"(?<![ \t])[ \t]*" + re.escape(place), "", body, count=1)
    if not change.text:
        return body
    if places:
        return body.replace(places[0], change.text, 1)
    return _insert(change, body, new)


def _counterpart(old: Sentence, new: Draft) -> str | None:
    """The text of the new draft's sentence that says what an old one said: the same words, facts, or frame."""
    known = _body_of(new)
    same = next((s for s in known if s.text == old.text), None)
    facts = set(old.evidence)
    cited = next((s for s in known if s.role == old.role and facts and facts <= set(s.evidence)), None)
    framed = next((s for s in reversed(known) if s.role == old.role and old.role in ("greeting", "ask", "close")), None)
    found = same or cited or framed
    return found.text if found else None


def _insert(change: _Change, body: str, new: Draft) -> str:
    if change.after and change.after in body:
        at = body.index(change.after) + len(change.after)
        return f"{body[:at]}{_LINE if change.own_line else ' '}{change.text}{body[at:]}"
    end = next((s.text for s in _body_of(new) if s.role in AT_THE_END and s.text in body), None)
    if end is None:
        return f"{body}\n\n{change.text}"
    at = body.index(end)
    return f"{body[:at]}{change.text}\n\n{body[at:]}"
