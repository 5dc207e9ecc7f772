"""What a writer wrote, made whole: greeting before it, sign-off, signature and legal parts after it, all by code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from crmplugin.domain.brief import Brief, Plan, Sender, SentenceRole
from crmplugin.domain.draft import Sentence, Written
from crmplugin.writing.greeting import after_greeting, greet, is_stiff, sign_off, words_of
from crmplugin.writing.habits import fill_greeting
from crmplugin.writing.legal import legal_lines
from crmplugin.writing.letterhead import letterhead
from crmplugin.writing.render import BULLET, ONE_LINE_CHANNELS, count_sms, render_body, render_html
from crmplugin.writing.tone import Sound, sound_of

__all__ = ["compose", "count_sms", "render_body", "render_html"]

PLAIN_MARKS = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'", "‘": "'", "–": "-", "…": "..."}
)
"""Marks that would turn a text message of 160 characters into one of 70, as their plain forms."""
_NARROW, _WIDE = re.compile(r" (?=[;!?](?!\w))"), re.compile(r" (?=[:»](?!\w))|(?<=«) ")
SIGNED_CHANNELS = frozenset({"email", "letter"})
GREETED_CHANNELS = frozenset({"email", "letter", "phone", "chat"})

LETTER_SOUND = Sound(formality=2)
"""A letter to somebody addressed formally closes as letters do, however warm the house sounds."""
ANSWERING_KINDS = frozenset({"service_reply", "help_answer"})


def compose(brief: Brief, written: Written) -> tuple[Sentence, ...]:
    """Subject, greeting, the writer's sentences, signature and legal parts in the order of the text."""
    plan = brief.plan
    subject = [s for s in written.sentences if s.role == "subject"]
    body = [s for s in written.sentences if s.role != "subject"]
    if plan is None or brief.audience == "internal" or not body:
        return (*subject, *body)
    if plan.channel in ONE_LINE_CHANNELS:
        body = [replace(s, text=s.text.removeprefix(BULLET)) for s in body]
    greeting = _greeting(brief, plan)
    if greeting and greeting[0].text.endswith(","):
        body[0] = replace(body[0], text=after_greeting(body[0].text, brief.language))
    subject = subject if plan.channel in SIGNED_CHANNELS else []
    legal = _rendered(legal_lines(brief), "legal")
    if plan.channel == "sms":
        return tuple(replace(s, text=plain_marks(s.text)) for s in (*_sms_sender(brief), *body, *legal))
    head = _rendered(letterhead(brief), "greeting") if plan.channel == "letter" else []
    whole = (*subject, *head, *greeting, *body, *_signature(brief, plan), *legal)
    return tuple(replace(s, text=french_spaces(s.text)) for s in whole) if brief.language == "fr" else whole


def french_spaces(text: str) -> str:
    """A sentence whose marks do not fall into the next line: narrow no-break spaces before ; ! ? and wide ones else."""
    return _WIDE.sub("\u00a0", _NARROW.sub("\u202f", text))


def plain_marks(text: str) -> str:
    """A sentence as a text message has it: plain quotes without the spaces that French sets inside them."""
    return text.replace("« ", '"').replace(" »", '"').translate(PLAIN_MARKS)


def _rendered(texts: Sequence[str], role: SentenceRole) -> list[Sentence]:
    return [Sentence(text, role, verdict="rendered") for text in texts]


def _greeting(brief: Brief, plan: Plan) -> list[Sentence]:
    if plan.channel not in GREETED_CHANNELS or _answers_in_chat(plan):
        return []
    own = fill_greeting(brief.style.greeting, brief.recipient) if brief.style and brief.style.greeting else None
    formal = plan.formal or is_stiff(brief.language, sound_of(brief))
    line = own or greet(brief.recipient, brief.language, formal=formal)
    if plan.channel == "phone":
        line = _opener(brief, plan) or line
    if plan.channel == "chat":
        line = f"{line.rstrip(',: ')}."
    return _rendered([line], "greeting")


def _answers_in_chat(plan: Plan) -> bool:
    """Whether it goes on with a chat: the answer comes first, and who writes has been greeted."""
    return plan.channel == "chat" and (plan.type == "answer" or plan.kind in ANSWERING_KINDS)


def _opener(brief: Brief, plan: Plan) -> str | None:
    """The first words of a call: who is called, who calls and from where; None when a name is missing."""
    sender, to = brief.sender, brief.recipient
    if not (sender.name and sender.company and to and to.display_name):
        return None
    call = words_of(brief.language)["formal" if plan.formal else "informal"]["call"]
    who = to.display_name if plan.formal or not to.first_name else to.first_name
    return str(call).format(who=who, name=sender.name, company=sender.company)


def _sms_sender(brief: Brief) -> list[Sentence]:
    """Who writes a text message, before the text."""
    return _rendered([f"{brief.sender.company}:"] if brief.sender.company else [], "signature")


def _signature(brief: Brief, plan: Plan) -> list[Sentence]:
    if plan.channel not in SIGNED_CHANNELS:
        return []
    sound = sound_of(brief) if plan.channel != "letter" or not plan.formal else LETTER_SOUND
    formal = plan.formal or is_stiff(brief.language, sound)
    closing = sign_off(brief.language, formal=formal, sound=sound)
    return _rendered([closing, *signature_lines(brief.sender, brief.language)], "signature")


def signature_lines(sender: Sender, language: str) -> list[str]:
    """Name, title, company, phone, mail and site, a line each; what is not recorded goes with its label."""
    phone = f"{words_of(language)['phone']}: {sender.phone}" if sender.phone else None
    lines = (sender.name, sender.title, sender.company, phone, sender.email, sender.website)
    return [line for line in lines if line]
