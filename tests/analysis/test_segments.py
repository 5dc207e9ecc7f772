"""Who a segment means, who is left out and why (sales-craft §6.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmplugin.analysis.segments import Account, Market, classes_of, measure_account, preview
from crmplugin.domain.crm import Contact, Exclude, OrderLine, Segment, Spend, Where
from crmplugin.ports import Population
from tests.builders import NOW, TODAY, at, make_company, make_contact, make_deal, make_order


def account(
    n: int, *days: str, total: str = "480.00", product: str = "GK-12", stage: str | None = None, **company: Any
) -> Account:
    """Account CO-n with one contact C-n and an order on each of the days."""
    orders = [
        make_order(f"O-{n}-{d}", ordered_at=at(d), total=Decimal(total), lines=(OrderLine("L", product, Decimal(1)),))
        for d in days
    ]
    contacts = (make_contact(f"C-{n}", company_id=f"CO-{n}"),)
    deals = (make_deal(stage_kind=stage),) if stage else ()
    owner = make_company(f"CO-{n}", name=f"Company {n}", **company)
    return measure_account(
        f"CO-{n}", company=owner, contacts=contacts, orders=orders, open_deals=deals, sell_hold=False, now=NOW
    )


def pass_all(who: Account, contact: Contact) -> str | None:
    return None


def run(
    where: Where | None,
    accounts: list[Account],
    gate: Callable[[Account, Contact], str | None] = pass_all,
    **market: Any,
) -> Any:
    given: dict[str, Any] = {
        "population": Population(),
        "classes": classes_of(accounts, today=TODAY),
        "today": TODAY,
        "seller_currency": "EUR",
        "seller_language": "de",
    }
    return preview(Segment("SG", "Some", where), accounts, Market(**(given | market)), gate=gate)


def ids(found: Any) -> list[str]:
    return [m.account_id for m in found.left]


def test_every_given_part_must_hold():
    here = [account(1, "2026-03-01", industry="dairy"), account(2, "2025-06-01", industry="dairy"), account(3)]
    where = Where(industry=("Dairy", "brewing"), lapsed_days=Decimal(200))

    assert ids(run(where, here)) == ["CO-2"]


@pytest.mark.parametrize(
    ("where", "who"),
    [
        (Where(industry=("dairy",)), ["CO-1"]),
        (Where(region=("Bavaria",)), ["CO-2"]),
        (Where(region=("gb",)), ["CO-1", "CO-3"]),
        (Where(owns=("FM-300", "XX")), ["CO-2"]),
        (Where(lapsed_days=Decimal(20)), ["CO-2"]),
        (Where(lapsed_days=Decimal(21)), []),
        (Where(spend=Spend("EUR", min=Decimal("960.00"))), ["CO-1"]),
        (Where(spend=Spend("EUR", max=Decimal("480.00"))), ["CO-2", "CO-3"]),
        (Where(spend=Spend("USD", min=Decimal("0.01"))), []),
        (Where(language=("fr",)), []),
        (Where(language=("EN-gb",)), ["CO-1", "CO-2", "CO-3"]),
        (Where(), ["CO-1", "CO-2", "CO-3"]),
        (None, []),
    ],
)
def test_each_part_of_a_predicate(where, who):
    here = [
        account(1, "2026-03-01", "2026-02-01", industry="dairy"),
        account(2, "2026-02-19", country="DE", region="Bavaria", product="FM-300"),
        account(3),
    ]

    assert ids(run(where, here)) == who


def test_whoever_gave_everything_back_does_not_own_it():
    lines = (OrderLine("L", "GK-12", Decimal(2)), OrderLine("M", "GK-12", Decimal(-2)))
    back = measure_account(
        "CO-1", company=make_company(), contacts=(make_contact(),), orders=(make_order(lines=lines),), open_deals=(),
        sell_hold=False, now=NOW,
    )  # fmt: skip

    assert ids(run(Where(owns=("GK-12",)), [back])) == []


def test_classes_are_those_among_all_accounts():
    here = [account(n, *(f"2026-0{m}-0{d}" for m in (1, 2) for d in range(1, n + 1))) for n in range(1, 7)]
    here += [account(9, "2024-05-01")]

    assert "CO-9" in ids(run(Where(rfm=("lost",)), here))
    assert "CO-9" not in ids(run(Where(rfm=("new", "champions")), here))
    assert ids(run(Where(rfm=("at_risk",)), here)) == ids(run(Where(rfm=("at risk",)), here))


def test_removals_are_counted_by_reason_and_add_up():
    here = [account(1, stage="negotiation"), account(2, stage="qualified"), account(3), account(4), account(5)]
    here[3] = measure_account(
        "CO-4", company=make_company("CO-4"), contacts=(), orders=(), open_deals=(), sell_hold=False, now=NOW
    )
    where = Where(exclude=Exclude(open_deal_stage=("negotiation", "closing")))

    found = run(where, here, lambda a, c: "opted_out:email" if c.id == "C-5" else None)

    assert found.accounts == 5
    assert found.matched == 5
    assert dict(found.reasons) == {"no_contact": 1, "open_deal_stage": 1, "opted_out:email": 1}
    assert ids(found) == ["CO-2", "CO-3"]
    assert found.matched == len(found.left) + len(found.removed)


def test_a_competitor_by_the_name_that_deals_give_it():
    here = [account(1), account(2)]

    found = run(Where(exclude=Exclude(competitor=True)), here, competitors=frozenset({"company 2"}))

    assert ids(found) == ["CO-1"]
    assert dict(found.reasons) == {"competitor": 1}


def test_left_are_counted_by_language_and_currency():
    here = [account(1, currency="GBP"), account(2, currency=None), account(3, "2026-01-01", currency=None)]

    found = run(Where(), here)

    assert dict(found.by_language) == {"en": 3}
    assert dict(found.by_currency) == {"EUR": 2, "GBP": 1}


@pytest.mark.parametrize(("n", "advice"), [(9, "one_to_one"), (10, None), (0, "one_to_one")])
def test_few_recipients_get_drafts_of_their_own(n, advice):
    assert run(Where(), [account(i) for i in range(n)]).advice == advice


def test_owners_of_one_lacking_the_other_only_on_claimable_evidence():
    claimable = Population(
        accounts=420, bought_by={"X": 50, "Y": 90, "Z": 60},
        bought_with={"X": {"Y": 31, "Z": 4}, "Y": {"X": 31}, "Z": {"X": 4}},
    )  # fmt: skip
    here = [account(1, "2026-01-01", product="X"), account(2, "2026-01-01", product="Y"), account(3)]

    found = run(Where(lacks_complement_of="X"), here, population=claimable)

    assert ids(found) == ["CO-1"]
    assert [(c.product_id, c.together, c.buyers) for c in found.left[0].complements] == [("Y", 31, 50)]


@given(st.permutations(range(1, 9)))
def test_the_order_of_accounts_changes_nothing(order):
    here = [account(n, f"2025-0{n}-01", industry="dairy" if n % 2 else "brewing") for n in range(1, 9)]
    where = Where(industry=("dairy",), rfm=("at risk", "lost", "other"))

    assert run(where, [here[n - 1] for n in order]) == run(where, here)


def test_a_day_later_an_account_has_lapsed():
    here = [account(1, "2026-02-19")]

    assert ids(run(Where(lapsed_days=Decimal(21)), here)) == []
    assert ids(run(Where(lapsed_days=Decimal(21)), here, today=date(2026, 3, 12))) == ["CO-1"]
