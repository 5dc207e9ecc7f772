"""Judges phrases that need a fact of their own: who said what, praise, promises, offers, validity, comparisons."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from crmplugin.checking.clauses import Clause
from crmplugin.checking.fold import fold_text
from crmplugin.checking.language import other_language
from crmplugin.checking.lists import LANGUAGES, phrase_book, table
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.shelf import record_of
from crmplugin.checking.spans import Token, triggers
from crmplugin.checking.stems import courtesy_stems, overlap, stems_of, things_in
from crmplugin.domain.fact import Fact

APPROVED = ("guarantee", "certification", "free", "unlimited", "award", "best", "scarcity", "stock", "better", "social")
_PROMISE = re.compile(
    r"\.(?:promise\d*|item\d+|next_step\w*|next_update_at|lead_time|due|notice_on|starts_at|delivery\w*|text)"
    r"(?:\.|$)"
)
_PART = re.compile(r"(.*\.(?:item|promise)[0-9]+)(?:\.|$)")
_SAID = re.compile(r"\.(?:question\d*|item\d+|promise\d*|next_step\w*|mood)(?:\.|$)")
_FEW = 2
"""Words about which a value that a text states may be said in other words: "each panel weighs 21 kg"."""
_BESIDE = 6
"""Characters between a phrase and the day beside it: " on ", " vom "."""
_SENTENCE_BREAK = re.compile(r"[;,:.]")
_TYPED = frozenset({"money", "quantity", "count", "percent", "date", "datetime", "duration"})
_VALID = re.compile(r"\.(?:valid_until|ends_on|valid_to|expires_on)$")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase under judgement: its kind, its place, its clause and the content words around it."""

    scene: Scene
    kind: str
    start: int
    end: int
    clause: Clause

    @property
    def shown(self) -> str:
        return f"“{self.scene.folded.text[self.start : self.end].strip()}”"

    @property
    def own(self) -> frozenset[str]:
        """Stems of the phrase itself."""
        return stems_of(self.scene.folded.lower[self.start : self.end], self.scene.reader.words)

    @property
    def rest(self) -> frozenset[str]:
        """What its clause is about beside the phrase, names included; of a clause about nothing, the whole sentence."""
        return self._beside(self.clause.stems, [c.stems for c in self.scene.clauses])

    @property
    def bare(self) -> frozenset[str]:
        """Like `rest`, without names and everything typed; nothing from other clauses."""
        return frozenset(self.clause.bare - self.own)

    def _beside(self, mine: frozenset[str], all_: Sequence[frozenset[str]]) -> frozenset[str]:
        return frozenset(mine - self.own) or frozenset(frozenset().union(*all_) - self.own)

    @property
    def stated(self) -> list[Fact]:
        """Facts that the clause states, or the sentence if the clause holds nothing but the phrase."""
        scene = self.scene
        alone = not self.clause.stems - self.own and not scene.stated_in(self.clause)
        ids = frozenset(scene.used) if alone else scene.stated_in(self.clause)
        return [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if f.id in ids]

    def shares(self, fact: Fact) -> int:
        return overlap(self.rest, self.scene.shelf.stems[fact.id])

    def carry(self, fact: Fact) -> None:
        """Notes that a fact carries the phrase."""
        self.scene.used.append(fact.id)


def judge_claims(scene: Scene) -> list[Finding]:
    """Findings on all phrases of a sentence that need a fact; what is carried by one is not listed."""
    found = []
    for kind, start, end in scene.triggers:
        rule = _RULES.get(kind)
        reason = rule(Phrase(scene, kind, start, end, scene.clause_at(start))) if rule else None
        if reason:
            found.append(Finding(start, end, f"claim:{kind}", "unsupported", reason=reason))
    return found


def _is_said(fact: Fact) -> bool:
    """Whether a fact comes from a talk or message with the customer."""
    from_talk = any(s.object in ("activities", "activity", "tickets", "ticket") for s in fact.source)
    stated = fact.basis.type in ("stated_by_customer", "stated_by_rep")
    return fact.kind == "quote_text" or stated or from_talk or _SAID.search(fact.id) is not None


def _attribution(p: Phrase) -> str | None:
    scene = p.scene
    said = [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if _is_said(f)]
    if not said:
        return f"{p.shown}: no talk or message with this person is known."
    if p.kind == "asked" and p.scene.is_question:
        return None
    if "whether" in p.clause.kinds and _is_supposed(p):
        return None
    rest = p.rest - courtesy_stems(scene.reader.words) - _people_named(scene)
    if p.kind == "asked" and not rest and any(f.kind == "quote_text" or f.trust == "untrusted" for f in said):
        return None if any(_right_day(p, f) for f in said) else f"{p.shown}: that was on another day."
    carrier = _telling(p, _of_that_day(p, said), rest) or _telling(p, said, rest)
    if carrier is None:
        return f"{p.shown}: no talk or message with this person says so."
    if not _right_day(p, carrier):
        return f"{p.shown}: that was on another day."
    p.carry(carrier)
    return _other_way_round(p, [carrier])


def _people_named(scene: Scene) -> frozenset[str]:
    """Words of the names that the sentence cites: who answers a question is not what it was about."""
    cited = (scene.shelf.by_id[i] for i in scene.cited_ids if i in scene.shelf.by_id)
    return frozenset().union(*(scene.shelf.stems[f.id] for f in cited if f.kind == "person"))


def _is_supposed(p: Phrase) -> bool:
    """ "Tell me if you wanted something else" supposes; it does not report."""
    places = [(a, b) for kind, a, b in p.scene.triggers if kind == "whether" and p.clause.holds(a)]
    return any(0 <= p.start - b <= _BESIDE for _, b in places)


def _right_day(p: Phrase, carrier: Fact) -> bool:
    """A day right beside the phrase is the day of the talk: "you asked on 6 March"."""
    text = p.scene.folded.text
    for token in p.scene.tokens:
        beside = token.when is not None and (0 <= token.start - p.end <= _BESIDE or 0 <= p.start - token.end <= _BESIDE)
        if (
            beside
            and not _is_due(p.scene, token)
            and not _SENTENCE_BREAK.search(text[min(p.end, token.end) : max(p.start, token.start)])
        ):
            records = {f.id.split(".")[0] for f in _said_on(p.scene, token)}
            dated = any(d.fact.id.split(".")[0] == carrier.id.split(".")[0] for d in p.scene.shelf.dated)
            known = any(start == token.start for start, _ in p.scene.used_at)
            return not known or (carrier.id.split(".")[0] in records if dated else bool(records))
    return True


def _is_due(scene: Scene, token: Token) -> bool:
    """Whether a day is one that we promised, not one of a talk: "your other question by Friday"."""
    return any(is_promise(scene.shelf.by_id[i]) for i in scene.stated_at.get(token.start, ()))


def _of_that_day(p: Phrase, said: Sequence[Fact]) -> list[Fact]:
    """Facts of the talks on the day that the clause names, if it names one that is known."""
    named = [f for t in p.scene.tokens if t.when and p.clause.holds(t.start) for f in _said_on(p.scene, t)]
    records = {f.id.split(".")[0] for f in named}
    return [f for f in said if f.id.split(".")[0] in records]


def _said_on(scene: Scene, token: Token) -> list[Fact]:
    """Facts of talks on the day that a token names."""
    days = token.when.days if token.when else ()
    return [d.fact for d in scene.shelf.dated if d.day in days and _is_said(d.fact)]


def _telling(p: Phrase, said: Sequence[Fact], rest: frozenset[str]) -> Fact | None:
    """The fact of a talk that is about what the clause says; across languages words cannot tell, a citation must."""
    scene, hand = p.scene, {f.id for f in p.stated}
    hand |= {f.id for t in scene.tokens if t.when and p.clause.holds(t.start) for f in _said_on(scene, t)}
    need = 1 if len(rest) < 4 else 2
    if not said:
        return None
    best = max(said, key=lambda f: (_shared(rest, scene, f), f.id in scene.cited_ids))
    if _shared(rest, scene, best) >= need:
        return best
    if not p.clause.stems - p.own and hand & {f.id for f in said}:
        return next(f for f in said if f.id in hand)
    if p.kind == "asked" and not scene.sentence.evidence:
        records = {i.split(".")[0] for i in hand}
        quotes = [f for f in said if f.kind == "quote_text"]
        asked = [f for f in quotes if f.id.split(".")[0] in records or _foreign_words(f.value, scene.reader.words)]
        if asked:
            return asked[0]
    if not rest:
        first = sorted(said, key=lambda f: (f.id not in hand, f.id not in scene.cited_ids))[0]
        return first if first.id in hand | scene.cited_ids or p.kind == "asked" else None
    for fact in said:
        if fact.id in scene.cited_ids and (
            _foreign_words(fact.value, scene.reader.words) or _is_dated_question(p, fact)
        ):
            return fact
        if fact.id in hand and fact.kind not in ("date", "datetime"):
            return fact
    return None


def _shared(rest: frozenset[str], scene: Scene, fact: Fact) -> int:
    """Words that a clause shares with a fact; across languages the things that both name."""
    stems = scene.shelf.stems[fact.id]
    return max(overlap(rest, stems), len(things_in(rest) & things_in(stems)))


def _is_dated_question(p: Phrase, fact: Fact) -> bool:
    """A cited question, told in other words together with the day it was asked."""
    days = [f for t in p.scene.tokens for f in _said_on(p.scene, t)]
    same = any(f.id.split(".")[0] == fact.id.split(".")[0] for f in days)
    return p.kind == "asked" and fact.kind == "quote_text" and same


@lru_cache(maxsize=2048)
def _foreign_words(text: str, language: str) -> bool:
    return other_language(text, language) is not None


def _approved(p: Phrase) -> str | None:
    """Praise and the like stand only where an approved claim or a product's own words say the same."""
    carrier = _carrier(p)
    if carrier:
        p.carry(carrier)
        return None
    if _customers_words(p) or (p.scene.is_question and p.kind in ("better", "stock", "certification")):
        return None
    if p.kind == "stock" and any(f.id.endswith(".stock") for f in p.scene.shelf.usable):
        return None
    if p.kind == "better" and any(f.basis.type in ("computed", "estimated") for f in p.stated):
        return None
    return f"{p.shown}: no approved claim or product text says so."


def _property(p: Phrase) -> str | None:
    """A property of goods stands only where a trusted text has that very word, or has it in another language."""
    for fact in p.scene.shelf.usable:
        same = (
            overlap(p.own, p.scene.shelf.stems[fact.id]) or p.scene.folded.lower[p.start : p.end] in fact.value.lower()
        )
        foreign = _foreign_words(fact.value, p.scene.reader.words) and p.kind in kinds_in(fact.value)
        if fact.kind in ("claim", "text", "status") and (same or (foreign and fact.id in p.scene.cited_ids)):
            p.carry(fact)
            return _other_way_round(p, [fact])
    return None if p.scene.is_question or _customers_words(p) else f"{p.shown}: no fact says so."


def _carrier(p: Phrase) -> Fact | None:
    """A trusted text that holds a phrase of the same kind, in any language, and is about what the clause is about."""
    scene = p.scene
    rows = [f for f in scene.shelf.usable if f.kind in ("claim", "text", "status") and p.kind in kinds_in(f.value)]
    for fact in rows:
        if p.shares(fact) or (overlap(p.own, scene.shelf.stems[fact.id]) and not p.bare):
            return fact
        foreign = _foreign_words(fact.value, scene.reader.words)
        if fact.id in scene.cited_ids and (foreign or p.clause == scene.clauses[0]):
            return fact
        if fact in p.stated:
            return fact
    return None


@lru_cache(maxsize=2048)
def kinds_in(text: str) -> frozenset[str]:
    """Kinds of trigger phrases that a fact's words hold, in any of our languages."""
    folded = fold_text(text)
    return frozenset(kind for lang in LANGUAGES for kind, _, _ in triggers(folded, lang))


def _customers_words(p: Phrase) -> bool:
    """Whether the clause repeats words of the customer that hold the phrase."""
    return p.clause.reported and any(p.kind in kinds_in(f.value) for f in p.scene.shelf.quotes)


def _direction(p: Phrase) -> str | None:
    if p.scene.is_question or _customers_words(p):
        return None
    for fact in p.stated:
        if p.kind in kinds_in(f"{fact.label}. {fact.value}"):
            return None
        if fact.basis.type == "computed" and fact.kind in ("percent", "money") and ".usual" not in fact.id:
            return None if _sign_fits(fact, p.kind) else f"{p.shown}: the fact goes the other way."
    if _carrier(p):
        return None
    return f"{p.shown}: no computed fact says which way it went."


def _sign_fits(fact: Fact, kind: str) -> bool:
    label = kinds_in(fact.label)
    if {"up", "down"} & label:
        return kind in label
    return fact.value.startswith("-") == (kind == "down")


def _urgency(p: Phrase) -> str | None:
    if any(f.kind in ("date", "datetime", "slot") for f in p.stated) or _customers_words(p):
        return None
    if _carrier(p):
        return None
    return f"{p.shown}: urgency needs a date that a fact states."


def _valid(p: Phrase) -> str | None:
    """A document is called valid only until its day, and over only after it."""
    scene = p.scene
    if scene.is_question or "whether" in p.clause.kinds or p.clause.reported:
        return None
    meant = _documents_meant(scene)
    days = [_day(f) for f in meant]
    stated = [f for f in p.stated if f.kind in ("date", "datetime", "slot")]
    if meant and stated and not any(_VALID.search(f.id) for f in stated):
        return f"{p.shown}: the day it ends is {meant[0].display}."
    known = [d for d in days if d is not None]
    if not known:
        return None if _carrier(p) else f"{p.shown}: no fact says how long it is valid."
    over = [d < scene.reader.send_on for d in known]
    if p.kind == "valid" and all(over):
        return f"{p.shown}: it ended on {max(known).isoformat()}."
    if p.kind == "expired" and not any(over):
        return f"{p.shown}: it runs until {max(known).isoformat()}."
    return None


def _documents_meant(scene: Scene) -> list[Fact]:
    """Dates of validity of the documents that the sentence names or whose date it states; else all of the brief."""
    rows = [f for f in scene.shelf.usable if _VALID.search(f.id)]
    ids = {*scene.cited_ids, *scene.used}
    hand = {i.split(".")[0] for i in ids}
    return [f for f in rows if f.id in ids] or [f for f in rows if f.id.split(".")[0] in hand] or rows


def _day(fact: Fact) -> date | None:
    try:
        return date.fromisoformat(fact.value[:10])
    except ValueError:
        return None


def _absence(p: Phrase) -> str | None:
    if p.scene.is_question or _carrier(p) or _customers_words(p):
        return None
    return f"{p.shown}: no fact says so without exception."


def _cause(p: Phrase) -> str | None:
    """A cause needs a fact on its own side, in the clause that it opens."""
    if p.scene.is_question or _carrier(p) or _customers_words(p) or p.stated:
        return None
    cited = [f for f in p.scene.cited if overlap(p.bare, p.scene.shelf.stems[f.id])]
    return None if cited else f"{p.shown}: both the cause and its effect need a fact."


def _promise(p: Phrase) -> str | None:
    """A commitment stands only on a recorded promise, step, slot or lead time that its clause states or is about."""
    days = [f for f in p.stated if f.kind in ("date", "datetime", "slot")]
    if any(is_promise(f) and _same_matter(p, f) for f in days or p.stated):
        return None
    if p.kind == "receive" and _carrier_of_words(p):
        return None
    for fact in p.scene.shelf.usable:
        if is_promise(fact) and _is_about(p, fact):
            p.carry(fact)
            return None
    return f"{p.shown}: no recorded promise, step or slot carries this commitment."


def _same_matter(p: Phrase, fact: Fact) -> bool:
    """Whether a due date or quantity of a promise belongs to what the clause promises; slots belong to anything."""
    part = _PART.match(fact.id)
    if part is None or fact.id in p.scene.cited_ids:
        return True
    told = [f for f in p.scene.shelf.usable if f.id.startswith(part[1])]
    if any(_foreign_words(f.value, p.scene.reader.words) for f in told if f.id in p.scene.cited_ids):
        return True
    return any(overlap(p.bare | p.own, p.scene.shelf.stems[f.id]) for f in told)


def _is_about(p: Phrase, fact: Fact) -> bool:
    """Whether a promise is what the clause says: two shared words, or a citation that only its language keeps apart."""
    cited = fact.id in p.scene.cited_ids
    if fact.kind in ("slot", "date", "datetime"):
        return cited and p.clause == p.scene.clauses[0]
    if cited and _foreign_words(fact.value, p.scene.reader.words):
        return True
    shared = overlap(p.bare | p.own, p.scene.shelf.stems[fact.id])
    return shared >= (1 if cited or len(p.bare) < 2 else 2) and overlap(p.bare, p.scene.shelf.stems[fact.id]) > 0


def is_promise(fact: Fact) -> bool:
    """Whether a fact is something our side has promised, planned or offered as a time."""
    if fact.trust == "untrusted" or fact.kind == "quote_text":
        return False
    if fact.kind == "slot" or fact.id.startswith("SLOT"):
        return True
    if fact.id.endswith(".text"):
        return fact.kind in ("claim", "text") and fact.basis.type == "approved_copy"
    return _PROMISE.search(fact.id) is not None


def _carrier_of_words(p: Phrase) -> bool:
    rows = [f for f in p.scene.shelf.usable if f.kind in ("text", "claim")]
    foreign = p.scene.reader.words
    return any(p.shares(f) >= 2 or (f.id in p.scene.cited_ids and (p.shares(f) or _foreign_words(f.value, foreign)))
               for f in rows)  # fmt: skip


def _offer(p: Phrase) -> str | None:
    stated = {f.id for f in p.stated}
    for fact in p.scene.shelf.usable:
        grants = (
            p.kind in kinds_in(f"{fact.label}. {fact.value}") or "discount" in fact.id or fact.id.startswith("OFFER")
        )
        words = fact.kind in ("claim", "text") and p.shares(fact) >= (1 if fact.id in p.scene.cited_ids else 2)
        if grants and (fact.id in stated or words):
            p.carry(fact)
            return None
    return None if _repeats_question(p) else f"{p.shown}: no fact grants it."


def _repeats_question(p: Phrase) -> bool:
    """Whether the phrase only repeats what the customer asked ("you asked whether a discount is possible")."""
    return _customers_words(p)


def _concession(p: Phrase) -> str | None:
    if _carrier(p) or _repeats_question(p):
        return None
    if p.kind == "extend" and ("commit" not in p.clause.kinds or p.scene.is_question):
        return None
    if "whether" in p.clause.kinds and any(is_promise(f) for f in _at_hand(p.scene)):
        return None
    if p.kind == "concession" and p.scene.is_question and p.scene.sentence.role == "ask":
        return None
    return f"{p.shown}: no fact grants it."


def _at_hand(scene: Scene) -> list[Fact]:
    ids = {*scene.cited_ids, *scene.used}
    return [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if f.id in ids]


def _assertion(p: Phrase) -> str | None:
    """A statement about goods or events needs a fact that shares its words, and says it the same way round."""
    scene = p.scene
    if scene.is_question or _customers_words(p) or _is_asked(p):
        return None
    wanted = p.bare or (p.own if not p.stated else frozenset())
    if not wanted:
        return _other_way_round(p, p.stated)
    near = [f for f in (*scene.shelf.usable, *scene.shelf.quotes) if overlap(wanted, _told(scene, f))]
    near = [f for f in near if f.trust == "trusted" or p.clause.reported]
    if near:
        best = max(
            near, key=lambda f: (overlap(wanted, _told(scene, f)), f.kind in ("text", "claim"), f.id in scene.cited_ids)
        )
        p.carry(best)
        return _other_way_round(p, [best])
    if any(_foreign_words(f.value, scene.reader.words) for f in scene.cited):
        return None
    typed = [f for f in p.stated if f.kind in _TYPED]
    if typed and (len(wanted) <= 1 or _tells_a_line(typed)):
        return None
    measured = [f for f in p.stated if f.kind in ("text", "claim") and f.trust == "trusted"]
    if measured and len(wanted) <= _FEW:
        return _other_way_round(p, measured)
    return f"{p.shown}: no fact says so."


def _tells_a_line(typed: Sequence[Fact]) -> bool:
    """Two values of one document in one clause tell what stands in it, whatever the goods are called there."""
    records = [record_of(f.id).split(".line")[0] for f in typed]
    return any(records.count(r) > 1 for r in records) and any(f.kind in ("quantity", "count", "product") for f in typed)


def _is_asked(p: Phrase) -> bool:
    """ "You asked what the price includes" states a question, not an answer."""
    opening = tuple(w for w in table("clauses", p.scene.reader.words)["asks"])
    text = p.scene.folded.lower[p.clause.start : p.clause.end].lstrip(" ,:\"'")
    asked = "asked" in p.scene.trigger_kinds and p.clause.reported
    return asked and (text.startswith(opening) or any(f" {w}" in text[: p.start - p.clause.start] for w in opening))


def _told(scene: Scene, fact: Fact) -> frozenset[str]:
    return scene.shelf.stems[fact.id]


def _other_way_round(p: Phrase, facts: Sequence[Fact]) -> str | None:
    """Refuses "does not include" where the fact includes, and the reverse."""
    words = p.scene.reader.words
    texts = [f for f in facts if f.kind in ("text", "claim", "quote_text") and not _foreign_words(f.value, words)]
    if not texts or not {"assertion", "certification", "promise"} & kinds_in(texts[0].value):
        return None
    here, there = _denies(p.scene.folded.lower, words), _denies(texts[0].value.lower(), words)
    return f"{p.shown}: the fact says it the other way round." if here != there else None


def _denies(low: str, language: str) -> bool:
    return sum(kind == "negation" for kind, _, _ in phrase_book("claims", language).find(low)) % 2 == 1


Rule = Callable[[Phrase], str | None]
_RULES: dict[str, Rule] = {
    **dict.fromkeys(APPROVED, _approved),
    "property": _property,
    "attribution": _attribution,
    "asked": _attribution,
    "up": _direction,
    "down": _direction,
    "urgency": _urgency,
    "valid": _valid,
    "expired": _valid,
    "absence": _absence,
    "cause": _cause,
    "promise": _promise,
    "receive": _promise,
    "offer": _offer,
    "concession": _concession,
    "extend": _concession,
    "assertion": _assertion,
}


def judge_bare_claim(scene: Scene) -> list[Finding]:
    """A claim sentence that cites facts but shares nothing with any of them is not carried by them."""
    if scene.sentence.role != "claim" or not scene.sentence.evidence or scene.used or scene.is_question:
        return []
    if any(
        overlap(scene.stems, scene.shelf.stems[f.id]) or _foreign_words(f.value, scene.reader.words)
        for f in scene.cited
    ):
        return []
    if not scene.stems or not scene.cited and not _unknown(scene.sentence.evidence, scene):
        return []
    end = len(scene.folded.text)
    return [Finding(0, end, "claim", "unsupported", reason="The facts it cites say something else.")]


def _unknown(ids: Iterable[str], scene: Scene) -> list[str]:
    return [i for i in ids if i not in scene.shelf.by_id]
