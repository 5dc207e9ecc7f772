"""Whether something is written today, and what: the decision list of sales-craft §1.3 as a table, first match wins.

Gates come before the table, a service text that a gate allows comes before nothing at all, and silence is a result. The
user's instruction is not read here: it can choose words, never lift a gate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal

from crmplugin.analysis.cadence import gap_after
from crmplugin.brief.calendar import add_business_days, day_in, seller_zone
from crmplugin.brief.consent import regime_of, said_no_since
from crmplugin.brief.gates import blocking, check_gates
from crmplugin.brief.occasions import next_anniversary
from crmplugin.brief.right_moment import Wait, right_moment
from crmplugin.brief.rows import OFFERS, OPEN_TICKET, ROWS, SERVICE_ROWS, Row, Situation, asked_angle, why_not
from crmplugin.brief.signals import quote_in_view, renewal_opens, running_contracts
from crmplugin.brief.timing import send_time
from crmplugin.domain.brief import (
    INTERNAL_KINDS,
    DraftChannel,
    FollowUpType,
    Gate,
    Kind,
    NextTouch,
    Request,
    Signals,
    is_promotional,
)
from crmplugin.domain.crm import Contact, Context

Outcome = Literal["draft", "blocked", "no_message"]
LOOK_AGAIN_BD = 10
"""When nothing on record makes a date, somebody looks again after this many business days."""
STOP = "only if there is no reply, booked meeting, bounce or opt-out before"


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be written, or why not. Days are the recipient's.

    code: of the first gate, `nothing_due` or `missing_facts`; a draft has one when a gate forbade what was asked and a
    service text takes its place. send_at: the planned moment. touch: number of this message in its series, from 1.
    angle: what the text turns on, a word of the table. row: the row of the decision list.
    """

    outcome: Outcome
    kind: Kind
    channel: DraftChannel
    send_on: date
    code: str | None = None
    reason: str | None = None
    type: FollowUpType | None = None
    gates: tuple[Gate, ...] = ()
    alternatives: tuple[Mapping[str, Any], ...] = ()
    earliest: date | None = None
    send_at: datetime | None = None
    next_touch: NextTouch | None = None
    angle: str | None = None
    touch: int = 1
    regime: str | None = None
    row: str | None = None


def decide(
    context: Context,
    signals: Signals,
    request: Request,
    *,
    contact: Contact | None,
    channel: DraftChannel,
    now: datetime,
    zone: str,
) -> Choice:
    """The choice for one request: internal kinds as asked, other kinds by their gates, follow-ups by the table."""
    s = Situation(context, signals, request, contact, channel, now, zone)
    if request.kind in INTERNAL_KINDS:
        return _internal(s)
    if request.kind != "follow_up":
        return _asked_kind(s)
    return _asked_type(s, request.type) if request.type else _by_table(s)


def _internal(s: Situation) -> Choice:
    gates = _gates(s, s.request.kind, None)
    if gates:
        return _blocked(s, s.request.kind, None, gates)
    return Choice("draft", s.request.kind, "note", s.today, reason="Asked for.", send_at=s.now)


def _asked_kind(s: Situation) -> Choice:
    """A pitch, a service text or a campaign message, as asked, unless a gate or the moment speaks against it."""
    kind = s.request.kind
    gates = _gates(s, kind, None)
    if blocking(gates):
        return _in_place_of(s, kind, None, gates)
    wait = _wait(s) if kind in OFFERS else None
    if wait:
        return _not_now(s, kind, None, gates, wait)
    return _draft(s, Row("asked", None, asked_angle), kind, angle=None, gates=gates)


def _asked_type(s: Situation, type_: FollowUpType) -> Choice:
    """A type that was asked for is honoured unless gates, the moment or the facts refuse it."""
    gates = _gates(s, "follow_up", type_)
    if blocking(gates):
        return _in_place_of(s, "follow_up", type_, gates)
    missing = why_not(s, type_)
    if missing:
        return _without_facts(s, type_, gates, missing)
    wait = _wait(s) if type_ in OFFERS else None
    if wait:
        return _not_now(s, "follow_up", type_, gates, wait)
    row = next((r for r in ROWS if r.type == type_ and r.when(s)), Row("asked", type_, asked_angle))
    return _draft(s, row, "follow_up", angle=row.when(s), gates=gates)


def _by_table(s: Situation) -> Choice:
    found = _first_row(s)
    type_ = found[0].type if found else None
    gates = _gates(s, "follow_up", type_)
    if blocking(gates):
        return _in_place_of(s, "follow_up", type_, gates)
    if found is None:
        return _nothing_due(s, gates)
    row, angle = found
    choice = _draft(s, row, "follow_up", angle=angle, gates=gates)
    return _under_hold(s, choice) if row.number == "1" and s.signals.ticket.hold else choice


def _first_row(s: Situation) -> tuple[Row, str] | None:
    for row in ROWS:
        if row.type in OFFERS and _wait(s):
            continue
        if angle := row.when(s):
            return row, angle
    return None


def _under_hold(s: Situation, choice: Choice) -> Choice:
    """The acknowledgement of a severe ticket names the hold, so that whoever wanted to sell sees it."""
    held = _gates(s, "pitch", None)
    gates = tuple(g for g in held if g.code == "sell_hold")
    return replace(choice, code="sell_hold", gates=(*gates, *choice.gates), earliest=_hold_ends(s))


def _in_place_of(s: Situation, kind: Kind, type_: FollowUpType | None, gates: tuple[Gate, ...]) -> Choice:
    """What a gate forbids gives way to a service text that is due and allowed; otherwise it is blocked.

    Nobody of a campaign gets one, and a question asked before an opt-out is not a reason to write after it.
    """
    row, angle = _service_row(s, gates)
    if kind == "campaign_message" or row is None:
        return _blocked(s, kind, type_, gates)
    choice = _draft(s, row, "follow_up", angle=angle, gates=gates)
    first = blocking(gates)[0]
    return replace(
        choice,
        code=first.code,
        reason=first.reason,
        alternatives=(_held_back(s, kind, type_, gates), *_alternatives(gates)),
        earliest=_earliest_of(s, gates),
    )


def _service_row(s: Situation, gates: tuple[Gate, ...]) -> tuple[Row | None, str | None]:
    for row in SERVICE_ROWS:
        angle = row.when(s)
        allowed = angle and not blocking(_gates(s, "follow_up", row.type))
        if allowed and not (row.type == "answer" and _asked_before_opt_out(s)):
            return row, angle
    return None, None


def _asked_before_opt_out(s: Situation) -> bool:
    """Whether the address said no after (or with) the newest open question: then an answer is not wanted by mail."""
    asked = max((q.at for q in s.signals.open_questions), default=None)
    return s.contact is not None and said_no_since(s.context, s.contact, s.channel, asked)


def _blocked(s: Situation, kind: Kind, type_: FollowUpType | None, gates: tuple[Gate, ...]) -> Choice:
    first = blocking(gates)[0]
    return Choice(
        "blocked",
        kind,
        s.channel if kind not in INTERNAL_KINDS else "note",
        s.today,
        code=first.code,
        reason=first.reason,
        type=type_,
        gates=gates,
        alternatives=_alternatives(gates),
        earliest=_earliest_of(s, gates),
        regime=_regime(s, kind),
    )


def _not_now(s: Situation, kind: Kind, type_: FollowUpType | None, gates: tuple[Gate, ...], wait: Wait) -> Choice:
    """An offer at the wrong moment. While an issue is open its acknowledgement is the draft; else nothing is."""
    held = {**_held_back(s, kind, type_, gates), "earliest": wait.until.isoformat(), "reason": wait.reason}
    one_to_one = kind != "campaign_message"
    if wait.code == "open_issue" and one_to_one and not blocking(_gates(s, "follow_up", OPEN_TICKET.type)):
        choice = _draft(s, OPEN_TICKET, "follow_up", angle=OPEN_TICKET.when(s), gates=gates)
        return replace(
            choice, code="soft_hold", reason=_sentence(wait.reason), alternatives=(held,), earliest=wait.until
        )
    return replace(_silent(s, kind, type_, gates, wait.until), reason=_sentence(wait.reason), alternatives=(held,))


def _without_facts(s: Situation, type_: FollowUpType, gates: tuple[Gate, ...], missing: str) -> Choice:
    found = _first_row(s)
    instead: tuple[Mapping[str, Any], ...] = (
        ({"do": "draft", "type": found[0].type, "needs": "choice"},) if found else ()
    )
    choice = _silent(s, "follow_up", type_, gates, _earliest(s))
    return replace(choice, code="missing_facts", reason=f"No {type_} can be written: {missing}.", alternatives=instead)


def _nothing_due(s: Situation, gates: tuple[Gate, ...]) -> Choice:
    reason = "Nothing on record calls for a message today."
    return replace(_silent(s, "follow_up", None, gates, _earliest(s)), reason=reason)


def _silent(
    s: Situation, kind: Kind, type_: FollowUpType | None, gates: tuple[Gate, ...], earliest: date | None
) -> Choice:
    return Choice(
        "no_message", kind, s.channel, s.today, code="nothing_due", type=type_, gates=gates, earliest=earliest,
        regime=_regime(s, kind),
    )  # fmt: skip


def _draft(s: Situation, row: Row, kind: Kind, *, angle: str | None, gates: tuple[Gate, ...]) -> Choice:
    promotional = is_promotional(kind, row.type)
    send_at = send_time(
        s.now,
        zone=s.zone,
        channel=s.channel,
        countries=s.countries,
        any_day=not promotional,
        not_after=s.quote.valid_until if s.quote and row.type == "quote_follow_up" else None,
    )
    touch = s.signals.no_reply_count + 1
    choice = Choice(
        "draft", kind, s.channel, send_at.date(), type=row.type, gates=gates, send_at=send_at, angle=angle, touch=touch,
        reason=_sentence(row.why or "asked for"), regime=_regime(s, kind), row=row.number,
    )  # fmt: skip
    return replace(choice, next_touch=_next_touch(s, choice))


def _next_touch(s: Situation, choice: Choice) -> NextTouch:
    """When to come back, and what ends the series: the service desk's next update, the next gap, or never."""
    if choice.type == "break_up":
        return NextTouch(None, None, "stop: nothing more until they write, call or order")
    if choice.type == "service_acknowledgement":
        ticket = s.ticket_in_view
        update = ticket.next_update_at if ticket else None
        if update and update > s.now:
            return NextTouch(day_in(s.zone, update), choice.channel, "with the next update of the service desk")
    on = add_business_days(choice.send_on, gap_after(choice.touch), s.countries)
    return NextTouch(on, choice.channel, STOP)


def _gates(s: Situation, kind: Kind, type_: FollowUpType | None) -> tuple[Gate, ...]:
    return check_gates(
        s.context, s.signals, s.request,
        contact=s.contact, channel=s.channel, kind=kind, type_=type_, now=s.now, zone=s.zone,
    )  # fmt: skip


def _wait(s: Situation) -> Wait | None:
    return right_moment(s.context, s.signals, now=s.now, zone=s.zone)


def _regime(s: Situation, kind: Kind) -> str | None:
    return None if kind in INTERNAL_KINDS else regime_of(s.context, s.contact, s.channel)


def _alternatives(gates: tuple[Gate, ...]) -> tuple[Mapping[str, Any], ...]:
    """The alternatives of all blocking gates, each once."""
    found: list[Mapping[str, Any]] = []
    for gate in blocking(gates):
        found += [way for way in gate.alternatives if way not in found]
    return tuple(found)


def _held_back(s: Situation, kind: Kind, type_: FollowUpType | None, gates: tuple[Gate, ...]) -> dict[str, Any]:
    """The offer that waits: kind and type asked for, the due items behind it with fact ids, and when it may come."""
    company = s.context.company.id if s.context.company else None
    items = s.signals.due_items if company else ()
    facts = [f"{company}/{i.product_id}.{name}" for i in items for name in ("count", "last_on", "days_since")]
    earliest = _earliest_of(s, gates)
    return {
        "do": "hold_back",
        "kind": kind,
        "type": type_,
        "product_ids": [i.product_id for i in items],
        "fact_ids": facts,
        "earliest": earliest.isoformat() if earliest else None,
        "release_rule": s.signals.ticket.release_rule,
    }


def _hold_ends(s: Situation) -> date | None:
    """The day a sell hold ends; while its ticket is open, the soonest it could: three business days from today."""
    if not s.signals.ticket.hold:
        return None
    return s.signals.ticket.release_on or add_business_days(s.today, 3, s.countries)


def _earliest_of(s: Situation, gates: tuple[Gate, ...]) -> date | None:
    """The first day on which none of the gates that end by themselves stands in the way."""
    days = [date.fromisoformat(way["earliest"]) for way in _alternatives(gates) if way.get("earliest")]
    if any(g.code == "sell_hold" for g in gates) and (ends := _hold_ends(s)):
        days.append(ends)
    return max(days, default=None)


def _earliest(s: Situation) -> date:
    """The next day on which something on record calls for a message."""
    ahead = [day for day in _coming(s) if day and day > s.today]
    return min(ahead, default=add_business_days(s.today, LOOK_AGAIN_BD, s.countries))


def _coming(s: Situation) -> list[date | None]:
    signals, context = s.signals, s.context
    ours = seller_zone(context)
    quote = quote_in_view(context, s.now)
    opens = [renewal_opens(c) for c in running_contracts(context, day_in(ours, s.now))]
    due = [i.last_on + timedelta(days=int(i.expected_gap_days * 3 // 4)) for i in s.rhythms]
    wait = _wait(s)
    return [
        signals.next_gap_on if s.may_go_on else None,
        quote.valid_until - timedelta(days=7) if quote and quote.valid_until and quote.status == "sent" else None,
        *(p.due for p in signals.promises_us),
        *(add_business_days(p.due, 1, s.countries) for p in signals.promises_them if p.due),
        *opens,
        *due,
        s.check_in_from,
        next_anniversary(context, s.today + timedelta(days=1)),
        signals.ticket.release_on,
        wait.until if wait else None,
    ]


def _sentence(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}."
