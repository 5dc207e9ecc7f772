"""Signing in: by a provider, with what can go wrong; sessions that end; doors that close after many tries."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from crmplugin.settings import OidcSettings
from crmplugin.web.app import create_app
from crmplugin.web.auth import COOKIE
from tests.access.conftest import HERE, THERE
from tests.access.provider import CLIENT_ID, CLIENT_SECRET, running_provider
from tests.web.conftest import documents
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def clock_of_this_test():
    """Each test's own beginning: the suite takes longer than a link lasts."""
    global NOW
    NOW = datetime.now(UTC)


ROLES = {"admin": ("admins",), "rep": ("reps",)}


@pytest.fixture
def provider():
    with running_provider() as running:
        yield running


@pytest.fixture
def browser(office, provider):
    """A browser at a server that knows the provider, where Ann is U-1 of the local CRM and U-2 of the other."""
    oidc = OidcSettings(provider.issuer, CLIENT_ID, CLIENT_SECRET, "roles", ROLES, None)
    desk = replace(office.desk, settings=replace(office.desk.settings, oidc=oidc))
    for name, user in ((HERE, "U-1"), (THERE, "U-2")):
        office.desk.records.upsert_many(name, documents({"users": [{"id": user, "email": "Ann@Halden.example"}]}))
    return create_app(desk).test_client()


def go(browser, provider, **changes):
    """Signs in: to the provider and back."""
    there = browser.get("/sign-in/oidc")
    assert there.status_code == 303
    query = dict(parse_qsl(urlsplit(there.headers["Location"]).query))
    back = provider.authorize(query)
    return browser.get(f"{urlsplit(back).path}?{urlsplit(back).query}", query_string=changes or None)


def test_person_signs_in_and_is_somebody_in_each_crm(browser, provider):
    answer = go(browser, provider)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/console")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert browser.get(f"/api/v1/briefs?deal=D-1&connection={HERE}").status_code == 200
    assert browser.get(f"/api/v1/briefs?deal=D-2&connection={HERE}").status_code == 404
    assert browser.get(f"/api/v1/briefs?deal=D-2&connection={THERE}").status_code == 200
    assert browser.get(f"/api/v1/briefs?deal=D-1&connection={THERE}").status_code == 404
    assert browser.get("/api/v1/events").status_code == 403


def test_role_comes_from_the_claim(browser, provider):
    provider.person |= {"roles": ["staff", "admins"]}
    go(browser, provider)

    assert browser.get("/api/v1/events").status_code == 200


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        ({"roles": ["guests"]}, "you have no role here"),
        ({"roles": None}, "you have no role here"),
        ({"email": "stranger@halden.example"}, "no CRM has a user with your mail address"),
        ({"email_verified": False}, "no CRM has a user with your mail address"),
    ],
    ids=str,
)
def test_who_has_nothing_here_is_told_so(browser, provider, person, sentence):
    provider.person |= person

    assert sentence in is_problem(go(browser, provider), 403, "forbidden")["detail"]
    assert browser.get_cookie(COOKIE) is None


def test_address_that_nobody_vouches_for_is_no_name(browser, provider, office):
    """Else somebody could call themselves a colleague, in the audit and before a second pair of eyes."""
    provider.person |= {"roles": ["admins"], "email": "ann@halden.example", "email_verified": False, "sub": "s-99"}
    go(browser, provider)

    assert [row.who for row in office.desk.access.sessions(now=NOW)][-1] == "person:s-99"


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SPOILED = {
    "alg none": {"alg": "none"},
    "alg HS256 with the public key": {"alg": "HS256"},
    "signed by another key": {"key": OTHER_KEY},
    "key that is not published": {"kid": "key-2"},
    "another audience": {"claims": {"aud": "another-client"}},
    "for another party": {"claims": {"aud": [CLIENT_ID, "b"], "azp": "b"}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "another nonce": {"claims": {"nonce": "replayed"}},
    "no nonce": {"claims": {"nonce": None}},
    "over": {"claims": {"exp": 1}},
    "without an end": {"claims": {"exp": None}},
    "nobody": {"claims": {"sub": None}},
    "a provider of another name": {"issuer": "https://evil.example"},
}


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_token_is_refused(browser, provider, how):
    there = browser.get("/sign-in/oidc")
    back = urlsplit(provider.authorize(dict(parse_qsl(urlsplit(there.headers["Location"]).query))))
    provider.spoil = SPOILED[how]

    is_problem(browser.get(f"{back.path}?{back.query}"), 401, "not_genuine")
    assert browser.get_cookie(COOKIE) is None


def test_answer_to_another_browser_is_refused(browser, provider, office):
    there = browser.get("/sign-in/oidc")
    back = urlsplit(provider.authorize(dict(parse_qsl(urlsplit(there.headers["Location"]).query))))
    other = browser.application.test_client()

    is_problem(other.get(f"{back.path}?{back.query}"), 401, "not_genuine")
    other.get("/sign-in/oidc")  # with a cookie of its own the state is another's
    is_problem(other.get(f"{back.path}?{back.query}"), 401, "not_genuine")


def test_code_works_once(browser, provider):
    there = browser.get("/sign-in/oidc")
    back = urlsplit(provider.authorize(dict(parse_qsl(urlsplit(there.headers["Location"]).query))))
    kept = browser.get_cookie("crmplugin_oidc", path="/sign-in/oidc").value

    assert browser.get(f"{back.path}?{back.query}").status_code == 303
    browser.set_cookie("crmplugin_oidc", kept, path="/sign-in/oidc")
    is_problem(browser.get(f"{back.path}?{back.query}"), 401, "not_genuine")


def test_provider_that_says_no_is_told(browser, provider):
    query = dict(parse_qsl(urlsplit(browser.get("/sign-in/oidc").headers["Location"]).query))

    problem = is_problem(
        browser.get(f"/sign-in/oidc/callback?error=access_denied&state={query['state']}"), 401, "not_genuine"
    )

    assert "did not sign you in" in problem["detail"]


def test_without_a_provider_there_is_none(client):
    is_problem(client.get("/sign-in/oidc"), 404, "not_found")


def test_sessions_are_listed_and_ended_by_command(browser, provider, office):
    go(browser, provider)
    access = office.desk.access
    mine = [row for row in access.sessions(now=NOW) if row.who == "person:ann@halden.example"][-1]

    access.end_named(mine.id)

    is_problem(browser.get("/api/v1/drafts"), 401, "not_signed_in")


def test_session_commands(crmplugin):
    link = crmplugin("token", "link", "--role", "manager").out.strip()

    assert crmplugin("sessions", "list", "--json").json == {"items": [], "next": None}
    assert crmplugin("sessions", "end", "--all").out == "0 sessions ended\n"
    assert crmplugin("sessions", "end", "nothing-like-it").code == 1
    assert "/sign-in/" in link


def test_door_closes_after_many_tries_and_opens_again(app, office):
    guesser, elsewhere = app.test_client(), app.test_client()
    here, there = {"REMOTE_ADDR": "203.0.113.7"}, {"REMOTE_ADDR": "203.0.113.8"}
    for n in range(20):
        is_problem(guesser.get(f"/sign-in/guess-{n}", environ_base=here), 401, "not_genuine")
    link = office.desk.access.create_link("manager", expires_at=NOW + timedelta(minutes=5))

    closed = guesser.get(f"/sign-in/{link}", environ_base=here)

    assert "try again in 1" in is_problem(closed, 429, "too_many_tries")["detail"]
    assert int(closed.headers["Retry-After"]) <= 601
    assert elsewhere.get(f"/sign-in/{link}", environ_base=there).status_code == 303
    later = NOW + timedelta(minutes=11)
    assert office.desk.access.locked_until("203.0.113.7", now=later) is None
