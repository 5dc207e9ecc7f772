"""Checks any text against the facts of a brief or of a records file, as strictly as a draft."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from crmplugin.analysis.language import guess_language
from crmplugin.brief.recipient import language_code, locale_of
from crmplugin.checking.check import split_sentences
from crmplugin.domain.brief import Brief
from crmplugin.domain.crm import Context
from crmplugin.domain.draft import CheckedSentence, Report, Sentence
from crmplugin.domain.fact import Fact, Source
from crmplugin.journeys.present import from_json
from crmplugin.ports import Checker, NameIndex

_TALKS = frozenset({"email", "call", "meeting", "visit", "chat", "form", "sms"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What a text is held against: facts of one or more briefs, all names, and how the text is to be read."""

    facts: tuple[Fact, ...]
    names: NameIndex
    language: str
    locale: str
    zone: str
    send_on: date


def ground_of_brief(doc: Mapping[str, Any], names: NameIndex, language: str | None) -> Ground:
    """The ground that a brief as printed by `brief --json` gives."""
    facts = from_json(tuple[Fact, ...], doc["facts"])
    own = str(doc.get("language") or "en")
    locale = str(doc.get("locale") or own)
    send_on = date.fromisoformat(str(doc.get("send_on") or doc["as_of"])[:10])
    return _read_as(Ground(facts, names, own, locale, str(doc.get("zone") or "UTC"), send_on), language)


def ground_of_briefs(
    briefs: Sequence[Brief], names: NameIndex, language: str | None, *, more: Iterable[Fact] = ()
) -> Ground:
    """The ground that several briefs and more facts give together; how to read the text comes from the first brief."""
    first = briefs[0]
    facts = {f.id: f for f in (*more, *(f for b in briefs for f in b.facts))}
    ground = Ground(tuple(facts.values()), names, first.language, first.locale, first.zone, first.send_on)
    return _read_as(ground, language)


def talk_days(context: Context) -> Iterator[Fact]:
    """The days of all talks and messages with the customer; a brief holds only those that its draft needs."""
    for activity in context.activities:
        fact_id = f"{activity.id}.on"
        if activity.type in _TALKS and activity.at and activity.direction != "internal":
            day = activity.at.date().isoformat()
            source = Source("activities", activity.id, "at", activity.at)
            yield Fact(fact_id, "date", f"{activity.type} of {day}", day, day, source=(source,))


def language_of(text: str) -> str | None:
    """The language that a text shows by its little words; None when it shows none."""
    return guess_language(text)


def _read_as(ground: Ground, language: str | None) -> Ground:
    """The ground with numbers and days read as that language writes them in the reader's country."""
    code = language_code(language) or ground.language
    country = ground.locale.partition("_")[2] or None
    if code == ground.language:
        return ground
    return replace(ground, language=code, locale=locale_of(code, country))


def check_any(text: str, ground: Ground, *, check: Checker, audience: str) -> Report:
    """The report on a text of one sentence a line or prose; citations are not needed."""
    sentences = [Sentence(s, "claim") for s in _sentences(text.splitlines(), ground.language)]
    return check(
        sentences,
        ground.facts,
        language=ground.language,
        locale=ground.locale,
        audience=audience,
        send_on=ground.send_on,
        zone=ground.zone,
        names=ground.names,
    )


def _sentences(lines: Iterable[str], language: str) -> list[str]:
    return [s for line in lines if line.strip() for s in split_sentences(line.strip(), language)]


def report_json(report: Report) -> dict[str, Any]:
    """A report as contract §8 shows it."""
    return {
        "status": "supported" if report.supported else "unsupported",
        "sentences": [_sentence_json(c) for c in report.sentences],
        "checks": [{"code": c.code, "verdict": c.verdict, "text": c.text} for c in report.checks],
    }


def _sentence_json(checked: CheckedSentence) -> dict[str, Any]:
    sentence = checked.sentence
    return {
        "text": sentence.text,
        "verdict": sentence.verdict,
        "reason": sentence.reason,
        "evidence": list(sentence.evidence),
        "spans": [
            {"text": s.text, "kind": s.kind, "verdict": s.verdict, "facts": list(s.facts), "reason": s.reason}
            for s in checked.spans
        ],
    }
