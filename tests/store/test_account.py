"""Whose record is it? A context holds all of one account and nothing of another."""

from __future__ import annotations

import pytest

from crmplugin.domain.crm import Policy, Seller, Subject
from crmplugin.errors import NotFound
from crmplugin.store.account import ACTIVITY_BOUND
from crmplugin.store.records import RecordStore
from crmplugin.store.shared import CATALOGUE_BOUND
from tests.store.filled import NOW, ids_in, open_store, take


@pytest.fixture
def two_accounts(store: RecordStore) -> RecordStore:
    """Orbis (CO-1) with everything; Arla (CO-2) with the same kinds of records."""
    for n in (1, 2):
        take(
            store,
            companies=[{"id": f"CO-{n}", "name": f"Company {n}"}],
            contacts=[{"id": f"C-{n}", "company_id": f"CO-{n}", "first_name": "Dana", "last_name": "Reyes"}],
            deals=[{"id": f"D-{n}", "company_id": f"CO-{n}", "primary_contact_id": f"C-{n}"}],
            stage_changes=[{"id": f"S-{n}", "deal_id": f"D-{n}", "to": "Proposal"}],
            line_items=[{"id": f"L-{n}", "deal_id": f"D-{n}", "product_id": "P-1"}],
            quotes=[{"id": f"Q-{n}", "deal_id": f"D-{n}"}],
            orders=[{"id": f"O-{n}", "company_id": f"CO-{n}"}],
            contracts=[{"id": f"K-{n}", "company_id": f"CO-{n}"}],
            tickets=[{"id": f"T-{n}", "company_id": f"CO-{n}", "contact_id": f"C-{n}"}],
            activities=[{"id": f"A-{n}", "deal_id": f"D-{n}", "contact_ids": [f"C-{n}"]}],
            prices=[{"id": f"PR-{n}", "company_id": f"CO-{n}", "product_id": "P-1"}],
        )
    return store


SUBJECTS = [("deal", "D-1"), ("company", "CO-1"), ("contact", "C-1"), ("ticket", "T-1"), ("activity", "A-1")]
EVERYTHING = {
    "contacts": ["C-1"],
    "deals": ["D-1"],
    "stage_changes": ["S-1"],
    "line_items": ["L-1"],
    "quotes": ["Q-1"],
    "orders": ["O-1"],
    "contracts": ["K-1"],
    "tickets": ["T-1"],
    "activities": ["A-1"],
    "prices": ["PR-1"],
}


@pytest.mark.parametrize(("type_", "id_"), SUBJECTS)
def test_every_subject_sees_its_whole_account_and_no_other(two_accounts: RecordStore, type_: str, id_: str) -> None:
    assert ids_in(two_accounts, type_, id_, *EVERYTHING) == EVERYTHING


@pytest.mark.parametrize(
    ("type_", "id_", "expected"),
    [
        ("deal", "D-1", ("CO-1", "D-1", None, None, None)),
        ("company", "CO-1", ("CO-1", None, None, None, None)),
        ("contact", "C-1", ("CO-1", None, "C-1", None, None)),
        ("ticket", "T-1", ("CO-1", None, "C-1", "T-1", None)),
        ("activity", "A-1", ("CO-1", "D-1", "C-1", None, "A-1")),
    ],
)
def test_subject_fills_what_it_belongs_to(
    two_accounts: RecordStore, type_: str, id_: str, expected: tuple[str | None, ...]
) -> None:
    context = two_accounts.read_context("local", Subject(type_, id_))  # type: ignore[arg-type]

    found = (context.company, context.deal, context.contact, context.ticket, context.activity)
    assert tuple(record and record.id for record in found) == expected


@pytest.mark.parametrize("type_", ["deal", "company", "contact", "ticket", "activity"])
def test_unknown_subject_is_not_found_by_type_id_and_connection(store: RecordStore, type_: str) -> None:
    with pytest.raises(NotFound) as caught:
        store.read_context("local", Subject(type_, "Z-9"))  # type: ignore[arg-type]

    assert str(caught.value) == (
        f"The connection local has no {type_} with the id Z-9; look the id up in the CRM, or import the record first."
    )


def test_subject_of_another_connection_is_not_found(two_accounts: RecordStore) -> None:
    with pytest.raises(NotFound):
        two_accounts.read_context("acme", Subject("deal", "D-1"))


def test_records_tied_through_a_contact_or_a_deal_alone_belong_to_the_account(two_accounts: RecordStore) -> None:
    take(
        two_accounts,
        orders=[{"id": "O-contact", "contact_id": "C-1"}, {"id": "O-deal", "deal_id": "D-1"}],
        tickets=[{"id": "T-contact", "contact_id": "C-1"}],
        deals=[{"id": "D-contact", "contact_ids": ["C-1"]}],
        quotes=[{"id": "Q-far", "deal_id": "D-contact"}],
        activities=[
            {"id": "A-contact", "contact_ids": ["C-1"]},
            {"id": "A-ticket", "ticket_id": "T-contact"},
            {"id": "A-far", "deal_id": "D-contact"},
        ],
    )

    found = ids_in(two_accounts, "deal", "D-1", "orders", "tickets", "deals", "quotes", "activities")

    assert found == {
        "orders": ["O-1", "O-contact", "O-deal"],
        "tickets": ["T-1", "T-contact"],
        "deals": ["D-1", "D-contact"],
        "quotes": ["Q-1", "Q-far"],
        "activities": ["A-1", "A-contact", "A-far", "A-ticket"],
    }
    assert ids_in(two_accounts, "deal", "D-contact", "orders") == {"orders": ["O-1", "O-contact", "O-deal"]}


def test_activity_with_another_account_s_deal_is_theirs(two_accounts: RecordStore) -> None:
    take(
        two_accounts,
        activities=[
            {"id": "A-copied", "deal_id": "D-2", "contact_ids": ["C-1"]},
            {"id": "A-filed", "deal_id": "D-2", "company_id": "CO-1"},
            {"id": "A-theirs", "contact_ids": ["C-2", "C-1"]},
        ],
    )

    assert ids_in(two_accounts, "company", "CO-1", "activities") == {"activities": ["A-1"]}
    assert ids_in(two_accounts, "company", "CO-2", "activities") == {
        "activities": ["A-2", "A-copied", "A-filed", "A-theirs"]
    }


def test_order_of_another_company_stays_theirs_whoever_placed_it(two_accounts: RecordStore) -> None:
    take(two_accounts, orders=[{"id": "O-9", "company_id": "CO-2", "contact_id": "C-1", "deal_id": "D-1"}])

    assert ids_in(two_accounts, "company", "CO-1", "orders") == {"orders": ["O-1"]}


def test_guest_of_a_deal_is_a_contact_but_brings_nothing_along(two_accounts: RecordStore) -> None:
    take(two_accounts, deals=[{"id": "D-1", "contact_ids": ["C-1", "C-2"]}])

    found = ids_in(two_accounts, "deal", "D-1", "contacts", "orders", "activities")

    assert found == {"contacts": ["C-1", "C-2"], "orders": ["O-1"], "activities": ["A-1"]}


def test_contact_without_company_belongs_where_deals_name_them(two_accounts: RecordStore) -> None:
    take(
        two_accounts,
        contacts=[{"id": "C-loose", "first_name": "Kim"}],
        deals=[{"id": "D-1", "contact_ids": ["C-1", "C-loose"]}],
        activities=[{"id": "A-loose", "contact_ids": ["C-loose"]}],
    )

    assert ids_in(two_accounts, "contact", "C-loose", "deals", "activities") == {
        "deals": ["D-1"],
        "activities": ["A-1", "A-loose"],
    }
    assert ids_in(two_accounts, "company", "CO-1", "activities") == {"activities": ["A-1", "A-loose"]}


def test_contact_whom_two_companies_name_brings_nothing_along(two_accounts: RecordStore) -> None:
    take(
        two_accounts,
        contacts=[{"id": "C-loose"}],
        deals=[{"id": f"D-{n}", "contact_ids": [f"C-{n}", "C-loose"]} for n in (1, 2)],
        activities=[{"id": "A-loose", "contact_ids": ["C-loose"]}],
    )

    assert ids_in(two_accounts, "company", "CO-1", "activities", "contacts") == {
        "activities": ["A-1"],
        "contacts": ["C-1", "C-loose"],
    }


def test_deal_of_a_private_person_has_what_names_the_person(store: RecordStore) -> None:
    take(
        store,
        contacts=[{"id": "C-1"}, {"id": "C-2"}],
        deals=[{"id": "D-1", "primary_contact_id": "C-1"}, {"id": "D-2", "primary_contact_id": "C-2"}],
        orders=[{"id": "O-1", "contact_id": "C-1"}, {"id": "O-2", "contact_id": "C-2"}],
        activities=[{"id": "A-1", "deal_id": "D-1"}, {"id": "A-2", "deal_id": "D-2"}],
    )

    found = ids_in(store, "deal", "D-1", "contacts", "deals", "orders", "activities")

    assert found == {"contacts": ["C-1"], "deals": ["D-1"], "orders": ["O-1"], "activities": ["A-1"]}


def test_subject_without_anything_else_has_a_context(store: RecordStore) -> None:
    take(store, activities=[{"id": "A-1"}], tickets=[{"id": "T-1"}], deals=[{"id": "D-1", "company_id": "CO-gone"}])

    assert ids_in(store, "activity", "A-1", "activities", "contacts") == {"activities": ["A-1"], "contacts": []}
    assert store.read_context("local", Subject("ticket", "T-1")).company is None
    assert store.read_context("local", Subject("deal", "D-1")).company is None


def test_records_stand_oldest_first(store: RecordStore) -> None:
    take(
        store,
        companies=[{"id": "CO-1"}],
        activities=[
            {"id": "A-1", "company_id": "CO-1", "at": "2026-03-10T09:00:00+02:00"},
            {"id": "A-2", "company_id": "CO-1", "at": "2026-03-10T08:00:00Z"},
            {"id": "A-3", "company_id": "CO-1", "at": "2026-03-10T07:30:00.5Z"},
            {"id": "A-4", "company_id": "CO-1"},
        ],
    )

    assert ids_in(store, "company", "CO-1", "activities") == {"activities": ["A-4", "A-1", "A-3", "A-2"]}


def test_namesakes_share_an_address_in_any_account(two_accounts: RecordStore) -> None:
    take(
        two_accounts,
        contacts=[
            {"id": "C-1", "email": "Dana@Orbis.example ", "phone": "+44 20 7946 0018"},
            {"id": "C-2", "email": "dana@orbis.example"},
            {"id": "C-3", "phone": "+44 (20) 7946-0018"},
            {"id": "C-4", "company_id": "CO-1", "email": "other@orbis.example"},
            {"id": "C-5", "phone": "12"},
        ],
    )

    assert ids_in(two_accounts, "deal", "D-1", "namesakes") == {"namesakes": ["C-2", "C-3"]}


def test_namesakes_follow_the_normaliser_and_the_country_of_the_company(database_url: str) -> None:
    asked: list[tuple[str, str, str | None]] = []

    def normalise(kind: str, value: str, country: str | None) -> str | None:
        asked.append((kind, value, country))
        return value

    store = open_store(database_url)
    store._normalise = normalise
    take(
        store,
        companies=[{"id": "CO-1", "country": "GB"}],
        contacts=[{"id": "C-1", "company_id": "CO-1", "phone": "020"}, {"id": "C-2", "country": "FR", "phone": "01"}],
    )

    store.close()
    assert asked == [("phone", "020", "GB"), ("phone", "01", "FR")]


def test_products_are_the_named_ones_their_kin_and_the_catalogue(store: RecordStore) -> None:
    take(
        store,
        deals=[{"id": "D-1", "product_ids": ["Z-old"]}],
        products=[
            {"id": "Z-old", "active": False, "compatible_with": ["Z-part"], "substitutes": ["Z-new"]},
            {"id": "Z-part", "active": False},
            {"id": "Z-new"},
            {"id": "Z-off", "active": False},
            *({"id": f"P-{n:04}"} for n in range(CATALOGUE_BOUND + 10)),
        ],
        prices=[
            {"id": "PR-1", "product_id": "Z-old"},
            {"id": "PR-2", "product_id": "P-0001"},
            {"id": "PR-3", "product_id": "P-0001", "company_id": "CO-9"},
        ],
    )

    context = store.read_context("local", Subject("deal", "D-1"))

    ids = [product.id for product in context.products]
    assert ids[:4] == ["Z-old", "Z-part", "Z-new", "P-0000"]
    assert len(ids) == CATALOGUE_BOUND + 3
    assert "Z-off" not in ids
    assert {price.id for price in context.prices} == {"PR-1", "PR-2"}


def test_what_the_owner_laid_down_is_in_every_context_and_fresh(two_accounts: RecordStore) -> None:
    before = two_accounts.read_context("local", Subject("deal", "D-1"))
    take(
        two_accounts,
        seller={"name": "Halden"},
        policy={"stackable": False},
        users=[{"id": "U-1"}],
        claims=[{"id": "CL-1"}],
        segments=[{"id": "SE-1"}],
    )

    after = two_accounts.read_context("local", Subject("deal", "D-2"))

    assert (before.seller, before.policy) == (Seller(), None)
    assert (after.seller, after.policy) == (Seller(name="Halden"), Policy(stackable=False))
    assert ([u.id for u in after.users], [c.id for c in after.claims]) == (["U-1"], ["CL-1"])


def test_context_says_how_old_its_records_are(two_accounts: RecordStore) -> None:
    context = two_accounts.read_context("local", Subject("deal", "D-1"))

    assert (context.read_at, context.changed_at, context.imported_at) == (NOW, NOW, None)


def test_very_many_activities_are_bounded_to_the_newest(store: RecordStore) -> None:
    days = [f"2026-01-{1 + n % 28:02}T00:00:00.{n:06}Z" for n in range(ACTIVITY_BOUND + 30)]
    take(
        store,
        companies=[{"id": "CO-1"}],
        activities=[{"id": f"A-{n}", "company_id": "CO-1", "at": at} for n, at in enumerate(days)],
    )

    activities = store.read_context("local", Subject("company", "CO-1")).activities

    assert len(activities) == ACTIVITY_BOUND
    assert activities[0].at is not None
    assert activities[0].at.isoformat() == "2026-01-01T00:00:00.000840+00:00"
