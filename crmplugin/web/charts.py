"""Charts as SVG that stands in the page: drawn by pygal, coloured by our own style sheet, with every value in words.

pygal brings its styles and scripts inside the picture, which our policy forbids; they are taken out, and the classes
that it leaves are what `charts.css` speaks of. So a chart follows the reader's theme and needs no request of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import ceil, floor, log10
from typing import Any, Literal
from xml.etree import ElementTree

from markupsafe import Markup

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, HEIGHT = 360, 170
"""Small enough that its words can be read in a frame of 320 px, where it is shrunk."""
FONT = 12
MOST_LABELS = 3
"""Labels that fit below a chart of this width."""
MOST_PRINTED = 8
MOST_MARKS = 4
FAR_ABOVE = 4
"""A value so many times the next one stands above the scale; the others would else lie on the ground."""
MOST_FAR = 0.1
"""At most this part of the points may; with more of them the scale is theirs."""

Kind = Literal["bars", "dots", "steps"]


@dataclass(frozen=True, slots=True)
class Point:
    """One value: where it stands (`at` for a time axis), what it says in words, the record behind it, and its tone."""

    label: str
    value: float
    shown: str
    at: date | None = None
    link: str | None = None
    source: str | None = None
    tone: Literal["plain", "good", "bad"] = "plain"


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of some values. `title` says the finding, `note` what it rests on, `columns` head the table.

    table: its headings and rows where they say more than the points do.
    """

    key: str
    title: str
    kind: Kind
    points: tuple[Point, ...]
    columns: tuple[str, str]
    note: str = ""
    show: Callable[[float], str] = str
    top: float | None = None
    """Where the axis ends; None: a little above the highest value, those far above all others aside."""
    table: tuple[tuple[str, ...], ...] = ()


def draw(chart: Chart) -> Markup:
    """The chart as an `svg` element: no style, script, id or address in it, its title and values as text."""
    root = _plot(chart).render_tree()
    _bare(root)
    marks = [n for n in root.iter() if {"bar", "dots"} & set(n.get("class", "").split())]
    above = far_above(chart)
    for mark, point in zip(marks, chart.points, strict=False):
        mark.set("class", f"{mark.get('class')} {point.tone}")
        if point in above:
            _say_beside(mark, f"\u2191 {point.shown}")
    root.attrib.update({"role": "img", "aria-label": chart.title, "class": f"chart {chart.kind}", "focusable": "false"})
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def far_above(chart: Chart) -> tuple[Point, ...]:
    """The points that stand above the scale: a few, each many times as high as all that are on it."""
    ranked = sorted(chart.points, key=lambda p: p.value)
    if chart.kind != "dots" or chart.top is not None:
        return ()
    fewest = len(ranked) - max(int(len(ranked) * MOST_FAR), 1)
    for n in range(max(fewest, 2), len(ranked)):
        if 0 < FAR_ABOVE * ranked[n - 1].value <= ranked[n].value:
            return tuple(ranked[n:])
    return ()


def _say_beside(mark: ElementTree.Element, words: str) -> None:
    """Prints a point's value beside its dot, on the side where there is room."""
    dot = next(n for n in mark.iter() if n.tag.endswith("circle"))
    x, y = float(dot.get("cx", "0")), float(dot.get("cy", "0"))
    left = x > WIDTH / 2
    place = {"class": "beside", "x": f"{x + (-8 if left else 8):.1f}", "y": f"{y + FONT / 3:.1f}"}
    text = ElementTree.SubElement(mark, dot.tag.replace("circle", "text"), place)
    text.set("text-anchor", "end" if left else "start")
    text.text = words


@cache
def _pygal() -> Any:
    """pygal, when the first chart is drawn: it takes a tenth of a second to import, and most pages show none.

    It leaves a finder for its plug-ins among the interpreter's, of a kind that makes every failed import warn; we have
    no plug-ins, so it goes again.
    """
    import pygal
    import pygal.style

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]
    return pygal


def _plot(chart: Chart) -> Any:
    pygal = _pygal()
    style = pygal.style.Style(label_font_size=FONT, major_label_font_size=FONT, no_data_font_size=FONT)
    common = {"width": WIDTH, "height": HEIGHT, "show_legend": False, "js": (), "css": (), "margin": 8, "style": style,
              "margin_right": 36, "truncate_label": -1,
              "no_prefix": True, "classes": (), "value_formatter": chart.show, "show_minor_y_labels": True,
              "title": None, "no_data_text": ""}  # fmt: skip
    above = far_above(chart)
    most = max((p.value for p in chart.points if p not in above), default=0.0)
    marks = _marks(chart.top or (most * 1.2 if above else most))
    values: list[Any] = [min(p.value, marks[-1]) for p in chart.points]
    if chart.kind == "dots":
        plot = pygal.DateLine(stroke=False, dots_size=4, x_value_formatter=lambda day: day.isoformat(), **common)
        values = [(p.at, v) for p, v in zip(chart.points, values, strict=True)]
    elif chart.kind == "steps":
        plot = pygal.Line(interpolate=None, dots_size=4, **common)
    else:
        plot = pygal.Bar(print_values=len(chart.points) <= MOST_PRINTED, print_values_position="top", **common)
    if chart.kind == "dots":
        plot.x_labels = _spread([p.at for p in chart.points if p.at])
        shown = {p.at: p.label for p in chart.points}
        plot.x_value_formatter = lambda day: shown.get(getattr(day, "date", lambda: day)(), "")
    else:
        kept = _spread([p.label for p in chart.points])
        plot.x_labels = [p.label if p.label in kept else "" for p in chart.points]
    plot.y_labels = marks
    plot.range = (0, marks[-1])
    plot.add("", [{"value": v, "label": f"{p.label}: {p.shown}"} for v, p in zip(values, chart.points, strict=True)])
    return plot


def _spread(labels: Sequence[Any]) -> list[Any]:
    """At most so many of the labels as fit, evenly, the first and the last among them."""
    if len(labels) <= MOST_LABELS:
        return list(labels)
    step = (len(labels) - 1) / (MOST_LABELS - 1)
    return [labels[round(n * step)] for n in range(MOST_LABELS)]


def _marks(top: float) -> list[float]:
    """Round marks of an axis from nothing to above the highest value: steps of 1, 2 or 5 times a power of ten."""
    if top <= 0:
        return [0, 1]
    rough = top / MOST_MARKS
    power = 10.0 ** floor(log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough)
    step = max(step, 1) if top >= 1 else step
    return [n * step for n in range(ceil(top / step) + 1)]


def _bare(node: ElementTree.Element) -> None:
    """Takes out what a page may not hold, and turns pygal's hidden words into titles that a pointer shows."""
    for child in list(node):
        if not isinstance(child.tag, str) or child.tag in (f"{SVG}defs", f"{SVG}title", "defs", "title"):
            node.remove(child)
            continue
        _bare(child)
    for name in ("style", "id", "onload"):
        node.attrib.pop(name, None)
    said = [child for child in node if child.tag in ("desc", f"{SVG}desc")]
    for child in said:
        node.remove(child)
    words = next((c.text for c in said if "label" in c.get("class", "")), None)
    if words:
        title = ElementTree.Element(said[0].tag.replace("desc", "title"))
        title.text = words
        node.insert(0, title)
