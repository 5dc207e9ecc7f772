"""The door of the CRMs: verify the bytes, keep the events, commit, answer in the CRM's own form."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from crmplugin.domain.event import Event
from crmplugin.errors import NotFound, Unreadable
from crmplugin.meters import ACKS
from crmplugin.ports import Connector, Reading
from crmplugin.web.auth import desk
from crmplugin.web.called import public_address

blueprint = Blueprint("webhooks", __name__)
ANSWERS_400 = frozenset({"local"})
"""Connections whose senders want to hear that a genuine body was not understood; a CRM would only send it again."""


@blueprint.post("/webhooks/<connection>", defaults={"path": ""})
@blueprint.post("/webhooks/<connection>/<path:path>")
def receive(connection: str, path: str) -> Response:
    """One call of a CRM. Never 2xx before its events are on disk."""
    began = time.perf_counter()
    here = desk()
    if connection not in here.settings.connections:
        raise NotFound(f"no connection {connection!r}: the settings name the connections")
    here.pressure()
    connector, body, now = here.connector(connection), request.get_data(cache=False), here.clock()
    connector.verify_webhook(dict(request.headers), body, url=public_address(here), now=now)
    reading = _read(connector, connection, body, now)
    status, headers, answer = connector.acknowledge(reading, here.intake.take(reading.events))
    ACKS.labels(connection, str(status)).observe(time.perf_counter() - began)
    return Response(answer, status, headers=_pairs(headers))


def _read(connector: Connector, connection: str, body: bytes, now: datetime) -> Reading:
    try:
        return connector.read_events(body, received_at=now)
    except Unreadable as error:
        if connection in ANSWERS_400:
            raise
        return Reading(events=(_unreadable(connection, body, now, error),))


def _unreadable(connection: str, body: bytes, now: datetime, error: Unreadable) -> Event:
    """A genuine body that nobody understood: kept whole, so that it can be read later."""
    name = "unreadable-" + hashlib.sha256(body).hexdigest()[:32]
    raw: Any = {"body": body.decode("utf-8", "replace"), "reason": str(error)}
    return Event(name, connection, "unreadable", now, raw=raw, received_at=now)


def _pairs(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return list(headers.items())
