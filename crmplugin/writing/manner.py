"""The house style in words for a model: how the voice file and a rep's style sheet want a text to sound.

Words only. Nothing here is a fact, and nothing here may name a customer: greetings are cut off the examples.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crmplugin.analysis.language import guess_language
from crmplugin.domain.brief import Brief
from crmplugin.domain.crm import Voice
from crmplugin.domain.style import StyleSheet

LEVELS = ("not at all", "a little", "somewhat", "clearly", "strongly")
MOST_TERMS, MOST_EXAMPLES, MOST_PHRASES = 20, 2, 5
GREETING = re.compile(
    r"^(?:hello|hi|hey|dear|good (?:morning|afternoon)|guten (?:tag|morgen)|hallo|sehr geehrte\w*|liebe\w*|moin|servus"
    r"|bonjour|salut|ch[eè]re?|buenos d[ií]as|buenas tardes|hola|estimad[oa]|querid[oa]|buongiorno|ciao|gentile|beste"
    r"|geachte|dzień dobry|szanown\w+|bom dia|boa tarde|ol[áa]|prezad[oa])\b[^,]{0,60},\s*",
    re.IGNORECASE,
)


def describe_manner(brief: Brief) -> str:
    """The voice, then the rep's own habits, a line each; `as usual` where nothing is set."""
    lines = [*_voice(brief.voice, brief.language), *_style(brief.style)]
    return "\n".join(f"- {line}" for line in lines) or "as usual"


def describe_wish(brief: Brief) -> str:
    """Tone and length asked for with this draft; they change wording, never facts."""
    plan = brief.plan
    return f"tone {plan.tone or 'as usual'}, length {plan.length or 'as usual'}" if plan else "as usual"


def _voice(voice: Voice, language: str) -> Iterator[str]:
    if voice.person:
        yield f"we speak as {voice.person!r}"
    for name, value in voice.sliders.items():
        yield f"{name}: {LEVELS[min(max(int(value or 0), 0), len(LEVELS) - 1)]}"
    if voice.terms and voice.terms.use:
        names = list(voice.terms.use.items())[:MOST_TERMS]
        yield "write " + "; ".join(f"{right} (not {', '.join(wrong)})" for right, wrong in names)
    if voice.terms and voice.terms.avoid:
        yield "never write " + ", ".join(voice.terms.avoid[:MOST_TERMS])
    fitting = [e for e in voice.examples.get("good", ()) if guess_language(e) in (language, None)]
    yield from (f"reads well: {GREETING.sub('', example)}" for example in fitting[:MOST_EXAMPLES])


def _style(style: StyleSheet | None) -> Iterator[str]:
    if style is None:
        return
    if style.words:
        yield f"this representative writes about {style.words} words"
    yield from (f"they like: {phrase}" for phrase in style.phrases_used[:MOST_PHRASES])
    yield from (f"they take out: {phrase}" for phrase in style.phrases_removed[:MOST_PHRASES])
