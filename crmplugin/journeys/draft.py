"""The path of one draft: brief, words, checks, draft. Also the re-check of a text that a person edited.

What is done about a sentence that fails, in this order: rewritten by code where the mend is certain; one repair by the
model; removed when the message stands without it; the template writer for the whole; no draft. All of it is recorded
in `grounding`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from crmplugin.brief.assemble import assemble
from crmplugin.checking.check import split_sentences
from crmplugin.domain.brief import Brief, Decision, Request, Signals, Warning
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import (
    PASSING,
    CheckedSentence,
    Compliance,
    Draft,
    Grounding,
    Report,
    Sentence,
    Written,
)
from crmplugin.domain.spending import Payer
from crmplugin.domain.style import StyleSheet
from crmplugin.errors import ModelError
from crmplugin.journeys.present import to_json
from crmplugin.ports import Checker, Emit, Learned, NameIndex, Population, Step, Writer, plain_step, silent
from crmplugin.writing.compose import compose, render_body, render_html
from crmplugin.writing.limits import channel_checks

ESSENTIAL_ROLES = frozenset({"subject", "ask"})
"""Roles without which a text is not the message that was planned."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What drafting uses, for one connection. `model` is None when none is set; `why_no_model` says so in words."""

    read_context: Callable[[Subject], Context]
    population: Callable[[], Population]
    template: Writer
    check: Checker
    names: Callable[[], NameIndex]
    scan: Callable[[str], Any]
    model: Writer | None = None
    why_no_model: str | None = "no model is set: the template writer wrote this"
    style: Callable[[str, str, str], StyleSheet | None] = lambda user, kind, language: None
    """The style sheet of a rep for a kind and a language."""
    learned: Callable[[str], Learned] = lambda account: Learned()
    """What the fit over all histories says of an account."""
    pays: Callable[[Payer], Writer | None] | None = None
    """The model with its calls counted for somebody."""

    def paid_by(self, payer: Payer) -> Tools:
        """The same tools; what the model costs is counted for somebody."""
        if self.model is None or self.pays is None:
            return self
        return replace(self, model=self.pays(payer))


@dataclass(frozen=True, slots=True)
class Worded:
    """A text that went through the checks: what was written, its sentences, and what was done to them."""

    written: Written
    sentences: tuple[Sentence, ...]
    report: Report
    grounding: Grounding
    warnings: tuple[Warning, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """No text stands: what the template writer's own words did not pass, as sentences for a person."""

    reasons: tuple[str, ...]


def make_brief(request: Request, *, tools: Tools, now: datetime) -> Brief:
    """Reads the CRM and assembles the brief. Raises NotFound for a subject that is not there."""
    context = tools.read_context(request.subject)
    population = account_population(context, tools)
    return with_style(assemble(context, population, request, now=request.as_of or now, scan=tools.scan), tools)


def with_style(brief: Brief, tools: Tools) -> Brief:
    """The brief with what the rep who signs likes, in the language that was decided without it."""
    if brief.plan is None or brief.audience == "internal" or not brief.sender.user_id:
        return brief
    return replace(brief, style=tools.style(brief.sender.user_id, brief.plan.kind, brief.language))


def account_population(context: Context, tools: Tools) -> Population:
    """What all accounts show, with what the fit says of this one."""
    found = tools.learned(account_of(context))
    return replace(tools.population(), ranking=found.ranking, rfm_class=found.rfm_class, churn=found.churn)


def account_of(context: Context) -> str:
    """The account's id in the fit: its company, else its contact."""
    person = context.contact.id if context.contact else context.subject.id
    return context.company.id if context.company else f"contact:{person}"


def make_draft(
    request: Request,
    *,
    tools: Tools,
    draft_id: str,
    now: datetime,
    step: Step = plain_step,
    emit: Emit = silent,
    origin: str = "api",
    created_by: str | None = None,
    event: str | None = None,
    owner_id: str | None = None,
) -> Draft:
    """One draft: proposed, blocked or no_message. Errors of the model end in the template writer, not here."""
    tools = tools.paid_by(Payer(request.connection, request.kind, created_by, owner_id))
    brief = step("brief", _make_brief_step(tools, now), request)
    emit("brief", {"facts": len(brief.facts), "decision": to_json(brief.decision)})
    worded = _word(brief, tools=tools, step=step, emit=emit) if brief.plan else None
    draft = _draft(brief, worded, draft_id=draft_id, now=now, origin=origin, created_by=created_by, event=event)
    emit("check", {"checks": to_json(draft.checks), "grounding": to_json(draft.grounding)})
    return draft


def _make_brief_step(tools: Tools, now: datetime) -> Callable[[Request], Brief]:
    def read(request: Request) -> Brief:
        return make_brief(request, tools=tools, now=now)

    return read


def _word(brief: Brief, *, tools: Tools, step: Step, emit: Emit) -> Worded | Refused:
    """A text that passes, from the model or else from the template writer; Refused when neither has one."""
    warnings: tuple[Warning, ...] = ()
    wanted = brief.request.writer
    if wanted != "template":
        if tools.model is None:
            warnings = (_no_model_warning(tools, wanted),) if wanted == "model" else ()
        else:
            worded, warning = _word_by_model(brief, tools.model, tools=tools, step=step, emit=emit)
            if worded is not None:
                return worded
            warnings = (warning,)
    plain = _word_by_template(brief, tools=tools, emit=emit, fell_back=bool(warnings))
    return replace(plain, warnings=(*warnings, *plain.warnings)) if isinstance(plain, Worded) else plain


def _no_model_warning(tools: Tools, wanted: str) -> Warning:
    return Warning("no_model", f"Set a model to have one write ({tools.why_no_model}); this is the template writer's.")


def _word_by_model(
    brief: Brief, writer: Writer, *, tools: Tools, step: Step, emit: Emit
) -> tuple[Worded | None, Warning]:
    watch = _checking_emit(brief, tools, emit)
    try:
        written = step("write", lambda: writer.write(brief, emit=watch))
        sentences, report = _check(brief, written, tools)
        repaired = False
        if not _passes(report):
            rewritten = step("repair", lambda: writer.repair(brief, written, report, emit=watch))
            again, second = _check(brief, rewritten, tools)
            if _failures(second) <= _failures(report):
                repaired = rewritten.sentences != written.sentences
                written, sentences, report = rewritten, again, second
    except ModelError as error:
        return None, Warning("model_fell_back", f"Read this as the template writer's text: {error}")
    worded = _settle(brief, written, sentences, report, tools, repaired=repaired)
    if worded is None:
        text = "Read this as the template writer's text: what the model wrote did not pass the checks."
        return None, Warning("model_fell_back", text)
    return worded, Warning("none", "")


def _word_by_template(brief: Brief, *, tools: Tools, emit: Emit, fell_back: bool) -> Worded | Refused:
    watch = _checking_emit(brief, tools, emit)
    written = tools.template.write(brief, emit=watch)
    sentences, report = _check(brief, written, tools)
    if not report.supported:
        rewritten = tools.template.repair(brief, written, report, emit=watch)
        again, second = _check(brief, rewritten, tools)
        if _failures(second) < _failures(report):
            written, sentences, report = rewritten, again, second
    worded = _settle(brief, written, sentences, report, tools, repaired=False)
    if worded is None:
        return Refused(_whys(report))
    if not fell_back:
        return worded
    return replace(worded, grounding=replace(worded.grounding, status="template"))


def _checking_emit(brief: Brief, tools: Tools, emit: Emit) -> Emit:
    """Passes pieces on, and checks each finished line at once so that the reader sees its verdict early."""

    def watch(event: str, data: Mapping[str, Any]) -> None:
        if event != "line":
            emit(event, data)
            return
        sentence = Sentence(data["text"], data["role"], tuple(data["evidence"]))
        checked = _run_check(brief, (sentence,), tools).sentences[0].sentence
        emit("sentence", {**to_json(checked), "index": data.get("index")})

    return emit if emit is silent else watch


def _check(brief: Brief, written: Written, tools: Tools) -> tuple[tuple[Sentence, ...], Report]:
    """Composes the whole text, checks it, and takes the mends that are certain."""
    sentences = compose(brief, written)
    report = _check_whole(brief, sentences, tools)
    mended = tuple(_mended(c) for c in report.sentences)
    if all(m.text == c.sentence.text for m, c in zip(mended, report.sentences, strict=True)):
        return tuple(c.sentence for c in report.sentences), report
    again = _check_whole(brief, mended, tools)
    return tuple(c.sentence for c in again.sentences), again


def _check_whole(brief: Brief, sentences: Sequence[Sentence], tools: Tools) -> Report:
    """The checker's report on a whole text, with the limits of its channel."""
    report = _run_check(brief, sentences, tools)
    channel = brief.plan.channel if brief.plan else "email"
    return replace(report, checks=(*report.checks, *channel_checks(channel, sentences)))


def _run_check(brief: Brief, sentences: Sequence[Sentence], tools: Tools) -> Report:
    return tools.check(
        sentences,
        brief.facts,
        language=brief.language,
        locale=brief.locale,
        audience=brief.audience,
        send_on=brief.send_on,
        zone=brief.zone,
        names=tools.names(),
        brief=brief,
    )


def _mended(checked: CheckedSentence) -> Sentence:
    sentence = checked.sentence
    if sentence.verdict != "misformatted" or not checked.mend:
        return sentence
    return replace(sentence, text=checked.mend, action="repaired", verdict="supported", reason=f"was: {sentence.text}")


def _failures(report: Report) -> int:
    failed = sum(c.sentence.verdict not in PASSING for c in report.sentences)
    return failed + sum(c.verdict == "fail" for c in report.checks)


def _whys(report: Report) -> tuple[str, ...]:
    """Why a text does not pass: the failed limits, then the sentences that no fact carries."""
    limits = [c.text for c in report.checks if c.verdict == "fail" and c.text]
    failed = [c.sentence for c in report.sentences if c.sentence.verdict not in PASSING]
    return tuple(dict.fromkeys((*limits, *(f"“{s.text}”: {s.reason}" for s in failed if s.reason))))


def _passes(report: Report) -> bool:
    return _failures(report) == 0


def _settle(
    brief: Brief, written: Written, sentences: tuple[Sentence, ...], report: Report, tools: Tools, *, repaired: bool
) -> Worded | None:
    """The text without what still fails, checked again as a whole; None when the message cannot stand without it."""
    failing = [s for s in sentences if s.verdict not in PASSING]
    kept = tuple(s for s in sentences if s.verdict in PASSING)
    if any(_is_essential(s, brief) for s in failing) or not _stands(kept, brief, trimmed=bool(failing)):
        return None
    if failing:
        report = _check_whole(brief, kept, tools)
    if any(c.verdict == "fail" for c in report.checks):
        return None
    mended = [s for s in kept if s.action == "repaired"]
    status: Any = "trimmed" if failing else "repaired" if repaired or mended else "verified"
    removed = tuple({"text": s.text, "verdict": s.verdict, "reason": s.reason} for s in failing)
    gone = tuple(replace(s, action="removed") for s in failing)
    return Worded(
        written,
        _in_order(sentences, kept, gone),
        report,
        Grounding(status, removed, tuple({"text": s.text, "reason": s.reason} for s in mended)),
        written.warnings,
    )


def _in_order(
    sentences: tuple[Sentence, ...], kept: tuple[Sentence, ...], gone: tuple[Sentence, ...]
) -> tuple[Sentence, ...]:
    """Kept and removed sentences in the order in which they were written."""
    remaining, lost = iter(kept), iter(gone)
    return tuple(next(remaining) if s.verdict in PASSING else next(lost) for s in sentences)


def _is_essential(sentence: Sentence, brief: Brief) -> bool:
    plan = brief.plan
    if plan is None or sentence.role in ESSENTIAL_ROLES:
        return True
    return any(e in plan.must_answer for e in sentence.evidence)


def _stands(kept: Sequence[Sentence], brief: Brief, *, trimmed: bool) -> bool:
    """Whether a fact is still told, every question is still answered and, of a trimmed text, what must be said is."""
    cited = {e for s in kept for e in s.evidence}
    plan = brief.plan
    told = any(s.evidence or s.verdict == "rendered" for s in kept if s.role in ("context", "claim"))
    if plan is None or not all(q in cited for q in plan.must_answer):
        return told and plan is None
    musts = [set(b.facts.values()) for b in plan.beats if b.must and b.role in ("context", "claim") and b.facts]
    return told and (not trimmed or all(facts & cited for facts in musts))


def _draft(
    brief: Brief,
    worded: Worded | Refused | None,
    *,
    draft_id: str,
    now: datetime,
    origin: str,
    created_by: str | None,
    event: str | None,
) -> Draft:
    plan, decision = brief.plan, brief.decision
    refused = worded.reasons if isinstance(worded, Refused) else ()
    if plan is not None and not isinstance(worded, Worded):
        reason = f"No text can go out yet. {' '.join(refused) or 'No sentence of it passes the checks.'}"
        decision = Decision("no_message", code="missing_facts", gates=decision.gates, reason=reason)
    base = Draft(
        id=draft_id,
        connection=brief.connection,
        kind=plan.kind if plan else brief.request.kind,
        type=plan.type if plan else brief.request.type,
        subject_of=brief.subject,
        status=_STATUS[decision.outcome],
        decision=decision,
        as_of=brief.as_of,
        created_at=now,
        audience=brief.audience,
        to=brief.recipient,
        channel=plan.channel if plan else brief.request.channel,
        language=brief.language,
        facts=brief.facts,
        warnings=brief.warnings,
        missing_info=(*brief.missing_info, *refused),
        missing_questions=brief.missing_questions,
        compliance=Compliance(brief.regime),
        next_touch=brief.next_touch,
        created_by=created_by,
        origin=origin,  # type: ignore[arg-type]
        event=event,
        earliest=decision.earliest,
        plan=plan,
        locale=brief.locale,
        zone=brief.zone,
        send_on=brief.send_on,
        charts=brief.charts,
    )
    return with_text(base, worded) if isinstance(worded, Worded) else base


_STATUS: Mapping[str, Any] = {"draft": "proposed", "blocked": "blocked", "no_message": "no_message"}


def with_text(draft: Draft, worded: Worded) -> Draft:
    """The draft with its text filled in from checked sentences."""
    written = worded.written
    return replace(
        draft,
        **_rendered(worded.sentences, draft.channel or "email"),
        sentences=worded.sentences,
        warnings=(*draft.warnings, *worded.warnings),
        grounding=worded.grounding,
        checks=worded.report.checks,
        compliance=Compliance(draft.compliance.regime, tuple(s.text for s in worded.sentences if s.role == "legal")),
        writer=written.writer,
        model=written.model,
        prompt=written.prompt,
        usage=written.usage,
        masked=written.masked,
    )


def _rendered(sentences: Sequence[Sentence], channel: str) -> dict[str, Any]:
    shown = [s for s in sentences if s.action != "removed"]
    subject = next((s.text for s in shown if s.role == "subject"), None)
    body = [s for s in shown if s.role != "subject"]
    return {"subject": subject, "body": render_body(body, channel), "html": render_html(body, channel)}


def recheck(draft: Draft, subject: str | None, body: str, *, tools: Tools) -> Draft:
    """The draft with a person's text, checked as strictly as a model's. The text is kept as typed."""
    known = {s.text: s for s in draft.sentences if s.action != "removed"}
    texts = [t for line in body.split("\n") if line.strip() for t in _pieces(line.strip(), known, draft)]
    sentences = [_as_before(t, known) for t in texts]
    if subject:
        sentences.insert(0, replace(_as_before(subject, known), role="subject"))
    report = tools.check(
        sentences,
        draft.facts,
        language=draft.language or "en",
        locale=draft.locale,
        audience=draft.audience,
        send_on=draft.send_on or draft.as_of.date(),
        zone=draft.zone,
        names=tools.names(),
        brief=_brief_of(draft),
    )
    checked = tuple(c.sentence for c in report.sentences)
    status: Any = "verified" if report.supported else "none"
    return replace(
        draft,
        subject=subject,
        body=body,
        html=render_html([s for s in checked if s.role != "subject"], draft.channel or "email"),
        sentences=checked,
        checks=(*report.checks, *channel_checks(draft.channel or "email", checked)),
        grounding=Grounding(status),
    )


def _pieces(line: str, known: Mapping[str, Sentence], draft: Draft) -> list[str]:
    """The sentences of a line; a line that stood there before is kept whole."""
    return [line] if line in known else split_sentences(line, draft.language or "en")


def _as_before(text: str, known: Mapping[str, Sentence]) -> Sentence:
    """An unchanged sentence with its role and evidence; a new one as a claim that cites nothing."""
    old = known.get(text)
    return replace(old, action="kept", reason=None) if old else Sentence(text, "claim")


def _brief_of(draft: Draft) -> Brief:
    """As much of the brief as the checker needs, from what the draft kept."""
    return Brief(
        connection=draft.connection,
        subject=draft.subject_of,
        request=Request(draft.connection, draft.kind, draft.subject_of),  # type: ignore[arg-type]
        as_of=draft.as_of,
        language=draft.language or "en",
        locale=draft.locale,
        zone=draft.zone,
        send_on=draft.send_on or draft.as_of.date(),
        decision=draft.decision,
        signals=Signals(),
        plan=draft.plan,
        facts=draft.facts,
        recipient=draft.to,
    )
