"""A draft as a file to take away: a mail that the mail program opens unsent, or plain text."""

from __future__ import annotations

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import quote, urlencode

from flask import Response

from crmplugin.domain.draft import Draft

FORMS = ("eml", "txt")
LONGEST_MAILTO = 1_900
"""Characters of a `mailto:` that mail programs on Windows still take; a longer text goes without its body."""


def as_file(draft: Draft, form: str, name: str) -> Response:
    """The draft as a download called after `name`."""
    made = _mail(draft) if form == "eml" else _text(draft).encode()
    kind = "message/rfc822" if form == "eml" else "text/plain; charset=utf-8"
    response = Response(made, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{_slug(name)}.{form}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def mailto(draft: Draft) -> str | None:
    """An address that opens the draft in the mail program; only for mail to a known address."""
    if draft.channel != "email" or draft.audience != "customer" or draft.to is None or not draft.to.address:
        return None
    whole = {"subject": draft.subject or "", "body": draft.body or ""}
    for parts in (whole, {"subject": draft.subject or ""}):
        address = f"mailto:{quote(draft.to.address, safe='@')}?{urlencode(parts).replace('+', '%20')}"
        if len(address) <= LONGEST_MAILTO:
            return address
    return None


def _mail(draft: Draft) -> bytes:
    """An unsent mail (`X-Unsent`, as Outlook and others read it) with text and HTML."""
    mail = EmailMessage(policy=SMTP)
    mail["X-Unsent"] = "1"
    mail["Subject"] = " ".join((draft.subject or "").split())
    if recipient := _recipient(draft):
        mail["To"] = recipient
    mail.set_content(draft.body or "")
    if draft.html:
        mail.add_alternative(draft.html, subtype="html")
    return mail.as_bytes()


def _recipient(draft: Draft) -> Address | None:
    if draft.to is None or not draft.to.address:
        return None
    try:
        return Address(" ".join((draft.to.display_name or "").split()), addr_spec=draft.to.address)
    except ValueError:
        return None  # an address that no mail can carry: the person fills it in


def _text(draft: Draft) -> str:
    return "\n\n".join(part for part in (draft.subject, draft.body) if part) + "\n"


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name)[:60].strip("-").lower() or "draft"
