"""Refuses a true value in the wrong place: the quantity of another product, the day of another event, another total.

A citation says which fact is meant, so of cited tokens only the pair of a quantity and its product is judged. Two
things give a wrong place away: the product or document that stands beside the value, and words beside it that name
another field of the same record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from crmplugin.checking.fold import bare, lower
from crmplugin.checking.lists import topic
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import line_of, record_of
from crmplugin.checking.spans import Token
from crmplugin.checking.stems import overlap, stem, stems_of, stop_words
from crmplugin.domain.fact import Fact

_WORD = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"[0-9]+")
_GROUPS = (
    frozenset({"date", "datetime", "slot"}),
    frozenset({"money"}),
    frozenset({"percent"}),
    frozenset({"duration"}),
    frozenset({"count", "quantity"}),
)
_BESIDE = 7
_TELLING = 2
_REACH = 120
_PRODUCT_NEAR = 3
"""Words between a quantity and its product: "12 of the FlowMeter 3000"."""


def misplaced(scene: Scene, token: Token, finding: Finding) -> Finding:
    """The finding, refused when another fact belongs where the value stands."""
    if finding.verdict != "supported" or len(finding.facts) != 1:
        return finding
    fact = scene.shelf.by_id[finding.facts[0]]
    if fact.id in scene.cited_ids:
        # Two lines of the same quantity: either may be meant, and the product beside the value tells which.
        cited = [f for f in scene.cited if f.kind == fact.kind and _same_value(f, fact)]
        return _refuse(scene, token, finding, _line_of_other(scene, cited, _product_after(scene, token)))
    group = next((g for g in _GROUPS if fact.kind in g), None)
    if group is None:
        return finding
    equals = [f for f in scene.shelf.usable if f.kind in group and _same_value(f, fact)]
    if not equals or any(f.id in scene.cited_ids for f in equals):
        return finding
    if _beside_a_talk(scene, token) or scene.covered(token.start, token.end):
        return finding
    return _refuse(
        scene, token, finding, _other_product(scene, token, equals) or _other_field(scene, token, equals, group)
    )


def _refuse(scene: Scene, token: Token, finding: Finding, rival: Fact | None) -> Finding:
    if rival is None:
        return finding
    reason = f"{scene.shown(token)} stands where {rival.display} belongs ({rival.label})."
    return Finding(token.start, token.end, token.kind, "unsupported", (rival.id,), reason)


def _beside_a_talk(scene: Scene, token: Token) -> bool:
    """ "You asked on 6 March": the day of a talk is judged with the phrase."""
    places = [(a, b) for kind, a, b in scene.triggers if kind in ("attribution", "asked")]
    return any(0 <= token.start - b <= _BESIDE or 0 <= a - token.end <= _BESIDE for a, b in places)


def _same_value(a: Fact, b: Fact) -> bool:
    return a.value[:10] == b.value[:10] if a.kind in _GROUPS[0] else a.value == b.value


def _other_product(scene: Scene, token: Token, equals: Sequence[Fact]) -> Fact | None:
    """The quantity that a document has of the product beside the token, if the token's is not one of them."""
    if equals[0].kind == "money":
        return _price_of_other(scene, token, equals)
    if equals[0].kind not in ("quantity", "count"):
        return None
    product = _product_after(scene, token)
    lines = {line_of(f.id) for f in scene.shelf.usable if f.kind == "product" and lower(f.value) in product} - {None}
    right = [f for f in scene.shelf.usable if f.kind == "quantity" and line_of(f.id) in lines]
    about = [f for f in equals if f in right or _is_count_of(f, product)]
    if about:
        return None
    return right[0] if right else _line_of_other(scene, equals, product)


def _line_of_other(scene: Scene, quantities: Sequence[Fact], product: frozenset[str]) -> Fact | None:
    """The product of the line that these quantities stand in, when the product named beside them is another one."""
    lines = {line_of(f.id) for f in quantities} - {None}
    loose = [f for f in quantities if line_of(f.id) is None]
    if (
        not product
        or any(f.kind != "quantity" for f in quantities)
        or any(_may_count(scene, f, product) for f in loose)
    ):
        return None
    theirs = [f for f in scene.shelf.usable if f.kind == "product" and line_of(f.id) in lines]
    return None if not theirs or any(lower(f.value) in product for f in theirs) else theirs[0]


def _may_count(scene: Scene, quantity: Fact, product: frozenset[str]) -> bool:
    """Whether a quantity outside of a document's lines may be of this product, as far as its own product says."""
    own = [f for f in scene.shelf.usable if f.id == f"{record_of(quantity.id)}.product"]
    digits = {d for name in product for d in _DIGITS.findall(name)}
    return not own or any(lower(f.value) in product or digits & set(_DIGITS.findall(f.value)) for f in own)


def _price_of_other(scene: Scene, token: Token, equals: Sequence[Fact]) -> Fact | None:
    """The product whose price an amount is, when its clause names another product only."""
    clause = scene.clause_at(token.start)
    named = {
        lower(n) for t in scene.tokens if t.kind == "name" and clause.holds(t.start) for n in _product_names(scene, t)
    }
    lines = {line for f in equals if (line := line_of(f.id))}
    products = [f for f in scene.shelf.usable if f.kind == "product" and line_of(f.id) in lines]
    if not named or len(lines) < len(equals) or not products or any(lower(f.value) in named for f in products):
        return None
    return products[0]


def _product_names(scene: Scene, token: Token) -> Iterator[str]:
    for m in token.matches:
        if m.name.kind == "product":
            yield m.name.text
            record = m.name.record_id.removesuffix(".name")
            yield from (f.value for f in scene.shelf.usable if f.kind == "product" and f.id == f"{record}.name")


def _is_count_of(fact: Fact, product: frozenset[str]) -> bool:
    return line_of(fact.id) is None and any(name in lower(fact.label) for name in product)


def _product_after(scene: Scene, token: Token) -> frozenset[str]:
    """All lower-case names of the product that follows the token closely."""
    for other in scene.tokens:
        if other.kind != "name" or not 0 <= other.start - token.end <= _REACH:
            continue
        between = scene.folded.text[token.end : other.start]
        if len(between.split()) > _PRODUCT_NEAR:
            return frozenset()
        if any(c in between for c in ",;:."):
            return frozenset()
        records = {m.name.record_id.removesuffix(".name") for m in other.matches if m.name.kind == "product"}
        names = {lower(m.name.text) for m in other.matches if m.name.kind == "product"}
        known = {
            lower(f.value) for f in scene.shelf.usable if f.kind == "product" and f.id.removesuffix(".name") in records
        }
        return frozenset(names | known)
    return frozenset()


def _other_field(scene: Scene, token: Token, equals: Sequence[Fact], group: frozenset[str]) -> Fact | None:
    """The fact of the document or field that the words around a value name, if the value is not its."""
    clause = scene.clause_at(token.start)
    spoken = scene.stated_in(clause)
    place = _Place(
        _documents(scene, token), _document_before(scene, token), frozenset(_anchors(scene, token)), clause.bare
    )
    mine = frozenset().union(*(_label(scene, f) for f in equals))
    if overlap(frozenset(_counted(scene, token)), mine):
        return None
    if equals[0].kind == "money" and place.documents and not place.documents & {_record(f) for f in equals}:
        numbered = [f for f in scene.shelf.usable if f.kind == "doc_id" and _record(f) in {_record(e) for e in equals}]
        if numbered:
            return numbered[0]
    summed = _summed(equals, spoken)
    for rival in scene.shelf.usable:
        free = rival.kind in group and rival not in equals and rival.id not in spoken and not _is_of_sum(rival, summed)
        if free and _belongs(rival, _label(scene, rival), equals, mine, place):
            return rival
    return None


def _summed(equals: Sequence[Fact], spoken: frozenset[str]) -> frozenset[str]:
    """Documents whose total the value is, while the clause counts what stands on their lines."""
    counted = {line.split(".line")[0] for i in spoken if i.endswith(".quantity") and (line := line_of(i))}
    return frozenset(_record(f) for f in equals if _field(f) in ("total", "lines_total") and _record(f) in counted)


def _is_of_sum(rival: Fact, summed: frozenset[str]) -> bool:
    return line_of(rival.id) is not None and _record(rival) in summed


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands around a value: documents of its clause, the one right before it, the words beside it, all words."""

    documents: frozenset[str]
    before: str | None
    anchors: frozenset[str]
    words: frozenset[str]


def _belongs(rival: Fact, theirs: frozenset[str], equals: Sequence[Fact], mine: frozenset[str], place: _Place) -> bool:
    own = {_record(f) for f in equals}
    record = _record(rival)
    same_field = _field(rival) in {_field(f) for f in equals}
    if record in place.documents and not own & place.documents and same_field:
        return True
    if place.before == record and record not in own:
        return True
    anchored = overlap(place.anchors, theirs - mine) and not overlap(place.anchors, mine - theirs)
    if anchored and (record in place.documents or record in own):
        return True
    return overlap(place.words, theirs - mine) >= _TELLING and not overlap(place.words, mine)


def _documents(scene: Scene, token: Token) -> frozenset[str]:
    """Records whose number stands in the token's clause."""
    clause = scene.clause_at(token.start)
    ids = (i for start, i in scene.used_at if clause.holds(start))
    return frozenset(_record(scene.shelf.by_id[i]) for i in ids if scene.shelf.by_id[i].kind == "doc_id")


def _document_before(scene: Scene, token: Token) -> str | None:
    """The record whose number stands right before a value: "O-7 from 4 November"."""
    before = scene.token_before(token)
    if before is None or before.kind != "name":
        return None
    between = scene.folded.text[before.end : token.start]
    if len(between) > _BESIDE or any(c in between for c in ",;:."):
        return None
    stated = (scene.shelf.by_id[i] for i in scene.stated_at.get(before.start, ()))
    return next((_record(f) for f in stated if f.kind == "doc_id"), None)


def _record(fact: Fact) -> str:
    return fact.id.split(".")[0]


def _field(fact: Fact) -> str:
    return fact.id.rsplit(".", 1)[-1]


def _label(scene: Scene, fact: Fact) -> frozenset[str]:
    return stems_of(lower(fact.label), scene.reader.words)


@lru_cache(maxsize=1)
def _document_nouns() -> frozenset[str]:
    """Stems of words for documents: "quoted at" names no field of a quote."""
    return frozenset(stem(bare(w)) for w in topic("hints")["documents"])


def _anchors(scene: Scene, token: Token) -> Iterator[str]:
    """The content word right before a token, and in languages with the verb at the end the one right after."""
    language, low = scene.reader.words, scene.words_only
    clause = scene.clause_at(token.start)
    yield from _telling(low[max(clause.start, token.start - _REACH) : token.start], language)[-1:]
    led = low[: token.start].rstrip().rsplit(" ", 1)[-1]
    if language in ("de", "nl") and led not in ("vom", "van", "der", "des"):
        yield from _telling(low[token.end : min(clause.end, token.end + _REACH)], language)[:1]


def _counted(scene: Scene, token: Token) -> list[str]:
    """The stem of the word right behind a number, which says what it counts: "two steals"."""
    if token.kind not in ("number", "quantity", "percent"):
        return []
    words = scene.words_only
    word = _WORD.match(words, token.end + words.startswith(" ", token.end))
    return _telling(word[0], scene.reader.words) if word else []


def _telling(low: str, language: str) -> list[str]:
    """Stems of the words that may name a field, in order."""
    stems = (stem(bare(w)) for w in _WORD.findall(low) if w not in stop_words(language))
    return [s for s in stems if s not in _document_nouns()]
