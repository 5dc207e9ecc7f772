"""The plan: what is said in which order and with which facts, before anything is worded.

Pure. A plan for a customer uses only facts that may be told to this person, are in date on the day of sending and are
in the language of the text; what must be said and cannot be gives no plan but the words for what is missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Protocol

from crmplugin.brief.consent import reads_mail
from crmplugin.brief.needs import stated_needs
from crmplugin.brief.plan_answers import answer_beats
from crmplugin.brief.plan_channels import Caller, for_channel
from crmplugin.brief.plan_found import found_answers, found_article
from crmplugin.brief.plan_limits import ANGLES, ASKS, forbidden_for, words_for
from crmplugin.brief.plan_offer import Offer, Shop, find_offer
from crmplugin.brief.plan_places import (
    find_places,
    news_aliases,
    products_to_tell,
    promise_aliases,
    told_promise,
)
from crmplugin.brief.plan_recap import recap_beats
from crmplugin.brief.plan_rows import Scene
from crmplugin.brief.plans_customer import (
    CAMPAIGN_OFFER,
    DISCOVERY,
    HELP_ANSWER,
    NO_PRODUCT,
    PITCH,
    SERVICE_REPLY,
    SOCIAL_NEUTRAL,
    SOCIAL_PLEASED,
    SOCIAL_UPSET,
)
from crmplugin.brief.plans_follow_up import FOLLOW_UPS, REPLENISHMENT
from crmplugin.brief.plans_internal import internal_beats
from crmplugin.brief.plans_stage import PURPOSES, STAGE_STEPS
from crmplugin.brief.recipient import owner_of, zone_of
from crmplugin.brief.tongues import FREE_TEXT, Tongues, read_tongues, source_of
from crmplugin.domain.brief import INTERNAL_KINDS, Beat, DraftChannel, Kind, Plan, Request, Signals
from crmplugin.domain.crm import Contact, Context
from crmplugin.domain.fact import Fact
from crmplugin.ports import Population

CASES = frozenset({"open_case", "resolved_case"})

KEEPS_WITHOUT_DATE = ("date", "doc_id", "status")
QUOTED_WORDS = 18
"""Longer texts are not put into a sentence of at most 25 words."""
NEED_FACT = re.compile(r"\.need\d+$")
Made = tuple[tuple[Beat, ...], tuple[str, ...]]


class Chosen(Protocol):
    """What the decision gives the plan: kind, type, channel, number of this touch and the day of sending."""

    @property
    def kind(self) -> Kind: ...
    @property
    def type(self) -> str | None: ...
    @property
    def channel(self) -> DraftChannel: ...
    @property
    def touch(self) -> int: ...
    @property
    def send_on(self) -> date: ...


class Sheet(Protocol):
    """What the fact sheet gives the plan. sections: internal kind -> its sections, each with its fact ids."""

    @property
    def facts(self) -> tuple[Fact, ...]: ...
    @property
    def sections(self) -> Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]: ...


def make_plan(
    context: Context, signals: Signals, choice: Chosen, sheet: Sheet, *,
    request: Request, language: str, formal: bool, contact: Contact | None, population: Population | None = None,
) -> tuple[Plan | None, tuple[str, ...]]:  # fmt: skip
    """The plan, or None with what is missing in words. With a plan, the words name what was left out."""
    if choice.kind in INTERNAL_KINDS:
        beats, missing = internal_beats(choice.kind, sheet)
    else:
        beats, missing = _customer_beats(context, signals, choice, sheet, contact, language, population, request)
        owner = owner_of(context)
        caller = Caller(owner.id if owner else None, mails=contact is not None and reads_mail(context, contact))
        beats = for_channel(beats, choice.channel, sheet.facts, caller)
    if not any(beat.role != "subject" for beat in beats):
        return None, missing or ("facts about the subject",)
    return _plan(context, choice, request, beats, language=language, formal=formal), missing


def _plan(
    context: Context, choice: Chosen, request: Request, beats: tuple[Beat, ...], *, language: str, formal: bool
) -> Plan:
    name = choice.type or choice.kind
    asked = tuple(dict.fromkeys(id_ for beat in beats for slot, id_ in beat.facts.items() if slot.startswith("asked")))
    stage = context.deal.stage_kind if context.deal else None
    return Plan(
        kind=choice.kind,
        channel=choice.channel,
        language=language,
        type=choice.type,
        formal=formal,
        beats=beats,
        must_answer=asked if choice.type == "answer" else (),
        ask=ASKS.get(name) if any(beat.role == "ask" for beat in beats) else None,
        words=words_for(name, choice.channel, request.length),
        forbid=() if choice.kind in INTERNAL_KINDS else forbidden_for(name),
        touch=choice.touch,
        angle=PURPOSES.get(stage or "") if name == "stage_step" else ANGLES.get(name),
        tone=request.tone,
        length=request.length,
    )


def _customer_beats(
    context: Context, signals: Signals, choice: Chosen, sheet: Sheet, contact: Contact | None, language: str,
    population: Population | None, request: Request,
) -> Made:  # fmt: skip
    told, foreign = _tellable(sheet.facts, contact, choice.send_on, read_tongues(context, language, contact))
    if choice.type in ("new_value", "win_back"):
        told = _untold(told, context, contact)
    known = {fact.id for fact in told}
    carried = [f for f in sheet.facts if NEED_FACT.search(f.id) and f.tellable and _in_scope(f, contact)]
    carried = [f for f in carried if f.id not in known]
    facts = {fact.id: fact for fact in (*told, *carried)}
    now = moment_of(context, request)
    about = products_to_tell(context, signals, choice.type, facts, now=now)
    scene = Scene(
        facts,
        find_places(context, signals, facts, about=about, send_on=choice.send_on, now=now),
        {**promise_aliases(signals, facts), **news_aliases(about, facts)},
    )
    shop = shop_of(context, signals, population, request, contact)
    shop = replace(shop, unquotable=frozenset(fact.id for fact in carried))
    beats, missing = _beats_of(scene, context, signals, choice, language, shop, request, contact)
    if any(beat.must for beat in beats) and not missing:
        return beats, ()
    return (), (*missing, *(f"{f.label}, in {language}: it is recorded in another language" for f in foreign[:3]))


def _beats_of(
    scene: Scene, context: Context, signals: Signals, choice: Chosen, language: str, shop: Shop, request: Request,
    contact: Contact | None,
) -> Made:  # fmt: skip
    if choice.type == "answer":
        return answer_beats(scene, context, signals, found_answers(context, signals, request))
    if choice.type == "recap":
        to = contact.id if contact else None
        return recap_beats(scene, context, signals, send_on=choice.send_on, language=language, to=to)
    if choice.type == "stage_step":
        return scene.beats(STAGE_STEPS.get((context.deal.stage_kind if context.deal else None) or "new", ()))
    if choice.type == "deliver_promise":
        ours = told_promise(signals, scene.facts)
        return scene.beats(FOLLOW_UPS["deliver_promise_late" if ours and ours.days_late > 0 else "deliver_promise"])
    if choice.type == "service_acknowledgement" and "resolved_case" in scene.places:
        return scene.beats(FOLLOW_UPS["service_acknowledgement_resolved"])
    if choice.type in FOLLOW_UPS:
        return scene.beats(FOLLOW_UPS[choice.type or ""])
    return _other_kind(scene, context, signals, choice, shop, request)


def _other_kind(scene: Scene, context: Context, signals: Signals, choice: Chosen, shop: Shop, request: Request) -> Made:
    if choice.kind == "campaign_message":
        return _campaign(scene, shop, request)
    if choice.kind == "pitch":
        offer = find_offer(shop, scene.facts)
        if offer is None:
            return scene.beats(REPLENISHMENT if "item" in scene.places else DISCOVERY)
        return _with_offer(scene, offer).beats(PITCH)
    if choice.kind == "social_reply":
        mood = {"pleased": SOCIAL_PLEASED, "angry": SOCIAL_UPSET, "worried": SOCIAL_UPSET}
        return scene.beats(mood.get(signals.mood or "", SOCIAL_NEUTRAL))
    article = found_article(context, signals, request)
    if choice.kind == "service_reply" and not article and not scene.places.keys() & CASES and signals.open_questions:
        return answer_beats(scene, context, signals, found_answers(context, signals, request))
    helped = replace(scene, aliases={**scene.aliases, **article})
    return helped.beats(HELP_ANSWER if choice.kind == "help_answer" else SERVICE_REPLY)


def _with_offer(scene: Scene, offer: Offer) -> Scene:
    places, aliases = {**scene.places, **offer.places}, {**scene.aliases, **offer.aliases}
    return replace(scene, places=places, aliases=aliases)


def _campaign(scene: Scene, shop: Shop, request: Request) -> Made:
    """What a campaign says to one account: the angle asked for, else an offer; never without a fact of the account."""
    if request.type in FOLLOW_UPS:
        return scene.beats(FOLLOW_UPS[request.type or ""])
    offer = find_offer(shop, scene.facts)
    return _with_offer(scene, offer).beats(CAMPAIGN_OFFER) if offer else ((), (NO_PRODUCT,))


def moment_of(context: Context, request: Request) -> datetime:
    """The moment of the brief."""
    return request.as_of or context.read_at


def shop_of(
    context: Context, signals: Signals, population: Population | None, request: Request, contact: Contact | None
) -> Shop:
    """What an offer to this person is chosen from."""
    now = moment_of(context, request)
    needs = stated_needs(context, contact, now=now)
    return Shop(context, signals, population or Population(), needs, now, zone_of(context, contact))


def _tellable(
    facts: Iterable[Fact], contact: Contact | None, send_on: date, tongues: Tongues
) -> tuple[list[Fact], list[Fact]]:
    """Facts that may stand in a text to this person, and those left out only for their language."""
    told = [f for f in facts if f.tellable and _in_scope(f, contact) and _in_date(f, send_on) and not _is_long(f)]
    foreign = [f for f in told if tongues.is_foreign(f)]
    named = [f for f in foreign if source_of(f) != "articles"]
    left_out = {f.id for f in foreign}
    return [f for f in told if f.id not in left_out], named


def _in_scope(fact: Fact, contact: Contact | None) -> bool:
    return not fact.contact_scope or (contact is not None and contact.id in fact.contact_scope)


def _in_date(fact: Fact, send_on: date) -> bool:
    return fact.kind in KEEPS_WITHOUT_DATE or fact.valid_until is None or fact.valid_until >= send_on


def _is_long(fact: Fact) -> bool:
    """Whether a text would make a sentence nobody reads aloud. A question is never shown, an article in pieces."""
    if ".question" in fact.id:
        return False
    from_article = bool(fact.source) and fact.source[0].object == "articles"
    return fact.kind in FREE_TEXT and not from_article and len(fact.value.split()) > QUOTED_WORDS


def _untold(facts: list[Fact], context: Context, contact: Contact | None) -> list[Fact]:
    """Facts of products and claims that none of our texts to this person has told yet: only they are news."""
    ours = [a for a in context.activities if a.direction == "outbound" and (not contact or contact.id in a.contact_ids)]
    said = " ".join(f"{a.subject or ''} {a.body or ''}" for a in ours).casefold()
    return [f for f in facts if not (_may_be_news(f) and f.display.casefold().rstrip(".") in said)]


def _may_be_news(fact: Fact) -> bool:
    news = (".lead_time", ".description", ".benefit", ".text")
    return fact.id.endswith(news) or ".feature" in fact.id
