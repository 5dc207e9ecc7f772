"""What speaks for and against a deal (sales-craft §4): its health by the signs on record, and their buying intent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from crmplugin.analysis import sheet
from crmplugin.analysis.account_lines import View
from crmplugin.analysis.health import DEFAULTS, Health, health, slow_stage, stage_prior
from crmplugin.analysis.intent import intent_level, intent_score
from crmplugin.analysis.passages import own_text
from crmplugin.analysis.phrases import book, tokens
from crmplugin.analysis.questions import find_questions
from crmplugin.analysis.sheet import SheetLine, say

MANY_CONTACTS = 3
SLOW_RATIO = Decimal("1.5")
INTENT_DAYS = 90
"""Older acts count less than a hundredth of what they were worth."""
_ACTS = {"price": "price_question", "demo": "demo"}


def deal_health(v: View) -> Health | None:
    """The deal's health from the win rate of its stage among all closed deals; None without any."""
    closed, deal = v.population.closed_deals, v.context.deal
    if deal is None or not closed:
        return None
    s, everywhere = v.signals, Decimal(sum(bool(d["won"]) for d in closed) + 1) / (len(closed) + 2)
    stood = v.population.stage_outcomes.get((deal.pipeline or "", deal.stage or ""), (0, 0, 0, 0))
    seen = (
        (DEFAULTS["no_next_step"], not deal.next_step),
        (DEFAULTS["many_contacts"], s.multi_thread >= MANY_CONTACTS),
        (slow_stage(*stood), s.stage_age_ratio is not None and s.stage_age_ratio > SLOW_RATIO),
    )
    signs = [sign for sign, true in seen if true and sign]
    return health(stage_prior(stood[0], stood[1], everywhere), signs, n=len(closed))


def health_lines(v: View) -> Iterator[SheetLine]:
    found = deal_health(v)
    if found is None:
        return
    for n, reason in enumerate(found.reasons, start=1):
        yield say("status", f"health_sign{n}", f"sign.{reason.key}")
    if found.probability is not None:
        n_closed = sheet.count(len(v.population.closed_deals))
        yield say("status", "health", chance=sheet.percent(found.probability * 100, 0), n=n_closed)


def intent_lines(v: View) -> Iterator[SheetLine]:
    """What they did that speaks for buying soon: asked for a price or a demonstration, brought somebody in."""
    acts = [*_asked(v), *_joined(v)]
    score = intent_score((kind, age) for kind, age, _ in acts)
    if score:
        level = sheet.word(f"intent.{intent_level(score)}")
        sources = tuple(source for *_, source in acts)
        yield say("status", "intent", sources=sources, level=level, score=sheet.number(score, 1))


_Act = tuple[str, int, sheet.Pointer]
"""Its kind in `analysis.intent`, its age in days, and the field that shows it."""


def _asked(v: View) -> Iterator[_Act]:
    """Each message of theirs counts once for a kind."""
    for said in v.past:
        age = (v.now - (said.at or v.now)).days
        if said.direction == "inbound" and said.body and age <= INTENT_DAYS:
            questions = find_questions(own_text(said.body))
            kinds = {name for q in questions for name in ("price", "demo") if book("price_words", name).find(tokens(q))}
            yield from ((_ACTS[name], age, ("activities", said.id, "body")) for name in sorted(kinds))


def _joined(v: View) -> Iterator[_Act]:
    for change in v.signals.stakeholder_changes:
        if change.get("change") == "added":
            age = (v.today - date.fromisoformat(str(change["on"]))).days
            yield "stakeholder_joined", age, ("contacts", str(change["contact_id"]), "created_at")
