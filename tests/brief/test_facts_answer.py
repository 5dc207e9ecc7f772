"""Whatever answers a question is a fact of the sheet: the two rooms name things alike."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from crmplugin.analysis.answers import find_answers
from crmplugin.analysis.hostile import scan_text
from crmplugin.brief.facts import make_facts
from crmplugin.brief.hygiene import clean
from crmplugin.brief.signals import read_signals
from crmplugin.domain.crm import Article, Claim, Feature, QuoteLine
from crmplugin.ports import Population
from tests.builders import (
    NOW,
    TODAY,
    at,
    make_activity,
    make_context,
    make_contract,
    make_deal,
    make_order,
    make_product,
    make_quote,
    make_request,
    make_slot,
    make_ticket,
)

D = Decimal
METER = make_product(
    lead_time="10 days", stock=D(4), description="Magnetic flow meter with 4-20 mA output, two-year warranty.",
    features=(Feature("IP68 housing", "may be flooded", "no pit pump needed"),), compatible_with=("GK-12",),
)  # fmt: skip
BIG = make_product("FM-3000", name="FlowMeter 3000", lead_time="6-8 weeks")
KIT = make_product("GK-12", name="Gasket kit GK-12", category="spares")
CAL = make_product("CAL-1", name="Calibration CAL-1", description="includes ISO 17025 certificate per device")
MANY = tuple(make_product(f"X-{n}", name=f"Item {n}") for n in range(40))

QUESTIONS = (
    "Does the price include calibration certificates?",
    "What is the lead time of the FlowMeter 3000?",
    "Is the FM-300 in stock?",
    "How long is the quote valid?",
    "Is the GK-12 compatible with the FM-300?",
    "What is the price of the FM-300 in your quote?",
    "When was our order O-1 delivered?",
    "What is the status of ticket T-2201?",
    "When does our service contract end?",
    "Does the FM-300 have an IP68 housing?",
    "How long is the warranty of the FlowMeter 300?",
    "How do I reset the FlowMeter 300?",
    "Can we have a call on Friday?",
    "What is your phone number?",
    "Wie lange ist die Lieferzeit für den FlowMeter 3000?",
)


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("more", [(), MANY], ids=["small catalogue", "big catalogue"])
def test_the_facts_of_an_answer_are_made(question: str, more: tuple[Any, ...]):
    quote = make_quote(
        lines=(QuoteLine("L1", "FM-300", None, D(10), D(2400)), QuoteLine("L2", "CAL-1", None, D(10), D(390))),
        total=D(27900),
    )  # fmt: skip
    context = clean(
        make_context(
            make_activity(body=question), deal=make_deal(amount=D(27900)), quotes=(quote,),
            products=(METER, BIG, KIT, CAL, *more), orders=(make_order(delivered_at=at("2026-01-20")),),
            tickets=(make_ticket(priority="P3"),), contracts=(make_contract(),),
            slots=(make_slot(), make_slot("SLOT-2", kind="call", on=None, starts_at=at("2026-03-13", "10:00"))),
            claims=(Claim("CL-3", "Two-year warranty on all meters.", "terms", ("FM-300",), date(2027, 1, 1)),),
            articles=(Article("ART-1", "Reset", "To reset the FlowMeter 300, hold the key for 5 seconds.", "en"),),
        )
    )  # fmt: skip
    signals = read_signals(context, Population(), now=NOW, zone="Europe/London", recipient_id="C-1")

    sheet = make_facts(
        context, signals, Population(), make_request(), kind="follow_up", type_="answer", contact=None, language="en",
        locale="en_GB", zone="Europe/London", now=NOW, send_on=TODAY, scan=scan_text,
    )  # fmt: skip

    known = {f.id for f in sheet.facts}
    for asked in signals.open_questions:
        answer = find_answers(asked.text, context, now=NOW, quote=quote)
        assert set(answer.fact_ids if answer else ()) <= known
        assert answer is None or answer.slot_id is None or any(i.startswith(answer.slot_id) for i in known)
