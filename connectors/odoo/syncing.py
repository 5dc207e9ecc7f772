"""What changed in Odoo, page by page, by `write_date`; and what webhooks would have said of it.

Odoo sends a webhook once and forgets it, so this is how nothing is missed. A cursor is `step;last id;started`: pages
go by id, which never moves, and not by time, which does. Deleted records leave nothing behind that could be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.odoo.client import OdooClient
from connectors.odoo.events import happened, make_event
from connectors.odoo.mapping import Database, Thing, id_of, message_kind, stranger, to_document
from connectors.odoo.reading import (
    account_in,
    deal_document,
    is_account,
    is_person,
    line_items,
    order_documents,
    quotes_by_deal,
)  # fmt: skip
from connectors.odoo.schema import Schema, SchemaBook
from connectors.odoo.trees import ACTIVITY, DEAL, LINE, MEETING, MESSAGE, ORDER, PARTNER, PRODUCT, TICKET, USER, Tree
from crmplugin.domain.event import Event
from crmplugin.domain.records import Document
from crmplugin.errors import UsageError
from crmplugin.ports import Changes

PAGE = 200
OVERLAP = timedelta(seconds=60)
"""Odoo dates a change with the start of its transaction, which may be visible only later."""
OWNER: Tree = {"partner_id": {"fields": {"commercial_partner_id": {}, "is_company": {}, "type": {}, "name": {}}}}
IN_MAIL = ("crm.lead", "res.partner", "sale.order")

TREES: Mapping[str, Tree] = {
    "res.users": USER["fields"] | {"share": {}, "active": {}},
    "res.partner": PARTNER,
    "product.product": PRODUCT,
    "crm.lead": DEAL | OWNER | {"order_ids": {"fields": {
        "state": {}, "opportunity_id": {}, "order_line": {"fields": LINE}, "currency_id": {"fields": {"name": {}}},
    }}},
    "sale.order": ORDER | OWNER,
    "helpdesk.ticket": TICKET | OWNER,
    "mail.message": MESSAGE,
    "mail.activity": ACTIVITY,
    "calendar.event": MEETING,
    "mail.blacklist": {"email": {}, "write_date": {}, "active": {}},
}  # fmt: skip
ORDER_OF_STEPS = (*TREES, "ended meetings")
"""Accounts before what hangs on them; last what no change of a record tells: opt-outs, and meetings that are over."""
FIXED: Mapping[str, Sequence[Any]] = {
    "res.users": [["share", "=", False]],
    "mail.message": [["model", "in", list(IN_MAIL)], ["message_type", "not in", ["user_notification"]]],
    "mail.activity": [["res_model", "in", list(IN_MAIL)]],
}


@dataclass(frozen=True)
class Step:
    """One step of a read: what is asked, from which id on, and when the whole read began."""

    name: str
    after: int
    started: datetime

    def cursor(self) -> str:
        return f"{self.name};{self.after};{self.started.isoformat()}"


class Syncer:
    """Reads changes of one connection."""

    def __init__(
        self, client: OdooClient, book: SchemaBook, database: Database, *, connection: str, companies: frozenset[int]
    ) -> None:
        self._client, self._book, self._database = client, book, database
        self._connection, self._companies = connection, companies

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes:
        """One page, and the cursor of the next."""
        schema, step = self._book.read(), _step(cursor, now)
        things, left = self._read(step, schema, since)
        records = self._documents(step.name, things, schema)
        events = () if since is None else self._events(step, things, since, schema)
        following = self._following(step, things, left)
        if following is None:
            return Changes(records, events, up_to=step.started - OVERLAP)
        return Changes(records, events, cursor=following.cursor())

    def _following(self, step: Step, things: Sequence[Thing], left: int) -> Step | None:
        if things and left:
            return Step(step.name, int(things[-1]["id"]), step.started)
        later = ORDER_OF_STEPS[ORDER_OF_STEPS.index(step.name) + 1 :]
        return Step(later[0], 0, step.started) if later else None

    def _read(self, step: Step, schema: Schema, since: datetime | None) -> tuple[list[Thing], int]:
        """The records of a step, and how many are left; none where the model is not there.

        Steps that only tell news are left out when none are wanted.
        """
        model = "calendar.event" if step.name == "ended meetings" else step.name
        if not schema.has(model) or (since is None and step.name in ("ended meetings", "mail.blacklist")):
            return [], 0
        domain = [["id", ">", step.after], *FIXED.get(step.name, ()), *self._when(step, since)]
        if self._companies and "company_id" in schema.models[model]:
            domain.append(["company_id", "in", [False, *sorted(self._companies)]])
        tree = schema.cut(model, TREES[model])
        # The bot's context shows archived records too: a lost deal is one.
        things, length = self._client.page(model, domain, tree, limit=PAGE, order="id")
        return things, length - len(things)

    def _when(self, step: Step, since: datetime | None) -> list[Any]:
        if since is None:
            return []
        stamp = _stamp(since)
        if step.name == "ended meetings":
            return [["stop", ">=", stamp], ["stop", "<=", _stamp(step.started)], ["write_date", "<", stamp]]
        return [["write_date", ">=", stamp]]

    def _documents(self, name: str, things: Sequence[Thing], schema: Schema) -> dict[str, list[Document]]:
        database = self._database
        if name == "crm.lead":
            return self._deals(things)
        if name == "res.partner":
            return {
                "companies": [to_document("company", one, database) for one in things if is_account(one)],
                "contacts": [to_document("contact", one, database) for one in things if is_person(one)],
            }
        if name == "sale.order":
            made = [order_documents(one, {}, database) for one in things]
            return {
                "quotes": [d for quotes, _ in made for d in quotes],
                "orders": [d for _, found in made for d in found],
            }
        if name == "mail.blacklist":
            return {"contacts": [to_document("contact", one, database) for one in self._blacklisted(things, schema)]}
        if name in ("mail.message", "mail.activity", "calendar.event"):
            return {"activities": self._activities(name, things)}
        if name == "helpdesk.ticket":
            made_of = [(one, account_in(one.get("partner_id")) or id_of(one.get("partner_id"))) for one in things]
            return {"tickets": [to_document(name, one, database, company_id=owner) for one, owner in made_of]}
        collection = {"res.users": "users", "product.product": "products"}.get(name)
        return {collection: [to_document(name, one, database) for one in things]} if collection else {}

    def _deals(self, leads: Sequence[Thing]) -> dict[str, list[Document]]:
        found: dict[str, list[Document]] = {"companies": [], "contacts": [], "deals": [], "line_items": []}
        for lead in leads:
            company, person = (None, None) if lead.get("partner_id") else stranger(lead)
            found["companies"] += [company] if company else []
            found["contacts"] += [person] if person else []
            deal = deal_document(lead, {}, self._database)
            found["deals"].append(deal)
            quoted = quotes_by_deal(one for one in lead.get("order_ids") or () if isinstance(one, Mapping))
            found["line_items"] += line_items(deal["id"], quoted.get(deal["id"]), self._database)
        return found

    def _activities(self, model: str, things: Sequence[Thing]) -> list[Document]:
        made = []
        for one in things:
            if model != "mail.message" or message_kind(one) is not None:
                made.append(to_document(model, one, self._database, **_owner_of(one)))
        return made

    def _blacklisted(self, things: Sequence[Thing], schema: Schema) -> list[Thing]:
        """The people whose addresses went on the blacklist, or off it."""
        addresses = [str(one["email"]) for one in things if one.get("email")]
        if not addresses:
            return []
        domain = [["email_normalized", "in", addresses]]
        return self._client.trees("res.partner", domain, schema.cut("res.partner", PARTNER), limit=PAGE)

    def _events(self, step: Step, things: Sequence[Thing], since: datetime, schema: Schema) -> tuple[Event, ...]:
        """What happened since then; the same with the same ids as webhooks told."""
        if step.name == "mail.blacklist":
            return self._opt_outs(things, schema)
        model = "calendar.event" if step.name == "ended meetings" else step.name
        made = []
        for thing in things:
            news = [one for one in happened(model, thing) if since <= one[1] <= step.started + OVERLAP]
            telling = [one for one in news if one[0] not in ("deal.updated", "ticket.updated")]
            made += [self._event(model, thing, one) for one in telling or news[:1]]
        return tuple(event for event in made if not event.echo)

    def _event(self, model: str, thing: Thing, one: tuple[str, datetime, Any]) -> Event:
        type_, at, stamp = one
        uid = str(self._book.read().uid)
        last = next((moment for _, moment, _ in _last(thing)), at)
        # The bot's own change is an echo; what a person did before it is none.
        ours = uid if abs(last - at) <= timedelta(seconds=2) else ""
        return make_event(self._connection, model, thing, type_, at, stamp, received_at=None, our_user=ours)

    def _opt_outs(self, things: Sequence[Thing], schema: Schema) -> tuple[Event, ...]:
        out = [one for one in self._blacklisted(things, schema) if one.get("is_blacklisted") is True]
        dated = {str(one.get("email")): one for one in things}
        made = []
        for partner in out:
            entry = dated.get(str(partner.get("email_normalized")), {})
            at = next((moment for _, moment, _ in _last(entry)), datetime.now(UTC))
            made.append(
                self._event("res.partner", {**partner, "write_uid": False}, ("contact.opted_out", at, str(at)[:19]))
            )
        return tuple(made)


def _last(thing: Thing) -> list[tuple[str, datetime, Any]]:
    text = thing.get("write_date")
    return [("", datetime.fromisoformat(str(text)).replace(tzinfo=UTC), text)] if text else []


def _owner_of(thing: Thing) -> dict[str, Any]:
    """The deal or account that a message or activity hangs on; what hangs on an order is told by the order."""
    model, number = thing.get("model") or thing.get("res_model"), thing.get("res_id")
    if model == "crm.lead" and number:
        return {"deal_id": str(number)}
    return {"company_id": str(number)} if model == "res.partner" and number else {}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _step(cursor: str | None, now: datetime) -> Step:
    if cursor is None:
        return Step(ORDER_OF_STEPS[0], 0, now)
    try:
        name, after, started = cursor.split(";")
        step = Step(name, int(after), datetime.fromisoformat(started).astimezone(UTC))
    except ValueError as error:
        raise UsageError(f"cursor {cursor!r} is none of Odoo's: start the pull again without one") from error
    if name not in ORDER_OF_STEPS or step.after < 0:
        raise UsageError(f"cursor {cursor!r} is none of Odoo's: start the pull again without one")
    return step
