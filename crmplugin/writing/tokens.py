"""How long a prompt is, and what of the facts fits: ranked by what the plan needs, cut between facts, never inside one.

Tokens are estimated from bytes, on the safe side for the languages and ids we send: no tokenizer is needed, and no
server's own count was above it in the models tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crmplugin.domain.brief import Brief
from crmplugin.domain.fact import Fact
from crmplugin.ports import Message

PROMPT_TOKENS = 6_000
BYTES_PER_TOKEN = 3
PER_MESSAGE = 4
"""Tokens a chat server adds around one message."""


def estimate_tokens(text: str) -> int:
    """Tokens of a text: its UTF-8 bytes through three, rounded up."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def tokens_of(messages: Iterable[Message]) -> int:
    """Tokens of a whole prompt."""
    return sum(estimate_tokens(m.content) + PER_MESSAGE for m in messages)


def rank_facts(brief: Brief) -> list[Fact]:
    """What the plan needs of the facts a writer may see: of beats that must be said, of questions, of the other beats,
    and what else is known of the same records, in this order. The rest would only tempt."""
    plan = brief.plan
    if plan is None:
        return []
    wanted = [b.facts.values() for b in plan.beats if b.must] + [plan.must_answer]
    wanted += [b.facts.values() for b in plan.beats if not b.must]
    order = {id_: n for n, id_ in enumerate(dict.fromkeys(id_ for ids in wanted for id_ in ids))}
    records = {_record(id_) for id_ in order}
    near = [f for f in brief.writable_facts() if f.id in order or _record(f.id) in records]
    return sorted(near, key=lambda f: order.get(f.id, len(order)))


def _record(fact_id: str) -> str:
    return fact_id.partition(".")[0]


def fit_lines(lines: Sequence[str], room: int) -> list[str]:
    """The first lines that fit into so many tokens, whole ones only."""
    kept: list[str] = []
    for line in lines:
        room -= estimate_tokens(line + "\n")
        if room < 0:
            break
        kept.append(line)
    return kept


def shared_prefix(first: Sequence[Message], second: Sequence[Message]) -> float:
    """The share of the second prompt, from its start, that is the same as in the first: what a server can keep."""
    a, b = ("\n".join(f"{m.role}\n{m.content}" for m in prompt) for prompt in (first, second))
    same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return same / len(b) if b else 0.0
