"""The end of an app's installation by a rep: Pipedrive sends them here with a code, and wants that exchanged.

The panel needs no token of the rep, as Pipedrive signs its calls and names who may see a record: so none is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from connectors.auth import NameAndPassword
from connectors.pipedrive.client import BASE_URL, DIALECT
from connectors.transport import Refused, Transport
from crmplugin.errors import NotGenuine, SettingsError
from crmplugin.ports import Services

TOKEN_URL = "https://oauth.pipedrive.com/oauth/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def finish_install(
    connection: str, options: Mapping[str, Any], services: Services, code: str, *, callback_url: str
) -> str:
    """Exchanges the code and gives back the address of the company's Pipedrive, where the rep goes on.

    Raises NotGenuine for a code that Pipedrive did not give or that is of another company.
    """
    if not options.get("client_id") or not options.get("client_secret"):
        raise SettingsError(f"connections.{connection} has no client_id and client_secret of the app with the panel")
    url = str(options.get("auth_url") or TOKEN_URL)
    app = NameAndPassword(str(options["client_id"]), str(options["client_secret"]))
    transport = Transport(connection, "pipedrive", (url,), app, services, dialect=DIALECT)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback_url}
    try:
        answer = transport.send("POST", url, data=urlencode(form), headers=FORM, again=False).document
    except Refused as error:
        raise NotGenuine(f"Pipedrive does not know this code ({error}): install the app again") from error
    return _home(connection, options, answer)


def _home(connection: str, options: Mapping[str, Any], answer: Any) -> str:
    domain = str(answer.get("api_domain") or "") if isinstance(answer, Mapping) else ""
    place = urlsplit(domain)
    ours = str(options.get("base_url") or BASE_URL).rstrip("/")
    if place.scheme not in ("https", "http") or not place.hostname:
        raise NotGenuine("Pipedrive's answer names no company: install the app again")
    if ours != BASE_URL and f"{place.scheme}://{place.netloc}" != ours:
        raise NotGenuine(f"the app was installed in {place.netloc}, which is not the company of {connection}")
    return f"{place.scheme}://{place.netloc}"
