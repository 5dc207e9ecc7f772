"""Campaign members, list views and reports with opt-outs read now; a campaign goes in as planned, its texts as rows.

Nothing is sent: the campaign is `Planned` and not active, and sending is a person's act.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.salesforce.client import COLLECTION, SalesforceClient, codes_of, records_of
from connectors.salesforce.consent import left_subscriptions, merged, read_consents
from connectors.salesforce.mapping import PREFIXES, to_document
from connectors.salesforce.org import OrgBook
from connectors.salesforce.reading import PEOPLE
from connectors.salesforce.soql import ID, among, checked_id, equal, select
from connectors.salesforce.writing import ABOUT_FIELD, KEY_FIELD, KEY_OBJECT, RECORD_FIELD, Writer
from connectors.transport import Refused
from crmplugin.domain.records import Document
from crmplugin.errors import CrmRefused, NotFound, UsageError
from crmplugin.ports import CampaignMessage, CampaignPush, SegmentPage

Thing = Mapping[str, Any]
MEMBERS = 500
VIEW_PAGE = 200
MAX_TEXT = 32_000


def find_segment(
    client: SalesforceClient, book: OrgBook, segment_id: str, cursor: str | None, now: datetime
) -> SegmentPage:
    """One page of a campaign's members (701…), of a list view (00B…) or of a report (00O…). Raises NotFound for others.

    Where the integration user may not see `HasOptedOutOfEmail`, nobody's wish is known: then all are left out.
    """
    id_ = checked_id(segment_id, "segment")
    if id_.startswith("701"):
        return _members(client, book, id_, cursor, now)
    if id_.startswith("00B"):
        return _view(client, book, id_, cursor, now)
    if id_.startswith("00O"):
        return _page(client, book, _reported(client, id_), None, now)
    raise NotFound(f"{id_} is no segment: take the id of a campaign (701…), a list view (00B…) or a report (00O…)")


def _members(client: SalesforceClient, book: OrgBook, id_: str, cursor: str | None, now: datetime) -> SegmentPage:
    where = equal("CampaignId", id_) + (f" AND Id > '{checked_id(cursor, 'cursor')}'" if cursor else "")
    soql = select(("Id", "Status", "ContactId", "LeadId"), "CampaignMember", where, order="Id", limit=MEMBERS)
    book.read()
    members = client.rest_of(client.query(soql))
    if not members and not cursor and not records_of(client.query(select(["Id"], "Campaign", equal("Id", id_)))):
        raise NotFound(f"Salesforce has no campaign {id_}: take the id from the campaign's address")
    ids = [str(one.get("ContactId") or one.get("LeadId") or "") for one in members]
    following = str(members[-1]["Id"]) if len(members) == MEMBERS else None
    return _page(client, book, ids, following, now)


def _view(client: SalesforceClient, book: OrgBook, id_: str, cursor: str | None, now: datetime) -> SegmentPage:
    book.read()
    views = records_of(client.query(select(("Id", "SobjectType"), "ListView", equal("Id", id_))))
    kind = str(views[0].get("SobjectType")) if views else ""
    if kind not in PEOPLE:
        raise NotFound(f"Salesforce has no list view {id_} of contacts or leads: take the id from its address")
    if cursor and not cursor.isdigit():
        raise UsageError(f"cursor {cursor!r} is none of Salesforce's: start again without one")
    start = int(cursor or 0)
    path = f"{client.root}/sobjects/{kind}/listviews/{id_}/results"
    page = client.call("GET", path, params={"limit": VIEW_PAGE, "offset": start}) or {}
    ids = [column for row in records_of(page) if (column := _id_of(row))]
    more = page.get("done") is False or len(ids) == VIEW_PAGE
    return _page(client, book, ids, str(start + VIEW_PAGE) if more and ids else None, now)


def _reported(client: SalesforceClient, id_: str) -> list[str]:
    """Contacts and leads in the rows of a report, as they are run now; a report has no pages, but an end at 2,000 rows.

    Raises NotFound for a report that is not there, CrmRefused for one that is longer or names nobody.
    """
    try:
        report = client.call("GET", f"{client.root}/analytics/reports/{id_}", params={"includeDetails": "true"}) or {}
    except Refused as error:
        if error.status in (403, 404):
            raise NotFound(f"Salesforce has no report {id_} for our user: share its folder with it") from error
        raise
    if report.get("allData") is False:
        raise CrmRefused(f"Report {id_} has more rows than Salesforce gives out at once (2,000): filter it further.")
    groups = (report.get("factMap") or {}).values()
    cells = [cell for group in groups for row in group.get("rows") or () for cell in row.get("dataCells") or ()]
    ids = [str(cell.get("value") or "") for cell in cells]
    people = [one for one in dict.fromkeys(ids) if ID.fullmatch(one) and PREFIXES.get(one[:3]) in PEOPLE]
    if cells and not people:
        raise CrmRefused(f"Report {id_} names no contact or lead: add the column Contact Name, Contact ID or Lead ID.")
    return people


def _id_of(row: Thing) -> str | None:
    """The record's id among the columns of a list view's row."""
    columns = [one for one in row.get("columns") or () if isinstance(one, Mapping)]
    return next((str(c["value"]) for c in columns if c.get("fieldNameOrPath") == "Id" and c.get("value")), None)


def _page(
    client: SalesforceClient, book: OrgBook, ids: Sequence[str], cursor: str | None, now: datetime
) -> SegmentPage:
    """The people, read whole and now, and who of them may not be written to or called."""
    things = [(kind, thing) for kind in PEOPLE for thing in _people(client, book, kind, ids)]
    people = [thing for _, thing in things]
    consents = read_consents(client, book, people, now)
    contacts = [
        to_document(kind, thing, book.org, **merged(thing, consents.get(str(thing["Id"])))) for kind, thing in things
    ]
    mail = {
        one["id"]
        for one in contacts
        if _withdrawn(one, "email") or one.get("status") == "bounced" or not one.get("email")
    }
    mail |= {str(thing["Id"]) for kind, thing in things if not book.has(kind, "HasOptedOutOfEmail")}
    mail |= left_subscriptions(client, book, people)
    phone = {one["id"] for one in contacts if _withdrawn(one, "phone") or not one.get("phone")}
    return SegmentPage(tuple(contacts), {"email": tuple(sorted(mail)), "phone": tuple(sorted(phone))}, cursor)


def _people(client: SalesforceClient, book: OrgBook, kind: str, ids: Sequence[str]) -> Iterator[Thing]:
    """Contacts or leads by id; a lead that became a contact is not written to any more."""
    own = [checked_id(one) for one in dict.fromkeys(ids) if PREFIXES.get(one[:3]) == kind]
    for n in range(0, len(own), COLLECTION):
        soql = select(book.fields(kind), kind, among("Id", own[n : n + COLLECTION]))
        yield from (one for one in client.rest_of(client.query(soql)) if one.get("IsConverted") is not True)


def _withdrawn(contact: Document, channel: str) -> bool:
    consent = (contact.get("consent") or {}).get(channel) or {}
    return bool(consent.get("state") == "withdrawn")


def push_campaign(client: SalesforceClient, writer: Writer, campaign: CampaignPush, *, marker: str) -> str:
    """A planned campaign with the master text as its note, its members, and a row for each message; once a marker."""
    id_ = writer.find(marker) or _make(client, writer, campaign, marker)
    for n in range(0, len(campaign.messages), COLLECTION):
        messages = campaign.messages[n : n + COLLECTION]
        members = [_member(id_, message) for message in messages]
        _check(client.save_many("POST", "", members), "CampaignMember", known=True)
        rows = [_row(id_, message, marker) for message in messages]
        _check(client.save_many("PATCH", f"/{KEY_OBJECT}/{KEY_FIELD}", rows), KEY_OBJECT)
    return id_


def _make(client: SalesforceClient, writer: Writer, campaign: CampaignPush, marker: str) -> str:
    text = campaign.html or "".join(f"<p>{html.escape(line)}</p>" for line in campaign.text.split("\n") if line)
    note = {"Title": (campaign.subject or campaign.name)[:255], "Content": base64.b64encode(text.encode()).decode()}
    link = {"ContentDocumentId": "@{note.id}", "LinkedEntityId": "@{record.id}", "ShareType": "V"}
    body = {"Name": campaign.name[:80], "Status": "Planned", "IsActive": False,
            "Description": f"{campaign.channel}, {campaign.language}: {campaign.subject}"[:MAX_TEXT]}  # fmt: skip
    made = [
        client.object_part("record", "POST", "Campaign", body),
        client.object_part("note", "POST", "ContentNote", note),
        client.object_part("link", "POST", "ContentDocumentLink", link),
    ]
    return writer.make_once(made, marker, campaign.id, what=f"campaign {campaign.name}")


def _member(campaign_id: str, message: CampaignMessage) -> dict[str, Any]:
    kind = PREFIXES.get(message.contact_id[:3])
    if kind not in PEOPLE:
        raise CrmRefused(
            f"{message.contact_id} is neither contact nor lead of Salesforce: export the campaign as files"
        )
    return {"attributes": {"type": "CampaignMember"}, "CampaignId": campaign_id, f"{kind}Id": message.contact_id}


def _row(campaign_id: str, message: CampaignMessage, marker: str) -> dict[str, Any]:
    return {
        "attributes": {"type": KEY_OBJECT},
        KEY_FIELD: f"{marker}:{message.contact_id}",
        ABOUT_FIELD: message.contact_id,
        RECORD_FIELD: campaign_id,
        "Subject__c": message.subject[:255],
        "Body__c": message.text[:MAX_TEXT],
    }


def _check(results: Sequence[Thing], what: str, *, known: bool = False) -> None:
    """Raises CrmRefused for the first that was not taken; `known`: being there already is good."""
    for result in results:
        codes = set(codes_of(result.get("errors") or [])) if result.get("success") is False else set()
        if codes and not (known and codes <= {"DUPLICATE_VALUE"}):
            words = "; ".join(str(one.get("message")) for one in result.get("errors") or ())
            raise CrmRefused(f"Salesforce did not take a {what}: {words}")
