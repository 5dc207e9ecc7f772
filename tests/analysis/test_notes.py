"""Notes become items: each once, with its owner, none added."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from crmplugin.analysis.dates_in_text import find_dates
from crmplugin.analysis.notes import NoteItem, read_notes

TUESDAY = date(2026, 3, 10)


def read(text: str, **more: object) -> tuple[NoteItem, ...]:
    return read_notes(text, written_on=TUESDAY, **more)  # type: ignore[arg-type]


def test_telegraphic_notes_give_action_decision_and_budget() -> None:
    action, decision, budget = read(
        "wants 3 sample XR-20 by 20 March, we ship; decision 2 April; budget 41,250 confirmed"
    )

    assert (action.kind, action.quantity, action.product_words) == ("action", Decimal(3), "sample XR-20")
    assert (action.due, action.side) == (date(2026, 3, 20), "us")
    assert (decision.kind, decision.due) == ("decision", date(2026, 4, 2))
    assert (budget.kind, budget.amount, budget.quantity) == ("budget", Decimal(41250), None)


@pytest.mark.parametrize(
    "text",
    [
        "Client veut 4 échantillons avant le 20 mars, nous envoyons",
        "Quiere 4 muestras antes del 20 de marzo, enviamos nosotros",
        "Vuole 4 campioni entro il 20 marzo, spediamo noi",
        "Wil 4 monsters voor 20 maart, wij sturen",
        "Kunde möchte 4 Muster bis 20.3., wir schicken",
    ],
)
def test_what_the_customer_wants_is_ours_to_send_in_each_language(text: str) -> None:
    (item,) = read(text)

    assert (item.kind, item.quantity, item.due, item.side) == ("action", Decimal(4), date(2026, 3, 20), "us")


def test_two_owners_in_one_line_are_two_items() -> None:
    theirs, ours = read("Sie schicken bis 20.3. die Zeichnung; wir liefern zwei Muster")

    assert (theirs.side, theirs.due) == ("them", date(2026, 3, 20))
    assert (ours.side, ours.quantity, ours.product_words) == ("us", Decimal(2), "Muster")


def test_a_date_that_ends_with_a_point_ends_its_sentence_where_an_item_follows() -> None:
    notes = "Wir schicken Muster bis 4.12. Entscheidung am 15. Januar. Wir senden bis 9.12. Angebote."

    found = read_notes(notes, written_on=date(2026, 11, 27))

    assert [(i.kind, i.side, i.what, i.due) for i in found] == [
        ("action", "us", "schicken Muster", date(2026, 12, 4)),
        ("decision", None, "Entscheidung", date(2027, 1, 15)),
        ("action", "us", "senden Angebote", date(2026, 12, 9)),
    ]


def test_a_named_owner_is_kept_as_written() -> None:
    (item,) = read("AI: Tom sends NDA by Fri")

    assert (item.kind, item.who, item.side, item.due) == ("action", "Tom", None, date(2026, 3, 13))


def test_a_known_person_has_a_side() -> None:
    (item,) = read("Tom sends NDA by Fri", people={"Tom Berg": "us"})

    assert (item.who, item.side) == ("Tom", "us")


def test_names_joined_by_and_are_two_items() -> None:
    assert [item.who for item in read("Tom sends NDA by Fri and Anna sends drawings by Mon")] == ["Tom", "Anna"]


def test_a_numbered_list_keeps_each_line_once() -> None:
    items = read(
        "Actions\n1. Priya: share the plan - 18 March\n2. Ben to arrange a visit before 25 March\n3. us: draft SLA"
    )

    assert [(i.who, i.side, i.due) for i in items] == [
        ("Priya", None, date(2026, 3, 18)),
        ("Ben", None, date(2026, 3, 25)),
        (None, "us", None),
    ]


def test_what_is_done_or_denied_is_no_action() -> None:
    items = read("- [x] brochure sent\n- no demo needed\n- we sent the quote on 5 March")

    assert [item.kind for item in items] == ["fact", "fact", "fact"]


def test_open_points_and_goals_are_told_apart() -> None:
    items = read("- offen: Zertifikat\n- Ziel: Ausschuss um 30 % senken\n- cable length tbd?")

    assert [item.kind for item in items] == ["open", "goal", "open"]


def test_a_model_number_is_no_quantity() -> None:
    (item,) = read("we send XR-20 brochure by Friday")

    assert item.quantity is None


def test_verbatim_is_a_piece_of_the_text() -> None:
    text = "* Frau Klein meldet sich bis 27.3.;  we call her, too"

    assert all(item.verbatim in text for item in read(text))


def test_an_owner_that_is_not_written_stays_unknown() -> None:
    (item,) = read("Send her the brochure by Friday")

    assert (item.side, item.who) == (None, None)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("by 20 March", date(2026, 3, 20)),
        ("bis 20.3.", date(2026, 3, 20)),
        ("avant le 1er avril", date(2026, 4, 1)),
        ("antes del 2 de abril de 2027", date(2027, 4, 2)),
        ("entro il 5 maggio", date(2026, 5, 5)),
        ("uiterlijk 31-03-2026", date(2026, 3, 31)),
        ("March 20th, 2026", date(2026, 3, 20)),
        ("2026-03-20", date(2026, 3, 20)),
        ("on Monday", date(2026, 3, 16)),
        ("bis Fr", date(2026, 3, 13)),
        ("Friday 13 March", date(2026, 3, 13)),
        ("tomorrow", date(2026, 3, 11)),
        ("in 3 days", date(2026, 3, 13)),
        ("innerhalb von zwei Wochen", date(2026, 3, 24)),
        ("5 January", date(2026, 1, 5)),
        ("by 5 January", date(2027, 1, 5)),
    ],
)
def test_a_written_date_is_resolved_against_the_day_of_writing(text: str, day: date) -> None:
    (found,) = find_dates(text, written_on=TUESDAY)

    assert (found.day, found.exact) == (day, True)


@pytest.mark.parametrize("text", ["by 03/04", "we may 2 units", "so far", "24/7", "version 1.2.3", "soon", "31.2."])
def test_a_doubtful_date_is_none(text: str) -> None:
    assert find_dates(text, written_on=TUESDAY) == ()


def test_a_weekday_that_contradicts_its_date_is_not_exact() -> None:
    (found,) = find_dates("Thursday 13 March", written_on=TUESDAY)

    assert not found.exact


def test_next_week_is_a_range_not_a_day() -> None:
    (found,) = find_dates("next week", written_on=TUESDAY)

    assert (found.day, found.exact) == (date(2026, 3, 20), False)
