"""A few mails to the owner's own SMTP server, to look at them in a mail program. Bulk sending is the mail tool's."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from crmplugin.errors import CrmUnavailable, UsageError

TIMEOUT_S = 20
MOST = 10


def send(mails: Sequence[EmailMessage], smtp_url: str | None) -> int:
    """Sends at most ten mails over one connection and gives back how many.

    smtp_url: `smtp://[user:password@]host[:port]` (STARTTLS when the server offers it) or `smtps://…`. Raises
    UsageError for a wrong address, CrmUnavailable with the server's words when it takes none.
    """
    where = urlsplit(smtp_url or "")
    if where.scheme not in ("smtp", "smtps") or not where.hostname:
        raise UsageError("smtp_url: set it to smtp://host:port or smtps://host to send a test mail")
    if len(mails) > MOST:
        raise UsageError(f"a test sends at most {MOST} mails: bulk sending is the mail tool's")
    try:
        with _connect(where.scheme, where.hostname, where.port) as server:
            if where.username:
                server.login(unquote(where.username), unquote(where.password or ""))
            for mail in mails:
                server.send_message(mail)
    except (smtplib.SMTPException, OSError) as error:
        raise CrmUnavailable(f"the mail server {where.hostname} took no mail ({error}): look at smtp_url") from error
    return len(mails)


def _connect(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port or 465, timeout=TIMEOUT_S)
    server = smtplib.SMTP(host, port or 25, timeout=TIMEOUT_S)
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls()
    return server
