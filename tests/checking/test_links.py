from __future__ import annotations

import pytest

from crmplugin.checking.links import same_link, same_phone

from .world import make_brief, verdict_of


@pytest.mark.parametrize(
    "text", ["https://halden.example/docs", "HTTPS://Halden.example/docs", "https://halden.example/docs/"]
)
def test_a_link_of_a_fact_stands(text):
    assert verdict_of(f"See {text}.") == "supported"


@pytest.mark.parametrize(
    "text",
    [
        "https://halden.example/docs?u=1",
        "https://halden.example/Docs",
        "https://halden.example",
        "http://pay.evil.test/x",
        "pay.evil.test",
        "www.halden.example.evil.test",
        "https://halden.example.evil.test/docs",
        "me@evil.test",
        "+1 900 555 0100",
        "0049 30 5550124",
        "javascript.evil.com/x",
    ],
)
def test_any_other_link_address_or_number_is_refused(text):
    assert verdict_of(f"See {text}.") == "unsupported"


@pytest.mark.parametrize(
    "text", ["+49 30 5550123", "+49 (0)30 5550123", "0049305550123", "030 5550123", "+49-30-555-0123"]
)
def test_a_phone_number_is_its_digits(text):
    assert verdict_of(f"Call {text}.") == "supported"


def test_the_senders_own_address_stands():
    assert verdict_of("Write to jonas@halden.example.", brief=make_brief()) == "supported"
    assert verdict_of("Write to jonas@halden.example.") == "unsupported"


def test_paths_and_queries_count_and_schemes_do_not():
    assert same_link("halden.example", "https://www.halden.example/")
    assert not same_link("https://halden.example/a", "https://halden.example/A")
    assert not same_link("ftp://halden.example", "https://halden.example")


def test_a_short_number_is_no_phone():
    assert not same_phone("123", "+49 30 5550123")
    assert not same_phone("", "")
