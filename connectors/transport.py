"""The one way out to a CRM: pool, timeouts, gentle retries, shared rate limits, paging, and no secret told.

A call goes only to the hosts that the connection names and follows no redirect. A short wait happens here; a long one
is raised as CrmUnavailable with `retry_after_s`, so that the job sleeps and no thread is held. A call that may have
been taken (a timeout, a 5xx) is made again only when making it twice changes nothing.

What lives elsewhere: credentials in `auth.py`, counting in `tracing.py`, paths and parameters in each CRM's client.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from connectors.tracing import Call, Trace, join, record, traced
from crmplugin.breaker import Breaker
from crmplugin.errors import CrmRefused, CrmUnavailable, SettingsError
from crmplugin.meters import CRM_CALLS
from crmplugin.ports import LONGEST_WAIT_S, Services

log = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 3
SHORT_WAIT_S = LONGEST_WAIT_S
"""What is waited for while a thread is held; more is slept durably by the job."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
CALLS_AT_ONCE = 8
DEAD_FOR_S = 10.0
"""How long a CRM that does not answer is left alone: each call would hold a thread for all of its timeouts."""
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
MAX_PAGES = 1000
MAX_WORDS = 300
"""How much of a CRM's own explanation goes into an error."""


class Refused(CrmRefused):
    """The CRM said no: its status, and its answer as a document when that was JSON."""

    def __init__(self, message: str, status: int, document: Any = None) -> None:
        self.status, self.document = status, document
        super().__init__(message)


class Credentials(Protocol):
    """What signs a request. `renewed` gets others than those that got a 401 and says whether to go again."""

    def applied(self) -> AuthBase: ...

    def renewed(self, refused: AuthBase) -> bool: ...

    def secrets(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: calls a second over time, and how many at once after a rest."""

    per_second: float
    burst: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a CRM answered. `document` is None for an empty or foreign body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any


def _no_words(answer: Answer) -> str:
    return ""


def _never(answer: Answer) -> bool:
    return False


def header_wait_s(answer: Answer, now: datetime) -> float | None:
    """Seconds of `Retry-After` (a number or a date); None when it is missing or makes no sense."""
    given = answer.headers.get("Retry-After")
    if given is None:
        return None
    try:
        # urllib3 believes at most six hours.
        return max(0.0, float(Retry().parse_retry_after(given)))
    except (InvalidHeader, OverflowError):
        return None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one CRM speaks of trouble: statuses of a call it did not take, how long to wait, what it says is wrong."""

    busy: frozenset[int] = frozenset({429})
    wait_s: Callable[[Answer, datetime], float | None] = header_wait_s
    explain: Callable[[Answer], str] = _no_words
    not_now: Callable[[Answer], bool] = _never
    """Whether the document says that the call was not taken and may be made later, whatever the status."""

    def is_busy(self, answer: Answer | None) -> bool:
        return answer is not None and (answer.status in self.busy or self.not_now(answer))


def may_go_again(status: int | None, *, busy: frozenset[int], repeatable: bool) -> bool:
    """Whether a call that failed may be made once more.

    Always when it was not taken. When it may have been taken (no answer, 408, 5xx) only if twice is the same as once.
    """
    if status in busy:
        return True
    return repeatable and (status is None or status == 408 or status >= 500)


@dataclass(slots=True)
class Transport:
    """Calls to one CRM account. `origins` are the only places it goes to; `limits` are buckets by name."""

    connection: str
    crm: str
    origins: Sequence[str]
    credentials: Credentials
    services: Services
    dialect: Dialect = field(default_factory=Dialect)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    timeout_s: float = READ_TIMEOUT_S
    calls_at_once: int = CALLS_AT_ONCE
    headers: Mapping[str, str] = field(default_factory=dict)

    breaker: Breaker = field(default_factory=lambda: Breaker(open_for_s=DEAD_FOR_S), repr=False)

    _session: requests.Session = field(init=False, repr=False)
    _gate: threading.BoundedSemaphore = field(init=False, repr=False)
    _allowed: frozenset[str] = field(init=False, repr=False)
    _environment: Mapping[str, Mapping[str, Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._session = _open_session(self.calls_at_once)
        self._gate = threading.BoundedSemaphore(self.calls_at_once)
        self._allowed = frozenset(origin_of(url) for url in self.origins)
        # Asked of the environment once: requests would read all of it for each call.
        about = self._session.merge_environment_settings
        self._environment = {url: about(url, {}, False, None, None) for url in self._allowed}
        self._session.trust_env = False

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
        bucket: str = "calls",
    ) -> Any:
        """The answer as a document; `body` goes out as JSON.

        `again`: whether the call may be made twice (default: by its method). Raises Refused for 4xx, CrmUnavailable
        for what may pass.
        """
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        sent = {**kind, **(headers or {})}
        return self.send(method, url, params=params, data=data, headers=sent, again=again, bucket=bucket).document

    def send(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        again: bool | None = None,
        bucket: str = "calls",
    ) -> Answer:
        """The answer whole, for what is not JSON. Raises like `call`."""
        self._check_origin(url)
        repeatable = method in REPEATABLE if again is None else again
        renewed = False
        for attempt in range(1, ATTEMPTS + 1):
            self._check_alive()
            self._take(bucket)
            auth = self.credentials.applied()
            answer = self._send_once(method, url, auth, params, data, headers)
            if answer is not None and answer.status < 400:
                return self._unless_redirect(method, url, answer)
            if answer is not None and answer.status == 401 and not renewed:
                renewed = True
                if self.credentials.renewed(auth):
                    continue
            status = answer.status if answer else None
            busy = self.dialect.is_busy(answer)
            if not busy and not may_go_again(status, busy=self.dialect.busy, repeatable=repeatable):
                raise self._error(method, url, answer)
            wait = self._wait_s(answer, attempt)
            if attempt == ATTEMPTS or wait > SHORT_WAIT_S:
                raise self._unavailable(method, url, answer, wait)
            self.services.sleep(wait)
        raise self._unavailable(method, url, answer, None)

    def together(self, *calls: Callable[[], T]) -> list[T]:
        """What these give, made beside each other: one round. The first error is raised when all have ended."""
        if len(calls) < 2:
            return [call() for call in calls]
        branches = [Trace() for _ in calls]

        def run(n: int) -> T:
            with traced() as trace:
                try:
                    return calls[n]()
                finally:
                    branches[n] = trace

        with ThreadPoolExecutor(min(len(calls), self.calls_at_once)) as pool:
            futures = [pool.submit(copy_context().run, run, n) for n in range(len(calls))]
        join(branches)
        return [future.result() for future in futures]

    def _send_once(
        self, method: str, url: str, auth: AuthBase, params: Any, data: Any, headers: Mapping[str, str] | None
    ) -> Answer | None:
        """One request; None when no whole answer came."""
        started = time.monotonic()
        status: int | None = None
        try:
            with self._gate:
                response = self._session.request(
                    method,
                    url,
                    params=params,
                    data=data,
                    headers={"Accept": "application/json", **self.headers, **(headers or {})},
                    auth=auth,
                    timeout=(min(CONNECT_TIMEOUT_S, self.timeout_s), self.timeout_s),
                    allow_redirects=False,
                    **self._environment[origin_of(url)],
                )
            self.breaker.succeeded()
            status = response.status_code
            return Answer(status, response.headers, response.content, _document(response.content))
        except requests.RequestException as error:
            self.breaker.failed()
            log.warning("crm call failed", extra=self._about(method, url) | {"reason": type(error).__name__})
            return None
        finally:
            ms = round((time.monotonic() - started) * 1000)
            CRM_CALLS.labels(self.crm, self.connection, str(status or "none")).observe(ms / 1000)
            record(Call(method, urlsplit(url).path, status, ms))
            log.debug("crm call", extra=self._about(method, url) | {"status": status, "ms": ms})

    def _check_alive(self) -> None:
        """Raises CrmUnavailable at once while the CRM is left alone."""
        if wait_s := self.breaker.enter():
            silence = f"{self._who()} did not answer {self.breaker.failures} times in a row"
            raise CrmUnavailable(f"{silence}; next try in {wait_s:.0f} s")

    def _take(self, bucket: str) -> None:
        """Waits its turn; raises CrmUnavailable when that would be long."""
        for name in dict.fromkeys(("calls", bucket)):
            limit = self.limits.get(name)
            if limit is None:
                continue
            key = f"{self.crm}/{self.connection}/{name}"
            wait = self.services.limiter.reserve(key, per_second=limit.per_second, burst=limit.burst)
            if wait > SHORT_WAIT_S:
                raise CrmUnavailable(f"{self._who()} is called as often as it allows: wait {wait:.0f} s", wait)
            if wait > 0:
                self.services.sleep(wait)

    def _wait_s(self, answer: Answer | None, attempt: int) -> float:
        """How long to wait before going again; everybody waits when the CRM said how long."""
        said = self.dialect.wait_s(answer, self.services.clock()) if answer else None
        if said is None:
            return float(random.uniform(0.1, 0.3) * 2**attempt)
        if self.dialect.is_busy(answer):
            self.services.limiter.hold(f"{self.crm}/{self.connection}/calls", said)
        return said

    def _unless_redirect(self, method: str, url: str, answer: Answer) -> Answer:
        if answer.status >= 300:
            what = f"{self._who()} sent {method} {_path(url)} elsewhere ({answer.status})"
            raise Refused(f"{what}: set base_url to the address that answers itself", answer.status)
        return answer

    def _error(self, method: str, url: str, answer: Answer | None) -> CrmRefused | CrmUnavailable:
        if answer is None or answer.status >= 500 or answer.status == 408:
            return self._unavailable(method, url, answer, None)
        what = f"{self._who()} refused {method} {_path(url)} ({answer.status})"
        return Refused(self._told(what, answer), answer.status, answer.document)

    def _unavailable(self, method: str, url: str, answer: Answer | None, wait: float | None) -> CrmUnavailable:
        how = f"answered {answer.status}" if answer else "did not answer"
        what = f"{self._who()} {how} to {method} {_path(url)}"
        return CrmUnavailable(self._told(what, answer), wait if wait and wait > SHORT_WAIT_S else None)

    def _told(self, what: str, answer: Answer | None) -> str:
        """The sentence with the CRM's own words behind it, without any secret."""
        words = self.dialect.explain(answer) if answer else ""
        return redacted(f"{what}: {words[:MAX_WORDS]}" if words else what, self.credentials.secrets())

    def _check_origin(self, url: str) -> None:
        if origin_of(url) not in self._allowed:
            known = ", ".join(sorted(self._allowed))
            raise SettingsError(f"connections.{self.connection}: {origin_of(url)} is not among its hosts ({known})")

    def _who(self) -> str:
        return f"{self.crm} ({self.connection})"

    def _about(self, method: str, url: str) -> dict[str, Any]:
        return {"crm": self.crm, "connection": self.connection, "method": method, "path": _path(url)}


def read_pages(read: Callable[[str | None], tuple[Sequence[T], str | None]], *, at_most: int | None = None) -> list[T]:
    """All entries of a paged answer, or the first `at_most`. `read(cursor)` gives entries and the next cursor.

    Raises CrmRefused when a cursor comes twice: such paging never ends.
    """
    found: list[T] = []
    cursor: str | None = None
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        entries, cursor = read(cursor)
        found.extend(entries)
        if cursor is None or (at_most is not None and len(found) >= at_most):
            return found[:at_most]
        if cursor in seen:
            break
        seen.add(cursor)
    raise CrmRefused(f"the CRM's pages do not end (cursor {cursor!r} came twice or there are over {MAX_PAGES})")


def redacted(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret of at least six characters taken out."""
    for secret in secrets:
        if len(secret) >= 6:
            text = text.replace(secret, "[secret]")
    return text


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in one spelling. Raises SettingsError when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    if not port or not parts.hostname:
        raise SettingsError(f"{url!r} is no web address: expected one such as https://api.example.com")
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _open_session(at_once: int) -> requests.Session:
    session = requests.Session()
    # Only the making of a connection is repeated down here; what a CRM may have taken is decided above.
    retry = Retry(total=None, connect=1, read=0, redirect=0, status=0, other=0, backoff_factor=0.1)
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=at_once, max_retries=retry)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _document(body: bytes) -> Any:
    """The body as JSON; None when it is empty or something else (a proxy's page in HTML)."""
    if not body.strip():
        return None
    try:
        return json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _path(url: str) -> str:
    return urlsplit(url).path
