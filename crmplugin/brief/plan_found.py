"""What answers the open questions of a brief, by the question's fact id."""

from __future__ import annotations

from collections.abc import Mapping

from crmplugin.analysis.answers import find_answers
from crmplugin.analysis.answers_asked import Answer
from crmplugin.domain.brief import Request, Signals
from crmplugin.domain.crm import Context, Quote


def found_answers(context: Context, signals: Signals, request: Request) -> Mapping[str, Answer | None]:
    """The facts that answer each open question; None where a person has to."""
    now, quote = request.as_of or context.read_at, _quote(context, signals)
    return {q.fact_id: find_answers(q.text, context, now=now, quote=quote) for q in signals.open_questions}


def found_article(context: Context, signals: Signals, request: Request) -> dict[str, str]:
    """References to the article that answers the question or the ticket; empty when none is clearly about it."""
    ticket, activity = context.ticket, context.activity
    asked = [q.text for q in signals.open_questions]
    asked += [text for text in (ticket.subject, ticket.body) if text] if ticket else []
    asked += [text for text in (activity.body, activity.subject) if text] if activity else []
    known = {f"{article.id}.text": article.id for article in context.articles}
    for text in asked:
        answer = find_answers(text, context, now=request.as_of or context.read_at, quote=_quote(context, signals))
        for id_ in answer.fact_ids if answer else ():
            if id_ in known:
                return {"article.text": id_, "article.title": f"{known[id_]}.title"}
    return {}


def _quote(context: Context, signals: Signals) -> Quote | None:
    return next((q for q in context.quotes if q.id == signals.quote_id), None)
