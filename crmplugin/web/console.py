"""The pages people see; they stand in `console_drafts`, `_records` and `_work`."""

from __future__ import annotations

from crmplugin.web import (
    console_campaigns,
    console_deals,
    console_drafts,
    console_figures,
    console_records,
    console_rules,
    console_styles,
    console_trust,
    console_waiting,
    console_work,
)
from crmplugin.web.console_frame import blueprint

PAGES = (
    console_waiting,
    console_campaigns,
    console_deals,
    console_drafts,
    console_records,
    console_figures,
    console_rules,
    console_styles,
    console_trust,
    console_work,
)
"""Importing them is what puts their pages on the blueprint."""

__all__ = ["blueprint"]
