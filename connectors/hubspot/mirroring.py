"""What the mirror keeps of a page of HubSpot's records, with what belongs to them and lies elsewhere.

Lines of quotes and orders are read with them. A lead is its person. An account that keeps no orders gets one for each
won deal, as in a context.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contexts import order_of
from connectors.hubspot import mapping
from connectors.hubspot.account import AccountBook
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.mapping import ACTIVITY_TYPES, lines_of, links_of, properties_of, to_document
from crmplugin.domain.event import ObjectRef
from crmplugin.domain.records import Document

Thing = Mapping[str, Any]
SINGULAR: Mapping[str, str] = {
    "companies": "company", "contacts": "contact", "products": "product", "deals": "deal", "line_items": "line_item",
    "quotes": "quote", "orders": "order", "tickets": "ticket", **dict.fromkeys(ACTIVITY_TYPES, "activity"),
}  # fmt: skip
WITH_LINES = ("quotes", "orders")


class Mirror:
    """Makes records of one connection. `without`: kinds that are not read."""

    def __init__(self, client: HubSpotClient, book: AccountBook, without: Sequence[str]) -> None:
        self._client, self._book, self._without = client, book, frozenset(without)
        self._keeps_orders: bool | None = None

    def begin(self) -> None:
        """A new pull: whether the account keeps orders is looked at again."""
        self._keeps_orders = None

    def records(self, kind: str, things: Sequence[Thing]) -> dict[str, list[Document]]:
        """Collections of documents of these records; each comes with its ties, and deals with the past of the stage."""
        account = self._book.account
        if kind == "leads":
            return {"contacts": self._people_of(things)}
        documents = [to_document(kind, thing, links_of(thing), account) for thing in things]
        if kind in WITH_LINES:
            self._add_lines(kind, things, documents)
        if kind == "line_items":
            # Those of quotes and orders are copies, which come with their quote or order.
            documents = [document for document in documents if document.get("deal_id")]
        records = {mapping.COLLECTIONS[kind]: documents}
        if kind == "deals":
            records["stage_changes"] = [move for thing in things for move in mapping.stage_changes(thing, account)]
            records["orders"] = self._bought(documents)
        return records

    def no_longer_bought(self, kind: str, things: Sequence[Thing]) -> tuple[ObjectRef, ...]:
        """Purchases that were made of won deals which are won no more."""
        lost = [thing for thing in things if mapping.was_won(thing, self._book.account)] if kind == "deals" else []
        return self.orders_of([ObjectRef("deal", str(thing["id"])) for thing in lost])

    def orders_of(self, refs: Sequence[ObjectRef]) -> tuple[ObjectRef, ...]:
        """The purchases that deals among these became, where the account keeps no orders."""
        deals = [ref.id for ref in refs if ref.type == "deal"]
        return tuple(ObjectRef("order", f"deal:{id_}") for id_ in deals) if deals and not self._has_orders() else ()

    def _people_of(self, leads: Sequence[Thing]) -> list[Document]:
        """The people of these leads, each with what is wanted of them."""
        wanted: dict[str, list[Thing]] = {}
        for lead in leads:
            for person in links_of(lead).get("contacts", ()):
                wanted.setdefault(person, []).append(lead)
        account = self._book.account
        people = self._client.read_many("contacts", sorted(wanted), properties_of("contacts", account))
        given = [mapping.with_leads(person, wanted[str(person["id"])]) for person in people]
        return [to_document("contacts", person, links_of(person), account) for person in given]

    def _add_lines(self, kind: str, things: Sequence[Thing], documents: Sequence[Document]) -> None:
        ids = {str(thing["id"]): links_of(thing).get("line_items", []) for thing in things}
        lines = self._lines(ids)
        for document in documents:
            document["lines"] = lines_of(kind, ids[document["id"]], lines)

    def _bought(self, deals: Sequence[Document]) -> list[Document]:
        """Won deals as orders."""
        won = [deal for deal in deals if deal.get("status") == "won"]
        if not won or self._has_orders():
            return []
        ids = {} if "line_items" in self._without else self._client.associated("deals", "line_items", _ids(won))
        lines = self._lines(ids)
        own = {deal: [lines[one] for one in of_deal if one in lines] for deal, of_deal in ids.items()}
        return [order_of(deal, own.get(deal["id"], []), vendor=mapping.VENDOR) for deal in won]

    def _lines(self, ids: Mapping[str, Sequence[str]]) -> dict[str, Document]:
        account = self._book.account
        wanted = sorted({one for part in ids.values() for one in part})
        things = self._client.read_many("line_items", wanted, properties_of("line_items", account)) if wanted else []
        return {str(thing["id"]): to_document("line_items", thing, {}, account) for thing in things}

    def _has_orders(self) -> bool:
        """Whether the account keeps orders at all: one look."""
        if self._keeps_orders is None:
            page = {} if "orders" in self._without else self._client.list_page("orders", ())
            self._keeps_orders = bool(page.get("results"))
        return self._keeps_orders


def _ids(documents: Sequence[Document]) -> list[str]:
    return [document["id"] for document in documents]
