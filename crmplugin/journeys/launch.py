"""Signed launches of the panel: an address that names connection, record, user and an end."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine

LASTS = timedelta(minutes=15)
SUBJECTS = ("deal", "company", "contact", "ticket", "activity")


def launch_url(key: str, connection: str, subject: Subject, user_id: str | None, *, base: str, now: datetime) -> str:
    """An address that opens the panel once, for one record, as one user, within a quarter of an hour."""
    ends = str(int((now + LASTS).timestamp()))
    values = {subject.type: subject.id, "exp": ends, "once": secrets.token_urlsafe(9)}
    if user_id:
        values["user"] = user_id
    return f"{base}/panel/{connection}?{urlencode({**values, 'sig': _signature(key, connection, values)})}"


def read_launch(key: str, connection: str, query: Mapping[str, str], *, now: datetime) -> tuple[Subject, str | None]:
    """The record and the user of a launch. Raises NotGenuine for a forged or old one."""
    values = {name: value for name, value in query.items() if name != "sig"}
    wanted = _signature(key, connection, values)
    if not hmac.compare_digest(query.get("sig", "").encode("utf-8", "surrogatepass"), wanted.encode()):
        raise NotGenuine("this panel link was not made here or was changed: open the panel from the CRM again")
    if int(values["exp"]) < now.timestamp():
        raise NotGenuine("this panel link is too old: open the panel from the CRM again")
    return next(Subject(name, values[name]) for name in SUBJECTS if name in values), values.get("user")  # type: ignore[arg-type]


def _signature(key: str, connection: str, values: Mapping[str, str]) -> str:
    text = urlencode(sorted(values.items()), errors="surrogatepass")
    return hmac.new(key.encode(), f"panel\n{connection}\n{text}".encode(), hashlib.sha256).hexdigest()
