"""The qualification sheet: ten elements with state and evidence, the count, and the questions to ask next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from crmplugin.analysis import sheet
from crmplugin.analysis.fit.population import closed_outcome
from crmplugin.analysis.qualification import Element, Evidence, Qualification, qualify
from crmplugin.analysis.qualification_evidence import evidence_of
from crmplugin.analysis.sheet import Pointer, SheetLine, say, shorten
from crmplugin.domain.crm import Context, Deal

SHOWN_EVIDENCE = 2
QUOTE_CHARS = 160


def qualification_of(context: Context, deal: Deal, now: datetime) -> Qualification:
    """The deal's qualification; facts from before its last loss count as partial. Of a closed deal nothing is asked."""
    lost = deal.closed_at if deal.reopened_at and deal.closed_at and deal.reopened_at > deal.closed_at else None
    found = qualify(evidence_of(context, deal, now), now=now, stage_kind=deal.stage_kind, not_before=lost)
    return replace(found, ask=()) if closed_outcome(deal) else found


def qualification_sheet(found: Qualification) -> tuple[SheetLine, ...]:
    """Sections `score`, `elements` and `questions`."""
    return (_score(found), *(_element(e) for e in found.elements), *questions(found, "questions"))


def questions(found: Qualification, section: str) -> Iterator[SheetLine]:
    """The most useful questions, open ones, for what is not confirmed; a complete record yields none."""
    for n, element in enumerate(found.ask, start=1):
        yield say(section, f"ask{n}", "ask_next", text=sheet.word(f"question.{element}"))


def _score(found: Qualification) -> SheetLine:
    args = {str(state): sheet.count(n) for state, n in found.counts.items()}
    args["share"] = sheet.percent(found.score * 100, 0)
    return SheetLine("score", "qualification", "qualification", args=args)


def _element(element: Element) -> SheetLine:
    newest = element.evidence[-SHOWN_EVIDENCE:][::-1]
    quotes = "; ".join(f"“{shorten(e.text, QUOTE_CHARS)}”" for e in newest)
    return SheetLine(
        section="elements",
        key=f"qualification_{element.name}",
        words=f"element.{element.name}",
        kind="text",
        args={"state": sheet.word(f"state.{element.state}"), "quotes": sheet.text(quotes)},
        sources=tuple(_pointer(e) for e in newest),
        n=len(element.evidence),
        confidence=element.state,
    )


def _pointer(evidence: Evidence) -> Pointer:
    collection, record_id, field = evidence.ref.split("/", 1)[0], *evidence.ref.split("/", 1)[1].rsplit("/", 1)
    return collection, record_id, field
