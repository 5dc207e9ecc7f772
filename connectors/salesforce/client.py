"""Salesforce's addresses: several questions in one request (composite), queries in pages, one record, a description.

Errors come as a list of `errorCode` and `message`; a composite answers 200 and says of each part how it went.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.auth import Anonymous
from connectors.transport import Answer, Dialect, Refused, Transport, header_wait_s
from crmplugin.errors import CrmUnavailable

VERSION = "68.0"
QUOTA_WAIT_S = 900.0
"""The daily quota is a rolling window and names no time: look again in a quarter of an hour."""
QUOTA_CODES = frozenset({"REQUEST_LIMIT_EXCEEDED", "TXN_SECURITY_METERING_ERROR"})
BUSY_CODES = QUOTA_CODES | {"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"}
COLLECTION = 200
"""Records of one call that creates or updates many."""

Thing = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One request within a composite; `name` is how later parts and the answer call it."""

    name: str
    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a part: its status and its document."""

    name: str
    status: int
    body: Any = None
    codes: tuple[str, ...] = field(default=())


class SalesforceClient:
    """Calls of one org. What comes back are Salesforce's own documents."""

    def __init__(self, transport: Transport, base_url: str, version: str = VERSION) -> None:
        self.transport, self.base_url, self.version = transport, base_url.rstrip("/"), version
        self.root = f"/services/data/v{version}"

    def query_part(self, name: str, soql: str) -> Part:
        return Part(name, "GET", f"{self.root}/query/?q={quote(soql, safe='')}")

    def object_part(self, name: str, method: str, path: str, body: Any = None) -> Part:
        return Part(name, method, f"{self.root}/sobjects/{path}", body)

    def composite(self, parts: Sequence[Part], *, all_or_none: bool = False, again: bool = True) -> dict[str, Outcome]:
        """What came of each part, by name, in one request. Raises CrmUnavailable when a part says to come later."""
        asked = [
            {"method": part.method, "url": part.path, "referenceId": part.name}
            | ({} if part.body is None else {"body": part.body})
            for part in parts
        ]
        body = {"allOrNone": all_or_none, "compositeRequest": asked}
        answer = self.call("POST", f"{self.root}/composite", body=body, again=again)
        found = answer.get("compositeResponse") if isinstance(answer, Mapping) else None
        outcomes = [_outcome(one) for one in found] if isinstance(found, list) else []
        for outcome in outcomes:
            self._check_time(outcome)
        return {outcome.name: outcome for outcome in outcomes}

    def query(self, soql: str, *, deleted_too: bool = False) -> Thing:
        """The first page of a query: `records`, `done`, `nextRecordsUrl`."""
        page: Thing = (
            self.call("GET", f"{self.root}/{'queryAll' if deleted_too else 'query'}", params={"q": soql}) or {}
        )
        return page

    def more(self, path: str) -> Thing:
        """The page that `nextRecordsUrl` names."""
        page: Thing = self.call("GET", path) or {}
        return page

    def rest_of(self, page: Any) -> list[Thing]:
        """All records of a page and of those that follow it."""
        records: list[Thing] = records_of(page)
        while isinstance(page, Mapping) and page.get("done") is False and page.get("nextRecordsUrl"):
            page = self.more(str(page["nextRecordsUrl"]))
            records.extend(records_of(page))
        return records

    def read(self, path: str, **params: str) -> Thing:
        """One record, `Opportunity/006…` or `Object/Field__c/key`. Raises Refused (404) when it is not there."""
        found: Thing = self.call("GET", f"{self.root}/sobjects/{path}", params=params or None) or {}
        return found

    def versions(self) -> Answer:
        """The versions of the API that this address serves, which it tells everybody; its clock is in the headers."""
        anyone = replace(self.transport, credentials=Anonymous())
        return anyone.send("GET", f"{self.base_url}/services/data/")

    def organization(self) -> Thing:
        """Settings of the org: `features.multiCurrency`, `features.defaultCurrencyIsoCode`, `orgId`."""
        found: Thing = self.call("GET", f"{self.root}/connect/organization") or {}
        return found

    def save_many(self, method: str, path: str, records: Sequence[Thing]) -> list[Thing]:
        """Creates or updates up to 200 records; each has its own `success` and `errors`."""
        body = {"allOrNone": False, "records": list(records)}
        answer = self.call(method, f"{self.root}/composite/sobjects{path}", body=body, again=True)
        return [one for one in answer if isinstance(one, Mapping)] if isinstance(answer, list) else []

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self.transport.call(method, self.base_url + path, **more)

    def _check_time(self, outcome: Outcome) -> None:
        if QUOTA_CODES & set(outcome.codes):
            raise CrmUnavailable(f"{self._who()}: the day's calls are used up", QUOTA_WAIT_S)
        if outcome.status >= 500 or BUSY_CODES & set(outcome.codes):
            raise CrmUnavailable(f"{self._who()}: {outcome.name} answered {words_of(outcome.body) or outcome.status}")

    def good(self, outcome: Outcome | None) -> Any:
        """The document of a part that went well. Raises Refused with Salesforce's words."""
        if outcome is None:
            raise Refused(f"{self._who()} left a part of the request without an answer", 200)
        if outcome.status >= 400:
            what = f"{self._who()} refused {outcome.name} ({outcome.status}): {words_of(outcome.body)}"
            raise Refused(what, outcome.status, outcome.body)
        return outcome.body

    def _who(self) -> str:
        return f"salesforce ({self.transport.connection})"


def records_of(page: Any) -> list[Thing]:
    """The records of a page or of a child list; none for null."""
    found = page.get("records") if isinstance(page, Mapping) else None
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def errors_of(document: Any) -> list[Thing]:
    """Salesforce's errors: a list of them, or one alone."""
    entries = document if isinstance(document, list) else [document]
    return [one for one in entries if isinstance(one, Mapping)]


def codes_of(document: Any) -> tuple[str, ...]:
    """The error codes of a refusal, `INVALID_FIELD`."""
    return tuple(str(one.get("errorCode") or one.get("statusCode") or "") for one in errors_of(document))


def words_of(document: Any) -> str:
    """Salesforce's own words, with the fields they are about."""
    told = []
    for one in errors_of(document):
        fields = one.get("fields")
        about = f" ({', '.join(map(str, fields))})" if isinstance(fields, list) and fields else ""
        text = str(one.get("message") or one.get("error_description") or one.get("error") or "").strip()
        told.append(f"{text}{about}" if text else "")
    return "; ".join(dict.fromkeys(one for one in told if one))


def _outcome(one: Any) -> Outcome:
    entry: Thing = one if isinstance(one, Mapping) else {}
    status = entry.get("httpStatusCode")
    code = status if isinstance(status, int) else 500
    body = entry.get("body")
    return Outcome(str(entry.get("referenceId")), code, body, codes_of(body) if code >= 400 else ())


def _not_now(answer: Answer) -> bool:
    """A refusal that took nothing and passes: the quota (403), a row that somebody else holds (400)."""
    return bool(BUSY_CODES & set(codes_of(answer.document)))


def _wait_s(answer: Answer, now: datetime) -> float | None:
    return QUOTA_WAIT_S if QUOTA_CODES & set(codes_of(answer.document)) else header_wait_s(answer, now)


DIALECT = Dialect(wait_s=_wait_s, explain=lambda answer: words_of(answer.document), not_now=_not_now)
