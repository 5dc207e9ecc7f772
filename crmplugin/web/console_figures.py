"""Figures for people who steer: use, cost, acceptance, changes and answers per kind over time; prompts with results.

Every title says what was found and how many cases stand behind it; below ten it says that this is too few to judge.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import SequenceMatcher
from importlib.resources import files
from typing import Any

from flask import Response, request

from crmplugin.journeys.spending import used_rows
from crmplugin.store.figures import DecidedRow, MadeRow
from crmplugin.web.auth import desk, who
from crmplugin.web.charts import Chart, Point
from crmplugin.web.console_frame import blueprint, page, reader, words
from crmplugin.writing.prompt import load_prompt, prompt_head

WEEKS = (4, 12, 26)
ENOUGH = 10
"""Cases below which a share is not a finding."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the drafts of one kind, or of one prompt."""

    made: int = 0
    approved: int = 0
    rejected: int = 0
    unchanged: int = 0
    waiting: int = 0

    @property
    def decided(self) -> int:
        return self.approved + self.rejected


@blueprint.get("/console/figures")
def figures() -> Response:
    """Use, cost, acceptance, changes and answers of the last weeks."""
    asked = request.args.get("weeks", "12")
    weeks = int(asked) if asked in {str(n) for n in WEEKS} else 12
    since = desk().clock() - timedelta(weeks=weeks)
    scope = who().connections
    made = desk().figures.made(since, scope)
    decided = desk().figures.decided(since, scope)
    counts = _by_kind(made, decided)
    changed = _changes(made, decided)
    answered = desk().figures.answered(since, scope)
    charts = [_per_week(decided, since.date()), _accepted(counts), _changed(changed), _answered(answered),
              *_cost(made, since.date())]  # fmt: skip
    return page(
        "figures.html",
        weeks=weeks,
        choices=WEEKS,
        made=len(made),
        counts=counts,
        changed=changed,
        answered=answered,
        share=share,
        charts=[c for c in charts if c],
        limits=used_rows(desk().spending.used(scope)),
        **_spent(made),
    )


def _by_kind(made: Iterable[MadeRow], decided: Iterable[DecidedRow]) -> dict[str, Counts]:
    verdicts = {row.draft: row.new for row in decided}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in made:
        found[row.kind].update(_tallies(row, verdicts.get(row.id)))
    counts = {kind: Counts(**tally) for kind, tally in found.items()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1].made, item[0])))


def _tallies(row: MadeRow, verdict: str | None) -> Iterable[str]:
    yield "made"
    if verdict:
        yield verdict
    if verdict == "approved" and row.version == 1:
        yield "unchanged"
    if row.status == "proposed":
        yield "waiting"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent, or that it is too few to judge."""
    if not whole:
        return "–"
    return f"{round(100 * part / whole)} %" if whole >= ENOUGH else words()("figures.few", n=whole)


def _changes(made: Iterable[MadeRow], decided: Iterable[DecidedRow]) -> dict[str, tuple[float, int]]:
    """By kind: the share of words that people changed before they approved, and how many texts that is."""
    approved = {row.draft for row in decided if row.new == "approved"}
    rows = [row for row in made if row.id in approved]
    texts = desk().figures.texts([row.id for row in rows if row.version > 1])
    changed: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row.version == 1:
            changed[row.kind].append(0.0)
        elif row.id in texts:
            changed[row.kind].append(words_changed(*texts[row.id]))
    return {kind: (sum(shares) / len(shares), len(shares)) for kind, shares in changed.items()}


def words_changed(first: str, last: str) -> float:
    """The share of words that differ between two texts, 0 to 1."""
    return 1 - SequenceMatcher(None, first.split(), last.split(), autojunk=False).ratio()


def _per_week(decided: Iterable[DecidedRow], start: date) -> Chart | None:
    weeks = Counter(_monday(row.at.date()) for row in decided if row.new == "approved")
    return _weekly("decided", weeks, start, lambda v: f"{v:g}", "figures.approved_column") if weeks else None


def _weekly(key: str, by_week: Mapping[date, float], start: date, show: Any, column: str) -> Chart:
    """Bars of every week since a day; weeks with nothing are there, as nothing."""
    first, last = _monday(start), _monday(desk().clock().date())
    days = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    points = tuple(Point(reader().day(d), float(by_week.get(d, 0)), show(float(by_week.get(d, 0))), d) for d in days)
    total = show(float(sum(by_week.values())))
    title = words()(f"figures.{key}", total=total, weeks=len(days))
    return Chart(key, title, "bars", points, (words()("figures.week_of"), words()(column)), "", show)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _accepted(counts: Mapping[str, Counts]) -> Chart | None:
    """Of what was decided, the part that was approved."""
    decided = {kind: c for kind, c in counts.items() if c.decided}
    if not decided:
        return None
    yes, all_ = sum(c.approved for c in decided.values()), sum(c.decided for c in decided.values())
    points = tuple(_share_point(kind, c.approved, c.decided) for kind, c in decided.items() if c.decided >= ENOUGH)
    return _per_kind("accepted", _title("accepted", yes, all_), points)


def _title(key: str, part: int, whole: int) -> str:
    """The finding, or that there are too few cases for one."""
    if whole < ENOUGH:
        return words()(f"figures.{key}_few", n=whole)
    return words()(f"figures.{key}", share=share(part, whole), n=whole)


def _share_point(kind: str, part: int, whole: int) -> Point:
    percent = 100 * part / whole
    return Point(words().plain("kind", kind), percent, words()("figures.of", share=f"{percent:.0f} %", n=whole))


def _changed(changed: Mapping[str, tuple[float, int]]) -> Chart | None:
    if not changed:
        return None
    n = sum(count for _, count in changed.values())
    mean = sum(share * count for share, count in changed.values()) / n
    if n < ENOUGH:
        return _per_kind("changed", words()("figures.changed_few", n=n), ())
    points = tuple(
        Point(words().plain("kind", kind), 100 * part, words()("figures.of", share=f"{100 * part:.0f} %", n=count))
        for kind, (part, count) in changed.items() if count >= ENOUGH
    )  # fmt: skip
    return _per_kind("changed", words()("figures.changed", share=f"{100 * mean:.0f} %", n=n), points)


def _answered(answered: Mapping[str, tuple[int, int]]) -> Chart | None:
    """Of what was written to the CRM, the part after which the customer wrote or called."""
    if not answered:
        return None
    written, came = sum(n for n, _ in answered.values()), sum(n for _, n in answered.values())
    points = tuple(_share_point(kind, part, whole) for kind, (whole, part) in answered.items() if whole >= ENOUGH)
    return _per_kind("answered", _title("answered", came, written), points)


def _per_kind(key: str, title: str, points: tuple[Point, ...]) -> Chart:
    columns = (words()("figures.kind"), words()("figures.share"))
    note = words()(f"figures.{key}_note") if points else ""
    return Chart(key, title, "bars", points, columns, note, lambda v: f"{v:.0f} %", 100)


def _cost(made: Iterable[MadeRow], start: date) -> Iterable[Chart]:
    """What the model cost a week, where its price is set."""
    by_week: dict[date, float] = defaultdict(float)
    for row in made:
        if row.usage and row.usage.get("cost"):
            by_week[_monday(row.created_at.date())] += float(Decimal(row.usage["cost"]))
    if by_week:
        yield _weekly("cost", by_week, start, lambda v: f"{v:.2f}", "figures.cost_column")


def _spent(made: Iterable[MadeRow]) -> dict[str, Any]:
    """Tokens and cost of the model, and who wrote how often."""
    used = [row.usage for row in made if row.usage]
    writers = Counter(row.writer for row in made if row.writer)
    return {
        "writers": writers,
        "input_tokens": sum(u.get("input_tokens") or 0 for u in used),
        "output_tokens": sum(u.get("output_tokens") or 0 for u in used),
        "cost": sum(Decimal(u["cost"]) for u in used if u.get("cost")),
    }


@blueprint.get("/console/prompts")
def prompts() -> Response:
    """The prompts for models, their versions, and what became of the drafts that each wrote."""
    since = desk().clock() - timedelta(weeks=WEEKS[-1])
    made = [row for row in desk().figures.made(since, who().connections) if row.prompt]
    verdicts = {row.draft: row.new for row in desk().figures.decided(since, who().connections)}
    results: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in made:
        key = ((row.prompt or {})["name"], (row.prompt or {})["version"])
        results[key].update(_tallies(row, verdicts.get(row.id)))
        results[key][f"grounding_{(row.grounding or {}).get('status')}"] += 1
    names = sorted(p.name.removesuffix(".md") for p in (files("prompts") / "write").iterdir() if p.name.endswith(".md"))
    shown = [_prompt(name, results) for name in names]
    return page("prompts.html", prompts=shown, share=share, model=desk().settings.model.name)


def _prompt(name: str, results: Mapping[tuple[str, str], Counter[str]]) -> dict[str, Any]:
    """A prompt as it stands, and every version of it that wrote a draft, the present one first."""
    prompt, head = load_prompt(name), prompt_head(name)
    versions = {version for known, version in results if known == prompt.name} | {prompt.version}
    ordered = sorted(versions, key=lambda v: (v != prompt.version, v), reverse=False)
    rows = [{"version": v, "present": v == prompt.version, **results.get((prompt.name, v), {})} for v in ordered]
    return {"prompt": prompt, "head": head, "versions": rows, "used": any(row.get("made") for row in rows)}
