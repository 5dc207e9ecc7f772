"""Odoo behind the verbs: what each does stands in the file that it calls."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.frame import OPEN_STAGE_KINDS, Frame
from connectors.odoo import events, panel, verify
from connectors.odoo.campaigns import Marketing
from connectors.odoo.client import DIALECT, PROTOCOLS, ApiKeys, Json2, OdooClient, XmlRpc
from connectors.odoo.diagnosing import WARN_AHEAD, diagnose, key_end
from connectors.odoo.mapping import Database, id_of
from connectors.odoo.reading import Reader
from connectors.odoo.schema import SchemaBook
from connectors.odoo.syncing import Syncer
from connectors.odoo.writing import Writer
from connectors.transport import Transport
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmError, SettingsError
from crmplugin.ports import CampaignPush, PanelCall, Reading, SegmentPage, Services, Visitor

log = logging.getLogger(__name__)
UID = "uid"
"""In the vault: the bot's number, so that the process that takes webhooks knows our own changes."""
MIN_SECRET = 20
"""Characters of a secret that stands in an address."""


class OdooConnector(Frame):
    """One database of Odoo. Raises SettingsError when its settings cannot work."""

    crm = "odoo"
    _reader: Reader

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        super().__init__(connection, options, services)
        _check(connection, options)
        base_url = str(options["base_url"]).rstrip("/")
        keys = ApiKeys(self._keys("api_key"))
        self._companies = frozenset(int(one) for one in options.get("company_ids") or ())
        headers = {"X-Odoo-Database": str(options["database"]), "User-Agent": "crmplugin"}
        transport = self._transport((base_url,), keys, DIALECT, {}, headers)
        self._client = _client(transport, options, base_url, keys, self._companies)
        self._database = Database(self._fields(), self._stages(OPEN_STAGE_KINDS), base_url)
        self._book = SchemaBook(self._client, services.clock, self._learn)
        self._reader = Reader(
            self._client,
            self._book,
            self._database,
            connection=connection,
            companies=self._companies,
            clock=services.clock,
        )
        self._writer = Writer(
            self._client, self._reader, connection=connection, targets=options.get("write_back") or {}
        )
        self._puller = Syncer(
            self._client, self._book, self._database, connection=connection, companies=self._companies
        )
        self._marketing = Marketing(self._client, self._database, companies=self._companies)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine unless the address has the secret; Odoo signs nothing."""
        verify.verify_webhook(headers, url=url, secrets=self._keys("webhook_secret"))

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable when the body is no webhook of an automation rule."""
        return events.read_events(
            body,
            connection=self._connection,
            received_at=received_at,
            our_user=self._uid(),
            companies=self._companies,
        )

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """200 and nothing else: Odoo looks at the status alone, within a second, in its user's own request."""
        return 200, {"Content-Type": "application/json"}, b"{}"

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do), by real calls."""
        return diagnose(
            self._client,
            self._book,
            self._database,
            companies=self._companies,
            ends=self._named_end(),
            now=self._services.clock(),
        )

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """Who pressed the button, as our module in Odoo attests it with its signature. Raises NotGenuine."""
        return panel.visitor(call, secrets=self._keys("panel_secret"), database=self._options.get("database"), now=now)

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """True for the record's owner; None otherwise: the bot sees everything, so our roles decide."""
        model, id_ = self._reader.place_of(subject)
        found = self._client.search(model, [["id", "=", id_]], ["user_id"], limit=1)
        if not found:
            return False
        return True if id_of(found[0]["user_id"]) == user_id else None

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """One page of a mailing list or saved filter, with opt-outs and the blacklist read now."""
        return self._marketing.segment(segment_id, cursor, self._book.read())

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """A mailing in state draft for the campaign's recipients; nothing is sent."""
        return self._marketing.push(campaign, marker)

    def renew(self, *, now: datetime) -> datetime | None:
        """Nothing can renew a key but a person: says in time that it ends, and gives back when to look again."""
        try:
            ends = self._named_end() or key_end(self._client, now)
        except CrmError as error:
            log.warning(
                "odoo's key could not be looked at", extra={"connection": self._connection, "reason": str(error)}
            )
            return now + timedelta(hours=6)
        if ends is None:
            return None
        if ends - now <= WARN_AHEAD:
            about = {"connection": self._connection, "ends": ends.isoformat()}
            log.warning("odoo's API key ends soon: make another one as the bot user", extra=about)
            return now + timedelta(days=1)
        return ends - WARN_AHEAD

    def _named_end(self) -> datetime | None:
        text = instant_text(self._options.get("api_key_ends"))
        return datetime.fromisoformat(text).astimezone(UTC) if text else None

    def _uid(self) -> str:
        kept = self._services.vault.get(self._connection, UID)
        return str(self._options.get("user_id") or (kept[0] if kept else ""))

    def _learn(self, uid: int) -> None:
        if self._uid() != str(uid):
            self._services.vault.put(self._connection, UID, str(uid))


def _check(connection: str, options: Mapping[str, Any]) -> None:
    for key in ("base_url", "database", "api_key", "webhook_secret"):
        if not options.get(key):
            raise SettingsError(f"connections.{connection}.{key} is not set: see the steps of `connect odoo`")
    if len(str(options["webhook_secret"])) < MIN_SECRET:
        raise SettingsError(
            f"connections.{connection}.webhook_secret is short: it is all that proves a webhook, so take at least "
            f"{MIN_SECRET} characters"
        )
    protocol = options.get("protocol") or PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise SettingsError(
            f"connections.{connection}.protocol is {protocol!r}: expected one of {', '.join(PROTOCOLS)}"
        )
    if protocol == "xmlrpc" and not options.get("login"):
        raise SettingsError(f"connections.{connection}.login is not set: XML-RPC takes the bot user's login")
    if any(not isinstance(one, int) for one in options.get("company_ids") or ()):
        raise SettingsError(f"connections.{connection}.company_ids: expected numbers, such as [1, 2]")


def _client(
    transport: Transport, options: Mapping[str, Any], base_url: str, keys: ApiKeys, companies: frozenset[int]
) -> OdooClient:
    protocol: Json2 | XmlRpc = Json2(transport, base_url)
    if options.get("protocol") == "xmlrpc":
        protocol = XmlRpc(
            transport, base_url, database=str(options["database"]), login=str(options["login"]), keys=keys
        )
    # Archived records too: a lost deal is one, and a person who left.
    context = {"active_test": False, "lang": "en_US"}
    return OdooClient(transport, protocol, context | ({"allowed_company_ids": sorted(companies)} if companies else {}))
