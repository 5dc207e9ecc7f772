"""Where a CRM sends a rep who has just installed its app with our panel, and says that somebody removed it."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, Response, redirect, request

from crmplugin.errors import NotFound, NotGenuine
from crmplugin.journeys.desk import Desk
from crmplugin.web.auth import desk
from crmplugin.web.called import public_address
from crmplugin.web.panel_pass import check_known

blueprint = Blueprint("installs", __name__, url_prefix="/panel/<connection>")


@blueprint.get("/installed")
def finish(connection: str) -> Any:
    """Finishes the installation and sends the rep back into the CRM. 401 for a code that the CRM did not give."""
    here = desk()
    check_known(here, connection)
    code = request.args.get("code", "")
    if not code:
        raise NotGenuine(f"the app was not installed: {request.args.get('error', 'the CRM sent no code')[:100]}")
    home = _connector(here, connection).finish_install(code, callback_url=public_address(here).partition("?")[0])
    return redirect(home)


@blueprint.delete("/installed")
def removed(connection: str) -> Response:
    """Somebody removed the app. Nothing of theirs is kept, so there is nothing to forget."""
    check_known(desk(), connection)
    options = desk().settings.connections[connection].options
    given = request.authorization
    told = f"{given.username}:{given.password}" if given else ""
    wanted = f"{options.get('client_id')}:{options.get('client_secret')}"
    if not options.get("client_secret") or not hmac.compare_digest(told.encode(), wanted.encode()):
        raise NotGenuine("name and password are not those of the app")
    return Response(status=204)


def _connector(here: Desk, connection: str) -> Any:
    connector = here.connector(connection)
    if not hasattr(connector, "finish_install"):
        raise NotFound(f"{connection} has no app that reps install by themselves")
    return connector
