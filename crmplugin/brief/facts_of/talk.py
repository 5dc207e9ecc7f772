"""Facts of what was said and written: questions, promises, when it was, the mood as we read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crmplugin.analysis.phrases import tokens, words
from crmplugin.brief.facts_of.making import Maker, Rec
from crmplugin.brief.facts_of.quoted import Suspicion, quoted
from crmplugin.brief.needs import StatedNeed
from crmplugin.domain.brief import Promise, Question
from crmplugin.domain.crm import Activity
from crmplugin.domain.fact import Basis, Fact, FactKind

SAID_BY_CUSTOMER = Basis(type="stated_by_customer")
SAID_BY_US = Basis(type="stated_by_rep")
GREETING_WORDS = 6


def activity_rec(make: Maker, activity: Activity) -> Rec:
    """An activity as a source. Its remarks are told only to the contacts who took part."""
    name = make.show_day(make.owner_day(activity.at)) if activity.at else activity.id
    return Rec("activities", activity.id, name, activity.at, scope=activity.contact_ids)


def when_facts(make: Maker, activity: Activity) -> list[Fact | None]:
    rec = activity_rec(make, activity)
    return [make.day(rec, "on", activity.at, path="at"), make.moment(rec, "at", activity.at)]


def question_fact(make: Maker, question: Question, activity: Activity | None, suspicion: Suspicion) -> Fact | None:
    """The question as a quote, without what looks like an instruction; its id is the question's own."""
    if activity is None:
        return None
    rec = activity_rec(make, activity)
    body, subject = activity.body or "", activity.subject or ""
    in_subject = question.text in subject and question.text not in body
    text = quoted(suspicion.harmless_part(question.text, subject if in_subject else body))
    if text is None:
        return None
    scope = rec.scope or ((question.contact_id,) if question.contact_id else ())
    return make.fact(
        rec, f"question{question.n}", "quote_text", text, text, key="question", id=question.fact_id,
        path="subject" if in_subject else "body", trust="untrusted", basis=SAID_BY_CUSTOMER, contact_scope=scope,
    )  # fmt: skip


def need_fact(make: Maker, need: StatedNeed, rec: Rec, suspicion: Suspicion, body: str) -> Fact | None:
    """A need in the customer's words, without what looks like an instruction."""
    text = quoted(suspicion.harmless_part(need.quote, body))
    if text is None or text.rstrip(".") != need.quote.rstrip("."):
        return None
    return make.fact(
        rec, need.name, "quote_text", text, text.rstrip("."), key="body" if need.collection == "tickets" else "item",
        path="body", trust="untrusted", basis=SAID_BY_CUSTOMER,
    )  # fmt: skip


def promise_facts(
    make: Maker, n: int, promise: Promise, activity: Activity | None, people: Iterable[str] = ()
) -> list[Fact | None]:
    """A step somebody owes. What stands in the deal's next step is our own wording and stays inside."""
    rec = activity_rec(make, activity) if activity else Rec("deals", promise.source_id, promise.source_id)
    name = f"promise{n}"
    theirs = activity is not None and activity.direction == "inbound"
    basis = (SAID_BY_CUSTOMER if theirs else SAID_BY_US) if promise.stated else Basis()
    key = f"promise_{promise.side}"
    quote: dict[str, Any] = {"kind": "quote_text", "trust": "untrusted"} if theirs else {"kind": "text"}
    quote["visibility"] = "customer" if activity else "internal"
    due_field = _due_field(promise, activity)
    return [
        _promised(make, rec, name, promise, people, key=key, path=promise.source_field, basis=basis, **quote),
        make.day(
            rec, f"{name}.due", promise.due, key=f"{key}_due", path=due_field, basis=basis, visibility="customer"
        ),
    ]  # fmt: skip


def _promised(
    make: Maker, rec: Rec, name: str, promise: Promise, people: Iterable[str], *, kind: FactKind, **more: Any
) -> Fact | None:
    """The promise as it was written; shown as the clause alone, without greeting, full stop or a name at its end."""
    text = quoted(promise.text)
    if text is None:
        return None
    shown = without_greeting(text) if promise.stated else without_names(text, people)
    return make.fact(rec, name, kind, text, shown.rstrip(" .") or text, **more)


def without_greeting(text: str) -> str:
    """The words after a greeting: "Hello Dana, I will send …" gives "I will send …"."""
    head, comma, rest = text.partition(",")
    row = tokens(head)
    greets = bool(row) and len(row) <= GREETING_WORDS and row[0].word in words("questions", "greetings")
    clause = rest.strip()
    return clause[0].upper() + clause[1:] if comma and greets and clause else text


def without_names(text: str, people: Iterable[str]) -> str:
    """Our note of a step without the name of who owes it: "Floor plan from Dana Reyes" gives "Floor plan"."""
    for name in sorted((n for n in people if n), key=len, reverse=True):
        begins, ends = text.casefold().rfind(name.casefold()), len(text.rstrip(" .)"))
        if begins <= 0 or begins + len(name) != ends:
            continue
        before = list(tokens(text[:begins]))
        while before and before[-1].word in words("recap", "titles"):
            before.pop()
        if len(before) > 1 and before[-1].word in words("recap", "from"):
            return text[: before[-1].start].rstrip(" ,(–-")
    return text


def mood_fact(make: Maker, mood: str, activity: Activity) -> Fact:
    rec = activity_rec(make, activity)
    basis = Basis(type="estimated", method="wording")
    return make.fact(rec, "mood", "status", mood, make.word(f"mood.{mood}"), path="body", basis=basis)


def _due_field(promise: Promise, activity: Activity | None) -> str:
    if activity is None:
        return "next_step_due"
    if promise.stated:
        return promise.source_field
    return "due_on" if activity.due_on else "due_at"
