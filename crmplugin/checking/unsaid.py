"""Refuses a statement that cites nothing and whose words no fact has: what nobody recorded, nobody can vouch for.

A sentence of courtesies, questions and what the customer said are no such statements. Numbers, days and documents that
facts state carry the sentence they stand in; names carry nothing, since praise names its product too.
"""

from __future__ import annotations

from collections.abc import Iterator

from crmplugin.checking.clauses import Clause, strike
from crmplugin.checking.language import other_language
from crmplugin.checking.lists import table
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.stems import courtesy_stems, overlap, stems_of, things_in
from crmplugin.domain.fact import Fact

_CARRYING = frozenset({"date", "money", "percent", "quantity", "number", "doc_id", "link", "email", "phone"})
_TALK = frozenset({"asked", "attribution"})
_FEWEST_CITED = 3
_FEWEST = 2
"""Content words that make a statement."""
_MOST_STRANGE = 2
"""Words that no fact has, for each word that one has."""


def judge_unsaid(scene: Scene) -> Iterator[Finding]:
    """One finding over the sentence when it states something that shares no words with any fact."""
    if not scene.shelf.usable or scene.is_question or scene.sentence.role not in ("claim", "context"):
        return
    if scene.sentence.evidence:
        yield from _cited_in_vain(scene)
        return
    if _is_wish(scene):
        return
    if not scene.trigger_kinds & _TALK and not _is_carried(scene) and _is_strange(_content(scene), scene):
        yield Finding(0, len(scene.folded.text), "claim", "unsupported", reason="No fact says this.")
        return
    for clause in scene.clauses[1:]:
        if not clause.reported and not scene.stated_in(clause) and _is_strange_clause(clause, scene):
            yield Finding(clause.start, clause.end, "claim", "unsupported", reason="No fact says this part.")


def _cited_in_vain(scene: Scene) -> Iterator[Finding]:
    """A sentence of strange words that only wears its citations; facts in another language cannot tell."""
    content = _content(scene)
    if len(content) < _FEWEST_CITED or _typed_by_cited(scene) or any(is_foreign(f, scene) for f in scene.cited):
        return
    if not scene.trigger_kinds & _TALK and _is_strange(content, scene):
        yield Finding(
            0, len(scene.folded.text), "claim", "unsupported", reason="The facts it cites say something else."
        )


def _typed_by_cited(scene: Scene) -> bool:
    names = {t.start for t in scene.tokens if t.kind in ("name", "capital")}
    return any(start not in names and ids for start, ids in scene.stated_at.items())


def is_foreign(fact: Fact, scene: Scene) -> bool:
    return other_language(fact.value, scene.reader.words) is not None


def _is_strange(content: frozenset[str], scene: Scene) -> bool:
    known = sum(_is_known(stem, scene) for stem in content)
    return len(content) >= _FEWEST and len(content) - known > _MOST_STRANGE * known


def _is_strange_clause(clause: Clause, scene: Scene) -> bool:
    """A clause of its own after another one; its words must be known, or be words of a letter."""
    content = clause.bare - courtesy_stems(scene.reader.words)
    if scene.folded.text[: clause.start].rstrip().endswith(",") and not _is_joined(clause, scene):
        return False
    typed = any(t.kind != "capital" and clause.holds(t.start) for t in scene.tokens)
    return not typed and len(content) >= _FEWEST and not any(_is_known(stem, scene) for stem in content)


def _is_known(stem: str, scene: Scene) -> bool:
    one = frozenset((stem,))
    known = scene.shelf.known_stems
    return bool(things_in(one) & known) or overlap(one, known) > 0


def _is_joined(clause: Clause, scene: Scene) -> bool:
    """Whether it opens with a word that joins statements ("and", "but"); after a comma alone it may be part of one."""
    first = scene.folded.lower[clause.start : clause.end].split(maxsplit=1)[:1]
    return bool(first) and first[0] in table("clauses", scene.reader.words)["joins"]


def _is_carried(scene: Scene) -> bool:
    """Whether something typed in it is stated by a fact; what a judge of phrases found counts too."""
    names = {t.start for t in scene.tokens if t.kind in ("name", "capital")}
    stated = {fact_id for start, ids in scene.stated_at.items() if start not in names for fact_id in ids}
    at_names = {fact_id for start, ids in scene.stated_at.items() if start in names for fact_id in ids}
    documents = any(scene.shelf.by_id[i].kind == "doc_id" for i in at_names if i in scene.shelf.by_id)
    carried_by_words = set(scene.used) - at_names
    return bool(stated or documents or carried_by_words)


def _is_wish(scene: Scene) -> bool:
    """A condition or a request: "let me know if …", "falls Sie …"."""
    return scene.folded.lower.startswith(tuple(table("courtesy", scene.reader.words)["opens"]))


def _content(scene: Scene) -> frozenset[str]:
    """Stems of the sentence without names, typed pieces, courtesies."""
    low = strike(scene.folded.lower, [t for t in scene.tokens if t.kind != "capital"])
    stems = stems_of(low, scene.reader.words)
    courtesy = courtesy_stems(scene.reader.words)
    return frozenset(s for s in stems if s not in courtesy)
