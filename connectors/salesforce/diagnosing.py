"""Is this connection well? Real calls, and for each that fails what an admin can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from connectors.salesforce.client import SalesforceClient, codes_of, records_of
from connectors.salesforce.mapping import STAGES, fields_of
from connectors.salesforce.org import OrgBook
from connectors.salesforce.soql import select
from connectors.salesforce.verify import same_org
from connectors.salesforce.writing import KEY_FIELD, KEY_OBJECT, RECORD_FIELD
from connectors.transport import Refused
from crmplugin.errors import CrmError, CrmRefused, CrmUnavailable

CLOCK_S = 60
NEEDED = ("Opportunity", "Account", "Contact", "Lead", "Task", "Event", "Product2", "OpportunityLineItem")
WANTED = ("EmailMessage", "Order", "Case", "Contract")
Check = tuple[str, bool, str]


def diagnose(
    client: SalesforceClient,
    book: OrgBook,
    *,
    organization_id: str,
    without: Sequence[str],
    now: Callable[[], datetime],
) -> list[Check]:
    """Checks as (name, good, what to do). When address or token is refused the rest would only repeat it."""
    first = _address(client, now)
    if first[0][1]:
        first += _access(client)
    if not all(good for name, good, _ in first if name in ("address", "access token")):
        return first
    try:
        book.read()
    except CrmError as error:
        return [*first, ("describe the org", False, f"{error}. Try again.")]
    return [
        *first,
        _org(book, organization_id),
        *_objects(book, without),
        *_opt_outs(book),
        *_fields(book),
        _key(client),
        _stages(client, book),
    ]


def _address(client: SalesforceClient, now: Callable[[], datetime]) -> list[Check]:
    """Whether Salesforce answers there at all, which it does to everybody, with this version; and its clock."""
    try:
        answer = client.versions()
    except (CrmUnavailable, CrmRefused) as error:
        return [("address", False, f"{error}. {_MY_DOMAIN}")]
    served = {str(one.get("version")) for one in answer.document or () if isinstance(one, Mapping)}
    if not served:
        return [("address", False, f"{client.base_url} is no address of Salesforce's API. {_MY_DOMAIN}")]
    good = client.version in served
    mend = f"The org serves no API version {client.version}: set api_version to one up to {max(served, key=_number)}."
    clock = _clock(str(answer.headers.get("Date")), now)
    return [("address", True, ""), *clock, ("API version", good, "" if good else mend)]


def _number(version: str) -> float:
    return float(version) if version.replace(".", "", 1).isdecimal() else 0.0


_MY_DOMAIN = (
    "base_url must be the My Domain address (Setup → My Domain), https://<my domain>.my.salesforce.com, of a sandbox "
    "https://<my domain>--<sandbox>.sandbox.my.salesforce.com."
)


def _access(client: SalesforceClient) -> list[Check]:
    """The token with the cheapest call there is, and how many calls are left."""
    try:
        answer = client.transport.send("GET", f"{client.base_url}{client.root}/limits")
    except Refused as error:
        return [("access token", False, _mend(error))]
    except CrmUnavailable as error:
        if error.retry_after_s:
            return [("access token", False, f"{error}: wait, or ask Salesforce for more calls a day.")]
        return [("access token", False, f"{error}. Try again.")]
    except CrmRefused as error:
        mends = [mend for words, mend in _SIGN_IN.items() if words in str(error).lower()]
        return [("access token", False, f"{error}. {mends[0] if mends else _SETUP}")]
    return [("access token", True, ""), *_calls(answer.document)]


_SETUP = (
    "Look at the External Client App: is it enabled, is the client credentials flow ticked in its settings, does Run "
    "As in its policies name the integration user, and are client_id and client_secret its consumer key and secret?"
)
_SIGN_IN: Mapping[str, str] = {
    "invalid client credentials": "client_secret is not the app's consumer secret, or was rotated: copy it again.",
    "client identifier invalid": "client_id is not the app's consumer key, or the app is not installed in this org.",
    "no client credentials user enabled": "Choose the integration user as Run As, on the page Policies of the app.",
    "approved this consumer": "Pre-authorise the user's profile or permission set in the policies of the app.",
    "audience": "audience must be https://login.salesforce.com, or https://test.salesforce.com in a sandbox.",
    "assertion": 'Is private_key that of the certificate in the app, and is the clock right (check "clock")?',
    "expired": "The signed assertion was too old when it came: set this machine's clock by NTP.",
    "not supported on this domain": _MY_DOMAIN,
}
"""What the token endpoint says (its `error_description`, in small letters) -> what to do."""


def _mend(error: Refused) -> str:
    if error.status == 401:
        return f"Salesforce refuses the token. Has the app the scope Manage user data via APIs (api)? {_SETUP}"
    if error.status == 403 and "API_DISABLED_FOR_ORG" in codes_of(error.document):
        return "The org's edition has no API: it needs Enterprise or better, or the API add-on."
    if error.status == 403:
        return (
            f"{error}. Give the integration user the permission API Enabled (permission set AI_Assistant_Integration)."
        )
    if error.status == 404:
        return f"{error}. Is base_url the My Domain address, and does the org serve api_version?"
    return f"{error}."


def _clock(theirs: str, now: Callable[[], datetime]) -> list[Check]:
    try:
        off = (now() - parsedate_to_datetime(theirs).astimezone(UTC)).total_seconds()
    except ValueError:
        return []
    mend = f"This machine's clock is {off:+.0f} s off Salesforce's: set it by NTP, or signed calls will be refused."
    return [("clock", abs(off) <= CLOCK_S, "" if abs(off) <= CLOCK_S else mend)]


def _calls(limits: object) -> list[Check]:
    day = limits.get("DailyApiRequests") if isinstance(limits, Mapping) else None
    left, most = (day.get("Remaining"), day.get("Max")) if isinstance(day, Mapping) else (None, None)
    if not isinstance(left, int) or not isinstance(most, int):
        return []
    good = left > most // 10
    mend = f"Only {left} of {most} calls of the day are left: set poll_minutes higher, or ask Salesforce for more."
    return [("calls of the day", good, "" if good else mend)]


def _org(book: OrgBook, organization_id: str) -> Check:
    if book.id is None or same_org(book.id, organization_id):
        return ("organization", True, "")
    return ("organization", False, f"organization_id is {organization_id}, but the token is of {book.id}: correct it.")


def _objects(book: OrgBook, without: Sequence[str]) -> list[Check]:
    checks = []
    for kind in (*NEEDED, *WANTED):
        if kind in without:
            continue
        good = book.is_there(kind)
        leave = "" if kind in NEEDED else f', or leave it out with leave_out = ["{kind}"]'
        mend = f"Give the integration user Read on {kind} (in a permission set of your own or its profile){leave}."
        checks.append((f"read {kind}", good, "" if good else mend))
    return checks


def _opt_outs(book: OrgBook) -> list[Check]:
    """Whether wishes of people can be seen at all: field-level security hides these fields by default."""
    mend = "Let the integration user see {1} of {0} (field-level security): without it nobody's wish is known."
    return [
        (f"{kind}.{name}", book.has(kind, name), "" if book.has(kind, name) else mend.format(kind, name))
        for kind in ("Contact", "Lead")
        if book.is_there(kind)
        for name in ("HasOptedOutOfEmail", "DoNotCall")
    ]


def _fields(book: OrgBook) -> list[Check]:
    """Whether the fields that the settings name exist."""
    checks = []
    for kind, collection in (("Opportunity", "deals"), ("Account", "companies"), ("Contact", "contacts")):
        own = book.org.fields.get(collection, {})
        for name in (path for key, path in fields_of(kind, book.org).items() if key in own):
            good = book.has(kind, name)
            mend = f"Salesforce has no {name} on {kind}, or hides it: correct fields (API name, such as Budget__c)."
            checks.append((f"field {name}", good, "" if good else mend))
    return checks


def _key(client: SalesforceClient) -> Check:
    """Whether our row can be made, without which nothing is written."""
    name = f"write once ({KEY_OBJECT})"
    try:
        found = client.read(f"{KEY_OBJECT}/describe")
    except Refused as error:
        if error.status not in (403, 404):
            return (name, False, f"{error}.")
        mend = (
            f"{KEY_OBJECT} is missing or hidden: deploy connectors/salesforce/ui, and assign AI_Assistant_Integration."
        )
        return (name, False, mend)
    except CrmError as error:
        return (name, False, f"{error}. Try again.")
    fields = {str(f.get("name")): f for f in found.get("fields") or () if isinstance(f, Mapping)}
    unique = fields.get(KEY_FIELD, {}).get("unique") is True
    good = unique and RECORD_FIELD in fields and found.get("createable") is not False
    mend = f"{KEY_OBJECT} must have {RECORD_FIELD} and a unique {KEY_FIELD}, and be creatable: deploy it again."
    return (name, good, "" if good else mend)


def _stages(client: SalesforceClient, book: OrgBook) -> Check:
    """Whether every open stage says what it means."""
    try:
        soql = select(("ApiName", "IsClosed"), "OpportunityStage", "IsActive = true")
        stages = records_of(client.query(soql))
    except CrmError as error:
        return ("stages", False, f"{error}.")
    meant = {**STAGES, **book.org.stages}
    unknown = [str(s.get("ApiName")) for s in stages if s.get("IsClosed") is not True and s.get("ApiName") not in meant]
    mend = f"Say in stages what these mean (new, qualified, proposal, negotiation, closing): {', '.join(unknown)}."
    return ("stages", not unknown, mend if unknown else "")
