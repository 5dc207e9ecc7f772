"""Outbound messages as XML: parsed without entities or DTDs, and acknowledged as Salesforce wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
MOST = 100
"""Notifications in one message."""
ACK = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
).encode()


class SoapError(ValueError):
    """The body is no outbound message; the message says why."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One record of a message: its delivery id, object (`Opportunity`) and fields, all of them texts."""

    id: str
    kind: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    organization_id: str
    action_id: str
    notifications: tuple[Notification, ...]


def read_message(body: bytes) -> Message:
    """The message. Raises SoapError for anything else."""
    root = _notifications(body)
    entries = root.findall(f"{{{OUTBOUND}}}Notification")
    if len(entries) > MOST:
        raise SoapError(f"it has {len(entries)} notifications, more than Salesforce sends ({MOST})")
    return Message(_text(root, "OrganizationId"), _text(root, "ActionId"), tuple(_notification(e) for e in entries))


def organization_of(body: bytes) -> str:
    """The org that a message names; empty when it names none. Raises SoapError for what is no message."""
    return _text(_notifications(body), "OrganizationId")


def _notifications(body: bytes) -> Element:
    try:
        envelope: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise SoapError("it has a DTD or an entity, which no outbound message has") from error
    except (ParseError, ValueError, LookupError) as error:
        raise SoapError(f"it is no XML ({error})") from error
    found = envelope.find(f"{{{ENVELOPE}}}Body/{{{OUTBOUND}}}notifications")
    if found is None:
        raise SoapError("it has no notifications element of an outbound message")
    return found


def _notification(entry: Element) -> Notification:
    record = entry.find(f"{{{OUTBOUND}}}sObject")
    if record is None:
        return Notification(_text(entry, "Id"), "", {})
    kind = record.get(f"{{{XSI}}}type", "").rpartition(":")[2]
    return Notification(_text(entry, "Id"), kind, {_name(field): field.text for field in record if field.text})


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(f"{{{OUTBOUND}}}{name}") or "").strip()
