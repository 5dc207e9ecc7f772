"""The model writer: words a plan through a chat model, streamed; retries an unusable answer once, mends on request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from crmplugin.domain.brief import Brief, Plan
from crmplugin.domain.draft import PASSING, CheckedSentence, Report, Sentence, Usage, Written
from crmplugin.domain.fact import Fact
from crmplugin.errors import ModelUnusable
from crmplugin.ports import ChatModel, Emit, Message, silent
from crmplugin.writing.lines import LineReader, write_lines
from crmplugin.writing.prompt import Prompt, load_prompt

FACT_BUDGET_CHARS = 14_000
"""Facts beyond this are cut, least needed first, never inside one: keeps a prompt under 6,000 tokens."""

LEGAL_FORMS = frozenset({"gmbh", "ag", "kg", "ab", "ltd", "ltd.", "inc", "inc.", "llc", "plc", "sa", "sl", "bv", "sas"})


class ModelWriter:
    """Words briefs through `chat`; prices are per million tokens, None when unknown."""

    kind = "model"

    def __init__(
        self, chat: ChatModel, *, input_price: Decimal | None = None, output_price: Decimal | None = None
    ) -> None:
        self._chat = chat
        self._prices = (input_price, output_price)

    @property
    def chat(self) -> ChatModel:
        """The model behind it, for words that are no message of one brief."""
        return self._chat

    def write(self, brief: Brief, *, emit: Emit = silent) -> Written:
        """The text of the plan. Raises ModelError when the model fails or its answer is unusable twice."""
        prompt = load_prompt("internal_note" if brief.audience == "internal" else "customer_message")
        messages = prompt.fill(_values(brief))
        try:
            return self._ask(messages, brief, prompt, emit)
        except ModelUnusable:
            return self._ask(messages, brief, prompt, emit)

    def repair(self, brief: Brief, written: Written, report: Report, *, emit: Emit = silent) -> Written:
        """The whole text once more, with the refused lines and the displays that may be used. Raises ModelError."""
        original = load_prompt("internal_note" if brief.audience == "internal" else "customer_message")
        request = load_prompt("repair").fill({"refused": _refused(report), "allowed": _allowed(brief)})[-1]
        messages = [*original.fill(_values(brief)), Message("assistant", write_lines(written.sentences)), request]
        again = self._ask(messages, brief, original, emit)
        return replace(again, usage=_sum(written.usage, again.usage, self._prices))

    def _ask(self, messages: Sequence[Message], brief: Brief, prompt: Prompt, emit: Emit) -> Written:
        answer = self._chat.stream(messages, private=private_texts(brief))
        reader = LineReader()
        for piece in answer.pieces:
            _tell(reader.feed(piece), reader, emit)
        _tell(reader.finish(), reader, emit)
        tokens_in, tokens_out = answer.usage()
        usage = Usage(tokens_in, tokens_out, _cost(tokens_in, tokens_out, self._prices))
        return Written(tuple(reader.sentences), "model", answer.model, prompt.used, usage)


def _tell(events: Iterable[tuple[str, object]], reader: LineReader, emit: Emit) -> None:
    for event, value in events:
        if isinstance(value, Sentence):
            index = len(reader.sentences) - 1
            emit("line", {"index": index, "role": value.role, "evidence": value.evidence, "text": value.text})
        else:
            emit(event, {"index": len(reader.sentences), "text": value, "unchecked": True})


def _values(brief: Brief) -> dict[str, str]:
    """What the prompt is filled with; only facts that this audience may see are in it."""
    plan = brief.plan
    assert plan is not None
    return {
        "language": brief.locale,
        "register": "formal" if plan.formal else "informal",
        "channel": plan.channel,
        "kind": f"{plan.kind} / {plan.type}" if plan.type else plan.kind,
        "plan": _plan_text(plan),
        "limits": f"{plan.words[0]} to {plan.words[1]} words; at most {plan.max_asks} request",
        "voice": f"tone {plan.tone or 'as usual'}, length {plan.length or 'as usual'}",
        "wish": json.dumps(brief.request.instruction, ensure_ascii=False) if brief.request.instruction else "none",
        "facts": "\n".join(_fact_line(f) for f in ranked_facts(brief)),
    }


def _plan_text(plan: Plan) -> str:
    lines = [f"- {b.role}: {b.key} ({', '.join(b.facts.values()) or 'no fact'})" for b in plan.beats]
    if plan.must_answer:
        lines.append(f"- must be answered: {', '.join(plan.must_answer)}")
    return "\n".join(lines)


def _fact_line(fact: Fact) -> str:
    row = {"id": fact.id, "kind": fact.kind, "label": fact.label, "display": fact.display}
    return json.dumps(row if fact.trust == "trusted" else {**row, "data": "quoted"}, ensure_ascii=False)


def ranked_facts(brief: Brief) -> list[Fact]:
    """The facts for the prompt, those that the plan needs first, up to the budget."""
    plan = brief.plan
    needed = {i for b in plan.beats for i in b.facts.values()} | set(plan.must_answer) if plan else set()
    facts = sorted(brief.writable_facts(), key=lambda f: f.id not in needed)
    kept, spent = [], 0
    for fact in facts:
        spent += len(_fact_line(fact)) + 1
        if spent > FACT_BUDGET_CHARS and fact.id not in needed:
            break
        kept.append(fact)
    return kept


def private_texts(brief: Brief) -> tuple[str, ...]:
    """Everything in this brief that names a person or the customer: full names, their parts, addresses."""
    texts: set[str] = set()
    to = brief.recipient
    if to:
        texts.update(t for t in (to.display_name, to.address, to.company_name) if t)
    for fact in brief.facts:
        if fact.kind in ("person", "org"):
            texts.update((fact.value, fact.display))
    persons = {t for f in brief.facts if f.kind == "person" for t in (f.value, f.display)}
    persons.update(t for t in ((to.first_name, to.last_name, to.display_name) if to else ()) if t)
    texts.update(w for p in persons for w in p.replace(",", " ").split() if len(w) > 2)
    texts.update(_without_legal_form(t) for t in list(texts))
    return tuple(sorted(t for t in texts if len(t) > 1))


def _without_legal_form(name: str) -> str:
    return " ".join(w for w in name.split() if w.lower() not in LEGAL_FORMS)


def _refused(report: Report) -> str:
    failing = [c for c in report.sentences if c.sentence.verdict not in PASSING]
    lines = [f"- {c.sentence.text}\n  {c.sentence.verdict}: {_why(c)}" for c in failing]
    lines += [f"- the whole text: {c.text}" for c in report.checks if c.verdict == "fail"]
    return "\n".join(lines)


def _why(checked: CheckedSentence) -> str:
    spans = "; ".join(f"{s.text!r} {s.reason or s.verdict}" for s in checked.spans if s.verdict not in PASSING)
    return spans or checked.sentence.reason or "no fact carries it"


def _allowed(brief: Brief) -> str:
    return "\n".join(f"- {f.id}: {f.display}" for f in ranked_facts(brief))


def _cost(tokens_in: int, tokens_out: int, prices: tuple[Decimal | None, Decimal | None]) -> str | None:
    if prices[0] is None or prices[1] is None:
        return None
    return format((tokens_in * prices[0] + tokens_out * prices[1]) / 1_000_000, "f")


def _sum(first: Usage | None, second: Usage | None, prices: tuple[Decimal | None, Decimal | None]) -> Usage:
    tokens_in = sum(u.input_tokens for u in (first, second) if u)
    tokens_out = sum(u.output_tokens for u in (first, second) if u)
    return Usage(tokens_in, tokens_out, _cost(tokens_in, tokens_out, prices))
