"""Lists, opt-outs and marketing e-mails of HubSpot. A pushed campaign is a draft: publishing it is a person's act."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.hubspot.account import AccountBook
from connectors.hubspot.client import HubSpotClient, next_cursor
from connectors.hubspot.mapping import properties_of, to_document
from connectors.transport import Refused
from crmplugin.errors import CrmRefused, NotFound
from crmplugin.ports import CampaignPush, SegmentPage

SEARCHED_BACK = timedelta(days=30)


def find_segment(
    client: HubSpotClient, book: AccountBook, list_id: str, cursor: str | None, *, subscription: str = ""
) -> SegmentPage:
    """One page of a list's contacts, with who may not be written to by mail, both read now.

    `subscription`: the type of mail that campaigns are; who unsubscribed from that type alone is left out too.
    """
    try:
        page = client.members(list_id, cursor)
    except Refused as error:
        if error.status == 404:
            raise NotFound(f"HubSpot has no list {list_id}: take the number from the list's address") from error
        raise
    account = book.read()
    ids = [str(member["recordId"]) for member in page.get("results") or ()]
    things = client.read_many("contacts", ids, properties_of("contacts", account))
    contacts = [to_document("contacts", thing, {}, account) for thing in things]
    addresses = {str(c["email"]).lower(): c["id"] for c in contacts if c.get("email")}
    refused = client.unsubscribed(sorted(addresses))
    refused |= client.unsubscribed_from(subscription, sorted(addresses)) if subscription else set()
    out = {c["id"] for c in contacts if _withdrawn(c) or c.get("status") == "bounced" or not c.get("email")}
    out |= {id_ for address, id_ in addresses.items() if address in refused}
    total = page.get("total")
    return SegmentPage(tuple(contacts), {"email": tuple(sorted(out))}, next_cursor(page), total)


def _withdrawn(contact: Mapping[str, object]) -> bool:
    consent = contact.get("consent")
    mail = consent.get("email") if isinstance(consent, Mapping) else None
    return isinstance(mail, Mapping) and mail.get("state") == "withdrawn"


def push_campaign(
    client: HubSpotClient, campaign: CampaignPush, *, marker: str, at: datetime, options: Mapping[str, str]
) -> str:
    """Makes a marketing e-mail draft for the campaign's recipients, once a marker, and gives back its id."""
    if campaign.channel != "email":
        raise CrmRefused(f"HubSpot takes drafts of mails, not of {campaign.channel}: export the campaign as files")
    name = f"{campaign.name} ({marker})"
    for mail in client.marketing_emails(at - SEARCHED_BACK):
        if str(mail.get("name", "")).endswith(f"({marker})"):
            return str(mail["id"])
    return client.create_marketing_email(_mail(campaign, name, options))


def _mail(campaign: CampaignPush, name: str, options: Mapping[str, str]) -> dict[str, object]:
    """The master text: HubSpot sends one text to all, with its own fields for what differs."""
    mail: dict[str, object] = {
        "name": name,
        "subject": campaign.subject,
        "language": campaign.language.lower(),
        "content": {"plainTextVersion": campaign.text, "widgets": _widgets(campaign)},
        "to": {
            "contactIds": {"include": [message.contact_id for message in campaign.messages], "exclude": []},
            "suppressGraymail": True,
        },
        "sendOnPublish": False,
    }
    if options.get("campaign_template"):
        mail["content"] = {**mail["content"], "templatePath": options["campaign_template"]}  # type: ignore[dict-item]
    if options.get("subscription_id"):
        mail["subscriptionDetails"] = {"subscriptionId": options["subscription_id"]}
    return mail


def _widgets(campaign: CampaignPush) -> dict[str, object]:
    """The text as the module that HubSpot's own templates call the body."""
    return {"hs_email_body": {"type": "module", "body": {"html": campaign.html or campaign.text}}}
