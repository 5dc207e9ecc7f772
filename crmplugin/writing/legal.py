"""The legal parts of a text, by channel and by whether it promotes: opt-out, sender's name and postal address.

Promotional mail names the sender with a postal address and offers an opt-out under every regime we know (CAN-SPAM,
CASL, PECR, GDPR with ePrivacy; sales-craft §6.5), so the regime decides permissions elsewhere and nothing here.
Service texts carry none of it: they are not advertising, and an opt-out below them would say they were.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from crmplugin.domain.brief import Brief, Plan, Sender, is_promotional

FALLBACK_LANGUAGE = "en"


@cache
def _legal_words() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("prompts") / "words" / "legal.toml").read_text(encoding="utf-8"))


def legal_lines(brief: Brief) -> tuple[str, ...]:
    """The legal lines below the signature, in order; empty for internal kinds and where the channel needs none."""
    plan = brief.plan
    if plan is None or brief.audience == "internal" or plan.channel not in _LINES:
        return ()
    return tuple(line for line in _LINES[plan.channel](brief, plan) if line)


def _email(brief: Brief, plan: Plan) -> tuple[str, ...]:
    if not is_promotional(plan.kind, plan.type):
        return ()
    return _address(brief.sender), _opt_out(brief, plan)


def _letter(brief: Brief, plan: Plan) -> tuple[str, ...]:
    opt_out = _word(brief, plan, "letter") if is_promotional(plan.kind, plan.type) else ""
    return _address(brief.sender), opt_out


def _sms(brief: Brief, plan: Plan) -> tuple[str, ...]:
    return (_word(brief, plan, "sms"),) if is_promotional(plan.kind, plan.type) else ()


_LINES = {"email": _email, "letter": _letter, "sms": _sms}


def _address(sender: Sender) -> str:
    """Legal name and postal address in one line; empty where both say no more than the signature above."""
    if not sender.postal_address and sender.legal_name in (None, sender.company):
        return ""
    parts = (sender.legal_name or sender.company, sender.postal_address)
    return ", ".join(" ".join(part.replace("\n", ", ").split()) for part in parts if part)


def _opt_out(brief: Brief, plan: Plan) -> str:
    url = brief.sender.unsubscribe_url
    return _word(brief, plan, "link").format(url=url) if url else _word(brief, plan, "reply")


def _word(brief: Brief, plan: Plan, key: str) -> str:
    words = _legal_words()
    mine = words.get(brief.language) or words[FALLBACK_LANGUAGE]
    return mine[key] if plan.formal else mine.get(f"{key}_informal", mine[key])
