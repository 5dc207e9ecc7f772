"""Everything about one subject: what needs its id alone at once, then what needs its company, then earlier products.

Two rounds, or three with the products of earlier deals. There are no quotes, orders or tickets in Pipedrive: a won deal
with its products is a purchase.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.contexts import context_of, not_found, order_of
from connectors.documents import instant_text
from connectors.pipedrive.client import PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.mapping import VENDOR, reopening, stage_changes, to_document
from connectors.transport import Refused
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import Document
from crmplugin.errors import NotFound

Thing = Mapping[str, Any]
KINDS = {"deal": "deals", "company": "organizations", "contact": "persons"}
TIE = {"deals": "deal_id", "organizations": "org_id", "persons": "person_id"}
"""The parameter by which other records of a subject are asked for."""
KIND_OF = {"archived": "deals"}
"""What a list is of, where its name is another."""
EARLIER = 100
NEWEST = 30
BODIES = 5
PEOPLE = 100


@dataclass
class Found:
    """Pipedrive's records by kind, each once."""

    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    moves: list[Thing] = field(default_factory=list)
    """Changes of the deal's fields, where the deal is the subject."""

    def add(self, kind: str, things: Sequence[Thing]) -> None:
        kept = self.things.setdefault(kind, {})
        for thing in things:
            if thing.get("is_deleted") is not True and thing.get("id") is not None:
                kept[str(thing["id"])] = thing

    def of(self, kind: str) -> dict[str, Thing]:
        return self.things.get(kind, {})


class Reader:
    """Reads contexts of one connection. `base` is the address of the company's own pages."""

    def __init__(
        self,
        client: PipedriveClient,
        book: CompanyBook,
        *,
        connection: str,
        base: str,
        clock: Callable[[], datetime],
        earlier_lines: bool = True,
        mails: bool = True,
        stage_history: bool = True,
    ) -> None:
        self._client, self._book, self._connection, self._base = client, book, connection, base
        self._clock, self._earlier_lines, self._mails = clock, earlier_lines, mails
        self._stage_history = stage_history

    def read(self, subject: Subject) -> Context:
        """The context. Raises NotFound for what Pipedrive does not have, or only as deleted."""
        read_at = self._clock()
        found = Found()
        kind, id_ = place_of(subject)
        if kind in ("activities", "notes"):
            kind, id_ = self._parent(subject, kind, id_, found)
        root = self._first_round(subject, kind, id_, found)
        self._second_round(kind, root, found)
        if self._earlier_lines:
            self._third_round(id_ if kind == "deals" else None, found)
        documents = self._documents(found, kind, root)
        return context_of(
            self._connection,
            VENDOR,
            subject,
            documents,
            read_at=read_at,
            urls=self._urls(documents),
            changed_at=_changed_at(found),
        )

    def _first_round(self, subject: Subject, kind: str, id_: str, found: Found) -> Thing:
        """The record and all that is asked for by its id."""
        client, tie = self._client, {TIE[kind]: id_}
        parts: dict[str, Callable[[], Any]] = {
            "activities": lambda: client.all(
                "activities", at_most=NEWEST, sort_by="due_date", sort_direction="desc", **tie
            ),
            "notes": lambda: client.notes(**tie),
        }
        if kind != "persons":
            parts["persons"] = lambda: client.persons(at_most=PEOPLE, **tie)
        if kind == "deals":
            parts["lines"] = lambda: client.products_of(id_)
            if self._mails:
                parts["mails"] = lambda: client.mails_of(id_)
            if self._stage_history:
                parts["moves"] = lambda: client.changes_of(id_)
        else:
            parts |= _deals(client, **tie)
        about = self._book.calls()
        try:
            answers = client.transport.together(lambda: _read(client, kind, id_), *parts.values(), *about)
        except Refused as error:
            if error.status == 404:
                raise not_found(VENDOR, self._connection, subject) from error
            raise
        root: Thing = answers.pop(0)
        if root.get("is_deleted") is True or not root:
            raise not_found(VENDOR, self._connection, subject)
        self._book.take(answers[len(parts) :])
        for part, things in zip(parts, answers, strict=False):
            if part == "moves":
                found.moves = things
            else:
                found.add(KIND_OF.get(part, part), things)
        found.add(kind, [root])
        return root

    def _second_round(self, kind: str, root: Thing, found: Found) -> None:
        """The organisation, its deals, the products of the lines, and the newest mails with their bodies."""
        client, parts = self._client, dict[str, Callable[[], Any]]()
        organization = str(root["id"]) if kind == "organizations" else _id(root.get("org_id"))
        if organization is not None and kind != "organizations":
            parts["organizations"] = lambda: [client.read("organizations", organization)]
            parts |= _deals(client, org_id=organization)
        products = sorted({str(line["product_id"]) for line in found.of("lines").values() if line.get("product_id")})
        if products:
            parts["products"] = lambda: client.all("products", ids=",".join(products[:100]))
        mails = list(found.of("mails"))[:BODIES]
        answers = client.transport.together(
            *parts.values(),
            *[lambda id_=id_: [client.mail(id_)] for id_ in mails],
        )
        for part, things in zip([*parts, *["mails"] * len(mails)], answers, strict=True):
            found.add(KIND_OF.get(part, part), things)

    def _third_round(self, own_deal: str | None, found: Found) -> None:
        """The products of all earlier deals, in one call."""
        won = [id_ for id_, deal in found.of("deals").items() if deal.get("status") == "won" and id_ != own_deal]
        if won:
            found.add("lines", self._client.all("deals/products", deal_ids=won[:100]))

    def _parent(self, subject: Subject, kind: str, id_: str, found: Found) -> tuple[str, str]:
        """The deal, person or organisation that an activity or note belongs to."""
        try:
            thing = self._client.read(kind, id_) if kind == "activities" else self._client.note(id_)
        except Refused as error:
            if error.status == 404:
                raise not_found(VENDOR, self._connection, subject) from error
            raise
        found.add(kind, [thing])
        for parent, tie in TIE.items():
            if (own := _id(thing.get(tie))) is not None:
                return parent, own
        raise NotFound(f"pipedrive ({self._connection}): {subject.id} belongs to no deal, person or organisation")

    def _documents(self, found: Found, kind: str, root: Thing) -> dict[str, list[Document]]:
        company = self._book.company
        own = str(root["id"])
        organization = own if kind == "organizations" else _id(root.get("org_id"))
        people = list(found.of("persons"))
        documents: dict[str, list[Document]] = {"users": self._book.users}
        for part, collection in _PARTS.items():
            made = [to_document(part, one, company, **_ties(part, one, kind, own, organization, people))
                    for one in found.of(part).values()]  # fmt: skip
            documents.setdefault(collection, []).extend(made)
        documents["orders"] = orders_of(documents)
        if kind == "deals":
            documents["stage_changes"] = stage_changes(root, found.moves, company)
            if root.get("status") == "open" and (again := reopening(found.moves)):
                own_deal = next(one for one in documents["deals"] if one["id"] == own)
                own_deal.update(again)
        return documents

    def _urls(self, documents: Mapping[str, Sequence[Document]]) -> dict[str, str]:
        """Addresses in Pipedrive, when the company's own domain is known."""
        if not self._base:
            return {}
        pages = {"deals": "deal", "contacts": "person", "companies": "organization"}
        return {
            f"{name}/{document['id']}": f"{self._base}/{page}/{document['id']}"
            for name, page in pages.items()
            for document in documents.get(name, ())
        }


_PARTS = {
    "deals": "deals", "persons": "contacts", "organizations": "companies", "products": "products",
    "lines": "line_items", "activities": "activities", "notes": "activities", "mails": "activities",
}  # fmt: skip


def _deals(client: PipedriveClient, **tie: str) -> dict[str, Callable[[], Any]]:
    """The newest deals of a person or an organisation; those that were archived are a list of their own."""
    newest: dict[str, Any] = {"at_most": EARLIER, "sort_by": "update_time", "sort_direction": "desc", **tie}
    return {
        "deals": lambda: client.all("deals", **newest),
        "archived": lambda: client.all("deals/archived", **newest),
    }


def _read(client: PipedriveClient, kind: str, id_: str) -> Thing:
    return client.person(id_) if kind == "persons" else client.read(kind, id_)


def place_of(subject: Subject) -> tuple[str, str]:
    """Pipedrive's kind and id of a subject; an activity's id begins with its kind. Raises NotFound for another form."""
    if subject.type in KINDS:
        return KINDS[subject.type], subject.id
    kind, _, id_ = subject.id.partition(":")
    if subject.type != "activity" or kind not in ("activities", "notes") or not id_:
        raise NotFound(f"{subject.type} {subject.id!r} is none of Pipedrive's: it has deals, people and organisations")
    return kind, id_


def _ties(part: str, thing: Thing, kind: str, own: str, organization: str | None, people: list[str]) -> dict[str, Any]:
    """What the reading knows of a record beyond what the record says."""
    if part == "deals":
        return {"contact_ids": people or None} if kind == "deals" and str(thing["id"]) == own else {}
    if part == "mails":
        return {"deal_id": own if kind == "deals" else None, "company_id": organization}
    if part in ("activities", "notes"):
        return {"company_id": _id(thing.get("org_id")) or organization}
    return {"company_id": organization} if part == "persons" and thing.get("org_id") is None else {}


def orders_of(documents: Mapping[str, Sequence[Document]]) -> list[Document]:
    """Won deals with their products as purchases."""
    lines: dict[str, list[Document]] = {}
    for line in documents.get("line_items", ()):
        lines.setdefault(line.get("deal_id", ""), []).append(line)
    won = [deal for deal in documents.get("deals", ()) if deal.get("status") == "won"]
    return [order_of(deal, lines.get(deal["id"], []), vendor=VENDOR) for deal in won]


def _id(value: Any) -> str | None:
    """An id, plain or as the old API nests it."""
    bare = value.get("value") if isinstance(value, Mapping) else value
    return None if bare in (None, "", 0) else str(bare)


def _changed_at(found: Found) -> datetime | None:
    times = [instant_text(one.get("update_time")) for part in found.things.values() for one in part.values()]
    known = [time for time in times if time]
    return datetime.fromisoformat(max(known)) if known else None
