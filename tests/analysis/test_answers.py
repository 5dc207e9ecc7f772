"""Which facts answer a question; where no record answers, nothing does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from crmplugin.analysis.answers import find_answers
from crmplugin.analysis.answers_asked import Answer
from crmplugin.domain.crm import (
    Article,
    Claim,
    Company,
    Context,
    Contract,
    Deal,
    Feature,
    Order,
    OrderLine,
    Product,
    Quote,
    QuoteLine,
    Seller,
    Slot,
    Subject,
    Ticket,
    User,
)

NOW = datetime(2026, 3, 11, 11, tzinfo=UTC)

PRODUCTS = (
    Product("PX-20", name="Pump X 20", sku="4711-20", category="pump", lead_time="2-3 weeks",
            description="Pump for 20 bar, IP67.", features=(Feature("quiet motor below 50 dB"),)),
    Product("PX-200", name="Pump X 200", lead_time="10 weeks", description="Pump for 200 bar. Filter sold separately."),
    Product("SK-7", name="Seal kit", compatible_with=("PX-20",)),
    Product("TR-1", name="Start-up day", description="On-site training, includes a certificate for each operator."),
)  # fmt: skip
QUOTE = Quote(
    "Q-5", number="Q-5", status="sent", valid_until=date(2026, 3, 25), currency="EUR", total=Decimal(9000),
    freight=Decimal(120),
    lines=(QuoteLine(product_id="PX-20", quantity=Decimal(4), unit_price=Decimal(2000)),
           QuoteLine(product_id="TR-1", quantity=Decimal(1), unit_price=Decimal(880))),
)  # fmt: skip
ENDED = Quote("Q-4", number="Q-4", status="sent", valid_until=date(2026, 3, 8), total=Decimal(8480),
              lines=(QuoteLine(product_id="PX-20", quantity=Decimal(4), unit_price=Decimal(2000)),))  # fmt: skip
ARTICLES = (
    Article("ART-1", "Password", "Hold the reset button for five seconds to reset the password.", "en", public=True),
    Article("ART-2", "Passwort", "Zum Zurücksetzen des Passworts die Reset-Taste drücken.", "de", public=True),
    Article("ART-3", "Cleaning", "Clean the impeller every 200 hours.", "en", public=True),
    Article("ART-4", "Cleaning the impeller", "Clean the impeller every 500 hours.", "en", public=True),
    Article("ART-5", "Discounts", "Partners get a secret discount on the gearbox.", "en", public=False),
)  # fmt: skip


def make_context(**more: object) -> Context:
    given: dict[str, object] = {
        "seller": Seller(timezone="Europe/Berlin"),
        "deal": Deal("D-1", owner_id="U-1"),
        "users": (User("U-1", name="Jonas Brandt", email="jb@seller.test"),),
        "products": PRODUCTS,
        "quotes": (ENDED, QUOTE),
        "articles": ARTICLES,
        "slots": (Slot("SL-1", kind="answer_by", on=date(2026, 3, 13)),
                  Slot("SL-2", kind="meeting", starts_at=NOW + timedelta(days=2))),
    }  # fmt: skip
    return Context("local", "local", Subject("deal", "D-1"), NOW, **(given | more))  # type: ignore[arg-type]


def ask(question: str, *, quote: Quote | None = QUOTE, **more: object) -> Answer | None:
    return find_answers(question, make_context(**more), now=NOW, quote=quote)


@pytest.mark.parametrize(
    "question",
    [
        "Does the price include operator certificates?",
        "Enthält der Preis Zertifikate?",
        "Le prix comprend-il les certificats ?",
        "¿Incluye el precio los certificados?",
        "Il prezzo include i certificati?",
        "Zijn de certificaten bij de prijs inbegrepen?",
    ],
)
def test_a_quoted_line_answers_what_the_price_includes_in_each_language(question: str) -> None:
    answer = ask(question)

    assert answer is not None
    assert (answer.intent, answer.verdict, answer.product_id) == ("included", "yes", "TR-1")
    assert answer.fact_ids == ("Q-5.line2.product", "TR-1.description", "Q-5.line2.quantity")


def test_an_approved_claim_is_added_as_evidence() -> None:
    claims = (Claim("CL-1", "a certificate for each operator", product_ids=("TR-1",)),)

    answer = ask("Does the price include operator certificates?", claims=claims)

    assert answer is not None
    assert answer.fact_ids[-1] == "CL-1.text"


def test_a_claim_past_its_day_is_not_used() -> None:
    claims = (Claim("CL-1", "a certificate for each operator", product_ids=("TR-1",), valid_until=date(2026, 3, 1)),)

    answer = ask("Does the price include operator certificates?", claims=claims)

    assert answer is not None
    assert "CL-1.text" not in answer.fact_ids


@pytest.mark.parametrize(
    "question",
    [
        "Does the price include a spare motor?",
        "Does the price include certificates and insurance?",
        "Does the Pump X 20 come with a certificate?",
    ],
)
def test_what_no_record_grants_is_not_granted(question: str) -> None:
    answer = ask(question)

    assert answer is None or answer.verdict != "yes"


def test_what_is_sold_separately_is_denied() -> None:
    answer = ask("Does the Pump X 200 come with a filter?")

    assert answer is not None
    assert (answer.verdict, answer.fact_ids) == ("no", ("PX-200.name", "PX-200.description"))


@pytest.mark.parametrize(
    "question", ["What is the lead time for the Pump X 200?", "Wie lange ist die Lieferzeit der Pump X 200?"]
)
def test_the_product_that_is_named_is_meant(question: str) -> None:
    answer = ask(question)

    assert answer is not None
    assert (answer.product_id, answer.fact_ids) == ("PX-200", ("PX-200.lead_time", "PX-200.name"))


@pytest.mark.parametrize("name", ["PUMPX20", "pump-x-20", "4711-20", "PX20", "px 20"])
def test_spaces_hyphens_and_case_do_not_matter_in_a_name(name: str) -> None:
    answer = ask(f"What is the lead time for the {name}?")

    assert answer is not None
    assert answer.product_id == "PX-20"


def test_a_number_that_is_nearly_the_same_is_another_product() -> None:
    answer = ask("What is the lead time for the PX-2000?")

    assert answer is not None
    assert (answer.verdict, answer.fact_ids, answer.product_id) == ("unknown", (), None)


def test_an_unknown_thing_is_not_answered_with_the_quoted_one() -> None:
    assert ask("What is the lead time for the control cabinet?") is None


def test_without_a_name_the_only_quoted_product_with_a_lead_time_is_meant() -> None:
    answer = ask("What is the lead time?")

    assert answer is not None
    assert answer.fact_ids == ("PX-20.lead_time", "PX-20.name")


def test_a_quote_that_still_runs_can_be_ordered_from() -> None:
    answer = ask("Can we still order at 9,000?")

    assert answer is not None
    assert (answer.verdict, answer.fact_ids) == ("yes", ("Q-5.number", "Q-5.valid_until"))


@pytest.mark.parametrize(
    "question", ["Can we still order at 8,480?", "Ist das Angebot noch gültig?", "Is Q-4 still valid?"]
)
def test_an_ended_quote_names_who_answers_by_when(question: str) -> None:
    answer = ask(question, quote=ENDED)

    assert answer is not None
    assert (answer.intent, answer.verdict, answer.slot_id) == ("validity", "no", "SL-1")
    assert answer.fact_ids == ("Q-4.number", "Q-4.valid_until", "SL-1.on")


def test_another_price_than_the_quoted_one_is_not_confirmed() -> None:
    assert ask("Can we still order at 7,500?") is None


def test_a_quote_number_without_record_is_not_answered_with_another_quote() -> None:
    assert ask("Is Q-99 still valid?") is None


def test_a_price_is_told_from_the_line_of_a_running_quote() -> None:
    answer = ask("How much is the Pump X 20?")

    assert answer is not None
    assert "Q-5.line1.unit_price" in answer.fact_ids


def test_a_price_is_not_told_from_an_ended_quote_or_the_list() -> None:
    assert ask("How much is the Pump X 20?", quote=ENDED) is None
    assert ask("How much is the Pump X 200?") is None


def test_the_stock_is_not_told() -> None:
    assert ask("Is the Pump X 20 in stock?") is None


def test_recorded_compatibility_is_told() -> None:
    answer = ask("Does the seal kit fit the Pump X 20?")

    assert answer is not None
    assert (answer.intent, answer.verdict) == ("compatible", "yes")


def test_unrecorded_compatibility_is_not() -> None:
    assert ask("Does the seal kit fit the Pump X 200?") is None


def test_a_feature_answers_what_a_product_can() -> None:
    answer = ask("Does the Pump X 20 have a quiet motor?")

    assert answer is not None
    assert (answer.verdict, answer.fact_ids) == ("yes", ("PX-20.name", "PX-20.feature1"))


def test_a_value_that_is_not_described_is_not_confirmed() -> None:
    answer = ask("Does the Pump X 20 have IP69?")

    assert answer is None or answer.verdict != "yes"


def test_a_delivered_order_is_told_with_its_day() -> None:
    order = Order("O-1", number="O-1", ordered_at=NOW - timedelta(days=9), delivered_at=NOW - timedelta(days=1),
                  lines=(OrderLine(product_id="PX-20", quantity=Decimal(1)),))  # fmt: skip

    answer = ask("Where is our order?", orders=(order,))

    assert answer is not None
    assert answer.fact_ids == ("O-1.number", "O-1.ordered_on", "O-1.delivered_on")


def test_an_open_order_names_who_answers_by_when() -> None:
    answer = ask("When will our order arrive?", orders=(Order("O-1", number="O-1", ordered_at=NOW),))

    assert answer is not None
    assert (answer.fact_ids[-1], answer.slot_id) == ("SL-1.on", "SL-1")


def test_a_ticket_is_told_with_its_next_update() -> None:
    ticket = Ticket("T-1", number="T-1", status="open", owner_name="Lena Vogt", next_update_at=NOW + timedelta(hours=2))

    answer = ask("Any news on our ticket?", tickets=(ticket,))

    assert answer is not None
    assert answer.fact_ids == ("T-1.number", "T-1.status", "T-1.owner_name", "T-1.next_update_at")


def test_an_update_time_that_has_passed_is_left_out() -> None:
    ticket = Ticket("T-1", number="T-1", status="open", owner_name="Lena Vogt", next_update_at=NOW - timedelta(hours=2))

    answer = ask("Any news on our ticket?", tickets=(ticket,))

    assert answer is not None
    assert "T-1.next_update_at" not in answer.fact_ids


def test_the_contact_is_the_owner_of_the_deal() -> None:
    answer = ask("Wer ist unser Ansprechpartner?")

    assert answer is not None
    assert answer.fact_ids == ("U-1.name", "U-1.email")


def test_a_meeting_is_offered_from_a_slot() -> None:
    answer = ask("Can we talk next week?")

    assert answer is not None
    assert answer.fact_ids == ("SL-2.starts_at",)


def test_the_end_of_the_contract_is_told() -> None:
    contract = Contract("K-1", name="Care", ends_on=date(2026, 9, 30), notice_days=Decimal(60))

    answer = ask("When does our contract end?", contracts=(contract,))

    assert answer is not None
    assert answer.fact_ids == ("K-1.name", "K-1.ends_on", "K-1.notice_on")


@pytest.mark.parametrize(
    ("question", "article"),
    [("How do I reset the password?", "ART-1.text"), ("Wie kann ich das Passwort zurücksetzen?", "ART-2.text")],
)
def test_an_article_answers_in_the_language_of_the_question(question: str, article: str) -> None:
    answer = ask(question, quote=None)

    assert answer is not None
    assert (answer.intent, answer.fact_ids) == ("knowledge", (article,))


def test_two_articles_that_disagree_answer_nothing() -> None:
    assert ask("How often should we clean the impeller?", quote=None) is None


def test_an_internal_article_is_not_used() -> None:
    assert ask("Is there a secret discount on the gearbox?", quote=None) is None


def test_an_id_used_twice_is_told_apart() -> None:
    order = Order("1", number="O-1", ordered_at=NOW, delivered_at=NOW)

    answer = ask("Where is our order?", deal=Deal("1"), deals=(Deal("1"),), company=Company("C"), orders=(order,))

    assert answer is not None
    assert answer.fact_ids[0] == "order:1.number"


@pytest.mark.parametrize("question", ["", "???", "Do you sell bananas?", "Which customers do you have?"])
def test_what_nothing_carries_has_no_answer(question: str) -> None:
    assert ask(question) is None
