"""Sheet lines as internal facts, and the sections of every internal kind as lists of fact ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from crmplugin.analysis.account_lines import View, account_questions, order_lines
from crmplugin.analysis.negotiation_sheet import SECTIONS as NEGOTIATION_SECTIONS
from crmplugin.analysis.negotiation_sheet import negotiation_amounts, negotiation_sheet
from crmplugin.analysis.qualification import Qualification
from crmplugin.analysis.qualification_sheet import qualification_of, qualification_sheet, questions
from crmplugin.analysis.sheet import Pointer, SheetLine, Val, say
from crmplugin.analysis.situation import (
    change_lines,
    closed_lines,
    deal_lines,
    handoff_lines,
    hold_lines,
    next_lines,
    outline_lines,
    people_lines,
    question_lines,
    recent_lines,
    risk_lines,
    status_lines,
    ticket_lines,
)
from crmplugin.brief.facts_of.making import Maker, Rec, plain
from crmplugin.domain.brief import Signals
from crmplugin.domain.crm import Context
from crmplugin.domain.fact import Basis, Fact
from crmplugin.ports import Population

Sections = tuple[tuple[str, tuple[str, ...]], ...]
DIVIDER = " | "
DIGEST_LINES = 10
QUOTES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"en": ("“", "”"), "de": ("„", "“"), "fr": ("« ", " »"), "es": ("«", "»")}
)
ISO_DAY = re.compile(r"“(\d{4}-\d{2}-\d{2})”")
"""A day that a CRM field holds, quoted as evidence: shown as a day, without quotes."""


def with_conflict(kind: str, lines: tuple[SheetLine, ...]) -> tuple[SheetLine, ...]:
    """The lines with one that says amounts contradict each other, for sheets that name risks."""
    if "risks" not in INTERNAL_SECTIONS.get(kind, ()):
        return lines
    return (*(line for line in lines if line.key != "no_risk"), say("risks", "risk_conflict"))


def sheet_lines(kind: str, view: View, found: Qualification | None) -> tuple[SheetLine, ...]:
    """The lines of an internal kind in order; for a customer kind the negotiation's amounts, which must not leak."""
    write = _WRITERS.get(kind)
    if write is None:
        return negotiation_amounts(view.context, view.population, view.signals, view.now, zone=view.zone)
    return tuple(write(view, found))


def qualification_in(kind: str, context: Context, view: View) -> Qualification | None:
    """The deal's qualification for the kinds that show it."""
    if context.deal is None or "questions" not in INTERNAL_SECTIONS.get(kind, ()):
        return None
    return qualification_of(context, context.deal, view.now)


def line_facts(make: Maker, context: Context, lines: Iterable[SheetLine]) -> list[Fact | None]:
    """A fact for every line that is not a pointer."""
    rec = subject_rec(context)
    return [_fact(make, rec, line) for line in lines if line.ref is None]


def sections_of(
    make: Maker, context: Context, lines: Iterable[SheetLine], facts: Mapping[str, Fact], order: Iterable[str]
) -> Sections:
    """Ids of the lines by section, sections in their order, empty ones left out."""
    rec = subject_rec(context)
    by_section: dict[str, dict[str, None]] = {section: {} for section in order}
    shown: set[str] = set()
    for line in lines:
        fact_id = _pointed(make, line.ref) if line.ref else make.id_of(rec, line.key)
        if fact_id in facts and fact_id not in shown:
            shown.add(fact_id)
            by_section.setdefault(line.section, {})[fact_id] = None
    return tuple((section, tuple(ids)) for section, ids in by_section.items() if ids)


def question_texts(make: Maker, found: Qualification | None) -> tuple[str, ...]:
    """What to ask next, in words."""
    return tuple(make.word(f"word.question.{element}") for element in found.ask) if found else ()


def subject_rec(context: Context) -> Rec:
    """The record that lines of a sheet belong to."""
    if context.deal:
        return Rec("deals", context.deal.id, context.deal.name or context.deal.id)
    if context.company:
        return Rec("companies", context.company.id, context.company.name or context.company.id)
    return Rec(f"{context.subject.type}s", context.subject.id, context.subject.id)


def view_of(context: Context, signals: Signals, population: Population, make: Maker) -> View:
    return View(context, signals, population, make.now, make.owner_zone, language=make.language)


def _fact(make: Maker, rec: Rec, line: SheetLine) -> Fact:
    label, _, sentence = make.words[f"line.{line.words}"].partition(DIVIDER)
    value = line.value
    display = _shown(make, value) if value else _filled(make, sentence, line)
    inputs = tuple(_pointed(make, p) for p in line.inputs)
    basis = Basis(
        type="estimated" if line.interval else "computed", formula=line.formula or "rule over the records",
        inputs=inputs, n=line.n, interval=line.interval, method=line.confidence,
    )  # fmt: skip
    return Fact(
        id=make.id_of(rec, line.key),
        kind=line.kind,
        label=_filled(make, label, line),
        value=_value(make, value) if value else display,
        display=display,
        unit=value.unit if value else None,
        basis=basis,
        visibility="internal",
        as_of=make.now,
        source=tuple(make.source(Rec(c, i, ""), f) for c, i, f in line.sources),
    )


def _filled(make: Maker, words: str, line: SheetLine) -> str:
    args = {name: _shown(make, value) for name, value in line.args.items()}
    return words.format(**args).strip()


def _pointed(make: Maker, pointer: Pointer) -> str:
    collection, record_id, field = pointer
    return make.id_of(Rec(collection, record_id, ""), field)


def _value(make: Maker, value: Val) -> str:
    if value.kind == "money" and value.unit:
        return f"{make.to_minor_unit(Decimal(value.value), value.unit):f}"
    return plain(Decimal(value.value)) if value.kind in ("percent", "number", "count", "days") else value.value


def _shown(make: Maker, value: Val) -> str:
    return _SHOWS[value.kind](make, value)


def _in_our_form(make: Maker, text: str) -> str:
    """A text with quotes and bare days as the language of the sheet writes them."""
    opens, closes = QUOTES.get(make.language, QUOTES["en"])
    dated = ISO_DAY.sub(lambda day: make.show_day(date.fromisoformat(day[1])), text)
    return dated.replace("“", opens).replace("”", closes)


_SHOWS: Mapping[str, Callable[[Maker, Val], str]] = MappingProxyType(
    {
        "money": lambda make, v: make.show_money(make.to_minor_unit(Decimal(v.value), v.unit or ""), v.unit or ""),
        "percent": lambda make, v: make.show_percent(Decimal(v.value)),
        "date": lambda make, v: make.show_day(date.fromisoformat(v.value)),
        "count": lambda make, v: make.show_number(Decimal(v.value)),
        "number": lambda make, v: make.show_number(Decimal(v.value)),
        "days": lambda make, v: make.show_span(Decimal(v.value), None, "day"),
        "text": lambda make, v: _in_our_form(make, v.value),
        "word": lambda make, v: make.word(f"word.{v.value}"),
    }
)


def _negotiation(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    yield from negotiation_sheet(v.context, v.population, v.signals, v.now, zone=v.zone)
    if found:
        yield from questions(found, "questions")


def _meeting_brief(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    for write in (people_lines, recent_lines, deal_lines, order_lines, ticket_lines, question_lines, risk_lines):
        yield from write(v)
    yield from questions(found, "questions") if found else account_questions(v)
    yield from next_lines(v)


def _summary(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    for write in (status_lines, order_lines, risk_lines, next_lines, recent_lines, hold_lines):
        yield from write(v)


def _qualification(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    if found:
        yield from closed_lines(v, "score")
        yield from qualification_sheet(found)


def _handoff(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    return handoff_lines(v)


def _digest(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    lines = [line for write in (change_lines, hold_lines) for line in write(v)][: DIGEST_LINES - 1]
    return (*lines, *list(next_lines(v))[:1])


def _outline(v: View, found: Qualification | None) -> Iterable[SheetLine]:
    return outline_lines(v)


_WRITERS: Mapping[str, Callable[[View, Qualification | None], Iterable[SheetLine]]] = MappingProxyType(
    {
        "negotiation_note": _negotiation,
        "meeting_brief": _meeting_brief,
        "summary": _summary,
        "qualification": _qualification,
        "handoff_note": _handoff,
        "insight_digest": _digest,
        "outline": _outline,
    }
)
INTERNAL_SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "negotiation_note": NEGOTIATION_SECTIONS,
        "meeting_brief": (
            "people",
            "recent",
            "deals",
            "orders",
            "tickets",
            "their_questions",
            "risks",
            "questions",
            "next",
        ),
        "summary": ("status", "orders", "risks", "next", "recent", "hold"),
        "qualification": ("score", "elements", "questions"),
        "handoff_note": ("case", "who", "promises", "mood", "signals", "hold", "next"),
        "insight_digest": ("changes", "hold", "next"),
        "outline": ("agenda", "products", "proof"),
    }
)
"""Section keys of every internal kind, in order; their headings stand in `prompts/words/headings.toml`."""
