"""From records to a brief: hygiene, recipient, signals, decision, facts, plan. Pure; nothing is worded here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from crmplugin.analysis.reputation import read_comment
from crmplugin.analysis.wishes import read_wish
from crmplugin.brief.decision import Choice, decide
from crmplugin.brief.facts import make_facts
from crmplugin.brief.hygiene import clean
from crmplugin.brief.people_around import private_texts
from crmplugin.brief.plan import make_plan, shop_of
from crmplugin.brief.plan_offer import choice_warnings
from crmplugin.brief.plan_recap import is_in_another_language, unsaid_items
from crmplugin.brief.recipient import (
    LanguageChoice,
    choose_channel,
    choose_recipient,
    language_choice,
    owner_of,
    zone_of,
)
from crmplugin.brief.signals import read_signals
from crmplugin.domain.brief import (
    INTERNAL_KINDS,
    Brief,
    Decision,
    Plan,
    Recipient,
    Request,
    Sender,
    Signals,
    Warning,
)
from crmplugin.domain.crm import Company, Contact, Context, Voice
from crmplugin.ports import Population

INFORMAL_BY_DEFAULT = frozenset({"en"})
"""Languages whose business mail addresses people without a formal pronoun."""


def assemble(
    context: Context, population: Population, request: Request, *, now: datetime, scan: Callable[[str], Any]
) -> Brief:
    """The brief for one request at one moment. `scan` finds instructions hidden in text (checking.injection)."""
    context, request = clean(context), _as_wished(request, now)
    contact = choose_recipient(context, request)
    zone = zone_of(context, contact)
    signals = read_signals(context, population, now=now, zone=zone, recipient_id=contact.id if contact else None)
    channel = choose_channel(context, contact, request)
    choice = decide(context, signals, request, contact=contact, channel=channel, now=now, zone=zone)
    internal = choice.kind in INTERNAL_KINDS
    spoken = language_choice(context, None if internal else contact, request)
    language, locale = spoken.language, spoken.locale
    sheet = make_facts(
        context, signals, population, request,
        kind=choice.kind, type_=choice.type, contact=contact, language=language, locale=locale, zone=zone,
        now=now, send_on=choice.send_on, scan=scan,
    )  # fmt: skip
    plan, missing = (
        make_plan(
            context, signals, choice, sheet,
            request=request, language=language, formal=is_formal(context.voice, language), contact=contact,
            population=population,
        )
        if choice.outcome == "draft"
        else (None, ())
    )  # fmt: skip
    ours = (
        *_of_comment(context, request),
        *_of_language(spoken),
        *_of_notes(context, signals, plan),
        *_of_choice(context, signals, population, request, contact, plan),
    )
    return Brief(
        connection=context.connection,
        subject=request.subject,
        request=request,
        as_of=now,
        language=language,
        locale=locale,
        zone=zone,
        send_on=choice.send_on,
        decision=_decision(choice, plan, missing),
        signals=signals,
        plan=plan,
        facts=sheet.facts,
        gates=choice.gates,
        warnings=(*sheet.warnings, *ours),
        missing_info=(*sheet.missing_info, *missing),
        missing_questions=sheet.missing_questions,
        charts=sheet.charts,
        recipient=None if internal else _recipient(context, contact, choice.channel),
        sender=_sender(context),
        next_touch=choice.next_touch,
        seller_country=context.seller.country,
        regime=choice.regime,
        recent_texts=_recent_texts(context, contact),
        **_about(context),
    )


def _about(context: Context) -> dict[str, Any]:
    """Whose account and deal it is, and how we speak and what we hide there."""
    return {
        "company_id": context.company.id if context.company else None,
        "deal_id": context.deal.id if context.deal else None,
        "voice": context.voice,
        "private": private_texts(context),
    }


def _of_comment(context: Context, request: Request) -> tuple[Warning, ...]:
    """What the rep should do first about a public comment that cannot wait."""
    said = context.activity
    if request.kind != "social_reply" or said is None or not said.body:
        return ()
    comment = read_comment(said.body, headline=said.subject)
    if comment.urgency != "urgent":
        return ()
    words = ", ".join(f"{topic}: “{quote}”" for topic, quote in comment.reasons)
    text = f"Show this to whoever is in charge before anything is posted: it cannot wait ({words})."
    return (Warning("urgent_comment", text, (f"{said.id}.on",)),)


def _decision(choice: Choice, plan: Plan | None, missing: tuple[str, ...]) -> Decision:
    made = Decision(
        outcome=choice.outcome,
        code=choice.code,
        gates=choice.gates,
        reason=choice.reason,
        alternatives=choice.alternatives,
        earliest=choice.earliest,
    )
    if made.outcome != "draft" or plan is not None:
        return made
    reason = "No fact carries what would have to be said: " + "; ".join(missing or ("nothing is on record",))
    return replace(made, outcome="no_message", code="missing_facts", reason=reason)


def _as_wished(request: Request, now: datetime) -> Request:
    """The request with the length and the tone that its wish asks for, where it names none itself."""
    wish = read_wish(request.instruction, written_on=now.date())
    return replace(request, length=request.length or wish.length, tone=request.tone or wish.tone)


def is_formal(voice: Voice, language: str) -> bool:
    """Whether people are addressed formally in a language: as the voice says, else as its business mail does."""
    address = voice.address.get(language)
    return address == "formal" if address else language not in INFORMAL_BY_DEFAULT


def _recipient(context: Context, contact: Contact | None, channel: str) -> Recipient:
    company = context.company
    if contact is None:
        return Recipient(None, None, None, company_name=company.name if company else None)
    full = " ".join(p for p in (contact.first_name, contact.last_name) if p) or None
    return Recipient(
        contact_id=contact.id,
        display_name=full,
        address=_address(contact, company, channel),
        salutation=contact.salutation,
        first_name=contact.first_name,
        last_name=contact.last_name,
        company_name=company.name if company else None,
        country=contact.country or (company.country if company else None),
        timezone=contact.timezone or (company.timezone if company else None),
    )


def _address(contact: Contact, company: Company | None, channel: str) -> str | None:
    post = contact.postal_address or (company.postal_address if company else None)
    by_channel = {"phone": contact.phone, "sms": contact.phone, "letter": post}
    return by_channel.get(channel, contact.email)


def _sender(context: Context) -> Sender:
    seller, user = context.seller, owner_of(context)
    return Sender(
        user_id=user.id if user else None,
        name=user.name if user else None,
        title=user.title if user else None,
        email=user.email if user else None,
        phone=user.phone if user else None,
        company=seller.name,
        legal_name=seller.legal_name,
        postal_address=seller.postal_address,
        website=seller.website,
        unsubscribe_url=seller.unsubscribe_url,
    )


def _of_language(spoken: LanguageChoice) -> tuple[Warning, ...]:
    if spoken.reason is None:
        return ()
    text = f"Check that they read it, or have a model write: {spoken.reason}."
    return (Warning("language_fallback", text),)


def _of_notes(context: Context, signals: Signals, plan: Plan | None) -> tuple[Warning, ...]:
    """What the notes of the meeting hold and the recap does not, for the rep."""
    if plan is None or plan.type != "recap":
        return ()
    left = unsaid_items(context, signals, {id_ for beat in plan.beats for id_ in beat.facts.values()})
    if not left:
        return ()
    foreign = is_in_another_language(context, signals, plan.language)
    why = "they are noted in another language" if foreign else "there is no room for them"
    text = f"Add these points of the notes yourself; {why}: " + "; ".join(f"“{words[:120]}”" for _, words in left)
    return (Warning("notes_left_out", text, tuple(id_ for id_, _ in left)),)


def _of_choice(
    context: Context, signals: Signals, population: Population, request: Request, contact: Contact | None,
    plan: Plan | None,
) -> tuple[Warning, ...]:  # fmt: skip
    """Why a pitch is about its product, for the rep."""
    if plan is None or plan.kind != "pitch":
        return ()
    shop = shop_of(context, signals, population, request, contact)
    told = {id_ for beat in plan.beats for id_ in beat.facts.values()}
    return choice_warnings(shop, told)


def _recent_texts(context: Context, contact: Contact | None) -> tuple[str, ...]:
    """Our last two outbound texts to this contact, newest first."""
    if contact is None:
        return ()
    ours = [
        a for a in context.activities if a.direction == "outbound" and a.body and a.at and contact.id in a.contact_ids
    ]
    ours.sort(key=lambda a: a.at, reverse=True)  # type: ignore[arg-type, return-value]
    return tuple(a.body for a in ours[:2] if a.body)
