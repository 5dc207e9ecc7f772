"""Pipedrive's addresses and parameters: v2 for deals, people, organisations, activities, products; v1 for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.transport import Answer, Dialect, Limit, Refused, Transport, header_wait_s, read_pages

BASE_URL = "https://api.pipedrive.com"
V1, V2 = "/api/v1", "/api/v2"
PAGE = 100
NOTES = 50
MAILS = 20
LIMITS: Mapping[str, Limit] = {"calls": Limit(per_second=8, burst=16)}
"""Of a token on the smallest plan: 20 calls in 2 s, some of them left for others."""

CHANGES = 500
COUNTS = "won_deals_count,open_deals_count"
CONSENT = f"marketing_status,{COUNTS}"
"""Fields of people that come only when asked for; the first only where the company has the Campaigns add-on."""
ABOUT_DEALS = "last_incoming_mail_time,first_won_time"
WITHOUT_CONSENT_FOR = timedelta(hours=1)
"""How long it is believed that there is no Campaigns add-on."""

Thing = Mapping[str, Any]
T = TypeVar("T")


class PipedriveClient:
    """Calls of one company. What comes back are Pipedrive's own documents."""

    def __init__(self, transport: Transport, base_url: str) -> None:
        self.transport, self.base_url = transport, base_url.rstrip("/")
        self._without_consent_until: datetime | None = None

    def me(self) -> tuple[Thing, str | None]:
        """Whose token it is, and Pipedrive's time as its answer says it."""
        answer = self.transport.send("GET", f"{self.base_url}{V1}/users/me")
        document = answer.document if isinstance(answer.document, Mapping) else {}
        return document.get("data") or {}, answer.headers.get("Date")

    def person(self, id_: str) -> Thing:
        """One person with what is known of consent. Raises Refused (404) when they are not there."""
        path = f"{V2}/persons/{quote(id_, safe='')}"
        found: Thing = (
            self._with_consent(lambda fields: self._data("GET", path, params={"include_fields": fields})) or {}
        )
        return found

    def persons(self, *, at_most: int | None = None, **params: Any) -> list[Thing]:
        """People with what is known of consent."""
        return read_pages(lambda cursor: self.persons_page(cursor, **params), at_most=at_most)

    def persons_page(self, cursor: str | None, **params: Any) -> tuple[list[Thing], str | None]:
        return self._with_consent(lambda fields: self.page("persons", cursor, include_fields=fields, **params))

    def _with_consent(self, ask: Callable[[str], T]) -> T:
        """The answer with the status of the Campaigns add-on; without it where Pipedrive refuses to give it."""
        now = self.transport.services.clock()
        if self._without_consent_until is None or self._without_consent_until <= now:
            try:
                return ask(CONSENT)
            except Refused as error:
                if error.status not in (400, 403):
                    raise
        found = ask(COUNTS)
        if self._without_consent_until is None or self._without_consent_until <= now:
            self._without_consent_until = now + WITHOUT_CONSENT_FOR
        return found

    def read(self, kind: str, id_: str) -> Thing:
        """One deal, person, organisation or activity. Raises Refused (404) when it is not there."""
        found: Thing = self._data("GET", f"{V2}/{kind}/{quote(id_, safe='')}") or {}
        return found

    def all(self, kind: str, *, at_most: int | None = None, **params: Any) -> list[Thing]:
        """Records of a kind that fit, over all pages or the first `at_most`."""
        size = min(at_most or PAGE, PAGE)
        return read_pages(lambda cursor: self.page(kind, cursor, limit=size, **params), at_most=at_most)

    def page(self, kind: str, cursor: str | None, **params: Any) -> tuple[list[Thing], str | None]:
        """One page, and where the next begins."""
        given = {key: value for key, value in {"limit": PAGE, **params, "cursor": cursor}.items() if value is not None}
        answer = self._call("GET", f"{V2}/{kind}", params=given)
        more = answer.get("additional_data") if isinstance(answer, Mapping) else None
        following = more.get("next_cursor") if isinstance(more, Mapping) else None
        return _list(answer), str(following) if following else None

    def products_of(self, deal_id: str) -> list[Thing]:
        return self.all(f"deals/{quote(deal_id, safe='')}/products")

    def notes(self, **params: Any) -> list[Thing]:
        return _list(self._call("GET", f"{V1}/notes", params={"sort": "add_time DESC", "limit": NOTES, **params}))

    def note(self, id_: str) -> Thing:
        """One note. Raises Refused (404) when it is not there."""
        found: Thing = self._data("GET", f"{V1}/notes/{quote(id_, safe='')}") or {}
        return found

    def old_page(self, kind: str, start: int, **params: Any) -> tuple[list[Thing], int | None]:
        """One page of all notes, leads or recent changes, and where the next begins."""
        answer = self._call("GET", f"{V1}/{kind}", params={"start": start, "limit": PAGE, **params})
        paging = (answer.get("additional_data") or {}).get("pagination") or {} if isinstance(answer, Mapping) else {}
        following = paging.get("next_start") if paging.get("more_items_in_collection") else None
        return _list(answer), int(following) if following else None

    def changes_of(self, deal_id: str) -> list[Thing]:
        """Newest changes of a deal's fields: `field_key`, `old_value`, `new_value`, `time` (UTC), `actor_user_id`."""
        path = f"{V1}/deals/{quote(deal_id, safe='')}/changelog"
        return _list(self._call("GET", path, params={"limit": CHANGES}))

    def permitted_users(self, kind: str, id_: str) -> set[str]:
        """The ids of the users who may see a record. Raises Refused (404) when it is not there."""
        found = self._data("GET", f"{V1}/{kind}/{quote(id_, safe='')}/permittedUsers")
        return {str(one) for one in found} if isinstance(found, Sequence) and not isinstance(found, str) else set()

    def mails_of(self, deal_id: str) -> list[Thing]:
        """Newest mails of a deal, without their bodies."""
        path = f"{V1}/deals/{quote(deal_id, safe='')}/mailMessages"
        entries = _list(self._call("GET", path, params={"limit": MAILS}))
        return [entry["data"] for entry in entries if isinstance(entry.get("data"), Mapping)]

    def mail(self, id_: str) -> Thing:
        """One mail with its body."""
        path = f"{V1}/mailbox/mailMessages/{quote(id_, safe='')}"
        found: Thing = self._data("GET", path, params={"include_body": 1}) or {}
        return found

    def users(self) -> list[Thing]:
        return _list(self._call("GET", f"{V1}/users"))

    def webhooks(self) -> list[Thing]:
        return _list(self._call("GET", f"{V1}/webhooks"))

    def create_webhook(self, definition: Thing) -> str:
        return str((self._data("POST", f"{V1}/webhooks", body=definition) or {}).get("id"))

    def create_note(self, note: Thing) -> str:
        return str((self._data("POST", f"{V1}/notes", body=note) or {})["id"])

    def create_activity(self, activity: Thing) -> str:
        return str((self._data("POST", f"{V2}/activities", body=activity) or {})["id"])

    def update_deal(self, id_: str, values: Thing) -> None:
        self._data("PATCH", f"{V2}/deals/{quote(id_, safe='')}", body=values, again=True)

    def _data(self, method: str, path: str, **more: Any) -> Any:
        answer = self._call(method, path, **more)
        return answer.get("data") if isinstance(answer, Mapping) else None

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self.transport.call(method, self.base_url + path, **more)


def wait_s(answer: Answer, now: datetime) -> float | None:
    """Pipedrive names the rest of its window in seconds; with nothing left in the day it is the rest of the day."""
    said = header_wait_s(answer, now)
    reset = answer.headers.get("x-ratelimit-reset", "")
    return said if said is not None or not reset.isdigit() else min(float(reset), 6 * 3600.0)


def explain(answer: Answer) -> str:
    """Pipedrive's own words; a page in HTML means that its network turned us away."""
    document = answer.document
    if not isinstance(document, Mapping):
        return "its network turned the call away: too many were made" if answer.status == 403 else ""
    words = [str(document.get(name) or "") for name in ("error", "message", "error_info")]
    return "; ".join(dict.fromkeys(word.strip() for word in words if word.strip()))


DIALECT = Dialect(wait_s=wait_s, explain=explain)


def _list(answer: Any) -> list[Thing]:
    data = answer.get("data") if isinstance(answer, Mapping) else None
    return [one for one in data if isinstance(one, Mapping)] if isinstance(data, Sequence) else []
