"""The quality cases: records, a task and what the draft must be, run through a writer and judged by code.

A case is data (`evals/cases/*.toml`): its world is a records file, `add` are records on top of it. Every draft is also
held to what all drafts owe: no sentence that fails, no failed rule over the whole, one ask, evidence that exists.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from crmplugin.analysis.wilson import wilson
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import PASSING, Draft
from crmplugin.errors import UsageError
from crmplugin.journeys.draft import Tools, make_brief, make_draft
from crmplugin.writing.model import private_of

GOOD = 4
"""From this grade on (of 0 to 5) a judge would send a draft as it stands."""
SUBJECTS = ("deal", "company", "contact", "ticket", "activity")
_TASK = ("type", "to_contact_id", "channel", "language", "tone", "length", "instruction")
_HEAD = frozenset({"id", "about", "world", "kind", "as_of", "add", "expect", *SUBJECTS, *_TASK})


@dataclass(frozen=True, slots=True)
class Case:
    """One task with what must come of it. `records` are documents of crmplugin-records/1, in order."""

    id: str
    about: str
    kind: str
    subject: Subject
    as_of: str
    records: Sequence[Mapping[str, Any]]
    task: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)
    connection: str = "local"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: its failures in words (none: passed), and the draft. `grade`: a judge's, 0 to 5."""

    case: str
    failures: tuple[str, ...]
    writer: str | None = None
    cost: Decimal | None = None
    draft: Draft | None = None
    grade: int | None = None
    private: tuple[str, ...] = ()
    """What a model that reads the draft may not see."""

    @property
    def passed(self) -> bool:
        return not self.failures


def packaged_cases() -> list[Case]:
    return read_cases(files("evals"))


def read_cases(folder: Traversable) -> list[Case]:
    """All cases of a folder with `cases/*.toml` and `worlds/*.json`. Raises UsageError that names what is wrong."""
    if not (folder / "cases").is_dir():
        raise UsageError(f"{folder} holds no folder 'cases' with TOML files")
    found = []
    for source in sorted((folder / "cases").iterdir(), key=lambda f: f.name):
        if source.name.endswith(".toml"):
            found += [_case(row, folder, source.name) for row in _rows(source)]
    return found


def _rows(source: Traversable) -> list[dict[str, Any]]:
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{source.name}: {error}") from None
    shared = {k: v for k, v in document.items() if k != "case"}
    return [{**shared, **row} for row in document.get("case", ())]


def _case(row: Mapping[str, Any], folder: Traversable, name: str) -> Case:
    unknown = sorted(set(row) - _HEAD) + sorted(set(row.get("expect", {})) - set(_EXPECTED))
    if unknown or "id" not in row or "kind" not in row:
        raise UsageError(f"{name}, case {row.get('id', '?')}: unknown {', '.join(unknown)}" if unknown else
                         f"{name}: every case needs an id and a kind")  # fmt: skip
    subjects = [Subject(kind, row[kind]) for kind in SUBJECTS if kind in row]  # type: ignore[arg-type]
    if len(subjects) != 1:
        raise UsageError(f"{name}, case {row['id']}: name one of {', '.join(SUBJECTS)}")
    world = folder / "worlds" / f"{row['world']}.json"
    if not world.is_file():
        raise UsageError(f"{name}, case {row['id']}: there is no world {row['world']}")
    records = [json.loads(world.read_text(encoding="utf-8"))]
    if "add" in row:
        records.append({"format": "crmplugin-records/1", **json.loads(row["add"])})
    task = {key: str(row[key]) for key in _TASK if key in row}
    return Case(row["id"], row.get("about", ""), row["kind"], subjects[0], str(row["as_of"]), records, task,
                row.get("expect", {}))  # fmt: skip


def run_case(case: Case, *, tools: Tools, writer: str, as_of: datetime) -> Outcome:
    """The case drafted by a writer and judged. A draft that falls back to another writer than asked for fails."""
    request = Request(case.connection, case.kind, case.subject, as_of=as_of, writer=writer, **case.task)  # type: ignore[arg-type]
    draft = make_draft(request, tools=tools, draft_id=f"eval-{case.id}", now=as_of, created_by="eval")
    failures = [*_owed(draft), *_expected(draft, case.expect)]
    if writer == "model" and draft.status == "proposed" and draft.writer != "model":
        failures.append("fell back to the template writer")
    cost = Decimal(draft.usage.cost) if draft.usage and draft.usage.cost else None
    private = private_of(make_brief(request, tools=tools, now=as_of)) if draft.body else ()
    return Outcome(case.id, tuple(failures), draft.writer, cost, draft, private=private)


def text_of(draft: Draft) -> str:
    return "\n".join(part for part in (draft.subject, draft.body) if part)


def _owed(draft: Draft) -> Iterator[str]:
    """What every draft owes, whatever the case."""
    known = {f.id for f in draft.facts}
    for sentence in draft.sentences:
        if sentence.action != "removed" and sentence.verdict not in PASSING:
            yield f"{sentence.verdict}: {sentence.text}"
        yield from (f"evidence {i} is no fact" for i in sentence.evidence if i not in known)
    yield from (f"rule {c.code}: {c.text}" for c in draft.checks if c.verdict == "fail")


def _expected(draft: Draft, expect: Mapping[str, Any]) -> Iterator[str]:
    for key, wanted in expect.items():
        yield from _EXPECTED[key](draft, wanted)


def _equal(read: Callable[[Draft], Any], name: str) -> Callable[[Draft, Any], Iterator[str]]:
    def judge(draft: Draft, wanted: Any) -> Iterator[str]:
        allowed = wanted if isinstance(wanted, list) else [wanted]
        if read(draft) not in allowed:
            yield f"{name} is {read(draft)}, not {' or '.join(map(str, allowed))}"

    return judge


def _must(draft: Draft, patterns: Sequence[str]) -> Iterator[str]:
    text = text_of(draft)
    yield from (f"misses /{p}/" for p in patterns if not re.search(p, text, re.IGNORECASE))


def _must_not(draft: Draft, patterns: Sequence[str]) -> Iterator[str]:
    text = text_of(draft)
    for p in patterns:
        found = re.search(p, text, re.IGNORECASE)
        if found:
            yield f"says “{found[0]}” (/{p}/)"


def _warns(draft: Draft, codes: Sequence[str]) -> Iterator[str]:
    mine = {w.code for w in draft.warnings}
    yield from (f"no warning {code}" for code in codes if code not in mine)


def _facts(draft: Draft, ids: Sequence[str]) -> Iterator[str]:
    cited = {i for s in draft.sentences if s.action != "removed" for i in s.evidence}
    yield from (f"does not use {i}" for i in ids if i not in cited)


_EXPECTED: Mapping[str, Callable[[Draft, Any], Iterator[str]]] = {
    "status": _equal(lambda d: d.status, "status"),
    "outcome": _equal(lambda d: d.decision.outcome, "outcome"),
    "code": _equal(lambda d: d.decision.code, "code"),
    "type": _equal(lambda d: d.type, "type"),
    "language": _equal(lambda d: d.language, "language"),
    "to": _equal(lambda d: d.to.contact_id if d.to else None, "recipient"),
    "must": _must,
    "must_not": _must_not,
    "warnings": _warns,
    "uses": _facts,
}


@dataclass(frozen=True, slots=True)
class Score:
    """One row of the table: a variant with how many cases it passed, and the 95 % interval of that share."""

    variant: str
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> int:
        return sum(o.passed for o in self.outcomes)

    @property
    def interval(self) -> tuple[Decimal, Decimal]:
        return wilson(self.passed, len(self.outcomes)) if self.outcomes else (Decimal(0), Decimal(1))

    @property
    def grades(self) -> tuple[int, ...]:
        """What a judge gave to the drafts it saw."""
        return tuple(o.grade for o in self.outcomes if o.grade is not None)

    @property
    def cost(self) -> Decimal:
        return sum((o.cost for o in self.outcomes if o.cost), Decimal(0))


def score_json(score: Score, *, made_at: datetime, prompts: str) -> dict[str, Any]:
    """A score as it is kept: what was run, and what came of each case."""
    low, high = score.interval
    return {
        "variant": score.variant,
        "prompts": prompts,
        "made_at": made_at.isoformat(),
        "passed": score.passed,
        "cases": len(score.outcomes),
        "interval": [f"{low:.3f}", f"{high:.3f}"],
        "cost": str(score.cost),
        "outcomes": {o.case: list(o.failures) for o in score.outcomes},
        "judged": _judged(score.grades),
    }


def _judged(grades: Sequence[int]) -> dict[str, Any] | None:
    """How many drafts a judge would send as they stand, with the 95 % interval; None without a judge."""
    if not grades:
        return None
    good = sum(grade >= GOOD for grade in grades)
    low, high = wilson(good, len(grades))
    return {"sent": good, "of": len(grades), "interval": [f"{low:.3f}", f"{high:.3f}"]}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Cases that went from passed to failed or back between two kept scores."""
    old, new = before["outcomes"], after["outcomes"]
    shared = sorted(set(old) & set(new))
    worse = [f"now fails: {case}: {new[case][0]}" for case in shared if not old[case] and new[case]]
    better = [f"now passes: {case}" for case in shared if old[case] and not new[case]]
    return [*worse, *better]
