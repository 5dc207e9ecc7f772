"""What answers the open questions of a brief, by the question's fact id."""

from __future__ import annotations

from collections.abc import Mapping

from crmplugin.brief.plan_answers import Found
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Context
from crmplugin.domain.fact import Fact


def found_answers(context: Context, signals: Signals, facts: Mapping[str, Fact]) -> Mapping[str, Found | None]:
    return {}
