"""A connector for the fake CRM, over the shared transport, as a vendor's would be."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from requests.auth import AuthBase

from connectors import registry
from connectors.transport import Dialect, Limit, Refused, Transport
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.domain.event import Event, ObjectRef
from crmplugin.domain.records import build
from crmplugin.errors import NotFound, NotGenuine, Unreadable
from crmplugin.ports import Changes, Reading, Services

EVENTS = {"deals": "deal.stage_changed", "activities": "message.received"}
TYPES = {"deals": "deal", "activities": "activity", "contacts": "contact", "companies": "company"}


class NoCredentials:
    """It asks for none."""

    def applied(self) -> AuthBase:
        return _Unsigned()

    def renewed(self, refused: AuthBase) -> bool:
        return False

    def secrets(self) -> Iterable[str]:
        return ()


class _Unsigned(AuthBase):
    def __call__(self, request: Any) -> Any:
        return request


class FakeConnector:
    crm = "fake"

    def __init__(self, name: str, options: Mapping[str, Any], services: Services) -> None:
        self._name, self._base, self._services = name, options["base_url"], services
        self._secret = options["secret"].encode()
        rate = float(options.get("calls_per_second") or 500)
        self._http = Transport(
            name,
            "fake",
            [self._base],
            NoCredentials(),
            services,
            dialect=Dialect(),
            limits={"calls": Limit(rate, max(1, int(rate)))},
            timeout_s=float(options.get("timeout_s") or 5),
            calls_at_once=64,
        )

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        if not hmac.compare_digest(headers.get("X-Fake-Signature", ""), sign(body, self._secret)):
            raise NotGenuine("the signature does not fit")

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        try:
            entries = json.loads(body)
        except ValueError as error:
            raise Unreadable("not JSON") from error
        return Reading(tuple(self._event(entry, received_at) for entry in entries))

    def _event(self, entry: Mapping[str, Any], received_at: datetime) -> Event:
        about = ObjectRef(entry["object"]["type"], entry["object"]["id"])
        at = datetime.fromtimestamp(entry["at"], UTC)
        return Event(entry["id"], self._name, entry["type"], at, about, raw=entry, received_at=received_at)

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        return 200, {}, b"ok"

    def read_context(self, subject: Subject) -> Context:
        if subject.type != "deal":
            raise NotFound(f"the fake CRM knows no {subject.type}")
        try:
            found = self._http.call("GET", f"{self._base}/deals/{subject.id}")
        except Refused as error:
            raise NotFound(f"no deal {subject.id} on {self._name}") from error
        return Context(
            connection=self._name,
            crm=self.crm,
            subject=subject,
            read_at=self._services.clock(),
            deal=build("deals", found["deal"]),
            deals=(build("deals", found["deal"]),),
            company=build("companies", found["company"]) if found["company"] else None,
            contacts=tuple(build("contacts", c) for c in found["contacts"] if c),
            activities=tuple(build("activities", a) for a in found["activities"]),
            products=tuple(build("products", p) for p in found["products"] if p),
        )

    def changes_since(self, since: datetime | None, *, cursor: str | None = None) -> Changes:
        params = {"since": str(since.timestamp())} if since else {}
        params |= {"cursor": cursor} if cursor else {}
        page = self._http.call("GET", f"{self._base}/changes", params=params)
        records: dict[str, list[Any]] = {}
        for row in page["changed"]:
            records.setdefault(row["collection"], []).append(row["document"])
        gone = [(ObjectRef(row["type"], row["id"]), row["into"]) for row in page["gone"]]
        return Changes(
            records=records,
            events=tuple(self._change(row) for row in page["changed"] if row["collection"] in EVENTS),
            deleted=tuple(ref for ref, into in gone if into is None),
            merged=tuple((ref, ObjectRef(ref.type, into)) for ref, into in gone if into is not None),
            cursor=page["cursor"],
            up_to=datetime.fromtimestamp(page["now"], UTC),
            total=page["total"],
        )

    def _change(self, row: Mapping[str, Any]) -> Event:
        """What a webhook would have said; this CRM's deliveries have an id that we cannot know here."""
        about = ObjectRef(TYPES[row["collection"]], row["document"]["id"])
        at = datetime.fromtimestamp(row["at"], UTC)
        name = hashlib.sha256(f"{about.type}/{about.id}/{row['at']}".encode()).hexdigest()[:32]
        return Event(f"poll-{name}", self._name, EVENTS[row["collection"]], at, about, raw=row)

    def find_written(self, marker: str, *, draft: Draft | None = None) -> str | None:
        found: str | None = self._http.call("GET", f"{self._base}/notes", params={"marker": marker})["id"]
        return found

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        body = {"marker": marker, "text": draft.body}
        return str(self._http.call("POST", f"{self._base}/notes", body=body)["id"])

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        return ()

    def renew(self, *, now: datetime) -> datetime | None:
        kept = self._services.vault.get(self._name, "renewals")
        self._services.vault.put(self._name, "renewals", str(int(kept[0]) + 1 if kept else 1))
        return None


def sign(body: bytes, secret: bytes) -> str:
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def register() -> None:
    """Makes `crm = "fake"` known in this process."""
    row = registry.Vendor("tests.fakes.connector", "FakeConnector", required=("secret", "base_url"))
    registry.VENDORS = MappingProxyType({**registry.VENDORS, "fake": row})
