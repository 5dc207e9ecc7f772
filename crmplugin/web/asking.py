"""A wish for a draft, from the API or a panel, until its row and its job are there."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound, UsageError
from crmplugin.journeys.ask import Ask, ask_for_drafts, start_draft
from crmplugin.journeys.desk import PRIORITIES, Desk
from crmplugin.journeys.visibility import check_connection, check_draft, check_subject
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow
from crmplugin.web.schemas import SUBJECTS, read_as_of
from crmplugin.web.streams import UNFINISHED

MAX_KEY = 255
ASKED = ("type", "to_contact_id", "channel", "language", "tone", "length", "instruction", "writer")


def request_of(desk: Desk, body: Mapping[str, Any]) -> Request:
    """The request behind a checked body."""
    connection = body["connection"]
    subject = next(Subject(name, body[f"{name}_id"]) for name in SUBJECTS if body.get(f"{name}_id"))  # type: ignore[arg-type]
    asked = {name: body[name] for name in ASKED if body.get(name) is not None}
    as_of = read_as_of(body.get("as_of"), seller_zone(desk, connection))
    return Request(connection, body["kind"], subject, as_of=as_of, **asked)


def seller_zone(desk: Desk, connection: str) -> str | None:
    """The IANA zone of the connection's seller, if it is on record."""
    seller = desk.records.read_one(connection, "seller", "seller")
    return seller.timezone if seller else None


def create_draft(
    desk: Desk, body: Mapping[str, Any], who: Principal, *, route: str, key: str | None, origin: str = "api"
) -> DraftRow:
    """The row of a draft that is now being written; with a key used before, the draft it stands for.

    Raises NotFound for a subject that the CRM does not have, or that is not this rep's own.
    """
    check_connection(desk, who, body["connection"])
    request = request_of(desk, body)
    owner = _check_subject(desk, request, who)
    draft_id = claim_id(desk, body, who, route, key) or uuid.uuid4().hex
    ask = Ask(draft_id, request, origin, desk.clock(), created_by=who.name, owner_id=owner)
    ask_for_drafts(desk, [ask])
    row = desk.drafts.get(draft_id)
    if row.status == "writing":
        start_draft(desk, draft_id, connection=row.connection, priority=PRIORITIES["click"], attempt=row.attempt)
    return row


def claim_id(desk: Desk, body: Mapping[str, Any], who: Principal, route: str, key: str | None) -> str | None:
    """The id that an idempotency key stands for; None without a key."""
    if key is None:
        return None
    if not key.strip() or len(key) > MAX_KEY or not key.isprintable():
        raise UsageError(f"Idempotency-Key: expected 1 to {MAX_KEY} printable characters")
    text = json.dumps({k: v for k, v in body.items() if k != "key"}, sort_keys=True)
    fingerprint = hashlib.sha256(text.encode()).hexdigest()
    scope = f"{who.name} {body['connection']} {route}"
    return desk.keys.claim(scope, key, fingerprint, uuid.uuid4().hex, at=desk.clock())


def _check_subject(desk: Desk, request: Request, who: Principal) -> str | None:
    """The owner of what the draft is about. Raises NotFound when it is not there or not this caller's to see."""
    if request.connection == "local":
        desk.tools("local").read_context(request.subject)
    return check_subject(desk, who, request.connection, request.subject)


def own_draft(desk: Desk, draft_id: str, who: Principal) -> DraftRow:
    """A draft that this caller may see. Raises NotFound."""
    row = desk.drafts.find(draft_id)
    if row is None:
        raise NotFound(f"there is no draft {draft_id} of yours")
    return check_draft(desk, who, row)


def wait_for(desk: Desk, draft_id: str, seconds: float) -> DraftRow:
    """The draft when it is finished, or as it is when the time is over."""
    if seconds > 0:
        desk.broadcast.wait(draft_id, seconds, lambda: desk.drafts.get(draft_id).status not in UNFINISHED)
    return desk.drafts.get(draft_id)
