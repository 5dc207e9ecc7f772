"""The check that every text passes: each word of each sentence against the facts, without a model.

`check_text` reads; it never writes, guesses or lets something pass because it cannot tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from crmplugin import ports
from crmplugin.checking.agree import misplaced
from crmplugin.checking.canaries import raise_leaks, secret_words
from crmplugin.checking.claims import judge_bare_claim, judge_claims
from crmplugin.checking.fold import bare, fold_text
from crmplugin.checking.house import house_marks, house_terms, voice_of
from crmplugin.checking.language import mixed_scripts, other_language, program, split_sentences, unbroken
from crmplugin.checking.lists import LANGUAGES
from crmplugin.checking.names import TenantNames, build_index
from crmplugin.checking.quotes import judge_quotes
from crmplugin.checking.scene import SEVERITY, Finding, Scene
from crmplugin.checking.shelf import Shelf
from crmplugin.checking.spans import Reader, find_tokens
from crmplugin.checking.stems import courtesy_stems, stem, stop_words
from crmplugin.checking.support import judge
from crmplugin.checking.unsaid import judge_unsaid
from crmplugin.checking.voice import banned, commercial, informal, placeholders, titles
from crmplugin.checking.whole import Whole, check_whole
from crmplugin.domain.brief import Brief
from crmplugin.domain.draft import CheckedSentence, Report, Sentence, Span
from crmplugin.domain.fact import Fact

__all__ = ["build_index", "check_text", "split_sentences"]

_WORD = re.compile(r"[^\W\d_]+")
_WHOLE = frozenset({"link", "email", "phone", "name"})
_READABLE = 4
"""Words of which one must be known to a reader of the language."""
LONGEST = 2000
"""Characters of one sentence that are read; a longer one is refused as a whole."""
_OURS = frozenset({"greeting", "signature", "legal"})


def check_text(
    sentences: Sequence[Sentence],
    facts: Sequence[Fact],
    *,
    language: str,
    locale: str,
    audience: str,
    send_on: date,
    zone: str,
    names: ports.NameIndex,
    brief: Brief | None = None,
    style: bool = True,
) -> Report:
    """The verdict on each sentence with its spans, and the rules over the whole.

    Greeting, signature and legal parts that come in as `rendered` are ours and stay so. `locale` says how numbers are
    written, `send_on` is the day of sending in `zone`, against which dates without a year and relative words are read.
    """
    shelf = Shelf(facts, audience, send_on, zone, language, brief)
    reader = Reader(language, locale, send_on)
    tenant = names if isinstance(names, TenantNames) else None
    rows = [_check_one(s, shelf, reader, tenant, style=style) for s in sentences]
    checks = check_whole(Whole(rows, shelf, reader.words), style=style)
    return Report(tuple(checked for checked, _ in rows), checks)


def _check_one(
    sentence: Sentence, shelf: Shelf, reader: Reader, tenant: TenantNames | None, *, style: bool
) -> tuple[CheckedSentence, Scene | None]:
    if sentence.verdict == "rendered" and sentence.role in _OURS:
        return CheckedSentence(sentence), None
    if len(sentence.text) > LONGEST:
        reason = f"A sentence of {len(sentence.text)} characters is not read."
        return CheckedSentence(replace(sentence, verdict="unsupported", reason=reason)), None
    scene = _set_scene(sentence, shelf, reader, tenant)
    findings = sorted([*_ground(scene), *_manner(scene, style=style)], key=lambda f: (f.start, f.end))
    return _conclude(scene, findings), scene


def _set_scene(sentence: Sentence, shelf: Shelf, reader: Reader, tenant: TenantNames | None) -> Scene:
    folded = fold_text(sentence.text)
    tokens = find_tokens(folded, reader, shelf.names, tenant)
    return Scene(sentence, folded, tokens, shelf, reader, tenant)


def _ground(scene: Scene) -> list[Finding]:
    """What the facts carry: typed tokens, phrases that need a fact, citations; for customers what must stay ours."""
    findings = _judge_all(scene)
    findings = [misplaced(scene, t, f) for t, f in zip(scene.tokens, findings, strict=True)]
    if scene.is_internal:
        return [*findings, *_citations(scene)]
    findings = raise_leaks(scene, scene.tokens, findings)
    return [
        *findings,
        *judge_claims(scene),
        *judge_bare_claim(scene),
        *judge_unsaid(scene),
        *judge_quotes(scene),
        *_citations(scene),
        *secret_words(scene),
    ]


def _judge_all(scene: Scene) -> list[Finding]:
    """A finding for each token in order; names and dates are judged first, since numbers may follow from them."""
    order = sorted(range(len(scene.tokens)), key=lambda i: scene.tokens[i].kind not in ("name", "doc_id", "date"))
    found = {i: judge(scene.tokens[i], scene) for i in order}
    return [found[i] for i in range(len(scene.tokens))]


def _citations(scene: Scene) -> list[Finding]:
    """Citing a fact that does not exist or may not be told here does not stand."""
    end = len(scene.folded.text)
    out = []
    for fact_id in scene.sentence.evidence:
        if fact_id not in scene.shelf.by_id:
            out.append(Finding(0, end, "citation", "unsupported", reason=f"There is no fact {fact_id}."))
        elif fact_id not in scene.shelf.usable_ids and fact_id not in scene.used:
            out.append(
                Finding(0, end, "citation", "unsupported", (fact_id,), f"The fact {fact_id} may not be told here.")
            )
    return out


def _manner(scene: Scene, *, style: bool) -> list[Finding]:
    """How it is said: language, placeholders, titles and, if wanted, tone."""
    found = [*placeholders(scene), *_language(scene)]
    if scene.is_internal:
        return found
    found += titles(scene)
    brief = scene.shelf.brief
    if brief and brief.decision.code == "sell_hold":
        found += commercial(scene)
    if style:
        formal = brief.plan.formal if brief and brief.plan else None
        voice = voice_of(brief)
        found += [
            *banned(scene),
            *informal(scene, formal=formal),
            *house_terms(scene, voice),
            *house_marks(scene, voice),
        ]
    return found


def _language(scene: Scene) -> list[Finding]:
    folded = scene.folded
    mixed = mixed_scripts(folded.text)
    if mixed:
        return [Finding(*mixed, "language", "unsupported", reason="A word mixes letters of two scripts.")]
    if not scene.is_internal:
        found = _unreadable(scene)
        if found:
            return [found]
    other = other_language(scene.own_words, scene.reader.language) if scene.reader.language in LANGUAGES else None
    if other is None:
        return []
    return [
        Finding(
            0,
            len(folded.text),
            "language",
            "unsupported",
            reason=f"The sentence is not in {scene.reader.language}: {other}.",
        )
    ]


def _unreadable(scene: Scene) -> Finding | None:
    """A scrap of a program, or words that are none: what a letter never holds."""
    text, whole = scene.folded.text, scene.words_only
    place = program(text, whole)
    if place:
        return Finding(*place, "language", "unsupported", reason="This reads like a program, not like a letter.")
    words = _WORD.findall(bare(whole))
    plain = stop_words(scene.reader.words) | frozenset(words) & scene.shelf.known_stems
    known = courtesy_stems(scene.reader.words) | scene.shelf.known_stems
    strange = len(words) >= _READABLE and not any(w in plain or stem(w) in known for w in words)
    single = any(t.kind in _WHOLE and t.end - t.start >= len(text.rstrip(".!?")) for t in scene.tokens)
    if strange or (unbroken(text) and not single):
        return Finding(0, len(text), "language", "unsupported", reason="No reader could read this.")
    return None


def _conclude(scene: Scene, findings: Sequence[Finding]) -> CheckedSentence:
    """The sentence with the worst verdict of its findings, its evidence completed, and a mend when that is certain."""
    worst = min(findings, key=lambda f: SEVERITY.index(f.verdict), default=None)
    verdict = worst.verdict if worst else "supported"
    evidence = tuple(dict.fromkeys([*scene.sentence.evidence, *(i for i in scene.used if i)]))
    reason = worst.reason if worst and verdict != "supported" else None
    sentence = replace(scene.sentence, verdict=verdict, reason=reason, evidence=evidence)
    spans = tuple(_span(scene, f) for f in findings if f.kind != "fixed" and not _is_plain(f))
    return CheckedSentence(sentence, spans, _mend(scene, findings) if verdict == "misformatted" else None)


def _is_plain(finding: Finding) -> bool:
    """Capitalised words that turned out to be nothing special are not worth a span."""
    return finding.kind == "capital" and finding.verdict == "supported" and not finding.facts


def _span(scene: Scene, finding: Finding) -> Span:
    start, end = scene.folded.place(finding.start, finding.end)
    text = scene.sentence.text[start:end]
    return Span(text, finding.kind, start, end, finding.verdict, finding.facts, finding.reason)


def _mend(scene: Scene, findings: Sequence[Finding]) -> str | None:
    """The source text with every misformatted piece rewritten; None when one of them has no certain form."""
    bad = [f for f in findings if f.verdict == "misformatted"]
    if any(f.mend is None for f in bad):
        return None
    text = scene.sentence.text
    for f in sorted(bad, key=lambda f: -f.start):
        start, end = scene.folded.place(f.start, f.end)
        text = text[:start] + (f.mend or "") + text[end:]
    return text if text != scene.sentence.text else None
