"""Rules over a whole text: length, asks, links, subject, answers, tone. Each gives one row, pass, warn or fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crmplugin.checking.house import grade_row, law_row, tone_rows, voice_of
from crmplugin.checking.language import other_language
from crmplugin.checking.scene import Scene
from crmplugin.checking.shelf import Shelf
from crmplugin.checking.stems import overlap
from crmplugin.checking.voice import address_forms, emoji, reading_ease, shouting, words_of
from crmplugin.domain.brief import INTERNAL_KINDS, Plan
from crmplugin.domain.draft import PASSING, Check, CheckedSentence

SUBJECT_CHARS = 45
LONGEST_SENTENCE = 25
MOST_QUESTIONS = 2
CALL_QUESTIONS = 4
"""The ask of a call and the three questions of its script (sales-craft §6.4)."""
MOST_LINKS = 1
ENOUGH_WORDS = 60
"""Words from which readability means something (sales-craft 6.6)."""
OVER_LENGTH = 1.2
"""A text may be a fifth longer than planned before it fails (sales-craft 7)."""
_RENDERED = frozenset({"greeting", "signature", "legal"})


@dataclass(frozen=True, slots=True)
class Whole:
    """A checked text: its sentences in order with their scenes (None for parts that our code rendered)."""

    rows: Sequence[tuple[CheckedSentence, Scene | None]]
    shelf: Shelf
    language: str

    @property
    def body(self) -> list[str]:
        return [c.sentence.text for c, _ in self.rows if c.sentence.role not in _RENDERED | {"subject"}]

    @property
    def plan(self) -> Plan | None:
        return self.shelf.brief.plan if self.shelf.brief else None


def check_whole(whole: Whole, *, style: bool) -> tuple[Check, ...]:
    """All rows that apply; tone rows only with `style`."""
    rows = [*_spans(whole), *_answers(whole)]
    if style and whole.shelf.audience != "internal":
        rows += [*_length(whole), *_asks(whole), *_subject(whole), *_links(whole), *_tone(whole), *_reading(whole)]
        rows += law_row(whole.shelf.brief, [c for c, _ in whole.rows])
    return tuple(rows)


def _row(code: str, good: bool, text: str, *, else_: str = "fail") -> Check:
    return Check(code, "pass" if good else else_, text)  # type: ignore[arg-type]


_BY_KIND = {
    "placeholder": "placeholder",
    "title": "gendered_title",
    "language": "language",
    "sell_hold": "sell_hold",
    "address": "address",
    "banned": "banned_phrase",
    "term": "terms",
}
_GOOD = {
    "placeholder": "Nothing was left unfilled.",
    "gendered_title": "No title is guessed.",
    "language": "Every sentence is in the right language.",
    "sell_hold": "Nothing sells while a sell hold is on.",
    "address": "One form of address throughout.",
    "banned_phrase": "No banned phrase.",
    "terms": "No word that the voice avoids.",
}


def _spans(whole: Whole) -> Iterator[Check]:
    """Rows for what was found inside sentences."""
    hits: dict[str, list[str]] = {}
    for checked, _ in whole.rows:
        for span in checked.spans:
            code = _BY_KIND.get(span.kind.partition(":")[0])
            if code and span.verdict not in PASSING:
                hits.setdefault(code, []).append(span.reason or span.text)
    for code, good in _GOOD.items():
        yield _row(code, code not in hits, " ".join(hits.get(code, [good])))


def _length(whole: Whole) -> Iterator[Check]:
    if whole.plan is None:
        return
    low, high = whole.plan.words
    count = sum(len(s.split()) for s in whole.body)
    text = f"{count} words; {low} to {high} are planned."
    yield _row("length", low <= count <= high, text, else_="fail" if count > high * OVER_LENGTH else "warn")


def _asks(whole: Whole) -> Iterator[Check]:
    asks = sum(c.sentence.role == "ask" for c, _ in whole.rows)
    most = whole.plan.max_asks if whole.plan else 1
    yield _row("asks", asks <= most, f"{asks} asks; at most {most}.")
    questions = sum(s.rstrip().endswith(("?", "？")) for s in whole.body)
    usual = CALL_QUESTIONS if whole.plan and whole.plan.channel == "phone" else MOST_QUESTIONS
    yield _row(
        "questions",
        questions <= max(usual, most),
        f"{questions} questions; at most {usual}.",
        else_="warn",
    )


def _subject(whole: Whole) -> Iterator[Check]:
    for checked, _ in whole.rows:
        if checked.sentence.role != "subject":
            continue
        text = checked.sentence.text
        if whole.plan is None or whole.plan.kind not in INTERNAL_KINDS:
            told = f"The subject has {len(text)} characters; at most {SUBJECT_CHARS}."
            yield _row("subject_length", len(text) <= SUBJECT_CHARS, told)
        fake = text.lower().startswith(("re:", "fwd:", "fw:", "aw:", "wg:", "tr:", "rv:", "odp:"))
        plain = not fake and "!" not in text and not emoji(text)
        yield _row(
            "subject_form",
            plain,
            "The subject has no false Re:, no ! and no emoji."
            if plain
            else "Take Re:, ! and emoji out of the subject.",
        )


def _links(whole: Whole) -> Iterator[Check]:
    links = {s.text for c, _ in whole.rows if c.sentence.role not in _RENDERED for s in c.spans if s.kind == "link"}
    yield _row("links", len(links) <= MOST_LINKS, f"{len(links)} links; at most {MOST_LINKS}.")


def _tone(whole: Whole) -> Iterator[Check]:
    text = " ".join(whole.body)
    yield from tone_rows(whole.body, voice_of(whole.shelf.brief))
    names = " ".join(f"{f.value} {f.display}" for f in whole.shelf.usable)
    loud = [w for w in shouting(text) if w not in names]
    yield _row("capitals", len(loud) <= 1, f"{len(loud)} words in capitals.", else_="warn")
    forms = {kind for _, scene in whole.rows if scene for kind in _forms(scene)}
    if len(forms) > 1:
        yield Check("address_mixed", "fail", "Formal and informal address are mixed.")


def _forms(scene: Scene) -> set[str]:
    return {kind for kind, _, _ in address_forms(scene)}


def _reading(whole: Whole) -> Iterator[Check]:
    body = whole.body
    voice = voice_of(whole.shelf.brief)
    most = int(voice.limits.get("sentence_max", LONGEST_SENTENCE))
    longest = max((len(words_of(s)) for s in body), default=0)
    stated = "fail" if "sentence_max" in voice.limits else "warn"
    shown = f"The longest sentence has {longest} words; at most {most}."
    yield _row("sentence_length", longest <= most, shown, else_=stated)
    enough = sum(len(words_of(s)) for s in body) >= ENOUGH_WORDS
    yield from grade_row(body, whole.language, voice, enough=enough)
    ease = reading_ease(body, whole.language)
    if ease is not None and enough:
        yield _row("readability", ease >= 50, f"Reading ease {ease:.0f}; 50 and more is easy to read.", else_="warn")


def _answers(whole: Whole) -> Iterator[Check]:
    """Every question that must be answered: a passing statement cites it with another fact, or takes up its words."""
    for fact_id in whole.plan.must_answer if whole.plan else ():
        answered = any(_answers_it(scene, c, fact_id) for c, scene in whole.rows if scene is not None)
        question = whole.shelf.by_id.get(fact_id)
        shown = question.value if question else fact_id
        yield _row(
            "answered",
            answered,
            f"Answered: {shown}" if answered else f"Answer this question, or say who will by when: {shown}",
        )


def _answers_it(scene: Scene, checked: CheckedSentence, fact_id: str) -> bool:
    sentence = checked.sentence
    if sentence.role in ("subject", "greeting", "signature", "legal", "ask") or sentence.verdict not in PASSING:
        return False
    shelf = scene.shelf
    carried = [i for i in sentence.evidence if i != fact_id]
    promised = any(shelf.by_id[i].kind == "slot" for i in carried if i in shelf.by_id)
    if fact_id in sentence.evidence and promised:
        return True  # who will by when, in whatever words: "the answer to your other question comes by …"
    if all(c.reported for c in scene.clauses):
        return False
    if fact_id in sentence.evidence:
        return bool(carried)
    if "asked" in scene.trigger_kinds or not carried:
        return False
    question = shelf.stems.get(fact_id, frozenset())
    return promised or overlap(scene.stems, question) > 0 or _other_words(scene, fact_id)


def _other_words(scene: Scene, fact_id: str) -> bool:
    """A question in another language shares no words with its answer; a carried statement then counts."""
    question = scene.shelf.by_id.get(fact_id)
    foreign = question is not None and other_language(question.value, scene.reader.words) is not None
    return foreign and scene.sentence.role == "claim"
