"""The way out to a CRM: what is repeated, what is waited for, where it goes, and what an error tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses

from connectors.auth import FixedHeader, NameAndPassword, OAuth
from connectors.in_memory import MemoryLimiter, MemoryVault
from connectors.tracing import traced
from connectors.transport import Answer, Dialect, Limit, Refused, Transport, may_go_again, read_pages, redacted
from crmplugin.breaker import Breaker
from crmplugin.errors import CrmRefused, CrmUnavailable, SettingsError
from crmplugin.ports import Services
from tests.fakes.server import FakeServer, Request

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
URL = "https://api.crm.example/deals"
TOKEN = "token-that-nobody-may-see"


class Waits(list[float]):
    """Remembers how long somebody wanted to sleep, and does not."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def make_transport(waits: Waits | None = None, **changes: Any) -> Transport:
    services = Services(
        MemoryLimiter(), MemoryVault(), clock=lambda: NOW, sleep=waits if waits is not None else Waits()
    )
    given: dict[str, Any] = {
        "connection": "acme",
        "crm": "testcrm",
        "origins": ("https://api.crm.example",),
        "credentials": FixedHeader(TOKEN),
        "services": services,
    }
    return Transport(**(given | changes))


@pytest.fixture
def crm() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=True) as mock:
        yield mock


def test_answer_comes_as_document_with_the_token_sent(crm):
    crm.get(URL, json={"id": 1}, match=[responses.matchers.header_matcher({"Authorization": f"Bearer {TOKEN}"})])

    assert make_transport().call("GET", URL) == {"id": 1}


REPEATS = [
    (429, False, True),
    (429, True, True),
    (500, False, False),
    (500, True, True),
    (None, False, False),
    (None, True, True),
    (408, True, True),
    (400, True, False),
    (404, True, False),
]


@pytest.mark.parametrize(("status", "repeatable", "again"), REPEATS)
def test_only_what_does_no_harm_twice_goes_again(status, repeatable, again):
    assert may_go_again(status, busy=frozenset({429}), repeatable=repeatable) is again


def test_read_is_repeated_after_an_error_of_the_crm(crm):
    crm.get(URL, status=503)
    crm.get(URL, json={"id": 1})

    assert make_transport().call("GET", URL) == {"id": 1}


def test_create_is_not_repeated_after_a_500_because_it_may_have_been_taken(crm):
    crm.post(URL, status=500)

    with pytest.raises(CrmUnavailable, match="answered 500 to POST /deals"):
        make_transport().call("POST", URL, body={})


def test_create_is_not_repeated_after_a_broken_answer(crm):
    crm.post(URL, body=requests.ReadTimeout())

    with pytest.raises(CrmUnavailable, match="did not answer"):
        make_transport().call("POST", URL, body={})


def test_short_retry_after_is_waited_for_here(crm):
    waits = Waits()
    crm.post(URL, status=429, headers={"Retry-After": "2"})
    crm.post(URL, json={"id": 1})

    assert make_transport(waits).call("POST", URL, body={}) == {"id": 1}
    assert waits[0] == 2.0


def test_long_retry_after_is_raised_and_holds_everybody(crm):
    transport = make_transport(limits={"calls": Limit(100, 100)})
    crm.get(URL, status=429, headers={"Retry-After": "90"})

    with pytest.raises(CrmUnavailable) as raised:
        transport.call("GET", URL)
    with pytest.raises(CrmUnavailable):
        transport.call("GET", URL)

    assert raised.value.retry_after_s == 90.0
    assert len(crm.calls) == 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "١٢"])
def test_senseless_retry_after_is_not_believed(crm, value):
    crm.get(URL, status=429, headers={"Retry-After": value})
    crm.get(URL, json={"id": 1})

    assert make_transport().call("GET", URL) == {"id": 1}


def test_crm_that_does_not_answer_is_left_alone_until_one_probe_is_answered(crm):
    now = [100.0]
    transport = make_transport(breaker=Breaker(open_for_s=10, clock=lambda: now[0]))
    crm.get(URL, body=requests.ConnectTimeout())
    for _ in range(2):
        with pytest.raises(CrmUnavailable):
            transport.call("GET", URL)
    asked = len(crm.calls)

    with pytest.raises(CrmUnavailable, match="5 times in a row; next try in 10 s"):
        transport.call("GET", URL)
    now[0] = 110.0
    crm.get(URL, json={"id": 1})
    answered = transport.call("GET", URL)
    transport.call("GET", URL)

    assert (asked, answered) == (5, {"id": 1})
    assert len(crm.calls) == 7


def test_calls_beyond_the_limit_wait_their_turn():
    waits = Waits()
    transport = make_transport(waits, limits={"calls": Limit(per_second=10, burst=2)})
    with responses.RequestsMock() as crm:
        crm.get(URL, json={})
        for _ in range(4):
            transport.call("GET", URL)

    assert [round(wait, 1) for wait in waits] == [0.1, 0.2]


def test_call_to_another_host_never_leaves():
    with pytest.raises(SettingsError, match=r"https://evil\.example:443 is not among its hosts"):
        make_transport().call("GET", "https://evil.example/deals")


@pytest.mark.parametrize("to", ["https://evil.example/", "/elsewhere"])
def test_redirect_is_not_followed(crm, to):
    crm.get(URL, status=302, headers={"Location": to})

    with pytest.raises(Refused, match="elsewhere"):
        make_transport().call("GET", URL)


def test_error_tells_the_words_of_the_crm_and_no_secret(crm):
    crm.get(URL, status=403, json={"message": f"no scope for {TOKEN}"})
    dialect = Dialect(explain=lambda answer: str(answer.document["message"]))

    with pytest.raises(Refused) as raised:
        make_transport(dialect=dialect).call("GET", URL, params={"api_token": TOKEN})

    assert str(raised.value) == "testcrm (acme) refused GET /deals (403): no scope for [secret]"
    assert raised.value.status == 403


def test_secrets_leave_every_text():
    assert redacted("a s3cr3t-one b s3cr3t-two", ["s3cr3t-one", "s3cr3t-two"]) == "a [secret] b [secret]"


def test_html_of_a_proxy_is_no_document(crm):
    crm.get(URL, body="<html>busy</html>")

    assert make_transport().call("GET", URL) is None


def test_name_and_password_are_sent_as_basic(crm):
    header = {"Authorization": "Basic cGQtaG9vazpjMHJyZWN0LWgwcnNl"}
    crm.get(URL, json={}, match=[responses.matchers.header_matcher(header)])

    make_transport(credentials=NameAndPassword("pd-hook", "c0rrect-h0rse")).call("GET", URL)


def test_pages_are_read_to_the_end():
    pages = {None: ([1, 2], "a"), "a": ([3], "b"), "b": ([], None)}

    assert read_pages(lambda cursor: pages[cursor]) == [1, 2, 3]
    assert read_pages(lambda cursor: pages[cursor], at_most=2) == [1, 2]


def test_pages_that_go_round_are_refused():
    with pytest.raises(CrmRefused, match="do not end"):
        read_pages(lambda cursor: ([1], "a"))


class Slow(FakeServer):
    """Answers each call only when three of them are there."""

    ROUTES = (("GET", r"/n/(\d+)", "read"),)

    def __init__(self) -> None:
        super().__init__()
        self.meeting = threading.Barrier(3, timeout=10)

    def answer(self, request: Request) -> Any:
        self.meeting.wait()
        return super().answer(request)

    def read(self, request: Request, number: str) -> tuple[int, Any]:
        return 200, {"n": int(number)}


def test_calls_of_one_round_run_beside_each_other_and_count_as_one():
    with Slow().running() as fake, traced() as trace:
        transport = make_transport(origins=(fake.url,))
        got = transport.together(*[lambda n=n: transport.call("GET", f"{fake.url}/n/{n}") for n in range(3)])

    assert [answer["n"] for answer in got] == [0, 1, 2]
    assert (len(trace.calls), trace.rounds) == (3, 1)


def test_calls_one_after_another_are_rounds_of_their_own(crm):
    crm.get(URL, json={})
    with traced() as trace:
        transport = make_transport()
        transport.call("GET", URL)
        transport.call("GET", URL)

    assert (len(trace.calls), trace.rounds) == (2, 2)


TOKENS = "https://auth.crm.example/token"


def make_oauth(**changes: Any) -> OAuth:
    services = Services(MemoryLimiter(), MemoryVault(), clock=lambda: NOW)
    form = {"grant_type": "refresh_token", "refresh_token": "refresh-token-1", "client_secret": "client-secret-1"}
    given: dict[str, Any] = {"connection": "acme", "token_url": TOKENS, "form": form, "services": services}
    return OAuth(**(given | changes))


def test_token_is_fetched_once_and_kept_until_shortly_before_its_end(crm):
    oauth = make_oauth()
    crm.post(TOKENS, json={"access_token": "access-1", "expires_in": 1800})
    crm.get(URL, json={})
    transport = make_transport(credentials=oauth)

    transport.call("GET", URL)
    transport.call("GET", URL)

    assert oauth.ends_at() == NOW + timedelta(seconds=1800)
    assert [call.request.url for call in crm.calls] == [TOKENS, URL, URL]


def test_refused_token_is_renewed_once_and_the_call_goes_again(crm):
    oauth = make_oauth()
    oauth.services.vault.put("acme", "access_token", "stale", expires_at=NOW + timedelta(hours=1))
    crm.get(URL, status=401)
    crm.post(TOKENS, json={"access_token": "access-2", "expires_in": 1800, "refresh_token": "refresh-token-2"})
    crm.get(URL, json={}, match=[responses.matchers.header_matcher({"Authorization": "Bearer access-2"})])

    make_transport(credentials=oauth).call("GET", URL)

    assert oauth.services.vault.get("acme", "refresh_token") == ("refresh-token-2", None)


def test_two_threads_with_the_same_stale_token_renew_it_once(crm):
    oauth = make_oauth()
    oauth.services.vault.put("acme", "access_token", "stale", expires_at=NOW + timedelta(hours=1))
    stale = oauth.applied()
    crm.post(TOKENS, json={"access_token": "access-2", "expires_in": 1800})

    assert oauth.renewed(stale)
    assert oauth.renewed(stale)

    assert len(crm.calls) == 1


@pytest.mark.parametrize(
    ("status", "document"), [(400, {"error": "invalid_grant"}), (200, {"error": "invalid_code"}), (200, [])]
)
def test_refused_renewal_says_connect_again(crm, status, document):
    crm.post(TOKENS, status=status, json=document)

    with pytest.raises(CrmRefused, match="connect it again"):
        make_oauth().applied()


def test_unsure_answer_is_not_taken_for_a_document():
    assert Answer(200, {}, b"\xff", None).document is None
