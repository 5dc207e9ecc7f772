"""Mailing lists and saved filters of Odoo as segments, and campaigns as mailings that wait for a person.

A segment's id says what it is: `list:5` (a mailing list), `mailing:3` (a saved mailing filter), `filter:12` (a saved
search of contacts or deals). Opt-outs of the list and the blacklist are read with every page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Database, Thing, id_of, to_document
from connectors.odoo.schema import Schema
from connectors.odoo.trees import PARTNER
from crmplugin.domain.records import Document
from crmplugin.errors import CrmRefused, NotFound
from crmplugin.ports import CampaignPush, SegmentPage

PAGE = 200
KINDS = ("list", "mailing", "filter")
LISTED = "mailing:"
"""Before the id of a person who is only on a mailing list."""
FILTERS = {"mailing": ("mailing.filter", "mailing_domain", "mailing_model_id"),
           "filter": ("ir.filters", "domain", "model_id")}  # fmt: skip
MODELS = {"res.partner": "base.model_res_partner", "mailing.contact": "mass_mailing.model_mailing_contact"}


class Marketing:
    """Segments and mailings of one connection."""

    def __init__(self, client: OdooClient, database: Database, *, companies: frozenset[int]) -> None:
        self._client, self._database, self._companies = client, database, companies

    def segment(self, segment_id: str, cursor: str | None, schema: Schema) -> SegmentPage:
        """One page of people, with who may not be written to. Raises NotFound for what is no segment of Odoo."""
        kind, _, number = segment_id.partition(":")
        after = int(cursor) if cursor and cursor.isdigit() else 0
        if kind not in KINDS or not number.isdigit():
            raise NotFound(f"{segment_id!r} is no segment of Odoo: expected list:5, mailing:3 or filter:12")
        if kind == "list":
            return self._list(int(number), after, schema)
        return self._filter(kind, int(number), after, schema)

    def _list(self, number: int, after: int, schema: Schema) -> SegmentPage:
        client = self._client
        if not client.search("mailing.list", [["id", "=", number]], ["name"], limit=1):
            raise NotFound(f"Odoo has no mailing list {number}: take the number from its address")
        domain = [["list_id", "=", number], ["id", ">", after]]
        rows = client.search("mailing.subscription", domain, ["contact_id", "opt_out"], limit=PAGE, order="id")
        total = client.call("mailing.subscription", "search_count", domain=[["list_id", "=", number]])
        ids = [int(id_) for id_ in (id_of(row["contact_id"]) for row in rows) if id_]
        fields = ["name", "email", "email_normalized", "is_blacklisted", "message_bounce", "company_name"]
        people = client.search("mailing.contact", [["id", "in", ids]], fields, order="id")
        out = {id_of(row["contact_id"]) for row in rows if row.get("opt_out") is True}
        known = self._partners(people, schema)
        contacts = [self._person(one, known) for one in people]
        refused = [
            contact["id"]
            for contact, one in zip(contacts, people, strict=True)
            if str(one["id"]) in out or not may_be_mailed(one) or _withdrawn(contact)
        ]
        following = str(rows[-1]["id"]) if len(rows) == PAGE else None
        return SegmentPage(_once(contacts), {"email": tuple(sorted(set(refused)))}, following, int(total))

    def _partners(self, people: Sequence[Thing], schema: Schema) -> dict[str, Document]:
        """Address -> the contact of that address, so that a list's people have their history."""
        addresses = [str(one["email_normalized"]) for one in people if one.get("email_normalized")]
        tree = schema.cut("res.partner", PARTNER)
        domain = [["email_normalized", "in", addresses], ["active", "=", True]]
        found = self._client.trees("res.partner", domain, tree, order="is_company desc, id desc") if addresses else []
        return {str(one["email_normalized"]): to_document("contact", one, self._database) for one in found}

    def _person(self, person: Thing, known: Mapping[str, Document]) -> Document:
        partner = known.get(str(person.get("email_normalized")))
        if partner is not None:
            return partner
        made = to_document(
            "contact", {**person, "commercial_partner_id": False}, self._database, id=f"{LISTED}{person['id']}"
        )
        return {key: value for key, value in made.items() if key != "company_id"}

    def _filter(self, kind: str, number: int, after: int, schema: Schema) -> SegmentPage:
        model_of, domain_of, about = FILTERS[kind]
        found = self._client.search(model_of, [["id", "=", number]], ["name", domain_of, about], limit=1)
        if not found:
            raise NotFound(f"Odoo has no {model_of} {number}, or the bot may not see it: share the filter")
        model = self._model(found[0][about])
        domain = _domain(str(found[0][domain_of] or "[]"), str(found[0]["name"]))
        ids, following = self._partner_ids(model, domain, after, str(found[0]["name"]))
        tree = schema.cut("res.partner", PARTNER)
        people = self._client.trees("res.partner", [["id", "in", ids]], tree, order="id") if ids else []
        contacts = [to_document("contact", one, self._database) for one in people]
        refused = [c["id"] for c, one in zip(contacts, people, strict=True) if not may_be_mailed(one)]
        return SegmentPage(tuple(contacts), {"email": tuple(sorted(refused))}, following)

    def _model(self, value: Any) -> str:
        """The model of a filter: a name in ir.filters, a record in mailing.filter."""
        if isinstance(value, str):
            return value
        found = self._client.search("ir.model", [["id", "=", int(id_of(value) or 0)]], ["model"], limit=1)
        return str(found[0]["model"]) if found else ""

    def _partner_ids(self, model: str, domain: Sequence[Any], after: int, name: str) -> tuple[list[int], str | None]:
        """The people of one page; of deals those who are their customers."""
        ours = [["company_id", "in", [False, *sorted(self._companies)]]] if self._companies else []
        paged = [["id", ">", after], *ours, *domain]
        if model == "res.partner":
            rows = self._client.search(model, paged, ["id"], limit=PAGE, order="id", context={"active_test": True})
            ids = [int(row["id"]) for row in rows]
        elif model in ("crm.lead", "sale.order"):
            rows = self._client.search(
                model, paged, ["partner_id"], limit=PAGE, order="id", context={"active_test": True}
            )
            ids = sorted({int(id_) for id_ in (id_of(row["partner_id"]) for row in rows) if id_})
        else:
            raise NotFound(f"the filter {name!r} is of {model}: segments are filters of contacts, deals or orders")
        return ids, str(rows[-1]["id"]) if len(rows) == PAGE else None

    def push(self, campaign: CampaignPush, marker: str) -> str:
        """Makes a mailing in state draft for the recipients, once a marker. Nothing is sent: that is a person's act."""
        if campaign.channel != "email":
            raise CrmRefused(f"Odoo takes drafts of mails, not of {campaign.channel}: export the campaign as files")
        groups: dict[str, list[int]] = {"res.partner": [], "mailing.contact": []}
        for message in campaign.messages:
            listed = message.contact_id.startswith(LISTED)
            number = message.contact_id.removeprefix(LISTED)
            if not number.isdigit():
                raise CrmRefused(f"recipient {message.contact_id} is a lead without a contact in Odoo: make one first")
            groups["mailing.contact" if listed else "res.partner"].append(int(number))
        made = [self._mailing(campaign, marker, model, ids) for model, ids in groups.items() if ids]
        if not made:
            raise CrmRefused(f"campaign {campaign.id} has no recipient: nothing was made in Odoo")
        return ",".join(made)

    def _mailing(self, campaign: CampaignPush, marker: str, model: str, ids: Iterable[int]) -> str:
        text = campaign.html or "".join(f"<p>{line}</p>" for line in campaign.text.split("\n") if line)
        row = {
            "id": f"__import__.{marker.replace(':', '_')}_{model.replace('.', '_')}",
            "name": f"{campaign.name} ({marker})",
            "subject": campaign.subject,
            "mailing_type": "mail",
            "mailing_model_id/id": MODELS[model],
            "mailing_domain": repr([("id", "in", sorted(ids))]),
            "body_arch": text,
            "body_html": text,
        }
        answer = self._client.call("mailing.mailing", "load", fields=list(row), data=[list(row.values())])
        if not answer.get("ids"):
            words = "; ".join(str(one.get("message")) for one in answer.get("messages") or ())
            raise CrmRefused(f"Odoo took no mailing for campaign {campaign.id}: {words[:300]}")
        return f"mailing.mailing:{answer['ids'][0]}"


def may_be_mailed(person: Thing) -> bool:
    """Not on the blacklist, not bounced, and with an address."""
    return not (person.get("is_blacklisted") is True or person.get("message_bounce")) and bool(person.get("email"))


def _withdrawn(contact: Mapping[str, Any]) -> bool:
    state = ((contact.get("consent") or {}).get("email") or {}).get("state")
    return state == "withdrawn" or contact.get("status") in ("bounced", "inactive")


def _once(contacts: Sequence[Document]) -> tuple[Document, ...]:
    return tuple({contact["id"]: contact for contact in contacts}.values())


def _domain(text: str, name: str) -> list[Any]:
    """A saved domain. Raises NotFound for one that needs Odoo to be computed (`uid`, dates)."""
    try:
        domain = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise NotFound(
            f"the filter {name!r} holds a formula that only Odoo computes: save it with fixed values"
        ) from error
    if not isinstance(domain, list):
        raise NotFound(f"the filter {name!r} is no list of conditions")
    return domain
