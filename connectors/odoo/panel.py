"""Who pressed the button in Odoo: our module says it in a call that it signs on the server, so no key is in a browser.

`X-Crmplugin-Call` is a JSON text with the database, the user whom Odoo knows, the record, and what is called with which
body; `X-Crmplugin-Signature` covers it and the time. A call that was read on the way fits no other address or body.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.odoo.verify import verify_module
from connectors.signatures import header
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine
from crmplugin.ports import PanelCall, Visitor

CALL = "X-Crmplugin-Call"


def visitor(call: PanelCall, *, secrets: Sequence[str], database: str | None, now: datetime) -> Visitor:
    """The user and record of a signed call. Raises NotGenuine."""
    envelope = header(call.headers, CALL)
    said = verify_module(call.headers, envelope.encode("utf-8", "surrogatepass"), secrets=secrets, now=now)
    _check_call(said, call)
    if said.get("db") != database:
        raise NotGenuine(f"the call is of the database {said.get('db')!r}, not of the one in the settings")
    user = said.get("user")
    if not isinstance(user, Mapping) or not isinstance(user.get("id"), int) or isinstance(user["id"], bool):
        raise NotGenuine("the call names no user")
    return Visitor(str(user["id"]), str(user.get("login") or "") or None, _subject(said.get("record")))


def _check_call(said: Mapping[str, Any], call: PanelCall) -> None:
    parts = urlsplit(call.url)
    address = parts.path + (f"?{parts.query}" if parts.query else "")
    digest = hashlib.sha256(call.body).hexdigest()
    good = said.get("method") == call.method and said.get("path") == address
    if not good or not hmac.compare_digest(str(said.get("sha256")), digest):
        raise NotGenuine("the signature is of another call: look at public_url and the server's address in Odoo")


def _subject(record: Any) -> Subject | None:
    """The record, where it is a deal; a partner is a person or a company, which its id does not say."""
    if (
        isinstance(record, Mapping)
        and record.get("model") == "crm.lead"
        and re.fullmatch(r"\d+", str(record.get("id")))
    ):
        return Subject("deal", str(record["id"]))
    return None
