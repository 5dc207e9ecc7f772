"""Judges names, document numbers and capitalised words: ours to tell, somebody else's, or nobody's."""

from __future__ import annotations

import re
from dataclasses import replace

from crmplugin.checking.fold import lower
from crmplugin.checking.lists import topic
from crmplugin.checking.names import Match
from crmplugin.checking.scene import Finding, Scene
from crmplugin.checking.spans import CAPITAL_LETTER, Token
from crmplugin.domain.fact import Fact
from crmplugin.ports import Name


def judge_name(token: Token, scene: Scene) -> Finding:
    """A name of the brief, of the reader's side, of a hidden fact, or of somebody else in the CRM."""
    own = [m for m in token.matches if m.name.owner_id is None and _own_fact(m, scene) is not None]
    usable = [(m, f) for m in own if (f := _own_fact(m, scene)) and f.id in scene.shelf.usable_ids]
    if usable and _is_part_of_other(token, scene, usable):
        return scene.judge(token, "unsupported", f"{scene.shown(token)} is part of a name that no fact holds.")
    if usable:
        return _known(token, scene, usable)
    if any(m.name.record_id == "" for m in token.matches):
        return scene.judge(token, "supported")
    allowed = [m for m in token.matches if _is_allowed(m.name, scene)]
    if allowed:
        return scene.judge(token, "supported", facts=_facts_of(allowed[0].name.record_id, scene))
    if _in_words(token, scene):
        return scene.judge(token, "supported", facts=_in_words(token, scene))
    if any(f.id for m in own if (f := _own_fact(m, scene)) and f in scene.shelf.hidden):
        return scene.judge(token, "leak", f"{scene.shown(token)} is internal.")
    if own:
        return scene.judge(token, "unsupported", f"{scene.shown(token)} may not be told to this reader.")
    return _stranger(token, scene)


_NEXT_CAPITAL = re.compile(rf" {CAPITAL_LETTER}[^\W\d_]")
_LAST_CAPITAL = re.compile(rf"(?<!\w)({CAPITAL_LETTER}[^\W\d_]+) $")


def _is_part_of_other(token: Token, scene: Scene, usable: list[tuple[Match, Fact]]) -> bool:
    """A first name before another surname, or a surname after another first name, is somebody else."""
    match, fact = usable[0]
    if fact.kind != "person" or " " in match.name.text or " " not in fact.value.strip():
        return False
    text = scene.folded.text
    if lower(fact.value).startswith(lower(match.name.text)):
        return _NEXT_CAPITAL.match(text, token.end) is not None
    before = _LAST_CAPITAL.search(text, max(0, token.start - 30), token.start)
    return before is not None and lower(before[1]) not in topic("hints")["titles"]


def _own_fact(match: Match, scene: Scene) -> Fact | None:
    return scene.shelf.by_id.get(match.name.record_id) if match.name.record_id else None


def _known(token: Token, scene: Scene, usable: list[tuple[Match, Fact]]) -> Finding:
    exact = [f for m, f in usable if m.exact]
    facts = scene.first_cited(exact or [f for _, f in usable])
    if exact:
        return scene.judge(token, "supported", facts=facts[:1])
    stored = usable[0][0].name.text
    reason = f"{scene.shown(token)} is written {stored} in the CRM."
    return scene.judge(token, "misformatted", reason, facts=facts[:1], mend=stored)


def _is_allowed(name: Name, scene: Scene) -> bool:
    """Whether a name of the tenant belongs to this text: a record of the facts, the reader, the reader's company."""
    if scene.is_internal and name.owner_id is not None and name.owner_id == _company_id(scene):
        return True
    if name.record_id in scene.shelf.records and name.kind != "deal":
        return True
    brief = scene.shelf.brief
    if brief is None:
        return False
    to = brief.recipient.contact_id if brief.recipient else None
    return (name.kind == "company" and name.record_id == brief.company_id) or name.record_id == to


def _company_id(scene: Scene) -> str | None:
    return scene.shelf.brief.company_id if scene.shelf.brief else None


def _facts_of(record_id: str, scene: Scene) -> list[Fact]:
    return [f for f in scene.shelf.usable if f.id in (f"{record_id}.name", f"{record_id}.number")][:1]


def _in_words(token: Token, scene: Scene) -> list[Fact]:
    """A usable fact, or the customer's quoted words, that hold the name as whole words."""
    wanted = re.compile(rf"(?<!\w){re.escape(lower(scene.text_of(token)))}(?!\w)")
    rows = [*scene.shelf.prose, *(scene.shelf.quoted if scene.quotes_customer else ())]
    return [f for f, words in rows if wanted.search(words)][:1]


def _stranger(token: Token, scene: Scene) -> Finding:
    """A name of the tenant that is not in this brief. A deal's own name is internal, of our account or another."""
    names = [m.name for m in token.matches]
    ours = any(n.owner_id == _company_id(scene) for n in names)
    if ours and all(n.kind == "deal" for n in names) and len(scene.text_of(token).split()) < 3:
        return scene.judge(token, "supported")
    kind = {"company": "another company", "contact": "another person", "product": "another product"}.get(
        names[0].kind, "another deal"
    )
    return scene.judge(token, "foreign", f"{scene.shown(token)} is the name of {kind}, which this brief does not hold.")


def judge_code(token: Token, scene: Scene) -> Finding:
    """A document number or type code that is no known name: it must stand in a fact's words."""
    facts = _in_words(token, scene) or _squeezed(token, scene)
    if facts:
        return scene.judge(token, "supported", facts=facts)
    return scene.judge(token, "unsupported", f"No fact holds {scene.shown(token)}.")


def _squeezed(token: Token, scene: Scene) -> list[Fact]:
    """ "ISO17025" for "ISO 17025"."""
    wanted = lower(scene.text_of(token)).replace(" ", "")
    if len(wanted) < 5:
        return []
    return [f for f, words in scene.shelf.prose if wanted in words.replace(" ", "")][:1]


def judge_capital(token: Token, scene: Scene) -> Finding:
    """Capitalised words that are no known name: refused only when they look like a name."""
    text = scene.text_of(token)
    if _is_somebody(text, scene) and not _in_words(token, scene):
        return scene.judge(token, "unsupported", f"No fact holds a person called {scene.shown(token)}.")
    if not _looks_like_name(token, scene) or _in_words(token, scene) or _is_everyday(text):
        return scene.judge(token, "supported")
    if token.start == 0 and " " in text and _in_words(replace(token, start=text.index(" ") + 1), scene):
        return scene.judge(token, "supported")
    return scene.judge(token, "unsupported", f"No fact holds the name {scene.shown(token)}.")


def _is_somebody(text: str, scene: Scene) -> bool:
    """A first name alone, of a person in the CRM whom this brief does not hold."""
    word = text.removesuffix("'s").strip(".,")
    return " " not in word and scene.tenant is not None and scene.tenant.is_given_name(word)


def _looks_like_name(token: Token, scene: Scene) -> bool:
    words = scene.text_of(token).split()
    if words[-1].strip(".,") in topic("hints")["suffixes"] and len(words) > 1:
        return True
    if scene.reader.words == "de" or scene.sentence.role == "subject":
        return False
    start = token.start == 0 or scene.folded.text[: token.start].rstrip()[-1:] in tuple('.!?:"(–-\0')
    return len(words) - start >= 2


def _is_everyday(text: str) -> bool:
    """Two capitalised words that every business writes, such as languages and months."""
    known = topic("hints")["capitals"]
    return sum(w.strip(".,'").lower() not in known for w in text.split()) < 2
