"""Internal notes: the sections of the fact sheet, a line a fact, under a heading each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from crmplugin.domain.brief import Beat
from crmplugin.domain.fact import Fact

Sections = tuple[tuple[str, tuple[str, ...]], ...]


_NEEDED: Mapping[str, str] = {
    "negotiation_note": "a deal or a quote to negotiate (ask again for one of them)",
    "qualification": "a deal to qualify (ask again for one)",
}


class SectionSheet(Protocol):
    @property
    def facts(self) -> tuple[Fact, ...]: ...
    @property
    def sections(self) -> Mapping[str, Sections]: ...


def internal_beats(kind: str, sheet: SectionSheet) -> tuple[tuple[Beat, ...], tuple[str, ...]]:
    """The title and a line for every fact of the kind's sections; empty with what is missing when there is none."""
    known = {fact.id for fact in sheet.facts}
    lines = [
        Beat("note.line", "context", {"fact": id_}, section=section)
        for section, ids in sheet.sections.get(kind, ())
        for id_ in dict.fromkeys(ids)
        if id_ in known
    ]
    if not lines:
        return (), (_NEEDED.get(kind, f"anything on record for a {kind.replace('_', ' ')}"),)
    return (_title(kind, sheet), *lines), ()


def _title(kind: str, sheet: SectionSheet) -> Beat:
    """The title, with the name of the account where it is on record."""
    company = next((f.id for f in sheet.facts if f.kind == "org" and f.id != "seller.name"), None)
    facts = {"company": company} if company else {}
    return Beat(f"note.{kind}" if company else f"note.{kind}_plain", "subject", facts)
