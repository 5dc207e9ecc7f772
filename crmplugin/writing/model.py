"""The model writer: words a plan through a chat model, streamed; retries an unusable answer once, mends on request."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from crmplugin.domain.brief import Beat, Brief, Plan
from crmplugin.domain.draft import PASSING, CheckedSentence, Report, Sentence, Usage, Written
from crmplugin.domain.fact import Fact
from crmplugin.domain.spending import Payer
from crmplugin.errors import ModelUnusable
from crmplugin.ports import ChatModel, Emit, Message, silent
from crmplugin.writing.bank import MARK, load_bank
from crmplugin.writing.lines import LineReader, write_lines
from crmplugin.writing.manner import describe_manner, describe_wish
from crmplugin.writing.prompt import Prompt, load_prompt
from crmplugin.writing.tokens import PROMPT_TOKENS, fit_lines, rank_facts, tokens_of

MOST_ALLOWED = 40
"""Displays that a repair request names again."""
FALLBACK_BANK = "en"


class ModelWriter:
    """Words briefs through `chat`; prices are per million tokens, None when unknown."""

    kind = "model"

    def __init__(
        self, chat: ChatModel, *, input_price: Decimal | None = None, output_price: Decimal | None = None
    ) -> None:
        self._chat = chat
        self._prices = (input_price, output_price)

    def paid_by(self, payer: Payer) -> ModelWriter:
        """The same writer, its calls counted for somebody."""
        return ModelWriter(self._chat.paid_by(payer), input_price=self._prices[0], output_price=self._prices[1])

    @property
    def chat(self) -> ChatModel:
        """The model behind it, for words that are no message of one brief."""
        return self._chat

    def write(self, brief: Brief, *, emit: Emit = silent) -> Written:
        """The text of the plan. Raises ModelError when the model fails or its answer is unusable twice."""
        prompt = prompt_of(brief)
        spent: list[Usage] = []
        messages = fill_prompt(prompt, brief)
        try:
            return self._ask(messages, brief, prompt, emit, spent)
        except ModelUnusable:
            again = self._ask(messages, brief, prompt, emit, spent)
            return replace(again, usage=self._sum(spent))

    def repair(self, brief: Brief, written: Written, report: Report, *, emit: Emit = silent) -> Written:
        """The whole text once more, with the refused lines and the displays that may be used. Raises ModelError."""
        prompt = prompt_of(brief)
        said = Message("assistant", write_lines(written.sentences))
        request = load_prompt("repair").fill({"refused": _refused(report), "allowed": _allowed(brief)})[-1]
        messages = [*fill_prompt(prompt, brief, room=PROMPT_TOKENS - tokens_of((said, request))), said, request]
        again = self._ask(messages, brief, prompt, emit, [])
        usage = self._sum([u for u in (written.usage, again.usage) if u])
        return replace(again, usage=usage, masked=Counter(written.masked) + Counter(again.masked))

    def _ask(
        self, messages: Sequence[Message], brief: Brief, prompt: Prompt, emit: Emit, spent: list[Usage]
    ) -> Written:
        answer = self._chat.stream(messages, private=private_of(brief))
        reader = LineReader()
        try:
            for piece in answer.pieces:
                _tell(reader.feed(piece), reader, emit)
            _tell(reader.finish(), reader, emit)
        finally:
            spent.append(self._usage(*answer.usage()))
        return Written(
            tuple(reader.sentences), "model", answer.model, prompt.used, spent[-1], masked=dict(answer.masked)
        )  # fmt: skip

    def _usage(self, tokens_in: int, tokens_out: int) -> Usage:
        price_in, price_out = self._prices
        if price_in is None or price_out is None:
            return Usage(tokens_in, tokens_out)
        return Usage(tokens_in, tokens_out, format((tokens_in * price_in + tokens_out * price_out) / 1_000_000, "f"))

    def _sum(self, spent: Sequence[Usage]) -> Usage:
        return self._usage(sum(u.input_tokens for u in spent), sum(u.output_tokens for u in spent))


def _tell(events: Iterable[tuple[str, object]], reader: LineReader, emit: Emit) -> None:
    for event, value in events:
        if isinstance(value, Sentence):
            index = len(reader.sentences) - 1
            emit("line", {"index": index, "role": value.role, "evidence": value.evidence, "text": value.text})
        else:
            emit(event, {"index": len(reader.sentences), "text": value, "unchecked": True})


def prompt_of(brief: Brief) -> Prompt:
    """The prompt of the brief's kind."""
    assert brief.plan is not None
    return load_prompt(brief.plan.kind)


def fill_prompt(prompt: Prompt, brief: Brief, *, room: int = PROMPT_TOKENS) -> list[Message]:
    """The messages within `room` tokens: only facts that this audience may see, those that the plan needs first."""
    plan = brief.plan
    assert plan is not None
    values = {
        "language": brief.locale,
        "register": "formal address" if plan.formal else "informal address",
        "channel": plan.channel,
        "kind": f"{plan.kind} / {plan.type}" if plan.type else plan.kind,
        "plan": _plan_text(plan, internal=brief.audience == "internal"),
        "limits": f"{plan.words[0]} to {plan.words[1]} words; at most {plan.max_asks} request",
        "voice": describe_manner(brief),
        "wish": _wish(brief),
        "facts": "",
    }
    left = room - tokens_of(prompt.fill(values))
    lines = [_fact_line(fact) for fact in rank_facts(brief)]
    return prompt.fill({**values, "facts": "\n".join(fit_lines(lines, left))})


def _wish(brief: Brief) -> str:
    asked = brief.request.instruction
    return describe_wish(brief) + (f"; {json.dumps(asked, ensure_ascii=False)}" if asked else "")


def _plan_text(plan: Plan, *, internal: bool) -> str:
    lines = [_beat_line(beat, internal=internal) for beat in plan.beats]
    if plan.must_answer:
        lines.append(f"- must be answered: {', '.join(plan.must_answer)}")
    return "\n".join(fit_lines(lines, PROMPT_TOKENS // 3))


def _beat_line(beat: Beat, *, internal: bool) -> str:
    """Role, facts and, in English words of our own, what is meant."""
    ids = ", ".join(beat.facts.values()) or "no fact"
    meant = "" if internal else _meaning(beat.key)
    return f"- {beat.role} [{ids}]{f': {meant}' if meant else ''}"


def _meaning(key: str) -> str:
    entry = load_bank(FALLBACK_BANK).get(key)
    return MARK.sub(lambda m: m["other"] or f"<{m['slot']}>", entry.wordings["say"][0]) if entry else ""


def _fact_line(fact: Fact) -> str:
    row = {"id": fact.id, "kind": fact.kind, "label": fact.label, "display": fact.display}
    return json.dumps(row if fact.trust == "trusted" else {**row, "data": "quoted"}, ensure_ascii=False)


def private_of(brief: Brief) -> tuple[str, ...]:
    """Everything in this brief that names a person or the customer; the door masks it."""
    to = brief.recipient
    texts = set(brief.private)
    texts.update(t for t in ((to.display_name, to.address, to.company_name) if to else ()) if t)
    texts.update(t for f in brief.facts if f.kind in ("person", "org") for t in (f.value, f.display))
    names = {t for f in brief.facts if f.kind == "person" for t in (f.value, f.display)}
    texts.update(w for name in names for w in name.replace(",", " ").split() if len(w) > 2)
    return tuple(sorted(t for t in texts if len(t) > 1))


def _refused(report: Report) -> str:
    failing = [c for c in report.sentences if c.sentence.verdict not in PASSING]
    lines = [f"- {c.sentence.text}\n  {c.sentence.verdict}: {_why(c)}" for c in failing]
    lines += [f"- the whole text: {c.text}" for c in report.checks if c.verdict == "fail"]
    return "\n".join(lines)


def _why(checked: CheckedSentence) -> str:
    spans = "; ".join(f"{s.text!r} {s.reason or s.verdict}" for s in checked.spans if s.verdict not in PASSING)
    return spans or checked.sentence.reason or "no fact carries it"


def _allowed(brief: Brief) -> str:
    return "\n".join(f"- {f.id}: {f.display}" for f in rank_facts(brief)[:MOST_ALLOWED])
