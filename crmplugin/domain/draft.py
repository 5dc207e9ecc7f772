"""A draft: proposed text with its evidence, its checks and the table of allowed moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Literal

from crmplugin.domain.brief import Chart, Decision, NextTouch, Plan, Recipient, SentenceRole, Warning
from crmplugin.domain.crm import Subject
from crmplugin.domain.fact import Fact

Status = Literal[
    "scheduled", "writing", "proposed", "blocked", "no_message", "stopped", "failed", "approved", "writing_back",
    "written", "rejected", "superseded", "cancelled",
]  # fmt: skip
Verdict = Literal["supported", "rendered", "misformatted", "unsupported", "foreign", "leak", "style"]
PASSING: frozenset[str] = frozenset({"supported", "rendered"})
OVERRIDABLE: frozenset[str] = frozenset({"unsupported", "misformatted", "style"})
"""Verdicts that a named person may lift with a reason; `foreign` and `leak` never."""

MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "scheduled": frozenset({"writing", "cancelled"}),
        "writing": frozenset({"proposed", "blocked", "no_message", "stopped", "failed"}),
        "proposed": frozenset({"approved", "rejected", "superseded"}),
        "approved": frozenset({"proposed", "writing_back"}),
        "writing_back": frozenset({"written", "failed"}),
        "failed": frozenset({"writing", "writing_back"}),
        "blocked": frozenset(),
        "no_message": frozenset(),
        "stopped": frozenset(),
        "written": frozenset(),
        "rejected": frozenset(),
        "superseded": frozenset(),
        "cancelled": frozenset(),
    }
)
"""From a status to those it may become."""


def may_move(old: str, new: str) -> bool:
    """Whether a draft in status `old` may become `new`."""
    return new in MOVES[old]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with the facts that carry it. `action` says what was done to it on the way."""

    text: str
    role: SentenceRole
    evidence: tuple[str, ...] = ()
    verdict: Verdict = "supported"
    action: Literal["kept", "repaired", "removed"] = "kept"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A typed piece of a sentence (start and end in code points) and what the checker says of it."""

    text: str
    kind: str
    start: int
    end: int
    verdict: Verdict
    facts: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence after checking: `mend` is the text with `misformatted` spans rewritten, when that is certain."""

    sentence: Sentence
    spans: tuple[Span, ...] = ()
    mend: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One rule over the whole text (length, asks, links, banned phrases, compliance): pass, warn or fail."""

    code: str
    verdict: Literal["pass", "warn", "fail"]
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What the checker says of a text: sentences in order, then rules over the whole."""

    sentences: tuple[CheckedSentence, ...]
    checks: tuple[Check, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether every sentence passes."""
        return all(s.sentence.verdict in PASSING for s in self.sentences)


@dataclass(frozen=True, slots=True)
class Grounding:
    status: Literal["verified", "repaired", "trimmed", "template", "none"] = "none"
    removed: tuple[Mapping[str, Any], ...] = ()
    repaired: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptUsed:
    name: str
    version: str
    hash: str


@dataclass(frozen=True, slots=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a writer gave: subject, context, claim, ask and close sentences in order, citing fact ids.

    `language` problems, refusals and fallbacks are errors or warnings of the writer, not sentences.
    """

    sentences: tuple[Sentence, ...]
    writer: Literal["model", "template"]
    model: str | None = None
    prompt: PromptUsed | None = None
    usage: Usage | None = None
    warnings: tuple[Warning, ...] = ()
    masked: Mapping[str, int] = field(default_factory=dict)
    """Rule of masking -> how often it hid something from the model; never a value."""


@dataclass(frozen=True, slots=True)
class Compliance:
    regime: str | None = None
    elements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything the API answers of one draft. `body` and `html` hold all sentences but the subject."""

    id: str
    connection: str
    kind: str
    subject_of: Subject
    status: Status
    decision: Decision
    as_of: datetime
    created_at: datetime
    type: str | None = None
    audience: Literal["customer", "internal"] = "customer"
    to: Recipient | None = None
    channel: str | None = None
    language: str | None = None
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    sentences: tuple[Sentence, ...] = ()
    facts: tuple[Fact, ...] = ()
    warnings: tuple[Warning, ...] = ()
    missing_info: tuple[str, ...] = ()
    missing_questions: tuple[str, ...] = ()
    grounding: Grounding = field(default_factory=Grounding)
    checks: tuple[Check, ...] = ()
    compliance: Compliance = field(default_factory=Compliance)
    next_touch: NextTouch | None = None
    writer: Literal["model", "template"] | None = None
    model: str | None = None
    prompt: PromptUsed | None = None
    usage: Usage | None = None
    masked: Mapping[str, int] = field(default_factory=dict)
    created_by: str | None = None
    origin: Literal["event", "click", "campaign", "api"] = "api"
    event: str | None = None
    version: int = 1
    earliest: date | None = None
    """For a scheduled draft: the day it may be written."""
    plan: Plan | None = None
    locale: str = "en_GB"
    zone: str = "UTC"
    charts: tuple[Chart, ...] = ()
    send_on: date | None = None
    """What a later check of an edited text needs: plan, rendering, recipient's zone and planned day of sending."""
