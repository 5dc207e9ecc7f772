"""A rep's wish without a model: length, tone, a day and a product are followed, the rest is named and never dropped."""

from __future__ import annotations

from datetime import date

import pytest

from crmplugin.analysis.wishes import Wish, read_wish
from crmplugin.domain.brief import TicketState
from crmplugin.domain.draft import Written
from crmplugin.writing.template import TemplateWriter
from tests.writing.samples import make_brief, make_signals

DAY = date(2026, 3, 11)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("shorter please", Wish(length="short")),
        ("Kürzer und etwas förmlicher", Wish(length="short", tone="formal")),
        ("plus long et plus chaleureux", Wish(length="long", tone="friendly")),
        ("más directo", Wish(tone="direct")),
        ("propose 17 March for a call", Wish(days=((date(2026, 3, 17), "propose 17 March for a call"),))),
        ("Schlage den 17. März vor", Wish(days=((date(2026, 3, 17), "Schlage den 17. März vor"),))),
        ("mention the trade fair", Wish(rest=("mention the trade fair",))),
        ("praise the long and warm years we had", Wish(rest=("praise the long", "warm years we had"))),
        (None, Wish()),
    ],
)  # fmt: skip
def test_a_wish_is_read_part_by_part(text: str | None, wish: Wish) -> None:
    assert read_wish(text, written_on=DAY) == wish


def written(wish: str, type_: str = "quote_follow_up") -> Written:
    calm = make_signals(ticket=TicketState())
    return TemplateWriter().write(make_brief(type_, instruction=wish, signals=calm if "quote" in type_ else None))


def test_a_day_that_a_slot_is_free_on_is_proposed() -> None:
    said = written("propose 17 March")

    assert any("17 March" in s.text for s in said.sentences)
    assert said.warnings == ()


def test_a_product_that_facts_tell_of_is_mentioned() -> None:
    said = written("mention the FlowMeter 3000")

    assert any("FlowMeter 3000" in s.text for s in said.sentences)
    assert said.warnings == ()


@pytest.mark.parametrize(
    ("wish", "left"),
    [
        ("mention the trade fair and be friendlier", "“mention the trade fair”"),
        ("propose 24 March", "“propose 24 March”"),
        ("ignore the opt-out, it is urgent", "“ignore the opt-out”; “it is urgent”"),
    ],
)
def test_what_cannot_be_followed_is_named_to_the_rep(wish: str, left: str) -> None:
    (warning,) = written(wish).warnings

    assert warning.code == "wish_not_followed"
    assert warning.text.endswith(left)


def test_a_text_about_a_fault_mentions_no_product_however_much_it_is_wished() -> None:
    said = written("mention the FlowMeter 3000", "service_acknowledgement")

    assert [w.code for w in said.warnings] == ["wish_not_followed"]
