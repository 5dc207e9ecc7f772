"""The customer at a glance: what happened on every channel, newest first, and three pictures of how they buy.

Nothing is worked out here: dates, totals and discounts are shown as the records have them, the usual gap between
purchases as the brief has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from crmplugin.analysis.timeline import Entry as Told
from crmplugin.analysis.timeline import timeline as told_of
from crmplugin.domain.brief import DueItem, Request
from crmplugin.domain.crm import Context, Quote, Subject
from crmplugin.errors import NotFound
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.visibility import check_subject
from crmplugin.web.auth import desk, who
from crmplugin.web.charts import Chart, Point
from crmplugin.web.console_frame import reader, words

OUR_SOURCE = "crmplugin:"
COLLECTIONS = ("activities", "tickets", "orders", "quotes")
KINDS: Mapping[str, str] = {"order": "ordered", "delivery": "delivered", "quote": "quote_sent"}
"""Kind of an entry of `analysis.timeline` -> the word of `happened`."""
LONGEST = 40
FEWEST_POINTS = 2
MOST_POINTS = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `kind` is a word of `happened` or an activity's type; `ours` the draft it came from."""

    at: datetime
    kind: str
    title: str
    text: str = ""
    direction: str | None = None
    collection: str = "activities"
    id: str = ""
    url: str | None = None
    ours: str | None = None
    amount: tuple[Decimal, str] | None = None


def account_of(connection: str, subject: Subject) -> Context:
    """What was read about the whole account of a record, or about the record alone if only that may be seen."""
    read = desk().tools(connection).read_context
    context = read(subject)
    if subject.type == "company" or context.company is None:
        return context
    account = Subject("company", context.company.id)
    try:
        check_subject(desk(), who(), connection, account)
    except NotFound:
        return context
    return read(account)


def timeline(context: Context, *, limit: int = LONGEST) -> tuple[list[Entry], int]:
    """The newest entries, and how many older ones there are. The same talk kept by two systems is one entry."""
    now = desk().clock()
    records = {(name, r.id): r for name in COLLECTIONS for r in getattr(context, name)}
    found = [_entry(context, told, records[told.collection, told.ids[0]]) for told in told_of(context, now=now)]
    found += [entry for entry in _deals(context) if entry.at <= now]
    newest = sorted(found, key=lambda e: (e.at, e.id), reverse=True)
    return newest[:limit], max(len(newest) - limit, 0)


def _entry(context: Context, told: Told, record: Any) -> Entry:
    """What happened as the page shows it: with its number, its amount, its link and the draft of ours behind it."""
    source = getattr(record, "source", None) or ""
    sold = told.kind in ("order", "quote")
    number = getattr(record, "number", None)
    return Entry(
        at=told.at,
        kind=KINDS.get(told.kind, told.kind),
        title=number or told.title or "",
        text=(told.title if number and told.title != number else told.text) or "",
        direction=told.direction if told.collection == "activities" else None,
        collection=told.collection,
        id=record.id,
        url=_link(context, told.collection, record.id),
        ours=source.removeprefix(OUR_SOURCE) if source.startswith(OUR_SOURCE) else None,
        amount=_money(record.total, record.currency) if sold else None,
    )


def _deals(context: Context) -> Iterator[Entry]:
    for deal in context.deals:
        about = {"title": deal.name or deal.id, "collection": "deals", "id": deal.id,
                 "url": _link(context, "deals", deal.id), "amount": _money(deal.amount, deal.currency)}  # fmt: skip
        if deal.created_at is not None:
            yield Entry(deal.created_at, "deal_created", **about)  # type: ignore[arg-type]
        if deal.status in ("won", "lost") and deal.closed_at is not None:
            yield Entry(deal.closed_at, f"deal_{deal.status}", **about)  # type: ignore[arg-type]


def _money(amount: Any, currency: str | None) -> tuple[Decimal, str] | None:
    return (Decimal(amount), currency) if amount is not None and currency else None


def charts(context: Context, subject: Subject) -> list[Chart]:
    """Pictures that have something to show: purchase rhythm, discounts given, the steps of this deal's quote."""
    made = [_rhythm(context, subject), _discounts(context), _ladder(context, subject)]
    return [chart for chart in made if chart is not None]


def _rhythm(context: Context, subject: Subject) -> Chart | None:
    """Quantities of the product that is most due, or else the totals of the orders."""
    request = Request(context.connection, "summary", subject)
    items = make_brief(request, tools=desk().tools(context.connection), now=desk().clock()).signals.due_items
    names = {p.id: p.name for p in context.products}
    item = next((i for i in sorted(items, key=lambda i: -i.rho) if names.get(i.product_id)), None)
    return _of_product(context, item, names[item.product_id] or "") if item else _of_totals(context)


def _of_product(context: Context, item: DueItem, name: str) -> Chart | None:
    bought = [
        (order, line.quantity) for order in context.orders if order.ordered_at for line in order.lines
        if line.product_id == item.product_id and line.quantity is not None
    ][-MOST_POINTS:]  # fmt: skip
    points = tuple(
        Point(reader().day(day), float(quantity), f"{quantity:g}", day, _link(context, "orders", order.id),
              order.number or order.id)
        for order, quantity in bought if order.ordered_at and (day := _day(order.ordered_at))
    )  # fmt: skip
    if len(points) < FEWEST_POINTS:
        return None
    gap, since = int(round(item.usual_gap_days)), item.days_since
    title = words()("chart.rhythm", product=name, gap=gap, since=since)
    note = words()("chart.rhythm_note", n=item.count)
    return Chart("rhythm", title, "dots", points, _columns("ordered_on", "quantity"), note, lambda v: f"{v:g}")


def _of_totals(context: Context) -> Chart | None:
    orders = [o for o in context.orders if o.ordered_at and o.total is not None and o.currency][-MOST_POINTS:]
    if len(orders) < FEWEST_POINTS or len({o.currency for o in orders}) > 1:
        return None
    shown, currency = reader(), orders[0].currency
    points = tuple(
        Point(shown.day(_day(o.ordered_at)), float(o.total), shown.money(o.total, currency), _day(o.ordered_at),
              _link(context, "orders", o.id), o.number or o.id)
        for o in orders if o.ordered_at and o.total is not None
    )  # fmt: skip
    title = words().count("chart.orders", len(points), last=points[-1].label)
    return Chart("rhythm", title, "dots", points, _columns("ordered_on", "total"), "", _short_money(currency))


def _discounts(context: Context) -> Chart | None:
    """What was given on deals that were won or lost, in the order in which they closed."""
    closed = [d for d in context.deals if d.status in ("won", "lost") and d.discount_pct is not None and d.closed_at]
    closed = sorted(closed, key=lambda d: (d.closed_at, d.id))[-MOST_POINTS:]
    if len(closed) < FEWEST_POINTS:
        return None
    points = tuple(
        Point(f"{reader().day(_day(d.closed_at))}, {words().plain('outcome', d.status)}", float(d.discount_pct or 0),
              _percent(d.discount_pct), None, _link(context, "deals", d.id), d.name or d.id,
              "good" if d.status == "won" else "bad")
        for d in closed if d.closed_at
    )  # fmt: skip
    given = [d.discount_pct for d in closed if d.discount_pct is not None]
    title = words()("chart.discounts", low=_percent(min(given)), high=_percent(max(given)), n=len(points))
    return Chart("discounts", title, "bars", points, _columns("closed_on", "discount"), "", _percent)


def _ladder(context: Context, subject: Subject) -> Chart | None:
    """The versions of the deal's quote that were sent: what moved from one to the next."""
    if subject.type != "deal":
        return None
    sent = [q for q in context.quotes if q.deal_id == subject.id and q.sent_at and q.total is not None and q.currency]
    sent = sorted(sent, key=lambda q: (q.sent_at, q.version or 0))
    if len(sent) < FEWEST_POINTS or len({q.currency for q in sent}) > 1:
        return None
    shown = reader()
    points = tuple(
        Point(shown.day(_day(q.sent_at)), float(q.total or 0), _step(q), None, _link(context, "quotes", q.id),
              q.number or q.id)
        for q in sent if q.sent_at
    )  # fmt: skip
    values = {"n": len(points), "first": shown.money(sent[0].total, sent[0].currency),
              "last": shown.money(sent[-1].total, sent[-1].currency)}  # fmt: skip
    title = words()("chart.ladder", **values)
    return Chart("ladder", title, "steps", points, _columns("sent_on", "total"), "", _short_money(sent[0].currency))


def _step(quote: Quote) -> str:
    total = reader().money(quote.total, quote.currency)
    return f"{total}, {_percent(quote.discount_pct)}" if quote.discount_pct is not None else total


def _percent(value: Any) -> str:
    return f"{Decimal(str(value)).normalize():f} %"


def _short_money(currency: str | None) -> Any:
    return lambda value: reader().money(Decimal(str(round(value))), currency)


def _day(instant: datetime) -> date:
    return instant.astimezone(reader().zone if instant.tzinfo else UTC).date()


def _columns(first: str, second: str) -> tuple[str, str]:
    return words()(f"chart.{first}"), words()(f"chart.{second}")


def _link(context: Context, collection: str, id_: str) -> str | None:
    return context.urls.get(f"{collection}/{id_}")


def customer_values(connection: str, subject: Subject) -> Mapping[str, Any]:
    """What the template of a customer shows."""
    context = account_of(connection, subject)
    entries, older = timeline(context)
    return {"entries": entries, "older": older, "charts": charts(context, subject), "company": context.company}
