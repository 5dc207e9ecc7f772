"""The sheet: a draft's text laid out with the state of each sentence, and the facts that prove it.

The body is what will be written, so it decides the layout; sentences are found in it in their order, each with its
state. What no sentence covers is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from crmplugin.domain.draft import OVERRIDABLE, PASSING, Draft, Sentence
from crmplugin.domain.fact import Fact
from crmplugin.journeys.present import told_facts
from crmplugin.writing.headings import is_heading

State = Literal["supported", "rendered", "needs", "removed", "plain"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: one sentence, or what stands between sentences. `facts` are places in the list of proof."""

    text: str
    state: State = "plain"
    n: int | None = None
    facts: tuple[int, ...] = ()
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as lines of pieces; a heading of an internal note is a paragraph of its own."""

    lines: tuple[tuple[Piece, ...], ...]
    kind: Literal["text", "heading", "bullets"] = "text"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a page shows of a text. `facts` are those that sentences cite, in the order of their first citation."""

    subject: Piece | None
    blocks: tuple[Block, ...]
    facts: tuple[Fact, ...]
    known: int
    needs: tuple[Piece, ...]
    removed: tuple[Sentence, ...]
    failed_checks: tuple[str, ...]
    final: bool
    """Whether a sentence needs a change that nobody can override."""

    @property
    def ready(self) -> bool:
        """Whether every sentence passes, so that it may be approved."""
        return not self.needs


def lay_out(draft: Draft) -> Sheet:
    """The sheet of a draft's present text."""
    facts = cited_facts(draft)
    places = {fact.id: n for n, fact in enumerate(facts)}
    pieces = [_piece(s, n, places) for n, s in enumerate(draft.sentences)]
    kept = [p for p in pieces if p.state != "removed"]
    subject = next((p for p in kept if p.sentence and p.sentence.role == "subject"), None)
    body = [p for p in kept if p is not subject]
    needs = tuple(p for p in kept if p.state == "needs")
    return Sheet(
        subject=subject,
        blocks=tuple(_blocks(_cover(draft.body or "", body))),
        facts=facts,
        known=len(told_facts(draft)),
        needs=needs,
        removed=tuple(p.sentence for p in pieces if p.state == "removed" and p.sentence),
        failed_checks=tuple(c.text for c in draft.checks if c.verdict == "fail" and not _is_said(c.text, needs)),
        final=any(p.sentence and p.sentence.verdict not in OVERRIDABLE for p in needs),
    )


def _is_said(text: str, needs: Iterable[Piece]) -> bool:
    """Whether a check of the whole text says no more than a sentence that needs the person."""
    reasons = (p.sentence.reason for p in needs if p.sentence)
    return any(reason and reason in text for reason in reasons)


def cited_facts(draft: Draft) -> tuple[Fact, ...]:
    """The facts that the kept sentences cite, each once."""
    known = {fact.id: fact for fact in told_facts(draft)}
    cited = dict.fromkeys(i for s in draft.sentences if s.action != "removed" for i in s.evidence)
    return tuple(known[i] for i in cited if i in known)


def _piece(sentence: Sentence, n: int, places: dict[str, int]) -> Piece:
    facts = tuple(places[i] for i in sentence.evidence if i in places)
    return Piece(sentence.text, _state(sentence), n, facts, sentence)


def _state(sentence: Sentence) -> State:
    if sentence.action == "removed":
        return "removed"
    if sentence.verdict not in PASSING:
        return "needs"
    return "rendered" if sentence.verdict == "rendered" else "supported"


def _cover(body: str, pieces: Sequence[Piece]) -> list[Piece]:
    """The whole body as pieces: each sentence where it stands, and the text between them."""
    covered: list[Piece] = []
    at = 0
    for piece in pieces:
        start = body.find(piece.text, at)
        if start < 0:
            continue
        if start > at:
            covered.append(Piece(body[at:start]))
        covered.append(piece)
        at = start + len(piece.text)
    return [*covered, Piece(body[at:])] if at < len(body) else covered


def _blocks(pieces: Iterable[Piece]) -> Iterable[Block]:
    lines: list[tuple[Piece, ...]] = []
    for line in _lines(pieces):
        if line:
            lines.append(line)
        elif lines:
            yield _block(lines)
            lines = []
    if lines:
        yield _block(lines)


def _lines(pieces: Iterable[Piece]) -> Iterable[tuple[Piece, ...]]:
    """The pieces of each line; an empty line is an empty tuple. A sentence over several lines keeps them."""
    line: list[Piece] = []
    for piece in pieces:
        if piece.sentence is not None:
            line.append(piece)
            continue
        first, *rest = piece.text.split("\n")
        line += [Piece(first)] if first else []
        for text in rest:
            yield _trimmed(line)
            line = [Piece(text)] if text else []
    yield _trimmed(line)


def _trimmed(line: list[Piece]) -> tuple[Piece, ...]:
    return tuple(line) if any(p.text.strip() for p in line) else ()


def _block(lines: list[tuple[Piece, ...]]) -> Block:
    if len(lines) == 1 and len(lines[0]) == 1 and _is_heading(lines[0][0]):
        return Block(tuple(lines), "heading")
    if all(line[0].text.startswith("- ") for line in lines):
        return Block(tuple(lines), "bullets")
    return Block(tuple(lines))


def _is_heading(piece: Piece) -> bool:
    return piece.sentence is not None and piece.sentence.role in ("context", "claim") and is_heading(piece.text)
