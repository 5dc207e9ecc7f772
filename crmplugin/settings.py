"""Settings: one TOML file, environment variables over it, checked whole before anything starts.

What stands here is the list of settings and their rules; how a file is read and its lines are named stands in
`settings_file`. Every problem is a SettingsError that names the file, the line, the key and the mend.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from crmplugin.domain.approval import ApprovalRow
from crmplugin.domain.brief import INTERNAL_KINDS
from crmplugin.domain.event import EVENT_TYPES
from crmplugin.domain.playbook import PlaybookRow
from crmplugin.domain.retention import Retention
from crmplugin.domain.spending import SpendingLimit
from crmplugin.errors import SettingsError
from crmplugin.local_secrets import read_or_make_secret
from crmplugin.settings_approval import ROLES, read_approvals
from crmplugin.settings_file import Source, read_source
from crmplugin.settings_retention import read_retention
from crmplugin.settings_spending import read_spending

KINDS = (
    "follow_up", "pitch", "negotiation_note", "meeting_brief", "summary", "qualification", "handoff_note",
    "service_reply", "help_answer", "social_reply", "insight_digest", "outline",
)  # fmt: skip
CHANNELS = ("email", "phone", "chat", "sms", "social", "letter", "note")
WRITE_BACKS = ("on_approval", "at_once", "never")
REP_SEES = ("owner", "team")
WHERE_KEYS = ("stage_kind", "stage", "priority", "pipeline", "status", "type", "channel", "industry", "country")
Network = IPv4Network | IPv6Network
LOG_LEVELS = ("debug", "info", "warning", "error")
LOOPBACK = ("localhost", "127.0.0.1", "::1")

SCALARS: Mapping[str, tuple[type, Any]] = MappingProxyType(
    {
        "database_url": (str, None),
        "var": (str, "var"),
        "host": (str, "127.0.0.1"),
        "port": (int, 8000),
        "workers": (int, 1),
        "streams": (int, 32),
        "jobs_at_once": (int, 64),
        "retry_first_s": (Decimal, Decimal("2")),
        "public_url": (str, None),
        "masking": (bool, True),
        "log_level": (str, "info"),
        "session_hours": (int, 12),
        "sign_in_minutes": (int, 60),
        "trusted_proxies": (str, None),
        "token_calls_per_second": (int, 200),
        "vault_key": (str, None),
        "model": (str, None),
        "openai_api_key": (str, None),
        "openai_base_url": (str, None),
        "model_connect_timeout_s": (Decimal, Decimal("5")),
        "model_timeout_s": (Decimal, Decimal("60")),
        "model_max_tokens": (int, 1200),
        "model_temperature": (Decimal, Decimal("0.3")),
        "model_calls_at_once": (int, 64),
        "model_calls_per_second": (Decimal, None),
        "model_input_price": (Decimal, None),
        "model_output_price": (Decimal, None),
        "model_budget_per_day": (Decimal, None),
        "smtp_url": (str, None),
    }
)
"""Settings outside tables: type and default. Each is also the environment variable `CRMPLUGIN_<NAME>`."""

POSITIVE = frozenset(
    {
        "workers", "streams", "jobs_at_once", "retry_first_s", "session_hours", "sign_in_minutes",
        "token_calls_per_second",
        "model_connect_timeout_s", "model_timeout_s", "model_max_tokens", "model_calls_at_once",
        "model_calls_per_second",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The OpenID Connect provider that people sign in with. `roles`: our role -> values of `role_claim`, first wins."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    role_claim: str
    roles: Mapping[str, tuple[str, ...]]
    default_role: str | None


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """One CRM account. `options` are its table without our own keys, secrets resolved.

    `rep_sees`: whose records a rep sees, `owner` (their own) or `team` (also those of users in a team with them).
    """

    name: str
    crm: str
    options: Mapping[str, Any] = field(repr=False)
    frame_ancestors: tuple[str, ...] = ()
    rep_sees: str = "owner"
    teams: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model endpoint. `name` None: the template writer writes.

    Prices are per million tokens, in one currency of the owner's choice; None: not known.
    """

    name: str | None
    api_key: str | None = field(repr=False)
    base_url: str | None
    connect_timeout_s: Decimal
    timeout_s: Decimal
    max_tokens: int
    temperature: Decimal
    calls_at_once: int
    masking: bool
    input_price: Decimal | None
    output_price: Decimal | None
    calls_per_second: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process needs to know at its start. `public_url` has no slash at its end."""

    source: str
    var: Path
    database_url: str = field(repr=False)
    host: str
    port: int
    workers: int
    streams: int
    jobs_at_once: int
    public_url: str | None
    log_level: str
    session_hours: int
    sign_in_minutes: int
    signing_key: str = field(repr=False)
    vault_key: str | None = field(repr=False)
    smtp_url: str | None = field(repr=False)
    model: ModelSettings
    connections: Mapping[str, ConnectionSettings]
    playbooks: tuple[PlaybookRow, ...]
    approvals: tuple[ApprovalRow, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Key as written -> a keyed digest of its value: what changed can be told without telling any value."""
    trusted_proxies: tuple[Network, ...] = ()
    token_calls_per_second: int = 200
    spending: tuple[SpendingLimit, ...] = ()
    retention: Retention = Retention()
    retry_first_s: Decimal = Decimal("2")
    oidc: OidcSettings | None = None


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the file named by CRMPLUGIN_CONFIG (unset: ./crmplugin.toml if there; empty: none) and `environ`.

    Makes the secrets of this installation when they are missing: `var/signing.key` and the `local` connection's
    `var/local-webhook.secret`. Raises SettingsError.
    """
    source = read_source(environ, frozenset(SCALARS))
    values = {name: _scalar(source, name) for name in SCALARS}
    source.refuse_unknown((), {*SCALARS, "connections", "playbook", "approval", "spending", "retention", "oidc"})
    var = Path(values["var"])
    signing_key = read_or_make_secret(var / "signing.key")
    return Settings(
        source=source.name,
        var=var,
        database_url=values["database_url"] or f"sqlite:///{var}/crmplugin.sqlite",
        **{k: values[k] for k in ("host", "workers", "streams", "jobs_at_once", "session_hours", "sign_in_minutes")},
        port=_port(source, values["port"]),
        public_url=_url(source, "public_url", values["public_url"]),
        log_level=source.one_of(("log_level",), values["log_level"], LOG_LEVELS),
        signing_key=signing_key,
        digests=MappingProxyType(source.digests(signing_key)),
        vault_key=values["vault_key"],
        smtp_url=values["smtp_url"],
        model=_model(source, values),
        connections=MappingProxyType(_connections(source, var)),
        playbooks=tuple(_playbook(source, n, row) for n, row in enumerate(source.tables(("playbook",)))),
        approvals=read_approvals(source),
        spending=read_spending(source, values),
        retention=read_retention(source),
        trusted_proxies=_networks(source, values["trusted_proxies"]),
        token_calls_per_second=values["token_calls_per_second"],
        retry_first_s=values["retry_first_s"],
        oidc=_oidc(source),
    )


OIDC_KEYS = ("issuer", "client_id", "client_secret", "role_claim", "roles", "default_role")


def _oidc(source: Source) -> OidcSettings | None:
    if source.at(("oidc",)) is None:
        return None
    source.refuse_unknown(("oidc",), OIDC_KEYS)
    source.refuse_unknown(("oidc", "roles"), ROLES)
    issuer, client_id = (source.value(("oidc", name), str) for name in ("issuer", "client_id"))
    if not issuer or not client_id:
        raise source.problem(("oidc",), "needs issuer and client_id")
    default_role = source.value(("oidc", "default_role"), str)
    if default_role is not None:
        source.one_of(("oidc", "default_role"), default_role, ROLES)
    parts = urlsplit(issuer)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise source.problem(("oidc", "issuer"), "is no https address")
    roles = {role: source.strings(("oidc", "roles", role)) for role in source.table(("oidc", "roles"))}
    return OidcSettings(
        issuer=issuer.rstrip("/"),
        client_id=client_id,
        client_secret=source.value(("oidc", "client_secret"), str),
        role_claim=source.value(("oidc", "role_claim"), str) or "roles",
        roles=MappingProxyType(roles),
        default_role=default_role,
    )


def _networks(source: Source, text: str | None) -> tuple[Network, ...]:
    """Addresses and networks of proxies, with commas between them."""
    found = []
    for part in (text or "").split(","):
        if not part.strip():
            continue
        try:
            found.append(ip_network(part.strip()))
        except ValueError as error:
            mend = f'holds "{part.strip()}": expected addresses or networks such as 10.0.0.0/8, 127.0.0.1 ({error})'
            raise source.problem(("trusted_proxies",), mend) from None
    return tuple(found)


def _scalar(source: Source, name: str) -> Any:
    kind, default = SCALARS[name]
    value = source.value((name,), kind)
    if value is None:
        return default
    if name in POSITIVE and value <= 0:
        raise source.problem((name,), f"is {value}: expected more than 0")
    return value


def _port(source: Source, port: int) -> int:
    if not 0 <= port <= 65535:
        raise source.problem(("port",), f"is {port}: expected 0 to 65535")
    return port


def _url(source: Source, name: str, value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise source.problem((name,), f'is "{value}": expected a web address such as https://sales.example.com')
    return value.rstrip("/")


def _model(source: Source, values: Mapping[str, Any]) -> ModelSettings:
    base_url = _url(source, "openai_base_url", values["openai_base_url"])
    _check_masking(source, values["masking"], values["model"], base_url)
    own = [name for name in values if name.startswith("model_") and name != "model_budget_per_day"]
    short = {name.removeprefix("model_"): values[name] for name in own}
    return ModelSettings(
        name=values["model"], api_key=values["openai_api_key"], base_url=base_url, masking=values["masking"], **short
    )


def _check_masking(source: Source, masking: bool, model: str | None, base_url: str | None) -> None:
    if masking or not model:
        return
    host = urlsplit(base_url or "https://api.openai.com").hostname
    if host not in LOOPBACK:
        mend = "is false, but the model is not on this machine: set masking = true, or openai_base_url to a local model"
        raise source.problem(("masking",), mend)


def _connections(source: Source, var: Path) -> dict[str, ConnectionSettings]:
    tables = dict(source.named_tables("connections"))
    tables.setdefault("local", {"crm": "local"})
    return {name: _connection(source, var, name, table) for name, table in tables.items()}


def _connection(source: Source, var: Path, name: str, table: Mapping[str, Any]) -> ConnectionSettings:
    # The registry is data (names of modules and keys); importing it loads no connector.
    from connectors.registry import COMMON_KEYS, VENDORS

    path = ("connections", name)
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise source.problem(path, "is no good name: expected small letters, digits, - and _ (it stands in URLs)")
    crm = source.one_of((*path, "crm"), table.get("crm", "local" if name == "local" else None), VENDORS)
    if (name == "local") != (crm == "local"):
        raise source.problem((*path, "crm"), f'is "{crm}": the connection "local" is the local CRM, and only it')
    vendor = VENDORS[crm]
    source.refuse_unknown(path, {*_OUR_KEYS, *COMMON_KEYS, *vendor.required, *vendor.optional})
    options = {key: source.value((*path, key), vendor.type_of(key)) for key in table if key not in _OUR_KEYS}
    if name == "local" and not options.get("webhook_secret"):
        options["webhook_secret"] = read_or_make_secret(var / "local-webhook.secret")
    _check_required(source, path, vendor.required, options)
    return ConnectionSettings(
        name,
        crm,
        MappingProxyType(options),
        _frame_ancestors(source, path),
        rep_sees=source.one_of((*path, "rep_sees"), table.get("rep_sees", "owner"), REP_SEES),
        teams=_teams(source, path),
    )


_OUR_KEYS = ("crm", "frame_ancestors", "rep_sees", "teams")


def _teams(source: Source, path: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    teams = source.at((*path, "teams"))
    if teams is None:
        return ()
    if not isinstance(teams, list) or not all(isinstance(team, list) for team in teams):
        raise source.problem((*path, "teams"), 'expected lists of user ids, such as [["U-1", "U-2"], ["U-3"]]')
    return tuple(tuple(str(user) for user in team) for team in teams)


def _check_required(
    source: Source, path: tuple[str, ...], required: tuple[str, ...], options: Mapping[str, Any]
) -> None:
    for key in required:
        if not options.get(key):
            raise source.problem(path, f'has no {key}: add it, for example {key} = "env:NAME_OF_A_VARIABLE"')


def _frame_ancestors(source: Source, path: tuple[str, ...]) -> tuple[str, ...]:
    hosts = source.strings((*path, "frame_ancestors"))
    for host in hosts:
        # A space or semicolon would smuggle other directives into the header.
        if not re.fullmatch(r"https?://[A-Za-z0-9.*:-]+", host):
            raise source.problem(
                (*path, "frame_ancestors"), f'holds "{host}": expected an origin such as https://x.com'
            )
    return hosts


def _playbook(source: Source, n: int, row: Mapping[str, Any]) -> PlaybookRow:
    path = ("playbook", str(n))
    source.refuse_unknown(path, {"when", "where", "draft", "channel", "write_back", "after_business_days"})
    when = source.one_of((*path, "when"), row.get("when"), sorted(EVENT_TYPES))
    kinds = source.strings((*path, "draft"))
    if "draft" not in row:
        raise source.problem(path, "has no draft: add draft = [kinds], or draft = [] for nothing")
    for kind in kinds:
        source.one_of((*path, "draft"), kind, KINDS)
    write_back = row.get("write_back")
    if write_back is not None:
        source.one_of((*path, "write_back"), write_back, WRITE_BACKS)
    outgoing = [kind for kind in kinds if kind not in INTERNAL_KINDS]
    if write_back == "at_once" and outgoing:
        raise source.problem((*path, "write_back"), f"is at_once, but {outgoing[0]} is for customers: use on_approval")
    channel = row.get("channel")
    if channel is not None:
        source.one_of((*path, "channel"), channel, CHANNELS)
    after = source.value((*path, "after_business_days"), int)
    if after is not None and not 0 <= after <= 365:
        raise source.problem((*path, "after_business_days"), f"is {after}: expected 0 to 365")
    where = MappingProxyType(_where(source, path))
    return PlaybookRow(when, where, kinds, channel, write_back, after_business_days=after)


def _where(source: Source, path: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    where = (*path, "where")
    table = source.table(where)
    source.refuse_unknown(where, set(WHERE_KEYS))
    return {key: source.strings((*where, key)) for key in table}


__all__ = ["ConnectionSettings", "ModelSettings", "PlaybookRow", "Settings", "SettingsError", "load_settings"]
