"""A call of a CRM as it signed it: by the public address, and who the CRM says is behind it."""

from __future__ import annotations

from typing import Any

from flask import Response, g, jsonify, request

from crmplugin.errors import NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.ports import PanelCall
from crmplugin.store.access import Principal


def public_address(here: Desk) -> str:
    """The address as the CRM called it, which some sign: ours as the settings say, not the proxy's."""
    query = request.query_string.decode("latin-1")
    base = here.settings.public_url or f"{request.scheme}://{request.host}"
    return base + request.path + (f"?{query}" if query else "")


def panel_call(here: Desk) -> PanelCall:
    """This request as a connector checks it."""
    body = request.get_data(cache=True)
    return PanelCall(request.method, public_address(here), dict(request.headers), body)


def signed_by_crm(here: Desk, connection: str) -> Principal:
    """The rep whom the CRM names in a call that it signed itself. Raises NotGenuine."""
    if connection == "local":
        raise NotGenuine("open the panel from the CRM: its link gives the pass that is missing here")
    connector = here.connector(connection)
    seen = connector.verify_panel(panel_call(here), now=here.clock())
    g.wraps_problems = getattr(connector, "wraps_problems", False)
    return Principal(f"user:{seen.user_id or 'panel'}", "rep", seen.user_id or "nobody", (connection,))


def own_query() -> dict[str, str]:
    """The query of a call to the panel; a CRM that signs its calls adds who is asking, which was read already."""
    query = request.args.to_dict()
    return query if "Authorization" in request.headers else {key: query[key] for key in query if key == "wait"}


def wrapped(response: Response) -> Response:
    """A problem as 200 with `ok: false`, where the host of a card shows nothing of any other answer."""
    if response.status_code < 400 or not g.get("wraps_problems"):
        return response
    problem: Any = response.get_json(silent=True) or {"status": response.status_code, "title": response.status}
    answer = jsonify({"ok": False, "problem": problem})
    if "Retry-After" in response.headers:
        answer.headers["Retry-After"] = response.headers["Retry-After"]
    return answer
