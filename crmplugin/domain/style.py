"""A style sheet: how one rep likes one kind of text to sound, in words that anybody can read. It never holds a fact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StyleSheet:
    """Habits of one rep for one kind, learned from `drafts` approved drafts or written by hand (`edited`).

    words: median length of the body. greeting: the form used, with `{first}`, `{last}` or `{salutation}` for the name.
    phrases_used, phrases_removed: sentences the rep put in or took out, facts replaced by `…`.
    """

    user_id: str
    kind: str
    language: str
    drafts: int = 0
    words: int | None = None
    greeting: str | None = None
    phrases_used: tuple[str, ...] = ()
    phrases_removed: tuple[str, ...] = ()
    edited: bool = False
    updated_at: datetime | None = None
