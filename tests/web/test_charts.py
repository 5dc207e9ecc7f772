"""Charts stand in the page: no style, script or address in them, and every value in words."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest

from crmplugin.domain.brief import Chart as Told
from crmplugin.web.brief_charts import pictures
from crmplugin.web.charts import Chart, Point, draw, far_above

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '"><script>alert(1)</script>\u202e'


def make_chart(kind="bars", title="Two orders", **changes):
    points = (
        Point("3 Jan", 120.0, "120 kg", date(2026, 1, 3)),
        Point("9 Feb", 200.0, "200 kg", date(2026, 2, 9), tone="good"),
    )
    return Chart("key", title, kind, changes.pop("points", points), ("When", "How much"), **changes)


@pytest.mark.parametrize("kind", ["bars", "dots", "steps"])
def test_a_chart_holds_nothing_that_the_policy_forbids(kind):
    svg = ElementTree.fromstring(draw(make_chart(kind)))

    assert not [n.tag for n in svg.iter() if n.tag in (f"{SVG}style", f"{SVG}script", f"{SVG}defs", f"{SVG}image")]
    assert not [n for n in svg.iter() if {"style", "onload", "href"} & set(n.attrib)]


@pytest.mark.parametrize("kind", ["bars", "dots", "steps"])
def test_a_pointer_on_a_value_says_it_in_words(kind):
    svg = ElementTree.fromstring(draw(make_chart(kind)))

    said = [n.text for n in svg.iter(f"{SVG}title")]
    assert said == ["3 Jan: 120 kg", "9 Feb: 200 kg"]
    assert svg.get("aria-label") == "Two orders"
    assert svg.get("role") == "img"


def test_a_value_that_is_good_is_marked_as_such():
    svg = ElementTree.fromstring(draw(make_chart()))

    assert [n.get("class") for n in svg.iter() if "bar" in n.get("class", "").split()] == ["bar plain", "bar good"]


def test_hostile_words_are_text():
    drawn = draw(make_chart(title=HOSTILE, points=(Point(HOSTILE, 1.0, HOSTILE), Point("b", 2.0, "2"))))

    assert "<script" not in drawn
    assert ElementTree.fromstring(drawn).get("aria-label") == HOSTILE


@pytest.mark.parametrize(
    ("values", "marks"),
    [((3.0, 1.0), ["0", "1", "2", "3"]), ((120.0, 200.0), ["0", "50", "100", "150", "200"]), ((0.0, 0.0), ["0", "1"])],
)
def test_the_axis_has_round_marks(values, marks):
    points = tuple(Point(str(n), value, f"{value:g}") for n, value in enumerate(values))

    svg = ElementTree.fromstring(draw(make_chart(points=points, show=lambda v: f"{v:g}")))

    axis = next(n for n in svg.iter() if n.get("class", "").startswith("axis y"))
    assert [n.text for n in axis.iter(f"{SVG}text")] == marks


def orders(*totals):
    return tuple(Point(f"{n} Jan", total, f"£{total:g}", date(2026, 1, n)) for n, total in enumerate(totals, start=1))


def test_one_huge_order_stands_above_the_scale_and_says_its_value():
    chart = make_chart("dots", points=orders(900, 1048, 865, 21345, 904, 990), show=lambda v: f"{v:g}")

    svg = ElementTree.fromstring(draw(chart))

    axis = next(n for n in svg.iter() if n.get("class", "").startswith("axis y"))
    assert [n.text for n in axis.iter(f"{SVG}text")] == ["0", "500", "1000", "1500"]
    assert [n.text for n in svg.iter(f"{SVG}text") if n.get("class") == "beside"] == ["↑ £21345"]
    heights = [float(n.get("cy")) for n in svg.iter(f"{SVG}circle")]
    assert heights.index(min(heights)) == 3
    assert max(heights) - min(heights) > 50


@pytest.mark.parametrize("totals", [(900, 1048, 3000), (0, 0, 50), (100, 21345), (1, 1, 900, 950, 990, 910)])
def test_orders_that_differ_less_or_are_few_share_one_scale(totals):
    assert far_above(make_chart("dots", points=orders(*totals))) == ()


TOLD = Told(
    "discount_outcome",
    "No clear link: 9 of 14 won.",
    "%",
    (
        {"label": "0–5 %", "shown": "8 / 12", "rate": "66.7", "rate_shown": "66.7 %", "interval_shown": "39 % – 86 %"},
        {"label": "> 20 %", "shown": "1 / 2", "rate": None, "rate_shown": "–", "interval_shown": "–"},
    ),
    (
        ("discount", "won", "rate", "interval"),
        ("0–5 %", "8 / 12", "66.7 %", "39 % – 86 %"),
        ("> 20 %", "1 / 2", "–", "–"),
    ),
)


def test_a_chart_of_a_brief_keeps_its_finding_and_table_and_draws_no_rate_of_two_cases():
    [chart] = pictures([TOLD], None, lambda _collection, _id: None)

    assert chart.title == "No clear link: 9 of 14 won."
    assert [(p.label, p.value, p.shown) for p in chart.points] == [("0–5 %", 66.7, "8 / 12, 66.7 % (39 % – 86 %)")]
    assert chart.table[2] == ("> 20 %", "1 / 2", "–", "–")
    assert chart.show(50.0) == "50 %"


def test_a_chart_that_nobody_drew_yet_is_left_out():
    assert pictures([Told("else", "Another", "")], None, lambda _collection, _id: None) == []
