"""Open deals: what they are worth, when they are due, how they stand, and the one thing to do next.

The list comes at once; how each deal stands is worked out from its records and comes behind it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from crmplugin.analysis.next_action import next_actions
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Deal, Subject
from crmplugin.domain.fact import Fact
from crmplugin.errors import CrmPluginError
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.visibility import check_connection, owners_seen
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import Names
from crmplugin.web.console_frame import blueprint, page, reader, words
from crmplugin.web.console_waiting import page_number, rates

ORDERS = ("value", "due", "changed")
PER_PAGE = 12
MOST_SIGNS = 3


@blueprint.get("/console/deals")
def deals() -> Response:
    """Open deals of a connection; with `?health=1` also how each stands."""
    theirs_first = next((name for name in desk().settings.connections if who().sees(name)), "local")
    connection = request.args.get("connection", theirs_first)
    check_connection(desk(), who(), connection)
    asked = request.args.get("by", "value")
    order: Any = asked if asked in ORDERS else "value"
    number = page_number()
    owners = owners_seen(desk(), who())
    theirs = None if owners is None else owners.get(connection, frozenset())
    offset = (number - 1) * PER_PAGE
    found, total = desk().figures.open_deals(
        connection, order, rates=rates(), owners=theirs, offset=offset, limit=PER_PAGE
    )
    here = {"connection": connection, "by": order, "page": str(number)}
    behind = {**here, "page": str(number + 1)} if total > number * PER_PAGE else None
    whole = request.args.get("health") == "1"
    names = Names(desk())
    return page(
        "deals.html",
        connection=connection,
        of=connection,
        connections=[name for name in desk().settings.connections if who().sees(name)],
        rows=[_row(connection, deal, names, whole=whole) for deal in found],
        order=order,
        orders=ORDERS,
        total=total,
        later=None if whole or not found else f"/console/deals?{urlencode({**here, 'health': '1'})}",
        next=f"/console/deals?{urlencode(behind)}" if behind else None,
        first=f"/console/deals?{urlencode({**here, 'page': '1'})}",
        paged=number > 1,
    )


def _row(connection: str, deal: Deal, names: Names, *, whole: bool) -> dict[str, Any]:
    about = names.about(connection, "deal", deal.id)
    row = {
        "deal": deal,
        "about": about,
        "value": reader(connection).money(deal.amount, deal.currency),
        "due": about.due,
        "stands": None,
    }
    return {**row, "stands": _stands(connection, deal)} if whole else row


def _stands(connection: str, deal: Deal) -> dict[str, Any]:
    """Chance, signs and next step, as the deal's summary states them; a problem in words when it cannot be read.

    Where nothing is due, the step that was agreed is the next one.
    """
    asked = Request(connection, "summary", Subject("deal", deal.id), language=words().language)
    try:
        brief = make_brief(asked, tools=desk().tools(connection), now=desk().clock())
    except CrmPluginError as error:
        return {"problem": str(error)}
    own = {f.id.removeprefix(f"{deal.id}."): f for f in brief.facts if f.id.startswith(f"{deal.id}.")}
    waits = next_actions(brief.signals, today=desk().clock().date())[0].key == "wait"
    signs = [f for key, f in own.items() if key.startswith(("risk_", "health_sign"))]
    return {
        "chance": own.get("health"),
        "signs": _unlike(signs)[:MOST_SIGNS],
        "good": not any(key.startswith("risk_") for key in own),
        "next": own.get("next_action1"),
        "waits": waits,
        "agreed": deal.next_step if waits else None,
        "problem": None,
    }


def _unlike(facts: list[Fact]) -> list[Fact]:
    return list({f.display: f for f in facts}.values())
