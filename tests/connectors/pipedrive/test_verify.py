"""Pipedrive's proofs: Basic credentials of webhooks and the panel's token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from connectors.pipedrive.verify import read_token, verify_webhook
from crmplugin.errors import NotGenuine

BASIC = "Basic cGQtaG9vazpjMHJyZWN0LWgwcnNl"
SECRET = "panel-jwt-secret-example-0123456789"
TOKEN = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VySWQiOjExODg3NzIyLCJjb21wYW55SWQiOjc2NTQzMjEsImlhdCI6MTc5NTAwMDAwMCwi"
    "ZXhwIjoxNzk1MDAwMzAwfQ.xCGFtfDzTJvq8wMmSKcL0y5TDxP7aW-9IZODU341PzA"
)
NOW = datetime.fromtimestamp(1795000010, UTC)
URL = "https://assist.example.com/webhooks/acme"


def check(value: str | None, *, url: str = URL, path: str | None = None, password: str = "c0rrect-h0rse") -> None:
    headers = {} if value is None else {"authorization": value}
    verify_webhook(headers, url=url, user="pd-hook", passwords=[password], path=path)


def test_credentials_of_the_subscription_are_genuine():
    check(BASIC)
    check(BASIC, url=URL + "/s3cret", path="s3cret")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer cGQtaG9vazpjMHJyZWN0LWgwcnNl",
        "Basic cGQtaG9vaw==",
        "Basic OmMwcnJlY3Q=",
        "Basic ä",
    ],
)
def test_everything_else_is_not_genuine(value):
    with pytest.raises(NotGenuine):
        check(value)


def test_other_password_or_missing_secret_path_is_not_genuine():
    with pytest.raises(NotGenuine):
        check(BASIC, password="other")
    with pytest.raises(NotGenuine):
        check(BASIC, path="s3cret")


def read(token: str = TOKEN, *, secret: str = SECRET, company: str = "7654321", now: datetime = NOW):
    return read_token(token, secrets=[secret], company_id=company, now=now)


def test_published_token_names_user_and_company():
    assert read()["userId"] == 11887722


def claims(**changes):
    given = {"userId": 11887722, "companyId": 7654321, "iat": 1795000000, "exp": 1795000300} | changes
    return {key: value for key, value in given.items() if value is not None}


BAD = {
    "other secret": jwt.encode(claims(), "x" * 32, algorithm="HS256"),
    "no algorithm": jwt.encode(claims(), "", algorithm="none"),
    "other algorithm": jwt.encode(claims(), SECRET * 2, algorithm="HS512"),
    "no end": jwt.encode(claims(exp=None), SECRET, algorithm="HS256"),
    "other company": jwt.encode(claims(companyId=1), SECRET, algorithm="HS256"),
    "no user": jwt.encode(claims(userId=None), SECRET, algorithm="HS256"),
    "no token": "",
    "garbage": "a.b.c",
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_other_tokens_are_not_genuine(token):
    with pytest.raises(NotGenuine):
        read(token)


@pytest.mark.parametrize("seconds", [-600, 600])
def test_token_of_another_time_is_not_genuine(seconds):
    with pytest.raises(NotGenuine):
        read(now=NOW + timedelta(seconds=seconds))
