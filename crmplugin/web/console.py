"""The pages people see. Who may open which stands here; the pages stand in `console_drafts`, `_records` and `_work`."""

from __future__ import annotations

from collections.abc import Mapping

from crmplugin.web import console_drafts, console_records, console_work
from crmplugin.web.auth import ADMIN, EVERYBODY, LEADERS, OPEN, SALES
from crmplugin.web.console_frame import blueprint

PAGES = (console_drafts, console_records, console_work)
"""Importing them is what puts their pages on the blueprint."""
RIGHTS: Mapping[str, frozenset[str]] = {
    "console.home": OPEN,
    "console.sign_in": OPEN,
    "console.paste_link": OPEN,
    "console.waiting": EVERYBODY,
    "console.one_draft": EVERYBODY,
    "console.all_facts": EVERYBODY,
    "console.ask": EVERYBODY,
    "console.act": EVERYBODY,
    "console.check_typing": EVERYBODY,
    "console.new_draft": SALES,
    "console.one_record": SALES,
    "console.events": LEADERS,
    "console.replay": ADMIN,
    "console.jobs": LEADERS,
    "console.connections": LEADERS,
}
"""Endpoint -> roles that may open it."""

__all__ = ["RIGHTS", "blueprint"]
