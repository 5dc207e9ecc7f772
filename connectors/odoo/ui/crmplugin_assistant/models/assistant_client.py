"""Calls of the assistant's server, made and signed here: no key and no address of it ever reaches a browser."""

import hashlib
import hmac
import json
import time
from urllib.parse import urlsplit

import requests

from odoo import _, models
from odoo.exceptions import UserError

TIMEOUT_S = 20
"""A worker of Odoo is held while a call runs."""
PARAMETERS = ("crmplugin_assistant.url", "crmplugin_assistant.connection", "crmplugin_assistant.panel_secret")


def signed_headers(secret, call, now):
    """The headers of a call: who asks for what, and an HMAC over the time and that text."""
    text = json.dumps(call, separators=(",", ":"), sort_keys=True)
    stamp = str(int(now))
    signature = hmac.new(secret.encode(), f"{stamp}.{text}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "X-Crmplugin-Call": text,
        "X-Crmplugin-Timestamp": stamp,
        "X-Crmplugin-Signature": signature,
    }


class AssistantClient(models.AbstractModel):
    _name = "crmplugin.client"
    _description = "Client of the deal assistant"

    def _call(self, record, method, path, body=None):
        """The assistant's answer. The user is the one whom Odoo knows: nothing of it comes from the browser."""
        url, connection, secret = self._settings()
        address = f"{url}/panel/{connection}{path}"
        data = b"" if body is None else json.dumps(body).encode()
        parts = urlsplit(address)
        call = {
            "db": self.env.cr.dbname,
            "user": {"id": self.env.uid, "login": self.env.user.login},
            "record": {"model": record._name, "id": record.id},
            "method": method,
            "path": parts.path + (f"?{parts.query}" if parts.query else ""),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        headers = signed_headers(secret, call, time.time())
        try:
            answer = requests.request(
                method, address, data=data or None, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
            )
        except requests.RequestException as error:
            raise UserError(_("The assistant does not answer. Try again in a moment.")) from error
        return self._document(answer)

    def _settings(self):
        parameters = self.env["ir.config_parameter"].sudo()
        url, connection, secret = (parameters.get_param(name) for name in PARAMETERS)
        if not (url and connection and secret):
            raise UserError(_("The assistant is not set up yet: an administrator does it in Settings, CRM."))
        return url.rstrip("/"), connection, secret

    def _document(self, answer):
        try:
            document = answer.json()
        except ValueError:
            document = {}
        if answer.status_code in (401, 403):
            words = document.get("detail") or document.get("title") or answer.status_code
            raise UserError(_("The assistant refuses this: %s", words))
        if answer.status_code >= 300:
            raise UserError(document.get("detail") or _("The assistant answered %s. Try again.", answer.status_code))
        return document
