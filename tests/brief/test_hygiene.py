"""What a CRM writes where it means nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from crmplugin.brief.hygiene import clean, current_quotes
from tests.builders import (
    at,
    make_activity,
    make_company,
    make_contact,
    make_context,
    make_deal,
    make_order,
    make_product,
    make_quote,
)


@pytest.mark.parametrize("empty", ["", " ", "-", "N/A", "none", "NULL", "Unknown", "test"])
def test_null_likes_are_missing(empty: str):
    context = make_context(contacts=(make_contact(title=empty, salutation=empty),))

    contact = clean(context).contacts[0]
    assert contact.title is None
    assert contact.salutation is None


def test_a_country_code_that_looks_like_nothing_stays():
    assert clean(make_context(company=make_company(country="NA"))).company == make_company(country="NA")


def test_amount_zero_on_an_open_deal_is_unknown():
    assert clean(make_context(deal=make_deal(amount=Decimal(0)))).deal == make_deal(amount=None)


def test_amount_zero_on_a_lost_deal_is_kept():
    lost = make_deal(amount=Decimal(0), status="lost", closed_at=at("2026-02-20"))
    reopened = make_deal(amount=Decimal(0), status="lost", closed_at=at("2026-02-20"), reopened_at=at("2026-03-01"))

    assert clean(make_context(deal=lost)).deal == lost
    cleaned = clean(make_context(deal=reopened)).deal
    assert cleaned is not None
    assert cleaned.amount is None


def test_role_mailboxes_are_no_persons():
    desk = make_contact(first_name="Info", last_name=None, email="info@orbis.example", salutation="Mr")
    person = make_contact(email="sales@orbis.example")

    context = clean(make_context(contacts=(desk, person)))
    assert [c.first_name for c in context.contacts] == [None, "Dana"]
    assert context.contacts[0].salutation is None


def test_control_characters_go_and_line_ends_stay():
    activity = make_activity(subject="Q-\x00118\x07", body="One\r\nTwo\x1b[31m\n")

    cleaned = clean(make_context(activity)).activities[0]
    assert (cleaned.subject, cleaned.body) == ("Q- 118", "One\nTwo[31m")


def test_impossible_days_are_missing():
    deal = make_deal(close_date=date(1970, 1, 1), created_at=datetime(1900, 1, 1, tzinfo=UTC))
    order = make_order(ordered_at=at("2026-01-15"), delivered_at=at("2026-01-10"))

    context = clean(make_context(deal=deal, orders=(order,)))
    assert context.deal is not None
    assert (context.deal.close_date, context.deal.created_at) == (None, None)
    assert context.orders[0].delivered_at is None


def test_a_price_of_zero_in_the_catalogue_was_never_filled():
    product = make_product(list_price=Decimal(0), cost=Decimal(0))

    cleaned = clean(make_context(products=(product,))).products[0]
    assert (cleaned.list_price, cleaned.cost) == (None, None)


def test_currencies_are_codes_or_missing():
    context = clean(make_context(deal=make_deal(currency=" eur ")))
    strange = clean(make_context(deal=make_deal(currency="€")))

    assert context.deal is not None
    assert strange.deal is not None
    assert (context.deal.currency, strange.deal.currency) == ("EUR", None)


def test_duplicates_and_namesakes_are_kept():
    twins = (make_contact("C-1"), make_contact("C-9"))

    assert clean(make_context(contacts=twins)).contacts == twins


def test_only_the_newest_sent_version_stands():
    first = make_quote("Q-118a", number="Q-118", version=Decimal(1), sent_at=at("2026-03-01"))
    second = make_quote("Q-118b", number="Q-118", version=Decimal(2), sent_at=at("2026-03-05"))
    draft = make_quote("Q-118c", number="Q-118", version=Decimal(3), status="draft", sent_at=None)

    assert current_quotes(make_context(quotes=(first, second, draft))) == (second,)


def test_a_higher_version_under_a_new_number_replaces_the_old():
    first = make_quote("Q-118", version=Decimal(1), sent_at=at("2026-03-01"))
    second = make_quote("Q-121", version=Decimal(2), sent_at=at("2026-03-05"))

    assert current_quotes(make_context(quotes=(first, second))) == (second,)


def test_two_quotes_of_one_deal_stand_side_by_side():
    meters = make_quote("Q-118", version=Decimal(1), sent_at=at("2026-03-01"))
    service = make_quote("Q-130", version=Decimal(1), sent_at=at("2026-03-05"))

    assert current_quotes(make_context(quotes=(meters, service))) == (meters, service)
