"""The list of drafts: by state, by what their deals are worth or when they are due, and many approved at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from crmplugin.errors import CrmPluginError
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.visibility import is_visible, owners_seen
from crmplugin.store.drafts import SummaryRow
from crmplugin.web import schemas
from crmplugin.web.asking import own_draft
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import Names
from crmplugin.web.console_frame import blueprint, page, reader, words
from crmplugin.web.texts import whole_number

GROUPS: Mapping[str, tuple[str, ...]] = {
    "waiting": ("proposed",),
    "writing": ("writing", "scheduled"),
    "done": ("approved", "writing_back", "written"),
    "held": ("blocked", "no_message"),
    "failed": ("failed",),
    "closed": ("rejected", "superseded", "stopped", "cancelled"),
}
"""How a person sorts drafts: the states behind each word of the filter."""
ORDERS = ("value", "due", "newest")
PER_PAGE = 20
MOST_AT_ONCE = 50
LAST_PAGE = 10_000


@blueprint.get("/console")
@blueprint.get("/console/drafts")
def waiting() -> Response:
    """Drafts by state; those that wait come first, the most valuable on top."""
    group = request.args.get("show", "waiting")
    group = group if group in GROUPS else "waiting"
    kind = request.args.get("kind") or None
    order = request.args.get("by") or ("value" if group == "waiting" else "newest")
    order = order if order in ORDERS else "newest"
    shown: dict[str, Any] = {
        "group": group,
        "groups": GROUPS,
        "kind": kind,
        "kinds": schemas.KINDS,
        "order": order,
        "orders": ORDERS,
    }
    many = group == "waiting" and who().role != "marketing"
    return page("waiting.html", **shown, many=many, **_listed(group, kind, order))


def _listed(group: str, kind: str | None, order: str) -> dict[str, Any]:
    """One page of a list, its rows in names and words."""
    filters = {
        "connections": who().connections,
        "owners": owners_seen(desk(), who()),
        "status": GROUPS[group],
        "kind": kind if kind in schemas.KINDS else None,
    }
    listed = _newest(filters) if order == "newest" else _ranked(order, filters)
    asked = {"show": group, **({"kind": kind} if kind else {}), "by": order}
    more = f"/console?{urlencode(asked | listed.more)}" if listed.more else None
    return {
        "rows": rows_of(listed.rows),
        "next": more,
        "paged": listed.paged,
        "first": f"/console?{urlencode(asked)}",
        "unrated": listed.unrated,
    }


@dataclass(frozen=True, slots=True)
class _Listed:
    """Rows, and what an address adds to ask for those behind them."""

    rows: tuple[SummaryRow, ...]
    more: dict[str, str]
    paged: bool
    unrated: tuple[str, ...] = ()


def _newest(filters: Mapping[str, Any]) -> _Listed:
    cursor = request.args.get("cursor") or None
    found = desk().drafts.summaries(limit=PER_PAGE, cursor=cursor, **filters)
    return _Listed(found.items, {"cursor": found.next} if found.next else {}, cursor is not None)


def _ranked(order: Any, filters: Mapping[str, Any]) -> _Listed:
    number = page_number()
    found = desk().drafts.ranked(order, rates=rates(), offset=(number - 1) * PER_PAGE, limit=PER_PAGE, **filters)
    rows = {row.id: row for row in desk().drafts.summaries(limit=PER_PAGE, id=found.ids).items} if found.ids else {}
    more = {"page": str(number + 1)} if found.behind else {}
    unrated = found.unrated if order == "value" else ()
    return _Listed(tuple(rows[i] for i in found.ids if i in rows), more, number > 1, unrated)


def page_number() -> int:
    """The page of a ranked list that `?page=` asks for, from 1."""
    return min(whole_number(request.args.get("page")) or 1, LAST_PAGE)


def rates() -> dict[str, Decimal]:
    """What one unit of each currency is worth in the seller's own, by the rates that somebody approved."""
    for connection in desk().settings.connections:
        shared = desk().records.shared(connection)
        if who().sees(connection) and shared.seller.currency:
            own = shared.seller.currency
            known = sorted(shared.knowledge.get("fx_rates", ()), key=lambda rate: rate.on or date.min)
            good = [r for r in known if r.rate and r.approved]
            there = {r.from_: Decimal(r.rate) for r in good if r.to == own}
            back = {r.to: 1 / Decimal(r.rate) for r in good if r.from_ == own}
            return {**back, **there, own: Decimal(1)}
    return {}


def rows_of(found: tuple[SummaryRow, ...]) -> list[dict[str, Any]]:
    """Rows of a list of drafts, with the names around each."""
    names = Names(desk())
    return [_row(row, names) for row in found if is_visible(desk(), who(), row)]


def _row(row: SummaryRow, names: Names) -> dict[str, Any]:
    about = names.about(row.connection, row.subject_type, row.subject_id)
    parts = row.parts
    person = (parts["to"] or {}).get("display_name") or about.contact
    return {
        "id": row.id,
        "version": row.version,
        "title": about.company or person or f"{words().plain('subject', row.subject_type)} {row.subject_id}",
        "person": person if about.company else None,
        "deal": about.deal,
        "value": reader(row.connection).money(about.amount, about.currency),
        "due": about.due,
        "what": what(row.kind, parts["type"]),
        "why": (parts["decision"] or {}).get("reason"),
        "subject": parts["subject"],
        "internal": parts["audience"] == "internal",
        "warnings": len(parts["warnings"] or ()),
        "status": row.status,
        "at": row.created_at,
        "problem": row.problem,
    }


def what(kind: str, type_: str | None) -> str:
    """A draft's kind and purpose in plain words."""
    return words().plain("type", type_) if type_ else words().plain("kind", kind)


@blueprint.post("/console/drafts/approve")
def approve_many() -> Response:
    """Approves what was ticked, each at the version that was seen; one that may not be is refused with its reason."""
    chosen = request.form.getlist("draft")[:MOST_AT_ONCE]
    results = [_approve(*name.partition(":")[::2]) for name in chosen]
    approved = [r for r in results if r["problem"] is None]
    return page("approved.html", approved=approved, refused=[r for r in results if r["problem"] is not None])


def _approve(draft_id: str, version: str) -> dict[str, Any]:
    """What became of one approval: its row, and the problem in words when it was refused."""
    problem = None
    try:
        own_draft(desk(), draft_id, who())
        decisions.approve(desk(), draft_id, who(), version=whole_number(version))
    except CrmPluginError as error:
        problem = str(error)
    found = desk().drafts.summaries(limit=1, id=[draft_id])
    return {"row": next(iter(rows_of(found.items)), None), "problem": problem}
