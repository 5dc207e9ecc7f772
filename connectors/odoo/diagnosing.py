"""Is this connection well? Real calls, and for each that fails what an admin can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.documents import instant_text
from connectors.frame import OPEN_STAGE_KINDS
from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import DEFAULT_STAGES, Database
from connectors.odoo.schema import Schema, SchemaBook
from connectors.transport import Refused
from crmplugin.errors import CrmError

Check = tuple[str, bool, str]
WARN_AHEAD = timedelta(days=14)
ALL_DOCUMENTS, ALL_DEALS = "Sales / User: All Documents", "sales_team.group_sale_salesman_all_leads"
NO_COMPANY: Mapping[str, Any] = {"allowed_company_ids": []}
"""With a company that the bot may not work for, Odoo refuses every question about users."""
RIGHTS: Sequence[tuple[str, str, str]] = (
    ("crm.lead", "write", ALL_DOCUMENTS), ("res.partner", "read", ALL_DOCUMENTS),
    ("mail.activity", "create", ALL_DOCUMENTS), ("sale.order", "read", ALL_DOCUMENTS),
    ("mailing.list", "read", "Email Marketing / User"), ("mailing.mailing", "create", "Email Marketing / User"),
)  # fmt: skip
"""Model, what is done with it, the group that allows it."""
OPTIONAL = {"sale.order": "sales", "mailing.list": "marketing", "mailing.mailing": "marketing"}


def diagnose(
    client: OdooClient, book: SchemaBook, database: Database, *,
    companies: Collection[int], ends: datetime | None, now: datetime,
) -> list[Check]:  # fmt: skip
    """Checks as (name, good, what to do). When the key is refused the rest would only repeat it."""
    book.forget()
    try:
        schema = book.read()
    except Refused as error:
        return [("API key", False, _mend(error))]
    except CrmError as error:
        return [("API key", False, f"{error}. Check base_url, the network and that Odoo runs; then try again.")]
    checks = [("API key", True, ""), _expiry(client, ends, now), _privileges(client)]
    checks += client.transport.together(*[lambda r=right: _right(client, *r) for right in RIGHTS])
    checks += [_all_deals(client, schema.uid), *_companies(client, schema.uid, companies)]
    return [*checks, *_fields(schema, database), _stages(client, database)]


def _mend(error: Refused) -> str:
    if error.status == 401:
        return "Odoo refuses the key: it ended or was deleted. Make a new one as the bot user and put it into api_key."
    if error.status == 404:
        return f'{error}. Is database right, and is this Odoo 19 or later? For 17 and 18 set protocol = "xmlrpc".'
    if error.status == 403:
        return f"{error}. Give the bot user the group Sales / User: All Documents."
    return f"{error}."


def key_end(client: OdooClient, now: datetime) -> datetime | None:
    """When the last of the bot's keys ends; None when one of them never does, or Odoo does not say (before 18)."""
    try:
        rows = client.search("res.users.apikeys", [], ["expiration_date"])
    except Refused:
        return None
    ends = [instant_text(row.get("expiration_date") or None) for row in rows]
    if not ends or None in ends:
        return None
    return max(datetime.fromisoformat(str(end)).astimezone(UTC) for end in ends)


def _expiry(client: OdooClient, named: datetime | None, now: datetime) -> Check:
    ends = named or key_end(client, now)
    if ends is None or ends - now > WARN_AHEAD:
        return ("key's end", True, "")
    days = max(0, (ends - now).days)
    mend = (
        "make another as the bot user, put it into api_key and this one into old_api_key, restart, then delete this one"
    )
    return ("key's end", False, f"The API key ends on {ends.date()} (in {days} days): {mend} in Odoo.")


def _privileges(client: OdooClient) -> Check:
    """A bot that administers the database could do more than it needs."""
    try:
        powerful = client.may("ir.module.module", "write")
    except CrmError as error:
        return ("low privilege", False, f"{error}.")
    mend = "The key is an administrator's: make a bot user with Sales / User: All Documents and Email Marketing / User."
    return ("low privilege", not powerful, mend if powerful else "")


def _right(client: OdooClient, model: str, operation: str, group: str) -> Check:
    name = f"{operation} {model}"
    try:
        allowed = client.may(model, operation)
    except CrmError as error:
        return (name, False, f"{error}.")
    needs = f", or leave it so if you need no {OPTIONAL[model]}" if model in OPTIONAL else ""
    return (
        name,
        allowed,
        "" if allowed else f"The bot user lacks the group {group}, or the app is not installed{needs}.",
    )


def _all_deals(client: OdooClient, uid: int) -> Check:
    """Whether the bot sees the deals of everybody; a database that does not say is taken at its word."""
    sees = next((said for said in _answers(client, uid) if said is not None), True)
    mend = f"The bot sees only its own deals: give it the group {ALL_DOCUMENTS}."
    return ("all deals", sees, "" if sees else mend)


def _answers(client: OdooClient, uid: int) -> Iterator[bool | None]:
    """What Odoo says of the group: 18 and later ask a user, 17 whoever calls."""
    for ids in ([uid], None):
        try:
            yield client.call("res.users", "has_group", ids, group_ext_id=ALL_DEALS, context=NO_COMPANY) is True
        except CrmError:
            yield None


def _companies(client: OdooClient, uid: int, companies: Collection[int]) -> list[Check]:
    """Whether the bot may work for the companies that the settings name."""
    if not companies:
        return []
    try:
        rows = client.search("res.users", [["id", "=", uid]], ["company_ids"], context=NO_COMPANY)
    except CrmError as error:
        return [("companies", False, f"{error}.")]
    missing = sorted(set(companies).difference(rows[0]["company_ids"] if rows else ()))
    named = ", ".join(map(str, missing))
    mend = f"The bot may not work for company {named}: allow it on its user, or correct company_ids."
    return [("companies", not missing, mend if missing else "")]


def _fields(schema: Schema, database: Database) -> list[Check]:
    """Whether the fields that the settings name exist."""
    models = {"deals": "crm.lead", "contacts": "res.partner", "companies": "res.partner", "products": "product.product",
              "orders": "sale.order", "quotes": "sale.order"}  # fmt: skip
    return [
        (f"field {name}", name in schema.models.get(model, {}), f"Odoo has no {name} on {model}: correct it in fields.")
        for collection, model in models.items()
        for name in database.fields.get(collection, {}).values()
    ]


def _stages(client: OdooClient, database: Database) -> Check:
    """Whether every open stage says what it means."""
    try:
        stages = client.search("crm.stage", [["is_won", "=", False]], ["name"], order="sequence, id")
    except CrmError as error:
        return ("stages", False, f"{error}.")
    known: Mapping[str, Any] = {**DEFAULT_STAGES, **database.stages}
    unknown = [
        f"{one['id']} ({one['name']})" for one in stages if str(one["id"]) not in known and one["name"] not in known
    ]
    mend = f"Say in stages what these mean ({', '.join(OPEN_STAGE_KINDS)}): {', '.join(unknown)}."
    return ("stages", not unknown, mend if unknown else "")
