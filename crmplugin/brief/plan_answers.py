"""The answer to a message: each question restated briefly and answered from facts, or who answers by when.

What answers a question is found by `analysis.answers`; here it is only decided how it is said. A question without an
answer gets a name and a day, both from a slot our side may promise; never a guess, and never a yes about a quote
that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Protocol

from crmplugin.analysis.evidence import content_of, cover
from crmplugin.analysis.phrases import book, tokens
from crmplugin.brief.facts_of.products import products_in
from crmplugin.brief.plan_rows import Option, Place, Row, Scene, must, row, say
from crmplugin.domain.brief import Beat, Question, Signals
from crmplugin.domain.crm import Context

NO_ANSWER = "the answer to “{question}”, or a day by which somebody answers it (a slot of kind answer_by)"
NO_DAY = "a day by which somebody replies (a slot of kind answer_by), or a time for a call"
Made = tuple[tuple[Beat, ...], tuple[str, ...]]


class Found(Protocol):
    """What `find_answers` gives: the facts that answer a question, and how sure that is (0 to 1)."""

    @property
    def intent(self) -> str: ...
    @property
    def fact_ids(self) -> tuple[str, ...]: ...
    @property
    def verdict(self) -> str: ...
    @property
    def certainty(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Topic:
    """How one kind of answer is said: the fact it needs, the question restated, the answer, the subject."""

    needs: str
    asked: Option
    answers: tuple[Option, ...]
    subject: Option
    only: Mapping[str, str] = field(default_factory=dict)
    """Intents and verdicts it is for; empty: every one."""


ASKED_INCLUDED = say("answer.asked_included", number="a_quote.number", on="message.on")
ASKED_QUOTE = say("answer.asked_quote", number="a_quote.number", on="message.on")
ASKED_LINE = say("answer.asked_product", product="a_line.product", on="message.on")
ASKED_PRODUCT = say("answer.asked_product", product="a_product.name", on="message.on")
ASKED_ORDER = say("answer.asked_order", number="an_order.number", on="message.on")
ASKED_CONTRACT = say("answer.asked_contract", name="a_contract.name", on="message.on")
ASKED = say("answer.asked", on="message.on")
ALSO: Mapping[str, str] = MappingProxyType(
    {
        "answer.asked_included": "answer.also_included",
        "answer.asked_quote": "answer.also_quote",
        "answer.asked_product": "answer.also_product",
        "answer.asked_order": "answer.also_order",
        "answer.asked_contract": "answer.also_contract",
        "answer.asked_lead_time": "answer.also_lead_time",
        "answer.asked_validity": "answer.also_validity",
        "answer.asked_ticket": "answer.also_ticket",
    }
)
"""How the second and third question of one message are restated, without its day."""
OF_QUOTE = say("answer.subject_quote", "subject", number="a_quote.number")
OF_ORDER = say("answer.subject_order", "subject", number="an_order.number")
OF_DAY = say("answer.subject_date", "subject", on="message.on")

TOPICS: tuple[Topic, ...] = (
    Topic(
        "products.lead_time",
        say("answer.asked_lead_time", product="a_product.name", on="message.on"),
        (say("common.lead_time", "claim", product="a_product.name", lead_time="a_product.lead_time"),),
        say("answer.subject_lead_time", "subject", product="a_product.name"),
    ),
    Topic(
        "quotes.line.product",
        ASKED_INCLUDED,
        (
            say(
                "answer.included_count", "claim",
                quantity="a_line.quantity", product="a_line.product",
                number="a_quote.number", description="a_text.shown",
            ),
            say(
                "answer.included", "claim",
                product="a_line.product", number="a_quote.number", description="a_text.shown",
            ),
            say("answer.included_plain", "claim", product="a_line.product", number="a_quote.number"),
        ),
        say("answer.subject_included", "subject", number="a_quote.number", product="a_line.product"),
        only={"included": "yes"},
    ),
    Topic(
        "quotes.freight",
        ASKED_INCLUDED,
        (say("answer.freight", "claim", number="a_quote.number", freight="a_quote.freight"),),
        OF_QUOTE,
        only={"included": "yes"},
    ),
    Topic(
        "quotes.valid_until",
        say("answer.asked_validity", number="a_quote.number", on="message.on"),
        (
            say("answer.ended", "claim", number="an_ended_quote.number", valid_until="an_ended_quote.valid_until"),
            say("answer.valid", "claim", number="a_quote.number", valid_until="a_quote.valid_until"),
        ),
        OF_QUOTE,
    ),
    Topic(
        "quotes.line.unit_price",
        ASKED_LINE,
        (
            say(
                "answer.unit_price", "claim",
                number="a_quote.number", product="a_line.product", price="a_line.unit_price",
            ),
        ),
        say("answer.subject_product", "subject", product="a_line.product"),
    ),
    Topic(
        "quotes.total",
        ASKED_QUOTE,
        (say("answer.total", "claim", number="a_quote.number", total="a_quote.total"),),
        OF_QUOTE,
    ),
    Topic(
        "orders.delivered_on",
        ASKED_ORDER,
        (say("answer.delivered", "claim", number="an_order.number", delivered_on="an_order.delivered_on"),),
        OF_ORDER,
    ),
    Topic(
        "orders.ordered_on",
        ASKED_ORDER,
        (say("answer.ordered", "claim", number="an_order.number", ordered_on="an_order.ordered_on"),),
        OF_ORDER,
    ),
    Topic(
        "tickets.number",
        say("answer.asked_ticket", number="a_ticket.number", on="message.on"),
        (
            say(
                "service_acknowledgement.owner_update", "claim",
                owner="a_ticket.owner_name", at="a_ticket.next_update_at",
            ),
            say("answer.ticket_update", "claim", number="a_ticket.number", at="a_ticket.next_update_at"),
            say("service_acknowledgement.owner", "claim", owner="a_ticket.owner_name"),
        ),
        say("answer.subject_ticket", "subject", number="a_ticket.number"),
    ),
    Topic(
        "contracts.ends_on",
        ASKED_CONTRACT,
        (
            say(
                "answer.contract_notice", "claim",
                name="a_contract.name", ends_on="a_contract.ends_on", notice_on="a_contract.notice_on",
            ),
            say("answer.contract_ends", "claim", name="a_contract.name", ends_on="a_contract.ends_on"),
        ),
        OF_DAY,
    ),
    Topic(
        "users.name",
        ASKED,
        (
            say("answer.contact", "claim", name="a_user.name", email="a_user.email", phone="a_user.phone"),
            say("answer.contact_email", "claim", name="a_user.name", email="a_user.email"),
            say("answer.contact_phone", "claim", name="a_user.name", phone="a_user.phone"),
            say("common.help", "claim", name="a_user.name"),
        ),
        OF_DAY,
    ),
    Topic(
        "slots.starts_at",
        ASKED,
        (
            say("answer.meeting_two", "claim", slot="a_slot.starts_at", slot2="a_second_slot.starts_at"),
            say("answer.meeting", "claim", slot="a_slot.starts_at"),
        ),
        OF_DAY,
    ),
    Topic("claims.text", ASKED, (say("answer.approved", "claim", claim="a_claim.text"),), OF_DAY),
    Topic("articles.text", ASKED, (say("passage.article", "claim", article="an_article.text"),), OF_DAY),
    Topic(
        "products.text",
        ASKED_PRODUCT,
        (say("answer.described", "claim", product="a_product.name", description="a_text.shown"),),
        say("answer.subject_product", "subject", product="a_product.name"),
    ),
    Topic(
        "products.name",
        ASKED_PRODUCT,
        (say("answer.compatible", "claim", product="a_product.name", other="a_second_product.name"),),
        say("answer.subject_product", "subject", product="a_product.name"),
        only={"compatible": "yes"},
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
        "users": "a_user",
        "slots": "a_slot",
    }
)
"""The place that a record of an answer takes; a second one of its collection takes SECOND."""
SECOND: Mapping[str, str] = MappingProxyType({"slots": "a_second_slot", "products": "a_second_product"})
SURE_ENOUGH = Decimal("0.65")
"""An answer less certain says what is known, and then who answers the question itself."""

CONFIRM = (
    say("answer.confirm_me", "claim", by="my_by.on"),
    say("answer.confirm", "claim", name="answerer.name", by="by.on"),
    say("answer.confirm_plain", "claim", by="by.on"),
)
OPEN = (
    say("answer.open_me", "claim", by="my_by.on"),
    say("answer.open", "claim", name="answerer.name", by="by.on"),
    say("answer.open_plain", "claim", by="by.on"),
)
OPEN_ONE_MORE = (
    say("answer.open_one_me", "claim", by="my_by.on"),
    say("answer.open_one", "claim", name="answerer.name", by="by.on"),
    say("answer.open_one_plain", "claim", by="by.on"),
)
OPEN_REST = (
    say("answer.open_rest_me", "claim", by="my_by.on"),
    say("answer.open_rest", "claim", name="answerer.name", by="by.on"),
    say("answer.open_rest_plain", "claim", by="by.on"),
)
SUPPORT = row(say("answer.valid", "claim", number="quote.number", valid_until="quote.valid_until"))
SORRY = row(say("common.sorry", carried=("angry.on",)))
"""Anger is acknowledged once, before anything is answered."""
MESSAGE: tuple[Row, ...] = (
    row(say("answer.subject_date", "subject", on="inbound.on"), say("answer.subject_plain", "subject")),
    must("the message to answer", say("answer.message", on="inbound.on")),
    SORRY,
    must(
        NO_DAY,
        say("answer.open_message_me", "claim", by="my_by.on"),
        say("answer.open_message", "claim", name="answerer.name", by="by.on"),
        say("answer.open_message_plain", "claim", by="by.on"),
        say("common.slot_ask", "ask", slot="meeting_slot.starts_at"),
    ),
)
ASK_ENDED = row(say("quote_follow_up.ask_ended", "ask"), say("answer.ask", "ask"))
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
        if not _answer(said, scene, _view(scene, question, found.get(question.fact_id))):
            unanswered.append(question)
    missing = _leave_open(said, scene, context, unanswered)
    if missing:
        return (), missing
    return _finished(said, scene, only_open=len(unanswered) == len(questions)), ()


def _reply_to_message(scene: Scene) -> Made:
    """A message without a question: what they wrote, and who replies by when, or a time to talk."""
    beats, missing = scene.beats(MESSAGE)
    if not any(beat.role == "ask" for beat in beats):
        beats += scene.beats((ASK_OPEN,))[0]
    return beats, missing


@dataclass(slots=True)
class _View:
    """The scene of one question, what facts its answer has, and whether a person must still confirm."""

    question: Question
    places: dict[str, Place]
    aliases: dict[str, str] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    found: Found | None = None
    ended: bool = False

    @property
    def needs_a_person(self) -> bool:
        return self.ended or (self.found is not None and self.found.certainty < SURE_ENOUGH)

    def fits(self, topic: Topic) -> bool:
        if topic.needs not in self.fields or self.found is None:
            return False
        return not topic.only or (topic.only.get(self.found.intent) == self.found.verdict and not self.ended)

    def in_scene(self, scene: Scene) -> Scene:
        return replace(scene, places=self.places, aliases={**scene.aliases, **self.aliases})


def _view(scene: Scene, question: Question, found: Found | None) -> _View:
    """Places for the records that answer a question."""
    view = _View(question, {**scene.places, "message": Place("activities", question.activity_id)}, found=found)
    for id_ in found.fact_ids if found else ():
        fact = scene.facts.get(id_)
        if fact is not None and fact.source:
            _take(view, id_, Place(fact.source[0].object, fact.source[0].id))
    quote, ended = view.places.get("a_quote"), scene.places.get("ended_quote")
    if quote is not None and quote == ended:
        view.ended, view.places["an_ended_quote"] = True, quote
    return view


def _take(view: _View, fact_id: str, place: Place) -> None:
    """Gives the record of one fact of the answer its place."""
    collection = place.collection or ""
    _, _, path = fact_id.partition(f"{place.id}.")
    line, _, rest = path.partition(".")
    on_line = line.startswith("line") and rest
    shows_text = collection in ("products", "quotes") and path.endswith(TEXT_ENDS) or line.startswith("feature")
    view.fields.add(f"{collection}.{'line.' + rest if on_line else path}")
    name = ROLES.get(collection, collection)
    second = SECOND.get(collection)
    if view.places.setdefault(name, place) != place and second:
        view.places.setdefault(second, place)
    if on_line:
        view.places.setdefault("a_line", Place(None, fact_id.removesuffix(f".{rest}")))
    if shows_text:
        view.aliases.setdefault("a_text.shown", fact_id)
        view.fields.add("products.text")


PLAIN_YES = "answer.included_plain"
NAMED_ENOUGH = Decimal("0.5")
"""Share of what was asked for that the name of a product must hold to stand for it."""
TEXT_ENDS = (".description", ".advantage", "description", "advantage")


def _answer(said: _Said, scene: Scene, view: _View) -> bool:
    """Adds question and answer; False when no fact answers it, or a person would have to and nobody can say when."""
    inside = view.in_scene(scene)
    for topic in TOPICS:
        if not view.fits(topic):
            continue
        asked, answer = inside.beat(_asked(topic, view, said), required=True), _first(inside, topic.answers)
        confirm = _first(inside, CONFIRM) if view.needs_a_person else None
        if asked is None or answer is None or (confirm is None and view.needs_a_person and not _is_the_end(answer)):
            continue
        if answer.key == PLAIN_YES and _says_too_little(view, scene):
            continue
        said.beats += [_carrying(beat, view.question) for beat in (asked, answer, confirm) if beat]
        subject = inside.beat(topic.subject)
        said.subject = said.subject or (_carrying(subject, view.question) if subject else None)
        return True
    return False


def _says_too_little(view: _View, scene: Scene) -> bool:
    """Whether the words that answer cannot be shown here, and the product's name alone is not what was asked for: a yes
    to "is breakfast included?" that names only the tour is none."""
    line, ids = view.places.get("a_line"), view.found.fact_ids if view.found else ()
    name = scene.facts.get(f"{line.id}.product") if line else None
    if name is None or all(id_ in scene.facts for id_ in ids if id_.endswith(TEXT_ENDS)):
        return False
    return cover(content_of(view.question.text), name.display).share < NAMED_ENOUGH


def _is_the_end(answer: Beat) -> bool:
    """Whether the answer is that a quote has ended: that is said even when nobody may promise a day for more."""
    return answer.key == "answer.ended"


def _asked(topic: Topic, view: _View, said: _Said) -> Option:
    """The question restated: by the line it is about when it names no price, more briefly after a first one."""
    option = topic.asked
    if option is ASKED_INCLUDED and not book("price_words", "price").find(tokens(view.question.text)):
        option = ASKED_LINE if "a_line" in view.places else ASKED_QUOTE
    if not said.beats or option.key not in ALSO:
        return option
    slots = {slot: reference for slot, reference in option.slots.items() if slot != "on"}
    return Option(ALSO[option.key], option.role, slots, ("message.on",))


def _leave_open(said: _Said, scene: Scene, context: Context, unanswered: Sequence[Question]) -> tuple[str, ...]:
    """Adds who answers the rest by when; what is missing when nobody may promise a day."""
    if not unanswered:
        return ()
    more = OPEN_ONE_MORE if len(unanswered) == 1 else OPEN_REST
    promise = _first(scene, more if said.beats else OPEN)
    if promise is None:
        return tuple(NO_ANSWER.format(question=q.text[:100]) for q in unanswered)
    if not said.beats:
        asked = _restated(scene, context, unanswered)
        said.beats += [_carrying(asked, *unanswered)] if asked else []
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
    keys = {beat.key for beat in said.beats}
    waits = only_open or any(key.startswith("answer.confirm") for key in keys)
    ask = ASK_OPEN if waits else ASK_ENDED if "answer.ended" in keys else row(say("answer.ask", "ask"))
    ending, _ = scene.beats((ask,))
    sorry, _ = scene.beats((SORRY,))
    return (said.subject or subject[0], *sorry, *said.beats, *support, *ending)


def _first(scene: Scene, options: tuple[Option, ...]) -> Beat | None:
    return next((beat for beat in (scene.beat(o, required=True) for o in options) if beat), None)


def _carrying(beat: Beat, *questions: Question) -> Beat:
    """The beat with its questions as evidence."""
    return replace(beat, facts={**beat.facts, **_asked_by(questions)})


def _asked_by(questions: Sequence[Question]) -> dict[str, str]:
    return {f"asked{n}": q.fact_id for n, q in enumerate(questions, start=1)}
