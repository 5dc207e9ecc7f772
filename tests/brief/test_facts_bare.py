"""Records that say almost nothing: no kind of draft may fail on them, and nothing is made up."""

from __future__ import annotations

from typing import Any

import pytest

from crmplugin.analysis.hostile import scan_text
from crmplugin.brief.facts import make_facts
from crmplugin.brief.facts_of.sheets import INTERNAL_SECTIONS
from crmplugin.brief.hygiene import clean
from crmplugin.brief.signals import read_signals
from crmplugin.domain.crm import COLLECTIONS, Context, Order, OrderLine, Policy, Quote, QuoteLine, Subject
from crmplugin.ports import Population
from tests.builders import NOW, TODAY, make_request

KINDS = (*INTERNAL_SECTIONS, "follow_up", "pitch", "service_reply", "help_answer", "social_reply", "campaign_message")


def bare(**changes: Any) -> Context:
    """One record of every collection with its id alone."""
    records = {name: (kind(f"{name}-1"),) for name, kind in COLLECTIONS.items() if name != "companies"}
    given: dict[str, Any] = {
        "connection": "local", "crm": "local", "subject": Subject("deal", "deals-1"), "read_at": NOW,
        "company": COLLECTIONS["companies"]("companies-1"), "deal": records["deals"][0], "policy": Policy(),
    }  # fmt: skip
    return Context(**(given | records | changes))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"company": None, "deal": None, "subject": Subject("contact", "contacts-1")},
        {"quotes": (Quote("Q", status="sent", lines=(QuoteLine(), QuoteLine(product_id="products-1"))),)},
        {"orders": (Order("O", ordered_at=NOW, lines=(OrderLine(), OrderLine(product_id="gone"))),)},
        {name: () for name in COLLECTIONS if name != "companies"} | {"deal": None},
    ],
    ids=["ids only", "no company", "empty quote lines", "unknown product", "nothing at all"],
)
def test_bare_records_make_a_sheet(kind: str, changes: dict[str, Any]):
    context = clean(bare(**changes))
    signals = read_signals(context, Population(), now=NOW, zone="UTC", recipient_id=None)

    sheet = make_facts(
        context, signals, Population(), make_request(kind), kind=kind, type_=None, contact=None, language="en",
        locale="en_GB", zone="UTC", now=NOW, send_on=TODAY, scan=scan_text,
    )  # fmt: skip

    assert not [f for f in sheet.facts if f.kind == "money"]
    assert all(f.display for f in sheet.facts)
