"""Everything about one subject in the fewest rounds: the record with its ties; what it is tied to, beside the
company's deals, orders and tickets; then the lines of what was bought before.

Two rounds, or four when earlier deals, orders or quotes have lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from json import loads
from typing import Any

from connectors.contexts import context_of, not_found, order_of, products_of_lines
from connectors.hubspot import mapping
from connectors.hubspot.account import AccountBook
from connectors.hubspot.client import HubSpotClient, next_cursor
from connectors.hubspot.mapping import ACTIVITY_TYPES, HISTORY, Account, links_of, properties_of, to_document
from connectors.transport import Refused
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound

Thing = Mapping[str, Any]
KINDS = {"deal": "deals", "company": "companies", "contact": "contacts", "ticket": "tickets"}
TYPE_IDS = {"deals": "0-3", "companies": "0-2", "contacts": "0-1", "tickets": "0-5"}
ACTIVITIES = tuple(ACTIVITY_TYPES)
ASSOCIATED: Mapping[str, tuple[str, ...]] = {
    "deals": ("contacts", "companies", "line_items", "quotes", "tickets", *ACTIVITIES, "orders"),
    "companies": ("contacts", *ACTIVITIES),
    "contacts": ("companies", "deals", "tickets", "leads", *ACTIVITIES),
    "tickets": ("contacts", "companies", "deals", *ACTIVITIES),
    **dict.fromkeys(ACTIVITIES, ("deals", "contacts", "companies", "tickets")),
}
OF_COMPANY: Mapping[str, str] = {"deals": "closedate", "orders": "hs_createdate", "tickets": "createdate"}
"""What is searched by company, and by what it is sorted."""
NEWEST = 30
"""Activities of one kind that are read: ids grow with time."""
EARLIER = 100


@dataclass
class Found:
    """HubSpot's records by kind, and what each is tied to."""

    root: tuple[str, Thing]
    links: dict[str, list[str]]
    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    lines_of: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Kind (deals, orders, quotes) -> id -> ids of its line items."""

    def add(self, kind: str, things: Sequence[Thing]) -> None:
        kept = self.things.setdefault(kind, {})
        for thing in things:
            if not thing.get("archived"):
                kept.setdefault(str(thing.get("id")), thing)


class Reader:
    """Reads contexts of one connection."""

    def __init__(
        self,
        client: HubSpotClient,
        book: AccountBook,
        *,
        connection: str,
        app_url: str,
        clock: Callable[[], datetime],
        earlier_lines: bool = True,
        without: Sequence[str] = (),
    ) -> None:
        self._client, self._book, self._connection = client, book, connection
        self._app_url, self._clock, self._earlier_lines = app_url, clock, earlier_lines
        self._without = frozenset(without)

    def read(self, subject: Subject) -> Context:
        """The context. Raises NotFound for what HubSpot does not have."""
        read_at = self._clock()
        kind, id_ = place_of(subject)
        root = self._root(kind, id_, subject)
        if kind in ACTIVITIES and (deals := links_of(root).get("deals")):
            # What a mail means stands in its deal: that is read too, and the mail stays the subject.
            found = self._read_around("deals", self._root("deals", deals[0], Subject("deal", deals[0])))
            found.add(kind, [root])
        else:
            found = self._read_around(kind, root)
        # After a merge HubSpot gives the surviving record under the old id.
        own = f"{kind}:{root['id']}" if kind in ACTIVITIES else str(root["id"])
        documents = self._documents(found, self._book.account)
        things = [thing for part in found.things.values() for thing in part.values()]
        return context_of(
            self._connection,
            "hubspot",
            replace(subject, id=own),
            documents,
            read_at=read_at,
            urls=self._urls(documents),
            changed_at=mapping.changed_at(things),
        )

    def _root(self, kind: str, id_: str, subject: Subject) -> Thing:
        """Round one: the record and what it is tied to."""
        account = self._book.account
        try:
            root = self._client.read(
                kind,
                id_,
                properties_of(kind, account),
                associations=[to for to in ASSOCIATED[kind] if to not in self._without],
                history=HISTORY.get(kind, ()),
            )
        except Refused as error:
            if error.status == 404:
                raise not_found("hubspot", self._connection, subject) from error
            raise
        if root.get("archived"):
            raise not_found("hubspot", self._connection, subject)
        return root

    def _read_around(self, kind: str, root: Thing) -> Found:
        found = Found((kind, root), self._all_links(kind, root))
        found.add(kind, [root])
        self._read_tied(found)
        if self._earlier_lines:
            self._read_lines(found)
        return found

    def _all_links(self, kind: str, root: Thing) -> dict[str, list[str]]:
        """What the record is tied to; a list that came in part is read whole."""
        links = links_of(root)
        parts = root.get("associations") or {}
        cut = [name.replace(" ", "_") for name, part in parts.items() if next_cursor(part)]
        id_ = str(root["id"])
        whole = self._client.transport.together(*[lambda to=to: self._client.associated(kind, to, [id_]) for to in cut])
        # The first page came sorted by label; the rest follows it.
        for to, ids in zip(cut, whole, strict=True):
            links[to] = list(dict.fromkeys((*links[to], *ids[id_])))
        return links

    def _read_tied(self, found: Found) -> None:
        """Round two, all beside each other: tied records, the company's history, and the account if it is stale."""
        account, client = self._book.account, self._client
        kind, root = found.root
        company = str(root["id"]) if kind == "companies" else next(iter(found.links.get("companies", ())), None)
        work: list[tuple[str, Callable[[], Any]]] = []
        for tied, ids in found.links.items():
            if ids and tied in (*mapping.COLLECTIONS, "leads"):
                newest = _newest(ids) if tied in ACTIVITIES else ids
                properties, history = properties_of(tied, account), HISTORY.get(tied, ())
                work.append((tied, _reads(client, tied, newest, properties, history)))
        if company is not None:
            wanted = [of for of in OF_COMPANY if of not in self._without]
            work += [(of, _searches(client, of, company, properties_of(of, account))) for of in wanted]
        about = self._book.calls()
        answers = client.transport.together(*about, *[call for _, call in work])
        self._book.take(answers[: len(about)])
        for (tied, _), things in zip(work, answers[len(about) :], strict=True):
            found.add(tied, things)
        if leads := found.things.pop("leads", {}):
            found.things[kind][str(root["id"])] = mapping.with_leads(root, list(leads.values()))

    def _read_lines(self, found: Found) -> None:
        """Rounds three and four: the lines of quotes, earlier deals and orders, and the products of all lines."""
        client, account = self._client, self._book.account
        won = [id_ for id_, deal in found.things.get("deals", {}).items() if _is_won(deal) and id_ != _root_id(found)]
        sets = {"deals": won, **{kind: list(found.things.get(kind, {})) for kind in mapping.LINE_KEYS}}
        asked = [(of, ids) for of, ids in sets.items() if ids]
        products = _product_ids(found)
        calls: list[Callable[[], Any]] = [
            lambda of=of, ids=ids: client.associated(of, "line_items", ids)  # type: ignore[misc]
            for of, ids in asked
        ]
        if products:
            calls.append(_reads(client, "products", products, properties_of("products", account), ()))
        answers = client.transport.together(*calls)
        for (of, _), lines in zip(asked, answers, strict=False):
            found.lines_of[of] = lines
        if products:
            found.add("products", answers[-1])
        missing = {line for lines in found.lines_of.values() for ids in lines.values() for line in ids}
        missing -= set(found.things.get("line_items", {}))
        if missing:
            properties = properties_of("line_items", account)
            found.add("line_items", client.read_many("line_items", sorted(missing), properties))

    def _documents(self, found: Found, account: Account) -> dict[str, list[Document]]:
        documents: dict[str, list[Document]] = {"users": self._book.users}
        for kind, things in found.things.items():
            for id_, thing in things.items():
                document = to_document(kind, thing, _links_of(found, kind, id_, thing), account)
                documents.setdefault(mapping.COLLECTIONS[kind], []).append(document)
        kind, root = found.root
        documents["stage_changes"] = mapping.stage_changes(root, account) if kind == "deals" else []
        return _with_orders(documents, found)

    def _urls(self, documents: Mapping[str, Sequence[Document]]) -> dict[str, str]:
        """Addresses in HubSpot, when the settings name the portal."""
        if not self._app_url:
            return {}
        return {
            f"{kind}/{document['id']}": f"{self._app_url}/{type_id}/{document['id']}"
            for kind, type_id in TYPE_IDS.items()
            for document in documents.get(kind, ())
        }


def place_of(subject: Subject) -> tuple[str, str]:
    """HubSpot's kind and id of a subject; an activity's id begins with its kind. Raises NotFound for another form."""
    if subject.type != "activity":
        return KINDS[subject.type], subject.id
    kind, _, id_ = subject.id.partition(":")
    if kind not in ACTIVITY_TYPES or not id_:
        raise NotFound(f"activity {subject.id!r} is none of HubSpot's: expected a form such as emails:123")
    return kind, id_


def _links_of(found: Found, kind: str, id_: str, thing: Thing) -> dict[str, list[str]]:
    """What a record is tied to, as far as the reading shows it."""
    own, root = found.root
    links = links_of(thing)
    if (kind, id_) == (own, str(root["id"])):
        return found.links
    company = [str(root["id"])] if own == "companies" else found.links.get("companies", [])[:1]
    if kind == "line_items":
        return {"deals": _deal_of_line(found, id_)}
    if kind in ("deals", "orders", "tickets"):
        return {"companies": company, **links}
    if kind == "contacts":
        return links
    deals = [str(root["id"])] if own == "deals" else links.get("deals", [])
    if kind in ACTIVITIES:
        tickets = [str(root["id"])] if own == "tickets" else []
        return {"deals": deals, "companies": company, "tickets": tickets, "contacts": _people(found, thing), **links}
    return {"deals": deals, **links}


def _deal_of_line(found: Found, id_: str) -> list[str]:
    own, root = found.root
    if own == "deals" and id_ in found.links.get("line_items", ()):
        return [str(root["id"])]
    return [deal for deal, lines in found.lines_of.get("deals", {}).items() if id_ in lines][:1]


def _people(found: Found, thing: Thing) -> list[str]:
    """Who took part in a mail, by its addresses; the only contact there is otherwise."""
    own, root = found.root
    contacts = [str(root["id"])] if own == "contacts" else found.links.get("contacts", [])
    if len(contacts) == 1:
        return contacts
    addresses = _addresses((thing.get("properties") or {}).get("hs_email_headers"))
    known = found.things.get("contacts", {})
    return [id_ for id_ in contacts if str(_value(known.get(id_), "email")).lower() in addresses]


def _addresses(headers: Any) -> set[str]:
    """Mail addresses in HubSpot's headers of a mail, in small letters."""
    try:
        document = loads(headers) if isinstance(headers, str) else {}
    except ValueError:
        return set()
    people = document if isinstance(document, Mapping) else {}
    entries = [people.get("from"), *_list(people.get("to")), *_list(people.get("cc"))]
    return {str(e.get("email")).lower() for e in entries if isinstance(e, Mapping) and e.get("email")}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _with_orders(documents: dict[str, list[Document]], found: Found) -> dict[str, list[Document]]:
    """Quotes and orders with their lines; accounts that keep no orders get one for each won deal."""
    lines = {line["id"]: line for line in documents.get("line_items", ())}
    documents["products"] = [*documents.get("products", ()), *products_of_lines(list(lines.values()))]
    copied: set[str] = set()
    for collection in mapping.LINE_KEYS:
        own = found.lines_of.get(collection, {})
        copied |= {line for ids in own.values() for line in ids}
        for document in documents.get(collection, ()):
            if document["id"] in own:
                document["lines"] = mapping.lines_of(collection, own[document["id"]], lines)
    documents["line_items"] = [line for id_, line in lines.items() if "deal_id" in line or id_ not in copied]
    if not documents.get("orders"):
        documents["orders"] = _bought(documents)
    return documents


def _bought(documents: Mapping[str, Sequence[Document]]) -> list[Document]:
    """Won deals as orders."""
    by_deal: dict[str, list[Document]] = {}
    for line in documents["line_items"]:
        by_deal.setdefault(line.get("deal_id", ""), []).append(line)
    won = [deal for deal in documents.get("deals", ()) if deal.get("status") == "won"]
    return [order_of(deal, by_deal.get(deal["id"], []), vendor=mapping.VENDOR) for deal in won]


def _product_ids(found: Found) -> list[str]:
    lines = found.things.get("line_items", {}).values()
    return sorted({str(id_) for line in lines if (id_ := _value(line, "hs_product_id"))})


def _is_won(deal: Thing) -> bool:
    return str(_value(deal, "hs_is_closed_won")).lower() == "true"


def _value(thing: Thing | None, name: str) -> Any:
    return (thing.get("properties") or {}).get(name) if thing else None


def _root_id(found: Found) -> str:
    return str(found.root[1]["id"])


def _newest(ids: Sequence[str]) -> list[str]:
    return sorted(ids, key=lambda id_: (len(id_), id_), reverse=True)[:NEWEST]


def _reads(
    client: HubSpotClient, kind: str, ids: Sequence[str], properties: Sequence[str], history: Sequence[str]
) -> Callable[[], list[Thing]]:
    return lambda: client.read_many(kind, ids, properties, history=history)


def _searches(client: HubSpotClient, kind: str, company: str, properties: Sequence[str]) -> Callable[[], list[Thing]]:
    """The newest records of a company; `associations.company` is HubSpot's name for the tie."""
    filters = [{"propertyName": "associations.company", "operator": "EQ", "value": company}]
    sort = {"propertyName": OF_COMPANY[kind], "direction": "DESCENDING"}
    return lambda: list(
        client.search(kind, filters, properties, sort=sort, limit=EARLIER, after="0").get("results") or ()
    )
