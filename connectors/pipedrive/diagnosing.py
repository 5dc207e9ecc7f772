"""Is this connection well? Real calls, and for each that fails what an admin can do. And the webhooks it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.pipedrive.client import PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.transport import Refused
from crmplugin.errors import CrmError

WEBHOOKS: Mapping[str, str] = {
    "deal": "*", "person": "*", "organization": "*", "activity": "change", "note": "*",
}  # fmt: skip
"""Object -> action of the webhooks that this connection needs."""
CLOCK_S = 60
Check = tuple[str, bool, str]
Thing = Mapping[str, Any]


def diagnose(
    client: PipedriveClient, book: CompanyBook, options: Mapping[str, Any], *, connection: str, now: datetime
) -> Sequence[Check]:
    """Checks as (name, good, what to do). When the token is refused the rest would only repeat it."""
    try:
        me, date = client.me()
        if me.get("id"):
            book.read()
    except Refused as error:
        return (("API token", False, _mend(error)),)
    except CrmError as error:
        return (("API token", False, f"{error}. Check base_url and the network, then try again."),)
    if not me.get("id"):
        wrong = f"base_url ({client.base_url}) answers, but not as Pipedrive does: "
        return (("API token", False, f"{wrong}expected https://yourcompany.pipedrive.com."),)
    return (
        ("API token", True, ""),
        *_clock(date, now),
        *_user(me, options),
        _webhooks(client, connection),
        _stages(book),
    )


def _mend(error: Refused) -> str:
    if error.status == 401:
        return f"{error}: copy it again from Personal preferences → API."
    if error.status == 404:
        return f"{error}: base_url is probably not Pipedrive's: expected https://yourcompany.pipedrive.com."
    return f"{error}: look at base_url."


def _clock(date: str | None, now: datetime) -> Iterator[Check]:
    """Pipedrive's clock against ours: the panel's tokens live five minutes."""
    try:
        theirs = parsedate_to_datetime(str(date)).astimezone(UTC)
    except ValueError:
        return
    off = (now - theirs).total_seconds()
    mend = (
        f"This machine's clock is {off:+.0f} s off Pipedrive's: set it by NTP, or the panel's tokens will be refused."
    )
    yield ("clock", abs(off) <= CLOCK_S, "" if abs(off) <= CLOCK_S else mend)


def _user(me: Thing, options: Mapping[str, Any]) -> Iterator[Check]:
    """Whose token it is: the company and user of the settings, and one who sees everything."""
    for key, name in (("company_id", "company_id"), ("user_id", "id")):
        wanted, given = options.get(key), me.get(name)
        if wanted:
            mend = f"The token is of {key} {given}, the settings say {wanted}: correct {key} or the token."
            yield (key, str(wanted) == str(given), "" if str(wanted) == str(given) else mend)
    access = [one for one in me.get("access") or () if isinstance(one, Mapping) and one.get("app") == "sales"]
    if access:
        admin = access[0].get("admin") is True
        mend = "The token's user is no admin for deals: what it may not see is missing from drafts and webhooks."
        yield ("sees all deals", admin, "" if admin else mend)


def _webhooks(client: PipedriveClient, connection: str) -> Check:
    """Pipedrive deletes webhooks by itself, so whether they are there is asked."""
    end = f"/webhooks/{connection}"
    try:
        hooks = [one for one in client.webhooks() if _path(one).startswith(end)]
    except CrmError as error:
        return ("webhooks", False, f"{error}.")
    gone = missing(hooks)
    if not hooks:
        return ("webhooks", False, f"No webhook of Pipedrive goes to {end}: make it as the README says.")
    mend = f"Webhooks of {', '.join(gone)} to {end} are missing or switched off: make them, or set webhook_url."
    return ("webhooks", not gone, mend if gone else "")


def missing(hooks: Sequence[Thing]) -> list[str]:
    """Objects that none of these webhooks tells of."""
    alive = {str(one.get("event_object")) for one in hooks if one.get("is_active") not in (0, False)}
    return [name for name in WEBHOOKS if name not in alive and "*" not in alive]


def renew_webhooks(client: PipedriveClient, options: Mapping[str, Any]) -> list[str]:
    """Makes the webhooks to `webhook_url` that are not there any more; gives back of which objects."""
    url = str(options["webhook_url"])
    gone = missing([one for one in client.webhooks() if one.get("subscription_url") == url])
    for name in gone:
        client.create_webhook(
            {
                "subscription_url": url,
                "name": f"crmplugin {name}",
                "version": "2.0",
                "event_action": WEBHOOKS[name],
                "event_object": name,
                "http_auth_user": str(options["webhook_user"]),
                "http_auth_password": str(options["webhook_password"]),
            }
        )
    return gone


def _stages(book: CompanyBook) -> Check:
    """Whether every stage says what it means."""
    company = book.company
    names = {key.removeprefix("stage:"): name for key, name in company.labels.items() if key.startswith("stage:")}
    unknown = [f"{id_} ({name})" for id_, name in names.items() if id_ not in company.stages]
    mend = "Say in stages what these mean (new, qualified, proposal, negotiation, closing): "
    return ("stages", not unknown, f"{mend}{', '.join(unknown)}." if unknown else "")


def _path(hook: Thing) -> str:
    return urlsplit(str(hook.get("subscription_url") or "")).path
