"""The customer at a glance: what happened on every channel, newest first, and three pictures of how they buy.

Nothing is worked out here: dates and totals are shown as the records have them; discounts, concessions and the rhythm
of purchases are the charts of the brief.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from crmplugin.analysis.timeline import Entry as Told
from crmplugin.analysis.timeline import timeline as told_of
from crmplugin.domain.brief import DueItem, Request
from crmplugin.domain.crm import Context, Subject
from crmplugin.errors import NotFound
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.visibility import check_subject
from crmplugin.web.auth import desk, who
from crmplugin.web.brief_charts import pictures
from crmplugin.web.charts import Chart, Point
from crmplugin.web.console_frame import reader, words

OUR_SOURCE = "crmplugin:"
COLLECTIONS = ("activities", "tickets", "orders", "quotes")
KINDS: Mapping[str, str] = {"order": "ordered", "delivery": "delivered", "quote": "quote_sent"}
"""Kind of an entry of `analysis.timeline` -> the word of `happened`."""
LONGEST = 40
FEWEST_POINTS = 2
DEALS_TRIED = 8
NEVER = datetime.min.replace(tzinfo=UTC)
RHYTHM = "purchase_rhythm"
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
    """Pictures that have something to show: those of the deal's brief, and how the account buys where it has none."""
    deal = subject.id if subject.type == "deal" else _deal_of(context)
    about = Subject("deal", deal) if deal else subject
    request = Request(context.connection, "negotiation_note" if deal else "summary", about, language=words().language)
    brief = make_brief(request, tools=desk().tools(context.connection), now=desk().clock())
    made = pictures(brief.charts, reader(), lambda collection, id_: _link(context, collection, id_))
    if not any(chart.key == RHYTHM and chart.points for chart in made):
        made = [chart for chart in (_rhythm(context, brief.signals.due_items), *made) if chart]
    return made


def _deal_of(context: Context) -> str | None:
    """The account's newest open deal, else its newest one, among those that the reader may see."""
    newest = sorted(context.deals, key=lambda d: (d.status == "open", d.created_at or NEVER), reverse=True)
    for deal in newest[:DEALS_TRIED]:
        with suppress(NotFound):
            check_subject(desk(), who(), context.connection, Subject("deal", deal.id))
            return deal.id
    return None


def _rhythm(context: Context, items: Iterable[DueItem]) -> Chart | None:
    """Quantities of the product that is most due, or else the totals of the orders."""
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
    return Chart(RHYTHM, title, "dots", points, _columns("ordered_on", "quantity"), note, lambda v: f"{v:g}")


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
    return Chart(RHYTHM, title, "dots", points, _columns("ordered_on", "total"), "", _short_money(currency))


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
