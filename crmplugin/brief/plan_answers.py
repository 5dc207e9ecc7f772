"""The answer to a message: each question restated briefly and answered from facts, or who answers by when.

What answers a question is found by `analysis.answers`; here it is only decided how it is said. A question without an
answer gets a name and a day, both from a slot our side may promise; never a guess, and never a yes about a quote
that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Protocol

from crmplugin.brief.facts_of.products import products_in
from crmplugin.brief.plan_rows import Option, Place, Row, Scene, must, row, say
from crmplugin.brief.plans_follow_up import CLOSE, HELP
from crmplugin.domain.brief import Beat, Question, Signals
from crmplugin.domain.crm import Context

NO_ANSWER = "the answer to “{question}”, or a day by which somebody answers it (a slot of kind answer_by)"
NO_DAY = "a day by which somebody replies (a slot of kind answer_by), or a time for a call"
Made = tuple[tuple[Beat, ...], tuple[str, ...]]


class Found(Protocol):
    """What `find_answers` gives: the facts that answer a question. verdict: yes, no or None."""

    @property
    def fact_ids(self) -> tuple[str, ...]: ...
    @property
    def verdict(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """How one kind of answer is said: the field whose fact it needs, the question restated, the answer, the subject."""

    field: str
    asked: Option
    answers: tuple[Option, ...]
    subject: Option
    only_yes: bool = False


TOPICS: tuple[Topic, ...] = (
    Topic(
        "products.lead_time",
        say("answer.asked_lead_time", product="a_product.name", on="message.on"),
        (say("common.lead_time", "claim", product="a_product.name", lead_time="a_product.lead_time"),),
        say("answer.subject_lead_time", "subject", product="a_product.name"),
    ),
    Topic(
        "quotes.line.product",
        say("answer.asked_included", number="a_quote.number", on="message.on"),
        (
            say(
                "answer.included", "claim",
                product="a_line.product", number="a_quote.number", description="a_product.description",
            ),
            say("answer.included_plain", "claim", product="a_line.product", number="a_quote.number"),
        ),
        say("answer.subject_included", "subject", number="a_quote.number", product="a_line.product"),
        only_yes=True,
    ),
    Topic(
        "quotes.valid_until",
        say("answer.asked_validity", number="a_quote.number", on="message.on"),
        (
            say("answer.ended", "claim", number="an_ended_quote.number", valid_until="an_ended_quote.valid_until"),
            say("answer.valid", "claim", number="a_quote.number", valid_until="a_quote.valid_until"),
        ),
        say("answer.subject_quote", "subject", number="a_quote.number"),
    ),
    Topic(
        "quotes.line.unit_price",
        say("answer.asked_price", number="a_quote.number", on="message.on"),
        (
            say(
                "answer.unit_price", "claim",
                number="a_quote.number", product="a_line.product", price="a_line.unit_price",
            ),
        ),
        say("answer.subject_quote", "subject", number="a_quote.number"),
    ),
    Topic(
        "quotes.total",
        say("answer.asked_price", number="a_quote.number", on="message.on"),
        (say("answer.total", "claim", number="a_quote.number", total="a_quote.total"),),
        say("answer.subject_quote", "subject", number="a_quote.number"),
    ),
    Topic(
        "quotes.line.quantity",
        say("answer.asked_included", number="a_quote.number", on="message.on"),
        (
            say(
                "answer.quantity", "claim",
                number="a_quote.number", quantity="a_line.quantity", product="a_line.product",
            ),
        ),
        say("answer.subject_quote", "subject", number="a_quote.number"),
    ),
    Topic(
        "orders.delivered_on",
        say("answer.asked_order", number="an_order.number", on="message.on"),
        (say("answer.delivered", "claim", number="an_order.number", delivered_on="an_order.delivered_on"),),
        say("answer.subject_order", "subject", number="an_order.number"),
    ),
    Topic(
        "orders.ordered_on",
        say("answer.asked_order", number="an_order.number", on="message.on"),
        (say("answer.ordered", "claim", number="an_order.number", ordered_on="an_order.ordered_on"),),
        say("answer.subject_order", "subject", number="an_order.number"),
    ),
    Topic(
        "tickets.next_update_at",
        say("answer.asked_ticket", number="a_ticket.number", on="message.on"),
        (say("answer.ticket_update", "claim", number="a_ticket.number", at="a_ticket.next_update_at"),),
        say("answer.subject_ticket", "subject", number="a_ticket.number"),
    ),
    Topic(
        "contracts.notice_on",
        say("answer.asked_contract", name="a_contract.name", on="message.on"),
        (say("answer.notice", "claim", notice_on="a_contract.notice_on", carried=("a_contract.name",)),),
        say("answer.subject_date", "subject", on="message.on"),
    ),
    Topic(
        "contracts.ends_on",
        say("answer.asked_contract", name="a_contract.name", on="message.on"),
        (say("answer.contract_ends", "claim", name="a_contract.name", ends_on="a_contract.ends_on"),),
        say("answer.subject_date", "subject", on="message.on"),
    ),
    Topic(
        "claims.text",
        say("answer.asked", on="message.on"),
        (say("answer.approved", "claim", claim="a_claim.text"),),
        say("answer.subject_date", "subject", on="message.on"),
    ),
    Topic(
        "articles.text",
        say("answer.asked", on="message.on"),
        (say("passage.article", "claim", article="an_article.text"),),
        say("answer.subject_date", "subject", on="message.on"),
    ),
    Topic(
        "products.description",
        say("answer.asked_product", product="a_product.name", on="message.on"),
        (say("answer.described", "claim", product="a_product.name", description="a_product.description"),),
        say("answer.subject_product", "subject", product="a_product.name"),
    ),
)  # fmt: skip
"""In the order of preference when the facts of an answer fit several."""

ROLES: Mapping[str, str] = MappingProxyType(
    {
        "products": "a_product",
        "quotes": "a_quote",
        "orders": "an_order",
        "tickets": "a_ticket",
        "contracts": "a_contract",
        "claims": "a_claim",
        "articles": "an_article",
    }
)
"""The place that a record of an answer takes."""

CONFIRM = (
    say("answer.confirm", "claim", name="answerer.name", by="by.on"),
    say("answer.confirm_plain", "claim", by="by.on"),
)
OPEN = (say("answer.open", "claim", name="answerer.name", by="by.on"), say("answer.open_plain", "claim", by="by.on"))
OPEN_REST = (
    say("answer.open_rest", "claim", name="answerer.name", by="by.on"),
    say("answer.open_rest_plain", "claim", by="by.on"),
)
SUPPORT = row(say("answer.valid", "claim", number="quote.number", valid_until="quote.valid_until"))
MESSAGE: tuple[Row, ...] = (
    row(say("answer.subject_date", "subject", on="inbound.on"), say("answer.subject_plain", "subject")),
    must("the message to answer", say("answer.message", on="inbound.on")),
    must(
        NO_DAY,
        say("answer.open_message", "claim", name="answerer.name", by="by.on"),
        say("answer.open_message_plain", "claim", by="by.on"),
        say("common.slot_ask", "ask", slot="meeting_slot.starts_at"),
    ),
    HELP,
    CLOSE,
)
ASK_OPEN = row(say("answer.ask_open", "ask", carried=("by.on",)))


@dataclass(slots=True)
class _Said:
    """What is said so far, and the questions that nothing on record answers."""

    beats: list[Beat]
    subject: Beat | None = None
    unanswered: list[Question] | None = None


def answer_beats(scene: Scene, context: Context, signals: Signals, found: Mapping[str, Found | None]) -> Made:
    """The beats of an answer; `found` holds what answers each question, by the question's fact id."""
    questions = [q for q in signals.open_questions if q.fact_id in scene.facts]
    if not questions:
        return _reply_to_message(scene)
    said, unanswered = _Said([]), []
    for question in questions:
        if not _answer(said, _scene_for(scene, context, signals, question, found.get(question.fact_id)), question):
            unanswered.append(question)
    missing = _leave_open(said, scene, context, unanswered)
    if missing:
        return (), missing
    return _finished(said, scene, only_open=len(unanswered) == len(questions)), ()


def _reply_to_message(scene: Scene) -> Made:
    """A message without a question: what they wrote, and who replies by when, or a time to talk."""
    beats, missing = scene.beats(MESSAGE)
    if not any(beat.role == "ask" for beat in beats):
        ask, _ = scene.beats((ASK_OPEN,))
        beats = (*beats[:-1], *ask, *beats[-1:])
    return beats, missing


@dataclass(frozen=True, slots=True)
class _View:
    """The scene of one question, with the fields that its answer consists of."""

    scene: Scene
    fields: frozenset[str]
    yes: bool
    ended: bool


def _scene_for(scene: Scene, context: Context, signals: Signals, question: Question, found: Found | None) -> _View:
    """Places for the records that answer the question; without an answer, the product it names."""
    places = {**scene.places, "message": Place("activities", question.activity_id)}
    fields: set[str] = set()
    for id_ in found.fact_ids if found else ():
        fact = scene.facts.get(id_)
        if fact is None or not fact.source:
            continue
        collection, record, path = fact.source[0].object, fact.source[0].id, _path(id_, fact.source[0].id)
        line, _, rest = path.partition(".")
        is_line = line.startswith("line") and bool(rest)
        fields.add(f"{collection}.{'line.' + rest if is_line else path}")
        places.setdefault(ROLES.get(collection, collection), Place(collection, record))
        if is_line:
            places.setdefault("a_line", Place(None, f"{id_.removesuffix('.' + rest)}"))
    if "a_product" not in places:
        named = products_in(question.text, context.products)
        places |= {"a_product": Place("products", named[0].id)} if len(named) == 1 else {}
    ended = places.get("a_quote") == scene.places.get("ended_quote") and "a_quote" in places
    places |= {"an_ended_quote": places["a_quote"]} if ended else {}
    return _View(replace(scene, places=places), frozenset(fields), bool(found and found.verdict == "yes"), ended)


def _path(fact_id: str, record_id: str) -> str:
    """The field part of a fact id."""
    _, _, path = fact_id.partition(f"{record_id}.")
    return path


def _answer(said: _Said, view: _View, question: Question) -> bool:
    """Adds question and answer; False when no fact answers it."""
    for topic in TOPICS:
        if topic.field not in view.fields or (topic.only_yes and (not view.yes or view.ended)):
            continue
        asked = _carrying(view.scene.beat(topic.asked, required=True), question)
        answer = next((b for b in (view.scene.beat(o, required=True) for o in topic.answers) if b), None)
        confirm = _first(view.scene, CONFIRM) if view.ended else None
        if asked is None or answer is None or (view.ended and confirm is None):
            continue
        said.beats += [b for b in (asked, _carrying(answer, question), _carrying(confirm, question)) if b]
        said.subject = said.subject or view.scene.beat(topic.subject)
        return True
    return False


def _leave_open(said: _Said, scene: Scene, context: Context, unanswered: Sequence[Question]) -> tuple[str, ...]:
    """Adds who answers the rest by when; what is missing when nobody may promise a day."""
    if not unanswered:
        return ()
    promise = _first(scene, OPEN_REST if said.beats else OPEN)
    if promise is None:
        return tuple(NO_ANSWER.format(question=q.text[:100]) for q in unanswered)
    if not said.beats:
        asked = _restated(scene, context, unanswered)
        said.beats += [_carrying(asked, *unanswered)] if asked else []  # type: ignore[list-item]
    said.beats.append(replace(promise, facts={**promise.facts, **_asked_by(unanswered)}))
    return ()


def _restated(scene: Scene, context: Context, questions: Sequence[Question]) -> Beat | None:
    """Questions nobody can answer yet: by the product they name, else by their day."""
    view = replace(scene, places={**scene.places, "message": Place("activities", questions[0].activity_id)})
    if len(questions) > 1:
        return view.beat(say("answer.asked_several", on="message.on"), required=True)
    named = products_in(questions[0].text, context.products)
    if len(named) == 1:
        about = replace(view, places={**view.places, "a_product": Place("products", named[0].id)})
        beat = about.beat(say("answer.asked_product", product="a_product.name", on="message.on"), required=True)
        if beat is not None:
            return beat
    return view.beat(say("answer.asked", on="message.on"), required=True)


def _finished(said: _Said, scene: Scene, *, only_open: bool) -> tuple[Beat, ...]:
    subject, _ = scene.beats((MESSAGE[0],))
    told = {id_ for beat in said.beats for id_ in beat.facts.values()}
    support, _ = scene.beats((SUPPORT,))
    support = tuple(b for b in support if not set(b.facts.values()) <= told)
    ask = ASK_OPEN if only_open else row(say("answer.ask", "ask"))
    ending, _ = scene.beats((HELP, ask, CLOSE))
    return (said.subject or subject[0], *said.beats, *support, *ending)


def _first(scene: Scene, options: tuple[Option, ...]) -> Beat | None:
    return next((beat for beat in (scene.beat(o, required=True) for o in options) if beat), None)


def _carrying(beat: Beat | None, *questions: Question) -> Beat | None:
    """The beat with its questions as evidence."""
    return replace(beat, facts={**beat.facts, **_asked_by(questions)}) if beat else None


def _asked_by(questions: Sequence[Question]) -> dict[str, str]:
    return {f"asked{n}": q.fact_id for n, q in enumerate(questions, start=1)}
