"""How a connection proves itself to its CRM: a token in a header, a name and password, or OAuth that renews itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from connectors.transport import MAX_WORDS, redacted
from crmplugin.errors import CrmRefused, CrmUnavailable
from crmplugin.ports import Services

EARLY = timedelta(minutes=2)
"""A token is renewed this long before it ends."""
DEFAULT_LASTS_S = 1500
TOKEN_TIMEOUT_S = (5.0, 15.0)


class HeaderAuth(AuthBase):
    """Sets one header; unlike requests' own choice it is never replaced by what a .netrc says."""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers[self.name] = self.value
        return request


@dataclass(frozen=True, slots=True)
class FixedHeader:
    """A token that stays: `Authorization: Bearer …` unless the CRM wants another header."""

    token: str = field(repr=False)
    name: str = "Authorization"
    scheme: str = "Bearer "

    def applied(self) -> AuthBase:
        return HeaderAuth(self.name, self.scheme + self.token)

    def renewed(self, refused: AuthBase) -> bool:
        """False: only a person can give another one."""
        return False

    def secrets(self) -> Iterable[str]:
        return (self.token,)


@dataclass(frozen=True, slots=True)
class NameAndPassword:
    """HTTP Basic."""

    user: str
    password: str = field(repr=False)

    def applied(self) -> AuthBase:
        return HTTPBasicAuth(self.user.encode(), self.password.encode())

    def renewed(self, refused: AuthBase) -> bool:
        """False: only a person can give another one."""
        return False

    def secrets(self) -> Iterable[str]:
        return (self.password,)


class Anonymous:
    """Nothing at all, for what a CRM tells everybody."""

    def applied(self) -> AuthBase:
        return _Nobody()

    def renewed(self, refused: AuthBase) -> bool:
        """False: there is nothing to renew."""
        return False

    def secrets(self) -> Iterable[str]:
        return ()


@dataclass(slots=True)
class OAuth:
    """An access token that is renewed shortly before it ends, by one process at a time.

    `form` is what the token endpoint is asked (RFC 6749 §6); a refresh token kept in the vault replaces the one in
    `form`, because some CRMs give a new one each time. `basic` sends client id and secret as HTTP Basic.
    """

    connection: str
    token_url: str
    form: Mapping[str, str] = field(repr=False)
    services: Services
    basic: tuple[str, str] | None = field(default=None, repr=False)
    keep: str = "access_token"
    scheme: str = "Bearer "

    def applied(self) -> AuthBase:
        return HeaderAuth("Authorization", self.scheme + (self._valid() or self._renew(unlike="")))

    def renewed(self, refused: AuthBase) -> bool:
        """Another token after the CRM refused this one before its time."""
        value = refused.value if isinstance(refused, HeaderAuth) else ""
        self._renew(unlike=value.removeprefix(self.scheme))
        return True

    def secrets(self) -> Iterable[str]:
        kept = self.services.vault.get(self.connection, self.keep)
        return tuple(value for value in (kept[0] if kept else "", *self.form.values()) if len(value) >= 12)

    def ends_at(self) -> datetime | None:
        """When the kept token ends."""
        kept = self.services.vault.get(self.connection, self.keep)
        return kept[1] if kept else None

    def _valid(self) -> str | None:
        kept = self.services.vault.get(self.connection, self.keep)
        if kept is None or (kept[1] is not None and kept[1] - EARLY <= self.services.clock()):
            return None
        return kept[0]

    def _renew(self, *, unlike: str) -> str:
        """A token other than `unlike`; whoever waited for the lock finds what the one before has fetched."""
        vault = self.services.vault
        with vault.lock(self.connection, self.keep):
            kept = self._valid()
            if kept and kept != unlike:
                return kept
            given = self._ask()
            token = str(given["access_token"])
            lasts = timedelta(seconds=_seconds(given.get("expires_in")))
            vault.put(self.connection, self.keep, token, expires_at=self.services.clock() + lasts)
            if given.get("refresh_token"):
                vault.put(self.connection, "refresh_token", str(given["refresh_token"]))
            return token

    def _ask(self) -> Mapping[str, Any]:
        form = dict(self.form)
        kept = self.services.vault.get(self.connection, "refresh_token")
        if kept and "refresh_token" in form:
            form["refresh_token"] = kept[0]
        try:
            answer = requests.post(
                self.token_url,
                data=form,
                auth=self.basic or _Nobody(),
                headers={"Accept": "application/json"},
                timeout=TOKEN_TIMEOUT_S,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CrmUnavailable(f"{self.connection}: the token endpoint did not answer") from error
        return _granted(self.connection, answer, self.secrets())


class _Nobody(AuthBase):
    """No credentials in a header, whatever a .netrc says."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def _granted(connection: str, answer: requests.Response, secrets: Iterable[str]) -> Mapping[str, Any]:
    """The token endpoint's answer. Some CRMs say 200 and put the error inside."""
    if answer.status_code == 429 or answer.status_code >= 500:
        said = answer.headers.get("Retry-After", "")
        wait = float(said) if said.isdecimal() and len(said) < 6 else None
        raise CrmUnavailable(f"{connection}: the token endpoint answered {answer.status_code}", wait)
    try:
        document = answer.json()
    except ValueError:
        document = None
    if answer.status_code == 200 and isinstance(document, dict) and document.get("access_token"):
        return document
    told = [document.get(name) for name in ("error", "error_description")] if isinstance(document, dict) else []
    words = ": ".join(one[:MAX_WORDS] for one in told if isinstance(one, str)) or str(answer.status_code)
    what = f"{connection}: the CRM gives no new access token ({redacted(words, secrets)})"
    raise CrmRefused(f"{what}: connect it again, its refresh token or client secret is no longer valid")


def _seconds(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else DEFAULT_LASTS_S
