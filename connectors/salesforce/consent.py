"""Wishes that an org keeps beside the person: on the Individual, by kind of contact point, by address, by subscription.

Only orgs that switched on "Data Protection and Privacy" have them; there a read takes one request more, and only when
somebody among the people has an Individual. Whoever is said no to once counts as no. Source: Salesforce object
reference, "Individual", "ContactPointTypeConsent", "ContactPointConsent", "CommSubscriptionConsent", November 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.documents import instant_text, truth
from connectors.salesforce.client import COLLECTION, Part, SalesforceClient, records_of
from connectors.salesforce.mapping import consent_of
from connectors.salesforce.org import OrgBook
from connectors.salesforce.soql import ID, among, select
from crmplugin.domain.records import Document

Thing = Mapping[str, Any]
Consents = dict[str, dict[str, Document]]
"""Person -> channel -> consent."""
FIELD = "IndividualId"
SAYS_NO = ("HasOptedOutSolicit", "HasOptedOutProcessing", "ShouldForget")
CHANNELS = {"Email": ("email",), "Phone": ("phone", "sms"), "Social": ("social",), "MailingAddress": ("letter",)}
"""Kind of contact point -> our channels."""
STATES = {"OptIn": "granted", "OptOut": "withdrawn"}
TERM = ("PrivacyConsentStatus", "EffectiveFrom", "EffectiveTo")
OF_ADDRESS = ("ContactPointEmail", "ContactPointConsents", "ContactPointConsent")


def read_consents(client: SalesforceClient, book: OrgBook, people: Iterable[Thing], now: datetime) -> Consents:
    """What the org keeps about these people, for those who have an Individual; nothing where it keeps nothing."""
    persons: dict[str, list[Thing]] = defaultdict(list)
    for person in people:
        if ID.fullmatch(str(person.get(FIELD) or "")):
            persons[str(person[FIELD])].append(person)
    found: Consents = defaultdict(dict)
    ids = list(persons)
    for n in range(0, len(ids), COLLECTION):
        for individual, channel, consent in _read(client, book, ids[n : n + COLLECTION], persons, now):
            for person in persons[individual]:
                _keep(found[str(person["Id"])], channel, consent)
    return found


def merged(person: Thing, kept: Mapping[str, Document] | None) -> dict[str, Any]:
    """The tie `consent` of a person: what stands on the record and what the org keeps beside it."""
    consents = {channel: dict(consent) for channel, consent in consent_of(person).items()}
    for channel, consent in (kept or {}).items():
        _keep(consents, channel, consent)
    return {"consent": consents or None}


def left_subscriptions(client: SalesforceClient, book: OrgBook, people: Sequence[Thing]) -> set[str]:
    """People who left a subscription: no reason not to answer them, but they get no campaign."""
    if not book.is_there("CommSubscriptionConsent"):
        return set()
    by_giver = {str(one[name]): str(one["Id"]) for one in people for name in ("Id", FIELD) if one.get(name)}
    fields = ("ConsentGiverId", "PrivacyConsentStatus")
    left: set[str] = set()
    givers = [giver for giver in by_giver if ID.fullmatch(giver)]
    for n in range(0, len(givers), COLLECTION):
        soql = select(fields, "CommSubscriptionConsent", among("ConsentGiverId", givers[n : n + COLLECTION]))
        rows = client.rest_of(client.query(soql))
        gone = [str(row["ConsentGiverId"]) for row in rows if row.get("PrivacyConsentStatus") == "OptOut"]
        left |= {by_giver[giver] for giver in gone if giver in by_giver}
    return left


def _read(
    client: SalesforceClient, book: OrgBook, ids: Sequence[str], persons: Mapping[str, Sequence[Thing]], now: datetime
) -> Iterable[tuple[str, str, Document]]:
    """Individual, channel and consent, in one composite."""
    parts = _parts(client, book, ids)
    outcomes = client.composite(parts) if parts else {}
    rows = {name: client.rest_of(client.good(outcome)) for name, outcome in outcomes.items()}
    for row in rows.get("individuals", ()):
        for name in SAYS_NO:
            if truth(row.get(name)):
                said: Document = {"state": "withdrawn", "source": f"Individual.{name}"}
                yield from ((str(row["Id"]), channel, said) for channel in ("email", "phone", "sms"))
    for row in rows.get("kinds", ()):
        if (consent := _consent(row, "ContactPointTypeConsent", now)) is not None:
            for channel in CHANNELS.get(str(row.get("ContactPointType")), ()):
                yield str(row["PartyId"]), channel, consent
    for row in rows.get("addresses", ()):
        individual = str(row["ParentId"])
        # Consent of another address of the same person says nothing of the one that is written to.
        if str(row.get("EmailAddress")).lower() in {str(one.get("Email")).lower() for one in persons[individual]}:
            for entry in records_of(row.get(OF_ADDRESS[1])):
                if (consent := _consent(entry, "ContactPointConsent", now)) is not None:
                    yield individual, "email", consent


def _parts(client: SalesforceClient, book: OrgBook, ids: Sequence[str]) -> list[Part]:
    parts = []
    if book.is_there("Individual"):
        fields = ["Id", *(name for name in SAYS_NO if book.has("Individual", name))]
        parts.append(client.query_part("individuals", select(fields, "Individual", among("Id", ids))))
    if book.is_there("ContactPointTypeConsent"):
        fields = ["PartyId", "ContactPointType", *TERM]
        parts.append(client.query_part("kinds", select(fields, "ContactPointTypeConsent", among("PartyId", ids))))
    if book.has_children(*OF_ADDRESS):
        fields = ["Id", "ParentId", "EmailAddress", f"({select(TERM, OF_ADDRESS[1])})"]
        parts.append(client.query_part("addresses", select(fields, OF_ADDRESS[0], among("ParentId", ids))))
    return parts


def _consent(row: Thing, source: str, now: datetime) -> Document | None:
    """The consent of a row that is in force; None for one that says neither yes nor no, or not today."""
    state = STATES.get(str(row.get("PrivacyConsentStatus")))
    moment, begins, ends = now.isoformat(), instant_text(row.get("EffectiveFrom")), instant_text(row.get("EffectiveTo"))
    if state is None or (begins and _after(begins, moment)) or (ends and not _after(ends, moment)):
        return None
    return {"state": state, "source": source, **({"at": begins} if begins else {})}


def _after(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) > datetime.fromisoformat(other)


def _keep(consents: dict[str, Document], channel: str, consent: Document) -> None:
    """A no stays a no, whatever else is said."""
    if consents.get(channel, {}).get("state") != "withdrawn":
        consents[channel] = consent
