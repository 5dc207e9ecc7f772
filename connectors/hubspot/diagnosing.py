"""Is this connection well? Real calls, and for each that fails what an admin can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.hubspot.client import VERSION, HubSpotClient
from connectors.hubspot.mapping import COLLECTIONS, Account, fields_of
from connectors.hubspot.syncing import ORDER
from connectors.transport import Refused
from crmplugin.errors import CrmError, CrmUnavailable

SCOPES: Mapping[str, str] = {
    "deals": "crm.objects.deals.read", "contacts": "crm.objects.contacts.read",
    "companies": "crm.objects.companies.read", "line_items": "crm.objects.line_items.read",
    "products": "crm.objects.products.read", "quotes": "crm.objects.quotes.read", "orders": "crm.objects.orders.read",
    "tickets": "tickets", "leads": "crm.objects.leads.read", "emails": "sales-email-read",
    "notes": "crm.objects.contacts.read", "calls": "crm.objects.contacts.read",
    "meetings": "crm.objects.contacts.read", "tasks": "crm.objects.contacts.read",
}  # fmt: skip
CLOCK_S = 60
Check = tuple[str, bool, str]


def diagnose(
    client: HubSpotClient,
    account: Account,
    *,
    base_url: str,
    without: Sequence[str],
    subscriptions: Mapping[str, str],
    now: Callable[[], datetime],
) -> list[Check]:
    """Checks as (name, good, what to do). When the token is refused the rest would only repeat it."""
    first = _token(client, base_url, now)
    if not first[0][1]:
        return first
    kinds = [kind for kind in ORDER if kind not in without]
    reads = client.transport.together(*[lambda kind=kind: _reads(client, kind) for kind in kinds])
    owned = {kind: account.fields.get(COLLECTIONS[kind], {}) for kind in ("deals", "contacts", "companies")}
    fields = [check for kind, own in owned.items() if own for check in _fields(client, kind, account)]
    return [*first, *reads, *fields, *_stages(client, account), *_subscriptions(client, subscriptions)]


def _token(client: HubSpotClient, base_url: str, now: Callable[[], datetime]) -> list[Check]:
    """The token with the cheapest call there is, and HubSpot's clock against ours."""
    try:
        answer = client.transport.send("GET", f"{base_url}/crm/owners/{VERSION}", params={"limit": 1})
    except Refused as error:
        return [("access token", False, _mend(error, "crm.objects.owners.read"))]
    except CrmUnavailable as error:
        mend = f"{error}. Check base_url ({base_url}), the network, and HubSpot's status page; then try again."
        return [("access token", False, mend)]
    if not isinstance(answer.document, Mapping) or "results" not in answer.document:
        mend = f"base_url ({base_url}) answers, but not as HubSpot does: expected https://api.hubapi.com."
        return [("access token", False, mend)]
    checks: list[Check] = [("access token", True, "")]
    try:
        theirs = parsedate_to_datetime(str(answer.headers.get("Date")))
    except ValueError:
        return checks
    off = (now() - theirs.astimezone(UTC)).total_seconds()
    mend = f"This machine's clock is {off:+.0f} s off HubSpot's: set it by NTP, or genuine calls will be refused."
    return [*checks, ("clock", abs(off) <= CLOCK_S, "" if abs(off) <= CLOCK_S else mend)]


def _reads(client: HubSpotClient, kind: str) -> Check:
    try:
        client.transport.call("GET", f"{client.base_url}/crm/objects/{VERSION}/{kind}", params={"limit": 1})
    except Refused as error:
        return (f"read {kind}", False, _mend(error, SCOPES[kind], kind))
    except CrmError as error:
        return (f"read {kind}", False, f"{error}. Try again.")
    return (f"read {kind}", True, "")


def _mend(error: Refused, scope: str, kind: str = "") -> str:
    if error.status == 401:
        return "HubSpot refuses the access token: copy it again from the app's Distribution tab into access_token."
    if error.status == 403:
        leave = f', or leave them out with leave_out = ["{kind}"]' if kind else ""
        return f"Scope {scope} is missing: add it to requiredScopes, upload and install the app again{leave}."
    if error.status == 404:
        return f"{error}. base_url is probably not HubSpot's: expected https://api.hubapi.com."
    return f"{error}."


def _fields(client: HubSpotClient, kind: str, account: Account) -> list[Check]:
    """Whether the properties that the settings name exist."""
    try:
        known = {str(prop.get("name")) for prop in client.properties(kind)}
    except CrmError as error:
        return [(f"properties of {kind}", False, f"{error}.")]
    own = {key: name for key, name in fields_of(kind, account).items() if key in account.fields[COLLECTIONS[kind]]}
    return [
        (
            f"property {name}",
            name in known,
            "" if name in known else f"HubSpot has no {name} on {kind}: correct it in fields (its internal name).",
        )
        for name in own.values()
    ]


def _subscriptions(client: HubSpotClient, named: Mapping[str, str]) -> list[Check]:
    """Whether the types of mail that the settings name exist."""
    if not named:
        return []
    try:
        types = {str(one.get("id")): str(one.get("name")) for one in client.subscription_types()}
    except Refused as error:
        return [("subscription types", False, _mend(error, "communication_preferences.read"))]
    except CrmError as error:
        return [("subscription types", False, f"{error}.")]
    known = ", ".join(f"{id_} ({name})" for id_, name in types.items()) or "none"
    mend = "HubSpot has no subscription type {}: correct {}, it has " + known + "."
    return [(key, id_ in types, "" if id_ in types else mend.format(id_, key)) for key, id_ in named.items()]


def _stages(client: HubSpotClient, account: Account) -> list[Check]:
    """Whether every open stage says what it means."""
    try:
        pipelines = client.pipelines("deals")
    except CrmError as error:
        return [("stages", False, f"{error}.")]
    unknown = []
    for pipeline in pipelines:
        for stage in pipeline.get("stages") or ():
            closed = str((stage.get("metadata") or {}).get("isClosed")).lower() == "true"
            if not closed and str(stage.get("id")) not in account.stages:
                unknown.append(f"{stage.get('id')} ({stage.get('label')})")
    mend = f"Say in stages what these mean (new, qualified, proposal, negotiation, closing): {', '.join(unknown)}."
    return [("stages", not unknown, mend if unknown else "")]
