"""Judges one typed token of a sentence: which fact states it, or why none does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from crmplugin.checking import links
from crmplugin.checking.derive import Row, derived_counts, derived_days, derived_money, derived_percent
from crmplugin.checking.fold import fold_text
from crmplugin.checking.lists import LANGUAGES, table, topic
from crmplugin.checking.measures import TIME_UNITS, same_value, states, states_duration, states_percent, values_of
from crmplugin.checking.moments import judge_date
from crmplugin.checking.money import fits
from crmplugin.checking.naming import judge_capital, judge_code, judge_name
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import Dated, Numeric
from crmplugin.checking.spans import Reader, Token, measures_in
from crmplugin.checking.stems import stop_words
from crmplugin.domain.fact import Fact

Test = Callable[[Numeric, Sequence[Decimal]], bool]
_COUNTS = frozenset({"count", "quantity", "policy"})
_NO_DAY = date(2000, 1, 1)
CALL_MINUTES = frozenset(map(Decimal, (5, 10, 15, 20, 30, 45, 60)))


def judge(token: Token, scene: Scene) -> Finding:
    """What is to be said of a token."""
    fact = scene.covered(token.start, token.end)
    if fact:
        return scene.judge(token, "supported", facts=[fact])
    return _JUDGES[token.kind](token, scene)


def _fixed(token: Token, scene: Scene) -> Finding:
    return scene.judge(token, "supported")


def _link(token: Token, scene: Scene) -> Finding:
    same = links.same_phone if token.kind == "phone" else links.same_link
    written = scene.text_of(token)
    facts = [f for f in scene.shelf.usable if f.kind in ("link", "text", "status") and same(written, f.value)]
    if facts or any(same(written, point) for point in scene.shelf.contact_points):
        return scene.judge(token, "supported", facts=facts[:1])
    hidden = [f for f in scene.shelf.hidden if f.kind in ("link", "text") and same(written, f.value)]
    if hidden:
        return scene.judge(token, "leak", f"{scene.shown(token)} is internal.", facts=hidden[:1])
    return scene.judge(token, "unsupported", f"No fact holds the {token.kind} {scene.shown(token)}.")


def _money(token: Token, scene: Scene) -> Finding:
    assert token.currency is not None
    codes, known = token.currency.codes, scene.shelf.currencies
    if token.hedge in ("about", "over", "under") and not scene.is_internal:
        exact = _money(replace(token, hedge=None), scene) if _means_of(token, scene) else None
        if exact and exact.verdict in ("supported", "misformatted"):
            return exact
        return _failed(token, scene, f"{scene.shown(token)} softens an amount; amounts to customers are exact.")
    rows = [n for n in scene.shelf.numerics if n.fact.kind == "money"]
    hits, by_locale = _matching(token, scene, rows, lambda n, v: states(v, n, token.hedge))
    right = [n.fact for n in hits if fits(codes, n.fact.unit, known) == "yes"]
    if right:
        return _stated(token, scene, right, by_locale)
    unclear = [n.fact for n in hits if fits(codes, n.fact.unit, known) == "unclear"]
    if unclear:
        reason = f"{scene.shown(token)} does not say which currency."
        return scene.judge(token, "misformatted", reason, facts=unclear[:1], mend=_one_display(unclear))
    if hits:
        unit = hits[0].fact.unit
        return _failed(token, scene, f"{scene.shown(token)} is in another currency than the fact ({unit}).")
    return _follows_money(token, scene, codes) or _in_document(token, scene, codes) or _elsewhere(token, scene)


def _means_of(token: Token, scene: Scene) -> bool:
    """ "Ein Angebot über 100 €": a word that softens a number may also only lead to it."""
    before = scene.folded.lower[max(0, token.start - 12) : token.start].split()
    return bool(before) and before[-1] in topic("hints")["leading"]


def _follows_money(token: Token, scene: Scene, codes: tuple[str, ...]) -> Finding | None:
    rows = [r for code in codes if code in scene.shelf.currencies for r in derived_money(_at_hand(scene), code)]
    return _follows(token, scene, rows)


def _in_document(token: Token, scene: Scene, codes: tuple[str, ...]) -> Finding | None:
    """The amount of an expired document, named together with its number: history, not an offer."""
    for fact in scene.shelf.expired:
        number = next(
            (f for f in scene.shelf.usable if f.kind == "doc_id" and f.id.split(".")[0] == fact.id.split(".")[0]), None
        )
        named = number is not None and number.value.lower() in scene.folded.lower
        if fact.kind == "money" and named and fact.unit in codes:
            values = values_of(token, by_locale=True)
            if values and values[0] == (Decimal(fact.value),):
                return scene.judge(token, "supported", facts=[fact])
    return None


def _percent(token: Token, scene: Scene) -> Finding:
    rows = [n for n in scene.shelf.numerics if n.fact.kind in ("percent", "policy")]
    hits, by_locale = _matching(
        token, scene, rows, lambda n, v: states_percent(v, n, token.hedge, exact="discount" in n.fact.id)
    )
    if hits:
        return _stated(token, scene, [n.fact for n in hits], by_locale)
    if token.unit == "points":
        counted = _number(replace(token, kind="number", unit=None), scene)
        if counted.verdict in ("supported", "misformatted"):
            return counted
    rounded = [(value.quantize(Decimal(1)), ids) for value, ids in derived_percent(_at_hand(scene))]
    return _follows(token, scene, [*derived_percent(_at_hand(scene)), *rounded]) or _elsewhere(token, scene)


def _quantity(token: Token, scene: Scene) -> Finding:
    unit = token.unit or ""
    if unit in TIME_UNITS:
        return _duration(token, scene, unit)
    rows = [n for n in scene.shelf.numerics if n.fact.kind in _COUNTS]
    for fitting in (lambda n: _same_unit(unit, n.fact.unit), lambda n: n.fact.unit is None):
        hits, by_locale = _matching(token, scene, filter(fitting, rows), lambda n, v: states(v, n, token.hedge))
        if hits:
            return _stated(token, scene, [n.fact for n in hits], by_locale)
        if _in_prose(token, scene, scene.shelf.prose):
            break
    return _elsewhere(token, scene)


def _same_unit(unit: str, stored: str | None) -> bool:
    return stored == unit or (unit == "times" and stored in ("time", "order", "orders", None))


def _duration(token: Token, scene: Scene, unit: str) -> Finding:
    rows = [
        n for n in scene.shelf.numerics if (n.fact.unit or "").rstrip("s") in TIME_UNITS or n.fact.kind == "duration"
    ]
    hits, by_locale = _matching(token, scene, rows, lambda n, v: states_duration(v, unit, n, token.hedge))
    if hits:
        return _stated(token, scene, [n.fact for n in hits], by_locale)
    if unit == "minute" and _is_call_length(token, scene):
        return scene.judge(token, "supported")
    days = [d for d in scene.shelf.dated if d.fact.id in {*scene.cited_ids, *scene.used}]
    now = Dated(Fact("", "date", "", "", ""), scene.reader.send_on)
    per_unit = {"day": 1, "week": 7}.get(unit)
    rows_ = [(v / per_unit, ids) for v, ids in derived_days(days, now) if ids and v] if per_unit else []
    return _follows(token, scene, rows_) or _elsewhere(token, scene)


def _is_call_length(token: Token, scene: Scene) -> bool:
    """The length of a proposed talk ("15 minutes") is ours to choose."""
    values = values_of(token, by_locale=True)
    talk = "talk" in scene.trigger_kinds or "proposal" in scene.trigger_kinds
    asked = scene.is_question or scene.sentence.role == "ask"
    return bool(values) and values[0][0] in CALL_MINUTES and (talk or asked)


def _number(token: Token, scene: Scene) -> Finding:
    if token.ratio:
        return _ratio(token, scene)
    if token.hedge and _means_of(token, scene):
        token = replace(token, hedge=None)
    worded = _with_next_word(token, scene) or _labelled(token, scene)
    if worded:
        return scene.judge(token, "supported", facts=[worded])
    rows = [n for n in scene.shelf.numerics if n.fact.kind in _COUNTS or (len(token.numbers) == 2 and n.is_range)]
    hits, by_locale = _matching(token, scene, rows, lambda n, v: states(v, n, token.hedge))
    if hits:
        return _stated(token, scene, [n.fact for n in hits], by_locale)
    if len(token.numbers) == 2:
        return _both_ends(token, scene)
    if _is_own_count(token, scene) or _is_line_number(token, scene):
        return scene.judge(token, "supported")
    rows = [n for n in scene.shelf.numerics if n.fact.kind == "money" and abs(n.low) >= 100]
    hits, _ = _matching(token, scene, rows, lambda n, v: states(v, n, None))
    if hits:
        return scene.judge(token, "misformatted", f"{scene.shown(token)} has no currency.",
                           facts=[hits[0].fact], mend=_one_display([n.fact for n in hits]))  # fmt: skip
    return _follows(token, scene, list(derived_counts(_at_hand(scene)))) or _elsewhere(token, scene)


_NEXT_WORD = re.compile(r" ?[^\W\d_]{2,}")


def _with_next_word(token: Token, scene: Scene) -> Fact | None:
    """A trusted text that has the number and the word behind it: "2 grams", "400 volt"."""
    low = scene.folded.lower
    m = _NEXT_WORD.match(low, token.end)
    if m is None or m[0].strip() in stop_words(scene.reader.words):
        return None
    wanted = re.compile(rf"(?<![\w.,]){re.escape(low[token.start : m.end()])}(?!\w)")
    rows = [*scene.shelf.prose, *(scene.shelf.quoted if scene.quotes_customer else ())]
    found = [f for f, words in rows if f.kind in ("text", "claim", "status", "quote_text") and wanted.search(words)]
    return scene.first_cited(found)[0] if found else None


_WORD_BEFORE = re.compile(r"[^\W\d_]{3,}(?= $)")


def _labelled(token: Token, scene: Scene) -> Fact | None:
    """A text, the customer's too, that numbers the same thing: "pump 2", "Linie 4"."""
    low = scene.folded.lower
    before = _WORD_BEFORE.search(low, max(0, token.start - 24), token.start)
    if token.hedge or len(token.numbers) > 1 or before is None or before[0] in stop_words(scene.reader.words):
        return None
    wanted = re.compile(rf"(?<!\w){re.escape(low[before.start() : token.end])}(?![\w,.]?[0-9])")
    return next((f for f, words in (*scene.shelf.prose, *scene.shelf.quoted) if wanted.search(words)), None)


def _both_ends(token: Token, scene: Scene) -> Finding:
    """ "From 10 to 12" where no range says so: each end must be stated."""
    ends = [Token("number", n.start, n.end, (n,)) for n in token.numbers]
    findings = [_number(end, scene) for end in ends]
    worst = next((f for f in findings if f.verdict != "supported"), None)
    if worst:
        return _elsewhere(token, scene)
    return Finding(token.start, token.end, token.kind, "supported", tuple(i for f in findings for i in f.facts))


def _ratio(token: Token, scene: Scene) -> Finding:
    """ "31 of 50": both are counts; "6 in 10" may round a percentage when it is softened."""
    rows = [n for n in scene.shelf.numerics if n.fact.kind in _COUNTS]
    parts = [[n for n in rows if n.low == x.value and not n.is_range] for x in token.numbers]
    if all(parts):
        return scene.judge(token, "supported", facts=[p[0].fact for p in parts])
    k, n = (x.value for x in token.numbers)
    if k is not None and n and token.hedge:
        near = [
            p.fact
            for p in scene.shelf.numerics
            if p.fact.kind == "percent" and abs(k / n - p.low / 100) <= Decimal("0.05")
        ]
        if near:
            return scene.judge(token, "supported", facts=near[:1])
    return _elsewhere(token, scene)


def _is_own_count(token: Token, scene: Scene) -> bool:
    """A small number of things in the text itself: "two questions", "drei Punkte"."""
    value = token.numbers[0].value
    word = scene.folded.lower[token.end : token.end + 24].strip(" \0").split(" ")[0].strip(".,:;!?")
    following = scene.folded.lower[token.end : token.end + 40].split()[:2]
    nouns = table("own_nouns", scene.reader.words)["words"].split()
    return (
        value is not None and 1 <= value <= 5 and (word in nouns or any(w.strip(".,:;!?") in nouns for w in following))
    )


def _is_line_number(token: Token, scene: Scene) -> bool:
    """ "Line 1" of a document that has such a line."""
    before = scene.folded.lower[: token.start].rstrip().rsplit(" ", 1)[-1]
    if before not in topic("hints")["line_words"]:
        return False
    return any(f".line{token.numbers[0].value}." in f.id for f in scene.shelf.usable)


def _matching(token: Token, scene: Scene, rows: Iterable[Numeric], test: Test) -> tuple[list[Numeric], bool]:
    """Facts that the token states, cited ones first; by the locale's reading if any, else by another one."""
    rows = sorted(rows, key=lambda n: n.fact.id not in scene.cited_ids)
    for by_locale in (True, False):
        hits = [n for n in rows for values in values_of(token, by_locale=by_locale) if test(n, values)]
        if hits:
            return hits, by_locale
    return [], False


def _stated(token: Token, scene: Scene, facts: Sequence[Fact], by_locale: bool) -> Finding:
    chosen = scene.first_cited(facts)[:1]
    if by_locale:
        return scene.judge(token, "supported", facts=chosen)
    reason = f"{scene.shown(token)} is written in another country's way; here it is {chosen[0].display}."
    return scene.judge(token, "misformatted", reason, facts=chosen, mend=_one_display(facts))


def _one_display(facts: Sequence[Fact]) -> str | None:
    """The text to put in place, when all candidates show the same."""
    shown = {f.display for f in facts}
    return shown.pop() if len(shown) == 1 else None


def _at_hand(scene: Scene) -> list[Numeric]:
    """Numbers that the sentence cites or already states."""
    ids = {*scene.cited_ids, *scene.used}
    return [n for n in scene.shelf.numerics if n.fact.id in ids]


def _follows(token: Token, scene: Scene, rows: Sequence[Row]) -> Finding | None:
    values = values_of(token, by_locale=True)
    if not values or len(values[0]) != 1:
        return None
    for value, ids in rows:
        if same_value(values[0][0], value, token.hedge):
            return scene.judge(token, "supported", facts=[scene.shelf.by_id[i] for i in ids])
    return None


def _elsewhere(token: Token, scene: Scene) -> Finding:
    """The last places a number may come from: words of a trusted fact, or the customer's own words."""
    found = _in_prose(token, scene, scene.shelf.prose)
    if found:
        return scene.judge(token, "supported", facts=found)
    if token.kind not in ("money", "percent") and scene.quotes_customer:
        quoted = _in_prose(token, scene, scene.shelf.quoted)
        if quoted:
            return scene.judge(token, "supported", facts=quoted)
    return _failed(token, scene, f"No fact states {scene.shown(token)}.")


def _in_prose(token: Token, scene: Scene, rows: Iterable[tuple[Fact, str]]) -> list[Fact]:
    wanted = values_of(token, by_locale=True)
    if not wanted:
        return []
    for fact, words in sorted(rows, key=lambda row: row[0].id not in scene.cited_ids):
        words = scene.shelf.without_products(words)
        if fact.kind not in ("text", "claim", "status", "quote_text", "policy"):
            continue
        if (token.kind, token.unit, wanted[0]) in _measures(words, scene.reader.words):
            return [fact]
    return []


@lru_cache(maxsize=2048)
def _measures(words: str, language: str) -> frozenset[tuple[str, str | None, tuple[Decimal, ...]]]:
    """Everything measured in a text, read in the language and in English."""
    found = set()
    for lang in {language, "en"} & set(LANGUAGES):
        for token in measures_in(fold_text(words), Reader(lang, lang, _NO_DAY)):
            found |= {(token.kind, token.unit, v) for v in values_of(token, by_locale=True)}
    return frozenset(found)


def _failed(token: Token, scene: Scene, reason: str) -> Finding:
    return scene.judge(token, "unsupported", reason)


_JUDGES: dict[str, Callable[[Token, Scene], Finding]] = {
    "fixed": _fixed,
    "link": _link,
    "email": _link,
    "phone": _link,
    "name": judge_name,
    "doc_id": judge_code,
    "date": judge_date,
    "money": _money,
    "percent": _percent,
    "quantity": _quantity,
    "number": _number,
    "ordinal": _number,
    "capital": judge_capital,
}
