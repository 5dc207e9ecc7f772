"""Records with valid defaults for tests: `make_deal(amount=None)` changes one thing.

Now is 2026-03-11 12:00 in Berlin, a Wednesday. The seller is Halden Controls, Berlin; the account Orbis Dairy in
Britain (CO-1) with one contact, Dana Reyes (C-1), and one open deal in proposal (D-1) owned by Jonas Brandt (U-1).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import (
    Activity,
    Company,
    Consent,
    Contact,
    Context,
    Contract,
    Deal,
    Order,
    OrderLine,
    Price,
    Product,
    Quote,
    QuoteLine,
    Seller,
    Slot,
    StageChange,
    Subject,
    Ticket,
    User,
)

NOW = datetime(2026, 3, 11, 11, 0, tzinfo=UTC)
TODAY = date(2026, 3, 11)


def at(day: str, time: str = "09:00") -> datetime:
    """An instant in UTC: at("2026-03-06"), at("2026-03-06", "14:30")."""
    return datetime.fromisoformat(f"{day}T{time}:00+00:00")


def make_seller(**changes: Any) -> Seller:
    given: dict[str, Any] = {
        "name": "Halden Controls",
        "legal_name": "Halden Controls GmbH",
        "postal_address": "Torstraße 99, 10119 Berlin",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "currency": "EUR",
        "unsubscribe_url": "https://halden.example/unsubscribe",
    }
    return Seller(**(given | changes))


def make_user(id: str = "U-1", **changes: Any) -> User:
    given: dict[str, Any] = {
        "name": "Jonas Brandt",
        "email": "jonas.brandt@halden.example",
        "role": "rep",
        "timezone": "Europe/Berlin",
        "language": "en",
    }
    return User(id, **(given | changes))


def make_company(id: str = "CO-1", **changes: Any) -> Company:
    given: dict[str, Any] = {"name": "Orbis Dairy", "country": "GB", "owner_id": "U-1", "currency": "EUR"}
    return Company(id, **(given | changes))


def make_contact(id: str = "C-1", **changes: Any) -> Contact:
    given: dict[str, Any] = {
        "company_id": "CO-1",
        "first_name": "Dana",
        "last_name": "Reyes",
        "email": "dana.reyes@orbis.example",
        "phone": "+44 20 7946 0018",
        "language": "en",
        "status": "active",
    }
    return Contact(id, **(given | changes))


def consent(state: Any, channel: Any = "email", **changes: Any) -> dict[Any, Consent]:
    """A consent table with one entry: consent("withdrawn"), consent("granted", "phone")."""
    return {channel: Consent(state=state, **changes)}


def make_deal(id: str = "D-1", **changes: Any) -> Deal:
    given: dict[str, Any] = {
        "name": "Orbis meters",
        "company_id": "CO-1",
        "contact_ids": ("C-1",),
        "primary_contact_id": "C-1",
        "owner_id": "U-1",
        "pipeline": "sales",
        "stage": "Proposal",
        "stage_kind": "proposal",
        "status": "open",
        "created_at": at("2026-02-01"),
        "amount": Decimal("48000.00"),
        "currency": "EUR",
    }
    return Deal(id, **(given | changes))


def make_stage_change(id: str = "S-1", **changes: Any) -> StageChange:
    given: dict[str, Any] = {"deal_id": "D-1", "from_": "Qualified", "to": "Proposal", "at": at("2026-02-10")}
    return StageChange(id, **(given | changes))


def make_quote(id: str = "Q-118", **changes: Any) -> Quote:
    given: dict[str, Any] = {
        "number": id,
        "deal_id": "D-1",
        "version": Decimal(1),
        "status": "sent",
        "sent_at": at("2026-03-02"),
        "valid_until": date(2026, 3, 25),
        "currency": "EUR",
        "total": Decimal("26505.00"),
        "lines": (QuoteLine("L1", "FM-300", None, Decimal(10), Decimal("2400.00")),),
    }
    return Quote(id, **(given | changes))


def make_order(id: str = "O-1", **changes: Any) -> Order:
    given: dict[str, Any] = {
        "number": id,
        "company_id": "CO-1",
        "contact_id": "C-1",
        "ordered_at": at("2026-01-15"),
        "currency": "EUR",
        "total": Decimal("480.00"),
        "lines": (OrderLine("L1", "GK-12", Decimal(10), Decimal("48.00")),),
    }
    return Order(id, **(given | changes))


def make_contract(id: str = "K-1", **changes: Any) -> Contract:
    given: dict[str, Any] = {
        "company_id": "CO-1",
        "name": "Service contract",
        "starts_on": date(2025, 6, 1),
        "ends_on": date(2026, 5, 31),
        "notice_days": Decimal(30),
        "currency": "EUR",
        "yearly_amount": Decimal("4800.00"),
    }
    return Contract(id, **(given | changes))


def make_activity(id: str = "A-31", **changes: Any) -> Activity:
    """An inbound mail of Dana on the deal, 6 March."""
    given: dict[str, Any] = {
        "type": "email",
        "direction": "inbound",
        "at": at("2026-03-06"),
        "deal_id": "D-1",
        "company_id": "CO-1",
        "contact_ids": ("C-1",),
        "subject": "Q-118",
        "body": "Does the price include calibration certificates?",
    }
    return Activity(id, **(given | changes))


def make_inbound(
    id: str = "A-31", day: str = "2026-03-06", body: str = "Please send the data sheet.", **changes: Any
) -> Activity:
    return make_activity(id, **({"at": at(day), "body": body} | changes))


def make_outbound(
    id: str = "A-40", day: str = "2026-03-06", body: str = "Here is the data sheet.", **changes: Any
) -> Activity:
    return make_activity(id, **({"direction": "outbound", "user_id": "U-1", "at": at(day), "body": body} | changes))


def make_meeting(id: str = "A-50", day: str = "2026-03-10", **changes: Any) -> Activity:
    """A meeting with Dana from 13:00 to 14:00 UTC."""
    given: dict[str, Any] = {
        "type": "meeting",
        "direction": None,
        "at": at(day, "13:00"),
        "ends_at": at(day, "14:00"),
        "user_id": "U-1",
        "subject": "On site",
        "body": "Wants two sample FM-300 by 20 March, we ship.",
    }
    return make_activity(id, **(given | changes))


def make_task(id: str = "A-60", **changes: Any) -> Activity:
    """Our task of 3 March, due on 10 March and not done."""
    given: dict[str, Any] = {
        "type": "task",
        "direction": "internal",
        "at": at("2026-03-03"),
        "subject": "Send the certificate",
        "body": None,
        "owner_side": "us",
        "due_on": date(2026, 3, 10),
    }
    return make_activity(id, **(given | changes))


def make_ticket(id: str = "T-2201", **changes: Any) -> Ticket:
    given: dict[str, Any] = {
        "number": id,
        "company_id": "CO-1",
        "contact_id": "C-1",
        "product_id": "FM-3000",
        "subject": "line 2 stopped, FM-3000 no signal",
        "priority": "P1",
        "status": "open",
        "opened_at": at("2026-03-09", "08:10"),
        "owner_name": "Lena Vogt",
        "next_update_at": at("2026-03-11", "16:00"),
        "timezone": "Europe/London",
    }
    return Ticket(id, **(given | changes))


def make_product(id: str = "FM-300", **changes: Any) -> Product:
    given: dict[str, Any] = {
        "name": "FlowMeter 300",
        "sku": id,
        "list_price": Decimal("2400.00"),
        "currency": "EUR",
        "active": True,
        "category": "meters",
    }
    return Product(id, **(given | changes))


def make_price(id: str = "P-1", **changes: Any) -> Price:
    given: dict[str, Any] = {
        "product_id": "FM-300",
        "unit_price": Decimal("2496.00"),
        "currency": "EUR",
        "valid_from": date(2026, 3, 1),
    }
    return Price(id, **(given | changes))


def make_slot(id: str = "SLOT-1", **changes: Any) -> Slot:
    given: dict[str, Any] = {"kind": "answer_by", "user_id": "U-1", "on": date(2026, 3, 13)}
    return Slot(id, **(given | changes))


def make_context(*activities: Activity, **changes: Any) -> Context:
    """The account with its deal as subject; positional arguments are its activities."""
    given: dict[str, Any] = {
        "connection": "local",
        "crm": "local",
        "subject": Subject("deal", "D-1"),
        "read_at": NOW,
        "seller": make_seller(),
        "company": make_company(),
        "deal": make_deal(),
        "users": (make_user(),),
        "contacts": (make_contact(),),
        "activities": activities,
    }
    given |= changes
    if "deals" not in given:
        given["deals"] = (given["deal"],) if given["deal"] else ()
    return Context(**given)


def make_account_context(*activities: Activity, **changes: Any) -> Context:
    """The account itself as subject: no deal."""
    return make_context(*activities, **({"deal": None, "subject": Subject("company", "CO-1")} | changes))


def make_request(kind: Any = "follow_up", **changes: Any) -> Request:
    given: dict[str, Any] = {"connection": "local", "subject": Subject("deal", "D-1")}
    return Request(kind=kind, **(given | changes))
