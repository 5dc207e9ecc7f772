"""A model as judge, last: would a careful colleague send this draft as it stands? It never fails a case.

Only drafts that every deterministic check lets through are shown to it, with the facts they may tell and through the
same masking door as every other call.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from crmplugin.domain.draft import Draft
from crmplugin.errors import ModelError
from crmplugin.ports import ChatModel
from crmplugin.writing.prompt import load_prompt

_GRADE = re.compile(r"(?<![\d.,])[0-5](?![\d.,%])")


def judge_draft(chat: ChatModel, draft: Draft, *, private: Sequence[str]) -> int | None:
    """The grade a model gives, 0 to 5; None when it gives none or cannot be reached. `private` is masked."""
    told = {i for s in draft.sentences for i in s.evidence}
    facts = [f for f in draft.facts if f.id in told]
    messages = load_prompt("judge").fill(
        {
            "kind": f"{draft.kind} / {draft.type}" if draft.type else draft.kind,
            "language": draft.language or "en",
            "facts": "\n".join(f"- {f.label}: {f.display}" for f in facts),
            "text": "\n".join(part for part in (draft.subject, draft.body) if part),
        }
    )
    try:
        said = "".join(chat.stream(messages, private=private).pieces)
    except ModelError:
        return None
    grade = _GRADE.search(said)
    return int(grade[0]) if grade else None
