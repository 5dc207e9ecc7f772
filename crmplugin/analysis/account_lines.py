"""Lines on how an account buys, whatever deals it has: orders, what is due, what stopped, what to ask. Internal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from crmplugin.analysis import sheet
from crmplugin.analysis.cadence import is_human
from crmplugin.analysis.churn import LAPSED_DAYS, LOW_ALIVE, state_of_rhythm
from crmplugin.analysis.rhythm import order_days
from crmplugin.analysis.sheet import SheetLine, Val, say
from crmplugin.domain.brief import DueItem, Signals
from crmplugin.domain.crm import Activity, Context, Ticket
from crmplugin.ports import Population

DUE_SHOWN, DUE_SOURCES = 3, 12
QUESTIONS = 3
_Asked = tuple[str, dict[str, Val]]


@dataclass(frozen=True)
class View:
    """What the lines of one account are read from."""

    context: Context
    signals: Signals
    population: Population
    now: datetime
    zone: str = "UTC"
    """The seller's: days of internal sheets are ours."""
    language: str = "en"
    """Of the note."""

    @cached_property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.zone)).date()

    @cached_property
    def past(self) -> tuple[Activity, ...]:
        """What people did so far, newest first."""
        known = [a for a in self.context.activities if a.at and a.at <= self.now and is_human(a)]
        return tuple(sorted(known, key=lambda a: (a.at or self.now, a.id), reverse=True))

    @cached_property
    def open_tickets(self) -> tuple[Ticket, ...]:
        return tuple(t for t in self.context.tickets if t.id in self.signals.ticket.open_ticket_ids)

    def day(self, instant: datetime | None) -> Val:
        return sheet.day((instant or self.now).astimezone(ZoneInfo(self.zone)).date())


def order_lines(v: View) -> Iterator[SheetLine]:
    """How often an account without a deal in view has ordered, and what it may need again."""
    made = sorted((o.ordered_at, o.id, o) for o in v.context.orders if o.ordered_at and o.ordered_at <= v.now)
    if v.context.deal or not v.context.company:
        return
    if not made:
        yield say("orders", "orders", "no_orders")
        return
    newest = made[-1][2]
    yield say(
        "orders", "orders", "orders_known", sources=(("orders", newest.id, "ordered_at"),),
        n=sheet.count(len(made)), number=sheet.text(newest.number or newest.id), on=v.day(newest.ordered_at),
    )  # fmt: skip
    for item in v.signals.due_items[:DUE_SHOWN]:
        yield due_line(v, "orders", item)


def due_line(v: View, section: str, item: DueItem) -> SheetLine:
    """An item they may need again: how often and when it was bought, and after what time it is expected."""
    words = "due_item_once" if item.count == 1 else "due_item_cover" if item.method == "cover" else "due_item"
    product = next((p.name for p in v.context.products if p.id == item.product_id and p.name), item.product_id)
    return say(
        section, f"due_{item.product_id}", words, product=sheet.text(product), n=sheet.count(item.count),
        on=sheet.day(item.last_on), days=sheet.days(item.days_since), gap=sheet.days(round(item.expected_gap_days)),
        state=sheet.word(f"item_state.{item.state}"),
        sources=tuple(("orders", order_id, "ordered_at") for order_id in item.evidence[-DUE_SOURCES:]),
    )  # fmt: skip


def buying_risk(v: View) -> Iterator[SheetLine]:
    """Whether an account may have stopped to buy: by the model of all buyers where there is one, else its own gap."""
    s = v.signals
    if v.context.deal:
        return
    if s.p_alive is not None:
        if s.p_alive < LOW_ALIVE:
            yield say("risks", "risk_alive", chance=sheet.percent(s.p_alive * 100, 0))
    elif s.account_rho is not None and (state := state_of_rhythm(s.account_rho)) != "active":
        yield say("risks", "risk_lapsed" if state == "lapsed" else "risk_slower", times=sheet.number(s.account_rho, 1))
    elif s.account_rho is None:
        days = order_days(v.context.orders, now=v.now, zone=v.zone)
        if days and (v.today - days[-1]).days > LAPSED_DAYS:
            yield say("risks", "risk_long_ago", on=sheet.day(days[-1]), days=sheet.days((v.today - days[-1]).days))


def account_questions(v: View) -> Iterator[SheetLine]:
    """Three questions for a talk with an account that has no deal in view: what is open, what is due, what is new."""
    tickets: list[_Asked] = [("ask_ticket", {"number": sheet.text(t.number or t.id)}) for t in v.open_tickets[:1]]
    due = [i for i in v.signals.due_items[:1] if not v.signals.ticket.hold]
    names = {p.id: p.name for p in v.context.products}
    items: list[_Asked] = [("ask_item", {"product": sheet.text(names.get(i.product_id) or i.product_id)}) for i in due]
    plain: list[_Asked] = [("ask_change", {}), ("ask_plans", {}), ("ask_trouble", {})]
    for n, (words, args) in enumerate([*tickets, *items, *plain][:QUESTIONS], start=1):
        yield SheetLine("questions", f"ask{n}", words, args=args)
