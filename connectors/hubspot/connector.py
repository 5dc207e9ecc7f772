"""HubSpot behind the verbs: what each does stands in the file that it calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.auth import EARLY, FixedHeader, OAuth
from connectors.frame import Frame
from connectors.hubspot import actions, campaigns, events, verify
from connectors.hubspot.account import AccountBook
from connectors.hubspot.client import BASE_URL, DIALECT, LIMITS, TOKEN_PATH, HubSpotClient
from connectors.hubspot.diagnosing import diagnose
from connectors.hubspot.mapping import Account
from connectors.hubspot.reading import Reader, place_of
from connectors.hubspot.syncing import Puller
from connectors.hubspot.telling import Teller
from connectors.hubspot.writing import Writer
from connectors.transport import Refused
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotGenuine, SettingsError
from crmplugin.ports import Action, CampaignPush, PanelCall, Reading, SegmentPage, Services, Visitor

SUBSCRIPTIONS = ("subscription_id", "mail_subscription_id")
"""Settings that name a type of mail that a person may have unsubscribed from."""


class HubSpotConnector(Frame):
    """One HubSpot account. Raises SettingsError when its settings cannot work."""

    crm = "hubspot"
    wraps_problems = True
    """A card hears of any answer but 2xx only that there was one."""

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        super().__init__(connection, options, services)
        self._secrets = self._keys("client_secret")
        if not self._secrets:
            raise SettingsError(f"connections.{connection}.client_secret is not set: it signs what HubSpot sends")
        base_url = str(options.get("base_url") or BASE_URL).rstrip("/")
        self._credentials = _credentials(connection, options, services, base_url)
        transport = self._transport((base_url,), self._credentials, DIALECT, LIMITS)
        self._client = HubSpotClient(transport, base_url)
        self._book = AccountBook(self._client, self._account(), services.clock)
        self._without = tuple(options.get("leave_out") or ())
        self._reader = Reader(
            self._client,
            self._book,
            connection=connection,
            app_url=_app_url(options),
            clock=services.clock,
            earlier_lines=options.get("earlier_lines") is not False,
            without=self._without,
        )
        self._writer = Writer(
            self._client,
            connection=connection,
            targets=options.get("write_back") or {},
            key_property=options.get("key_property"),
            opt_outs=self._book.account.opt_outs,
        )
        portal, app = (str(options.get(key) or "") for key in ("portal_id", "app_id"))
        more = self._book.account.opt_outs[1:]
        teller = Teller(connection, portal, app, stages=lambda: self._book.account.stages, opt_outs=more)
        self._puller = Puller(self._client, self._book, teller, without=self._without)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine unless HubSpot signed this with our app's client secret."""
        versions = self._options.get("signature_versions") or ()
        verify.verify(headers, body, method="POST", url=url, secrets=self._secrets, versions=set(versions), now=now)

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable or TooLarge when the body as a whole cannot be taken."""
        return events.read_events(
            body,
            connection=self._connection,
            received_at=received_at,
            stages=self._book.account.stages,
            portal=str(self._options.get("portal_id") or ""),
        )

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """204: HubSpot looks at the status alone, and anything else would make it send again."""
        return 204, {}, b""

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do), by real calls."""
        return diagnose(
            self._client,
            _with_default_stages(self._book.account),
            base_url=self._client.base_url,
            without=self._without,
            subscriptions={key: str(self._options[key]) for key in SUBSCRIPTIONS if self._options.get(key)},
            now=self._services.clock,
        )

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """Who calls from the card: HubSpot signs user and portal, never the record, so that must be checked."""
        verify.verify(
            call.headers, call.body, method=call.method, url=call.url, secrets=self._secrets, versions=(), now=now
        )
        query = parse_qs(urlsplit(call.url).query)
        for name in ("portal_id", "app_id"):
            wanted, given = self._options.get(name), query.get(_camel(name), [""])[0]
            if wanted and str(wanted) != given:
                raise NotGenuine(f"the call is of {_camel(name)} {given!r}, not of this connection's {wanted}")
        user = query.get("userId", [""])[0]
        if not user:
            raise NotGenuine("HubSpot named no userId: call the server by hubspot.fetch")
        # A user who owns nothing gets an id that is no owner's, and so sees no rep's deals.
        owner = self._book.owner_of(user) or f"user:{user}"
        return Visitor(owner, query.get("userEmail", [None])[0])

    def read_action(self, call: PanelCall, *, now: datetime) -> Action:
        """What a workflow's step asks for. Raises NotGenuine or Unreadable."""
        verify.verify(
            call.headers,
            call.body,
            method=call.method,
            url=call.url,
            secrets=self._secrets,
            versions=set(self._options.get("signature_versions") or ()),
            now=now,
        )
        return actions.read_action(call.body, portal=str(self._options.get("portal_id") or ""))

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """True for the record's owner; None otherwise, because HubSpot attests no rights and our roles decide."""
        kind, id_ = place_of(subject)
        try:
            thing = self._client.read(kind, id_, ("hubspot_owner_id",))
        except Refused as error:
            if error.status == 404:
                return False
            raise
        return True if str((thing.get("properties") or {}).get("hubspot_owner_id")) == user_id else None

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """One page of a HubSpot list, with opt-outs read now."""
        subscription = str(self._options.get("subscription_id") or "")
        return campaigns.find_segment(self._client, self._book, segment_id, cursor, subscription=subscription)

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """A marketing e-mail draft for the campaign's recipients; nothing is published."""
        return campaigns.push_campaign(self._client, campaign, marker=marker, at=at, options=self._options)

    def renew(self, *, now: datetime) -> datetime | None:
        """Renews an OAuth token and gives back when to come again; None for a token that does not end."""
        if not isinstance(self._credentials, OAuth):
            return None
        self._credentials.applied()
        ends = self._credentials.ends_at()
        return ends - EARLY if ends else None

    def _account(self) -> Account:
        """What the settings say of the account."""
        account = Account(self._fields(), self._stages(but=("ticket:",)), currency=self._options.get("currency"))
        return replace(account, opt_outs=(*account.opt_outs, *_own_opt_out(self._connection, self._options)))


def _credentials(connection: str, options: Mapping[str, Any], services: Services, base_url: str) -> FixedHeader | OAuth:
    if options.get("access_token"):
        return FixedHeader(str(options["access_token"]))
    if not (options.get("refresh_token") and options.get("client_id")):
        raise SettingsError(
            f"connections.{connection} has no access_token: add it, or client_id and refresh_token of an OAuth app"
        )
    names = ("client_id", "client_secret", "refresh_token")
    form = {"grant_type": "refresh_token", **{name: str(options[name]) for name in names}}
    return OAuth(connection, str(options.get("auth_url") or base_url + TOKEN_PATH), form, services)


def _own_opt_out(connection: str, options: Mapping[str, Any]) -> list[str]:
    """The property by which HubSpot says that a person wants no mails of the type that reps write."""
    number = str(options.get("mail_subscription_id") or "")
    if number and not (number.isascii() and number.isdigit()):
        raise SettingsError(
            f"connections.{connection}.mail_subscription_id is {number!r}: expected the number of a subscription type"
        )
    return [f"hs_email_optout_{number}"] if number else []


def _with_default_stages(account: Account) -> Account:
    return replace(account, stages={**events.STAGE_KINDS, **account.stages})


def _app_url(options: Mapping[str, Any]) -> str:
    """The beginning of a record's address in HubSpot, empty when the portal is not known."""
    if not options.get("portal_id"):
        return ""
    host = str(options.get("app_url") or "https://app.hubspot.com").rstrip("/")
    return f"{host}/contacts/{options['portal_id']}/record"


def _camel(name: str) -> str:
    return {"portal_id": "portalId", "app_id": "appId"}[name]
