"""Salesforce behind the verbs: what each does stands in the file that it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt

from connectors.auth import OAuth
from connectors.documents import field_table
from connectors.salesforce import campaigns, events, soap, verify
from connectors.salesforce.client import DIALECT, VERSION, SalesforceClient, records_of
from connectors.salesforce.diagnosing import diagnose
from connectors.salesforce.mapping import PREFIXES, Org
from connectors.salesforce.org import OrgBook
from connectors.salesforce.reading import ACTIVITIES, KINDS, PEOPLE, Reader, place_of
from connectors.salesforce.soql import ID, equal, select
from connectors.salesforce.syncing import PAGE, Puller
from connectors.salesforce.writing import Writer
from connectors.transport import CALLS_AT_ONCE, READ_TIMEOUT_S, Limit, Transport
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.domain.event import EVENT_TYPES
from crmplugin.errors import NotGenuine, SettingsError
from crmplugin.ports import CampaignPush, Changes, PanelCall, Reading, SegmentPage, Services, Visitor

STAGE_KINDS = ("new", "qualified", "proposal", "negotiation", "closing", "won", "lost")
TOKEN_PATH = "/services/oauth2/token"
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SHORTEST_TOKEN = 24
USUAL_LIMIT = Limit(per_second=20, burst=40)


class SalesforceConnector:
    """One Salesforce org. Raises SettingsError when its settings cannot work."""

    crm = "salesforce"
    writes_once = True
    """A row with a unique key is made with each record, both or none."""
    signs_tokens = True
    """Apex sends `panel_secret` as `Authorization: Bearer`, and says who its user is."""

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        self._connection, self._options, self._services = connection, options, services
        self._tokens = _tokens(connection, options)
        base_url = _base_url(connection, options)
        transport = Transport(
            connection,
            self.crm,
            (base_url,),
            _credentials(connection, options, services, base_url),
            services,
            dialect=DIALECT,
            limits={"calls": _limit(options)},
            timeout_s=float(options.get("timeout_s") or READ_TIMEOUT_S),
            calls_at_once=int(options.get("calls_at_once") or CALLS_AT_ONCE),
        )
        self._client = SalesforceClient(transport, base_url, str(options.get("api_version") or VERSION))
        self._book = OrgBook(self._client, _org(connection, options), services.clock)
        self._without = tuple(options.get("leave_out") or ())
        self._reader = Reader(
            self._client,
            self._book,
            connection=connection,
            page_url=base_url,
            clock=services.clock,
            without=self._without,
        )
        self._writer = Writer(
            self._client, connection=connection, targets=options.get("write_back") or {}, our_user=self._our_user
        )
        size = int(options.get("page_size") or PAGE)
        self._puller = Puller(self._client, self._book, connection=connection, without=self._without, page=size)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine unless the call has our token or signature, and a message is of our org."""
        verify.verify_webhook(
            headers,
            body,
            url=url,
            tokens=self._tokens,
            secrets=self._keys("callout_secret"),
            organization_id=self._organization_id,
            now=now,
        )

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable or TooLarge when the body as a whole cannot be taken."""
        return events.read_events(
            body,
            connection=self._connection,
            received_at=received_at,
            organization_id=self._organization_id,
            our_user=self._our_user,
            messages=self._options.get("messages") or {},
        )

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """An outbound message is acknowledged in SOAP, or Salesforce sends it again for a day; a callout by 200."""
        if events.is_soap(reading):
            return 200, {"Content-Type": "text/xml; charset=utf-8"}, soap.ACK
        return 200, {"Content-Type": "application/json"}, b'{"ok": true}'

    def read_context(self, subject: Subject) -> Context:
        """Everything about one subject in one round. Raises NotFound."""
        return self._reader.read(subject)

    def find_written(self, marker: str, *, draft: Draft | None = None) -> str | None:
        """What an earlier write-back with this marker made, by its key in Salesforce."""
        return self._writer.find(marker)

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes an approved draft; raises CrmRefused when the deal changed since, or Salesforce says no."""
        return self._writer.write(draft, marker=marker, at=at)

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do), by real calls."""
        return diagnose(
            self._client,
            self._book,
            organization_id=self._organization_id,
            without=self._without,
            now=self._services.clock,
        )

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """Who opened the panel: Canvas signs user and record; Apex with our secret names its user, not the record."""
        signed = parse_qs(call.body.decode("utf-8", "replace")).get("signed_request") if call.body else None
        if signed and "authorization" not in {name.lower() for name in call.headers}:
            return self._canvas_visitor(signed[0], now)
        if not self._options.get("panel_secret"):
            raise NotGenuine("calls of the panel need panel_secret in the settings")
        secrets = self._keys("panel_secret")
        return Visitor(verify.read_caller(call.headers, secrets=secrets, organization_id=self._organization_id))

    def _canvas_visitor(self, value: str, now: datetime) -> Visitor:
        context = verify.read_signed_request(
            value, secrets=self._keys("canvas_secret"), organization_id=self._organization_id, now=now
        )
        about = context["context"]
        user = about.get("user") if isinstance(about.get("user"), Mapping) else {}
        environment = about.get("environment")
        record = environment.get("record") if isinstance(environment, Mapping) else None
        id_ = str(record.get("Id") or "") if isinstance(record, Mapping) else ""
        user_id = str(context.get("userId") or user.get("userId") or "")
        if not user_id.startswith("005"):
            raise NotGenuine("the signed_request names no user")
        return Visitor(user_id, user.get("userName"), _subject_of(id_), signed=value.partition(".")[2])

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """Whether Salesforce itself lets this user read the record; None when it cannot be asked about this user."""
        _, id_ = place_of(subject)
        if not user_id.startswith("005") or not ID.fullmatch(user_id):
            return None
        where = f"{equal('UserId', user_id)} AND {equal('RecordId', id_)}"
        soql = select(("RecordId", "HasReadAccess"), "UserRecordAccess", where)
        found = records_of(self._client.query(soql))
        return bool(found and found[0].get("HasReadAccess") is True)

    def changes_since(self, since: datetime | None, *, cursor: str | None = None) -> Changes:
        """One page of what changed; `since` None: everything."""
        return self._puller.page(since, cursor, self._services.clock())

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """One page of a campaign's members or of a list view, with opt-outs read now."""
        return campaigns.find_segment(self._client, self._book, segment_id, cursor, self._services.clock())

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """A planned campaign with members and texts; nothing is sent."""
        return campaigns.push_campaign(self._client, self._writer, campaign, marker=marker)

    def renew(self, *, now: datetime) -> datetime | None:
        """None: a token of client credentials has no stated end and is fetched again when it is refused."""
        return None

    @property
    def _our_user(self) -> str:
        return str(self._options.get("user_id") or "")

    @property
    def _organization_id(self) -> str:
        return str(self._options["organization_id"])

    def _keys(self, name: str) -> list[str]:
        """A secret, and the one before it while it is being changed."""
        return [str(self._options[key]) for key in (name, f"old_{name}") if self._options.get(key)]


class Assertion(Mapping[str, str]):
    """The form of the JWT bearer flow: its assertion is signed anew each time it is asked for."""

    def __init__(self, client_id: str, user: str, key: str, audience: str, services: Services) -> None:
        self._claims = {"iss": client_id, "sub": user, "aud": audience}
        self._key, self._services = key, services

    def __getitem__(self, name: str) -> str:
        if name == "assertion":
            ends = self._services.clock() + timedelta(minutes=3)
            return jwt.encode({**self._claims, "exp": int(ends.timestamp())}, self._key, algorithm="RS256")
        return {"grant_type": JWT_GRANT}[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("grant_type", "assertion"))

    def __len__(self) -> int:
        return 2


def _credentials(connection: str, options: Mapping[str, Any], services: Services, base_url: str) -> OAuth:
    client_id = str(options["client_id"])
    if options.get("private_key") and options.get("username"):
        audience = str(options.get("audience") or "https://login.salesforce.com")
        key, user = _private_key(connection, str(options["private_key"])), str(options["username"])
        form: Mapping[str, str] = Assertion(client_id, user, key, audience, services)
    elif options.get("client_secret"):
        secret = str(options["client_secret"])
        form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    else:
        raise SettingsError(f"connections.{connection} has no client_secret: add it, or private_key and username")
    return OAuth(connection, str(options.get("auth_url") or base_url + TOKEN_PATH), form, services)


def _private_key(connection: str, text: str) -> str:
    """The key in PEM; in a variable its line breaks may be written as two characters each."""
    key = text.replace("\\n", "\n")
    try:
        jwt.encode({}, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise SettingsError(
            f"connections.{connection}.private_key is no RSA key in PEM: expected the text of the .key file, from "
            "-----BEGIN PRIVATE KEY----- to its end"
        ) from error
    return key


def _base_url(connection: str, options: Mapping[str, Any]) -> str:
    for key in ("client_id", "organization_id"):
        if not options.get(key):
            raise SettingsError(f"connections.{connection}.{key} is not set: see the steps of `connect salesforce`")
    url = str(options.get("base_url") or "").rstrip("/")
    host = urlsplit(url).hostname or ""
    if not url or host in ("login.salesforce.com", "test.salesforce.com") or host.endswith(".lightning.force.com"):
        raise SettingsError(
            f"connections.{connection}.base_url is {url!r}: expected the My Domain address, "
            "https://<my domain>.my.salesforce.com"
        )
    return url


def _tokens(connection: str, options: Mapping[str, Any]) -> list[str]:
    tokens = [str(options[key]) for key in ("webhook_token", "old_webhook_token") if options.get(key)]
    if not tokens or min(map(len, tokens)) < SHORTEST_TOKEN:
        raise SettingsError(
            f"connections.{connection}.webhook_token is missing or short: at least {SHORTEST_TOKEN} random letters and "
            "digits, for outbound messages prove nothing else"
        )
    return tokens


def _limit(options: Mapping[str, Any]) -> Limit:
    per_second = options.get("calls_per_second")
    return Limit(float(per_second), int(per_second)) if per_second else USUAL_LIMIT


def _org(connection: str, options: Mapping[str, Any]) -> Org:
    stages: Mapping[str, str] = options.get("stages") or {}
    for stage, kind in stages.items():
        if kind not in STAGE_KINDS:
            known = ", ".join(STAGE_KINDS)
            raise SettingsError(f'connections.{connection}.stages."{stage}" is {kind!r}: expected one of {known}')
    for action, kind in (options.get("messages") or {}).items():
        if kind not in EVENT_TYPES:
            known = ", ".join(sorted(EVENT_TYPES))
            raise SettingsError(f'connections.{connection}.messages."{action}" is {kind!r}: expected one of {known}')
    fields = field_table(options.get("fields") or {}, connection=connection)
    user = str(options.get("user_id") or "")
    return Org(fields=fields, stages=stages, currency=options.get("currency"), our_user=user)


def _subject_of(id_: str) -> Subject | None:
    """The record that Canvas names, as a subject; None for one that no draft is about."""
    kind = PREFIXES.get(id_[:3])
    named = {of: word for word, of in KINDS.items()} | dict.fromkeys(PEOPLE, "contact")
    named |= dict.fromkeys(ACTIVITIES, "activity")
    return Subject(named[kind], id_) if kind else None  # type: ignore[arg-type]
