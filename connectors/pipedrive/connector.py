"""Pipedrive behind the verbs: what each does stands in the file that it calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.auth import FixedHeader
from connectors.frame import OPEN_STAGE_KINDS, Frame
from connectors.pipedrive import events, verify
from connectors.pipedrive.client import BASE_URL, DIALECT, LIMITS, PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.diagnosing import diagnose, renew_webhooks
from connectors.pipedrive.installing import finish_install
from connectors.pipedrive.mapping import PREFIXED, Company
from connectors.pipedrive.reading import Reader, place_of
from connectors.pipedrive.syncing import Puller, find_segment
from connectors.pipedrive.writing import Writer
from connectors.transport import Refused
from crmplugin.domain.crm import Subject
from crmplugin.errors import CrmRefused, NotGenuine, SettingsError
from crmplugin.ports import CampaignPush, PanelCall, Reading, SegmentPage, Services, Visitor

LOOK_AGAIN = timedelta(days=1)
"""Pipedrive deletes a webhook that failed for three days."""


class PipedriveConnector(Frame):
    """One Pipedrive company. Raises SettingsError when its settings cannot work."""

    crm = "pipedrive"
    signs_tokens = True
    """The panel sends a token that Pipedrive made as `Authorization: Bearer`."""

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        super().__init__(connection, options, services)
        for key in ("api_token", "webhook_user", "webhook_password"):
            if not options.get(key):
                raise SettingsError(f"connections.{connection}.{key} is not set: see the steps of `connect pipedrive`")
        base_url = str(options.get("base_url") or BASE_URL).rstrip("/")
        token = FixedHeader(str(options["api_token"]), name="x-api-token", scheme="")
        transport = self._transport((base_url,), token, DIALECT, LIMITS)
        self._client = PipedriveClient(transport, base_url)
        self._book = CompanyBook(self._client, self._company(), services.clock)
        self._reader = Reader(
            self._client,
            self._book,
            connection=connection,
            base="" if base_url == BASE_URL else base_url,
            clock=services.clock,
            earlier_lines=options.get("earlier_lines") is not False,
            mails=options.get("mails") is not False,
            stage_history=options.get("stage_history") is not False,
        )
        without = tuple(options.get("leave_out") or ())
        history = options.get("stage_history") is not False
        self._puller = Puller(self._client, self._book, connection, without, history=history)
        self._writer = Writer(self._client, self._book, connection=connection, targets=options.get("write_back") or {})

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine unless name and password are the subscription's; Pipedrive signs nothing."""
        verify.verify_webhook(
            headers,
            url=url,
            user=str(self._options["webhook_user"]),
            passwords=self._keys("webhook_password"),
            path=self._options.get("webhook_path"),
        )

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable when the body is no webhook of Pipedrive."""
        return events.read_events(
            body,
            connection=self._connection,
            received_at=received_at,
            our_user=str(self._options.get("user_id") or ""),
            company_id=str(self._options.get("company_id") or ""),
            opt_out_field=self._options.get("opt_out_field"),
        )

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """200: Pipedrive looks at the status alone, and deletes a webhook that fails for three days."""
        return 200, {"Content-Type": "application/json"}, b"{}"

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do), by real calls."""
        now = self._services.clock()
        return diagnose(self._client, self._book, self._options, connection=self._connection, now=now)

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """Who sits before the panel, by the token of its address or of a call; the record is not proven by it."""
        named = {name.lower(): value for name, value in call.headers.items()}
        token = named.get("authorization", "").partition(" ")[2]
        token = token or parse_qs(urlsplit(call.url).query).get("token", [""])[0]
        if not self._options.get("panel_secret") or not self._options.get("company_id"):
            raise NotGenuine("the panel needs panel_secret and company_id in the settings")
        claims = verify.read_token(
            token, secrets=self._keys("panel_secret"), company_id=str(self._options["company_id"]), now=now
        )
        return Visitor(str(claims["userId"]))

    def finish_install(self, code: str, *, callback_url: str) -> str:
        """Finishes a rep's installation of the app with the panel; gives back where the rep goes on."""
        return finish_install(self._connection, self._options, self._services, code, callback_url=callback_url)

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """What Pipedrive says of the record's visibility; None for activities and notes, which follow their record."""
        kind, id_ = place_of(subject)
        if kind in PREFIXED:
            return None
        try:
            return user_id in self._client.permitted_users(kind, id_)
        except Refused as error:
            if error.status == 404:
                return False
            raise

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """One page of the people of a saved filter, with who may not be written to."""
        out = self._options.get("opt_out_field")
        return find_segment(self._client, self._book, segment_id, cursor, opt_out_field=out)

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """Raises CrmRefused: Pipedrive has no way in for campaigns."""
        raise CrmRefused("Pipedrive takes no campaign drafts by its API: export the campaign as files")

    def renew(self, *, now: datetime) -> datetime | None:
        """Makes again the webhooks that Pipedrive has deleted and comes back in a day; None without `webhook_url`."""
        if not self._options.get("webhook_url"):
            return None
        renew_webhooks(self._client, self._options)
        return now + LOOK_AGAIN

    def _company(self) -> Company:
        """What the settings say of the company."""
        own = str(self._options["user_id"]) if self._options.get("user_id") else None
        out = self._options.get("opt_out_field")
        return Company(self._fields(), self._stages(OPEN_STAGE_KINDS), opt_out_field=out, own_user=own)
