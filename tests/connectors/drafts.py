"""Approved drafts for write-backs: a valid default, one thing changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crmplugin.domain.brief import Decision, Recipient
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def make_draft(subject_of: Subject, **changes: Any) -> Draft:
    given: dict[str, Any] = {
        "id": "draft-1",
        "connection": "acme",
        "kind": "follow_up",
        "type": "quote_follow_up",
        "subject_of": subject_of,
        "status": "writing_back",
        "decision": Decision("draft"),
        "as_of": AT,
        "created_at": AT,
        "to": Recipient("501", "Dana Reyes", "dana@orbis.example"),
        "channel": "email",
        "language": "en",
        "subject": "Your quote Q-118",
        "body": "Hello Dana,\nthe quote Q-118 is valid until 27 November.\nBest regards",
        "html": "<p>Hello Dana,</p><p>the quote Q-118 is valid until 27 November.</p><p>Best regards</p>",
    }
    return Draft(**(given | changes))
