"""HubSpot's addresses and parameters, and nothing else: waiting, errors and paging belong to the transport.

One constant names the version of the API; HubSpot keeps each for 18 months.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from connectors.transport import Answer, Dialect, Limit, Transport, header_wait_s, read_pages
from crmplugin.errors import CrmRefused

VERSION = "2026-09"
BASE_URL = "https://api.hubapi.com"
TOKEN_PATH = f"/oauth/{VERSION}/token"
BATCH = 100
BATCH_WITH_PAST = 50
"""Of a batch or page that asks for the past of properties HubSpot reads no more."""
PAGE = 100
LIMITS: Mapping[str, Limit] = {"calls": Limit(per_second=10, burst=50), "search": Limit(per_second=4, burst=4)}
"""Of an account on the smallest plan: 100 calls in 10 s, half of them ours; 5 searches a second for everybody."""
BUSY = frozenset({423, 429, 477})
"""Locked record, rate limit, account being moved: the call was not taken."""

Thing = Mapping[str, Any]


class HubSpotClient:
    """Calls of one account. Ids are texts; what comes back are HubSpot's own documents."""

    def __init__(self, transport: Transport, base_url: str = BASE_URL) -> None:
        self.transport, self.base_url = transport, base_url.rstrip("/")

    def read(
        self,
        kind: str,
        id_: str,
        properties: Iterable[str],
        *,
        associations: Iterable[str] = (),
        history: Iterable[str] = (),
        id_property: str | None = None,
    ) -> Thing:
        """One record with its associations. Raises Refused (404) when it is not there."""
        params: dict[str, Any] = {"properties": list(properties), "associations": list(associations)}
        params |= {"propertiesWithHistory": list(history)} | ({"idProperty": id_property} if id_property else {})
        found: Thing = self._call("GET", f"/crm/objects/{VERSION}/{kind}/{_part(id_)}", params=_given(params))
        return found

    def read_many(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], *, history: Sequence[str] = ()
    ) -> list[Thing]:
        """Records by id, those that are still there (HubSpot answers 207 when some are not)."""
        found: list[Thing] = []
        for chunk in _chunks(ids, BATCH_WITH_PAST if history else BATCH):
            body = {"properties": list(properties), "propertiesWithHistory": list(history)}
            inputs = [{"id": id_} for id_ in chunk]
            path = f"/crm/objects/{VERSION}/{kind}/batch/read"
            answer = self._call("POST", path, body={**body, "inputs": inputs}, again=True)
            found.extend(_results(answer))
        return found

    def search(
        self, kind: str, filters: Sequence[Thing], properties: Sequence[str], *, sort: Thing, limit: int, after: str
    ) -> Thing:
        """One page of a search: `results`, `total`, `paging`. All five keys are sent: the description wants them."""
        body = {
            "filterGroups": [{"filters": list(filters)}],
            "properties": list(properties),
            # The description wants texts, the vendor's guides show objects; its own client sends the object as a text.
            "sorts": [json.dumps(sort)],
            "limit": limit,
            "after": after,
        }
        found: Thing = self._call(
            "POST", f"/crm/objects/{VERSION}/{kind}/search", body=body, again=True, bucket="search"
        )
        return found

    def list_page(
        self,
        kind: str,
        properties: Sequence[str],
        *,
        associations: Sequence[str] = (),
        history: Sequence[str] = (),
        after: str | None = None,
        archived: bool = False,
    ) -> Thing:
        """One page of all records of a kind, or of its deleted ones."""
        size = BATCH_WITH_PAST if history else PAGE
        params: dict[str, Any] = {"limit": size, "properties": list(properties), "associations": list(associations)}
        params |= {"propertiesWithHistory": list(history), "after": after, "archived": "true" if archived else None}
        found: Thing = self._call("GET", f"/crm/objects/{VERSION}/{kind}", params=_given(params))
        return found

    def associated(self, kind: str, to: str, ids: Sequence[str]) -> dict[str, list[str]]:
        """Id -> ids of the other kind, all of them."""
        found: dict[str, list[str]] = {id_: [] for id_ in ids}
        waiting: list[dict[str, str]] = [{"id": id_} for id_ in ids]
        seen: set[tuple[str, str]] = set()
        while waiting:
            now, waiting = waiting[:BATCH], waiting[BATCH:]
            path = f"/crm/associations/{VERSION}/{kind}/{to}/batch/read"
            for result in _results(self._call("POST", path, body={"inputs": now}, again=True)):
                id_ = str(result["from"]["id"])
                found.setdefault(id_, []).extend(str(entry["toObjectId"]) for entry in result.get("to", ()))
                after = next_cursor(result)
                if after and (id_, after) in seen:
                    raise CrmRefused(f"HubSpot's list of {to} of {kind} {id_} does not end: {after!r} came twice")
                if after:
                    seen.add((id_, after))
                    waiting.append({"id": id_, "after": after})
        return {id_: list(dict.fromkeys(other)) for id_, other in found.items()}

    def create(self, kind: str, properties: Mapping[str, str], associations: Sequence[Thing]) -> str:
        """Makes a record and gives back its id. Never sent twice: HubSpot has no key for that."""
        body = {"properties": dict(properties), "associations": list(associations)}
        return str(self._call("POST", f"/crm/objects/{VERSION}/{kind}", body=body)["id"])

    def upsert(self, kind: str, id_property: str, value: str, properties: Mapping[str, str]) -> str:
        """Makes or finds the record that has this unique value: the same one however often it is sent."""
        entry = {"idProperty": id_property, "id": value, "properties": {**properties, id_property: value}}
        path = f"/crm/objects/{VERSION}/{kind}/batch/upsert"
        results = _results(self._call("POST", path, body={"inputs": [entry]}, again=True))
        if not results:
            raise CrmRefused(f"HubSpot made no {kind} for {id_property} and says no reason: look at the property")
        return str(results[0]["id"])

    def associate(self, kind: str, id_: str, to: str, other: str) -> None:
        """Ties two records with the default label; twice is once."""
        self._call("PUT", f"/crm/objects/{VERSION}/{kind}/{_part(id_)}/associations/default/{to}/{_part(other)}")

    def update(self, kind: str, id_: str, properties: Mapping[str, str]) -> None:
        self._call(
            "PATCH", f"/crm/objects/{VERSION}/{kind}/{_part(id_)}", body={"properties": dict(properties)}, again=True
        )

    def owners(self) -> list[Thing]:
        return read_pages(lambda cursor: self._page(f"/crm/owners/{VERSION}", {"limit": PAGE, "after": cursor}))

    def pipelines(self, kind: str) -> list[Thing]:
        return _results(self._call("GET", f"/crm/pipelines/{VERSION}/{kind}"))

    def properties(self, kind: str) -> list[Thing]:
        return _results(self._call("GET", f"/crm/properties/{VERSION}/{kind}"))

    def create_property(self, kind: str, definition: Thing) -> None:
        self._call("POST", f"/crm/properties/{VERSION}/{kind}", body=definition)

    def members(self, list_id: str, after: str | None) -> Thing:
        """One page of a list's members."""
        params = _given({"limit": PAGE, "after": after})
        found: Thing = self._call("GET", f"/crm/lists/{VERSION}/{_part(list_id)}/memberships", params=params)
        return found

    def unsubscribed(self, emails: Sequence[str]) -> set[str]:
        """Those of these addresses that are unsubscribed from all mail, as HubSpot itself says now."""
        told = self._statuses("batch/unsubscribe-all/read", "wideStatuses", emails)
        return {email for email, status in told if status.get("status") == "UNSUBSCRIBED"}

    def unsubscribed_from(self, subscription: str, emails: Sequence[str]) -> set[str]:
        """Those of these addresses that are unsubscribed from this type of mail."""
        told = self._statuses("batch/read", "statuses", emails)
        out = ("UNSUBSCRIBED", subscription)
        return {email for email, one in told if (one.get("status"), str(one.get("subscriptionId"))) == out}

    def _statuses(self, path: str, name: str, emails: Sequence[str]) -> Iterator[tuple[str, Thing]]:
        """Each address with each of its statuses."""
        address = f"/communication-preferences/{VERSION}/statuses/{path}"
        for chunk in _chunks(emails, BATCH):
            answer = self._call("POST", address, params={"channel": "EMAIL"}, body={"inputs": list(chunk)}, again=True)
            for result in _results(answer):
                for status in result.get(name) or ():
                    yield str(result.get("subscriberIdString", "")).lower(), status

    def subscription_types(self) -> list[Thing]:
        """The types of mail that one can unsubscribe from: `id`, `name`, `isActive`."""
        return _results(self._call("GET", f"/communication-preferences/{VERSION}/definitions"))

    def marketing_emails(self, created_after: datetime) -> Iterator[Thing]:
        """Marketing e-mails made since then, whatever their state."""
        params = {"limit": PAGE, "createdAfter": _instant(created_after), "includedProperties": ["id", "name"]}
        yield from read_pages(lambda cursor: self._page(f"/marketing/emails/{VERSION}", {**params, "after": cursor}))

    def create_marketing_email(self, mail: Thing) -> str:
        """A draft: it goes to nobody until a person publishes it."""
        return str(self._call("POST", f"/marketing/emails/{VERSION}", body=mail)["id"])

    def _page(self, path: str, params: Mapping[str, Any]) -> tuple[list[Thing], str | None]:
        answer = self._call("GET", path, params=_given(params))
        return _results(answer), next_cursor(answer)

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self.transport.call(method, self.base_url + path, **more)


def next_cursor(document: Any) -> str | None:
    """Where an answer's next page begins; None on the last."""
    paging = document.get("paging") if isinstance(document, Mapping) else None
    following = paging.get("next") if isinstance(paging, Mapping) else None
    after = following.get("after") if isinstance(following, Mapping) else None
    return str(after) if after else None


def wait_s(answer: Answer, now: datetime) -> float | None:
    """HubSpot names no time to wait for its limits: the window of ten seconds, or the end of the day."""
    said = header_wait_s(answer, now)
    if answer.status == 423:
        return said or 2.0
    if answer.status != 429 or said is not None:
        return said
    policy = answer.document.get("policyName") if isinstance(answer.document, Mapping) else None
    if policy == "DAILY":
        tomorrow = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return min((tomorrow - now).total_seconds(), 6 * 3600.0)
    return 10.0 if policy == "TEN_SECONDLY_ROLLING" else None


def explain(answer: Answer) -> str:
    """HubSpot's own words: its message, and what it says of each field."""
    document = answer.document
    if not isinstance(document, Mapping):
        return ""
    errors = document.get("errors")
    details = (
        [str(e.get("message") or "") for e in errors if isinstance(e, Mapping)] if isinstance(errors, list) else []
    )
    words = [str(document.get("message") or ""), *details]
    return "; ".join(dict.fromkeys(word.strip() for word in words if word.strip()))


DIALECT = Dialect(busy=BUSY, wait_s=wait_s, explain=explain)


def _results(answer: Any) -> list[Thing]:
    results = answer.get("results") if isinstance(answer, Mapping) else None
    return [result for result in results if isinstance(result, Mapping)] if isinstance(results, list) else []


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in params.items() if value not in (None, [], ())}


def _part(text: str) -> str:
    """An id as a part of a path: nothing in it opens another path."""
    return quote(text, safe=":")


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _chunks(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
