"""Out of the house: which messages may leave now, and the files that mail tools, CRMs and people read.

Gates and caps are asked again for each message at the moment it leaves. What left is counted, so that no sequence of
campaigns can exceed a cap; asking again for the files of messages that left adds nothing.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from crmplugin.analysis.cadence import promotional_touches
from crmplugin.analysis.stages import is_open
from crmplugin.brief.audience import campaign_gates
from crmplugin.brief.gates import cap_free_at
from crmplugin.brief.hygiene import clean
from crmplugin.brief.touches import address_hash
from crmplugin.domain.campaign import CAMPAIGNERS, Campaign
from crmplugin.domain.crm import Context, Subject
from crmplugin.errors import AccessDenied, NotFound, StateConflict, UsageError
from crmplugin.journeys.campaign_rows import rows_of
from crmplugin.journeys.campaigns import get_campaign, list_of
from crmplugin.journeys.crm_lists import CrmList
from crmplugin.journeys.desk import Desk
from crmplugin.journeys.telling import tell_export
from crmplugin.ports import CampaignMessage, CampaignPush
from crmplugin.store.access import Principal
from crmplugin.store.campaigns import Leaving, RecipientRow, Touch

BATCH = 100
ONE_LINE = SMTP.clone(max_line_length=998)
"""Headers are not folded: some readers of `List-Unsubscribe` take the fold for a part of the address."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""First characters that a spreadsheet may read as a formula, and the mark that takes that away."""
COLUMNS = ("campaign", "contact_id", "company_id", "channel", "language", "variant", "name", "to", "subject", "text",
           "html")  # fmt: skip


@dataclass(frozen=True, slots=True)
class File:
    """A finished file: its name, media type and bytes."""

    name: str
    type: str
    data: bytes


def export_campaign(desk: Desk, campaign_id: str, who: Principal, *, form: str = "csv") -> File:
    """Lets out what may leave now and gives the messages that left as a file. Raises UsageError for another form."""
    if form not in FORMS:
        raise UsageError(f"format: expected one of {', '.join(FORMS)}, got {form!r}")
    campaign = release(desk, campaign_id, who)
    messages = [message_of(desk, campaign, row) for row in rows_of(desk, campaign_id, "exported")]
    tell_export(
        desk.audit, "campaign", by=who.name, at=desk.clock(), connection=campaign.connection,
        campaign=campaign_id, form=form, messages=len(messages),
    )  # fmt: skip
    return FORMS[form](campaign, messages)


def release(desk: Desk, campaign_id: str, who: Principal) -> Campaign:
    """Asks gates and caps for each message that is drafted, and lets out those that may leave. May be done again."""
    if who.role not in CAMPAIGNERS:
        raise AccessDenied(f"a {who.role} may not export a campaign: ask one of {', '.join(sorted(CAMPAIGNERS))}")
    campaign = get_campaign(desk, campaign_id)
    if campaign.status not in ("running", "paused", "done"):
        raise StateConflict(f"campaign {campaign_id} is {campaign.status}: approve and run it first")
    batch: list[Leaving] = []
    listed = list_of(desk, campaign)
    for row in list(rows_of(desk, campaign_id, "drafted")):
        leaving = _leaving(desk, campaign, row, listed)
        batch += [leaving] if leaving else []
        if len(batch) >= BATCH:
            desk.campaigns.leave(batch, cap_reason)
            batch = []
    if batch:
        desk.campaigns.leave(batch, cap_reason)
    return campaign


def cap_reason(moments: tuple[datetime, ...], now: datetime) -> str | None:
    """`cap` when promotions at these moments, oldest first, leave no room now."""
    return "cap" if cap_free_at(tuple(t for t in moments if t <= now), now) else None


def _leaving(desk: Desk, campaign: Campaign, row: RecipientRow, listed: CrmList | None) -> Leaving | None:
    """The message with what is known of this person, or None when a gate holds it back now."""
    now = desk.clock()
    if listed and (reason := listed.reason(row.contact, row.channel)):
        desk.campaigns.block(row, reason, at=now)
        return None
    try:
        context = clean(desk.tools(campaign.connection).read_context(Subject("contact", row.contact)))
    except NotFound:
        desk.campaigns.block(row, "not_found", at=now)
        return None
    contact = next((c for c in context.contacts if c.id == row.contact), context.contact)
    gates = campaign_gates(context, contact, channel=row.channel, now=now) if contact else ()  # type: ignore[arg-type]
    if contact is None or gates:
        desk.campaigns.block(row, gates[0].code if gates else "not_found", at=now)
        return None
    touch = Touch(campaign.connection, address_hash(contact, row.channel), campaign.id, row.channel, row.contact, now)
    return Leaving(row, touch, _promoted(context, row.contact, now))


def _promoted(context: Context, contact_id: str, now: datetime) -> tuple[datetime, ...]:
    open_ids = frozenset(d.id for d in context.deals if is_open(d, now))
    return promotional_touches(context.activities, contact_id, open_deal_ids=open_ids, now=now)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that left, with what the files need. `unsubscribe`: the one-click address of this recipient."""

    row: RecipientRow
    subject: str
    text: str
    html: str
    address: str | None
    name: str | None
    sender: tuple[str, str] | None
    unsubscribe: str | None


def message_of(desk: Desk, campaign: Campaign, row: RecipientRow) -> Message:
    """The message of a recipient's row."""
    document: Mapping[str, Any] = row.document or {}
    to, sender = document.get("to") or {}, document.get("from") or {}
    seller = desk.records.seller(campaign.connection)
    mail = (sender.get("name") or seller.name or "", sender.get("email") or "")
    return Message(
        row=row,
        subject=document.get("subject") or "",
        text=document.get("body") or "",
        html=document.get("html") or "",
        address=to.get("address"),
        name=to.get("display_name"),
        sender=mail if mail[1] else None,
        unsubscribe=_unsubscribe(seller.unsubscribe_url, campaign.id, row.contact),
    )


def _unsubscribe(url: str | None, campaign_id: str, contact_id: str) -> str | None:
    """The seller's address with the recipient in it; only HTTPS works with one click (RFC 8058)."""
    if not url or urlsplit(url).scheme != "https":
        return None
    return url + ("&" if urlsplit(url).query else "?") + urlencode({"campaign": campaign_id, "contact": contact_id})


def to_csv(campaign: Campaign, messages: Sequence[Message]) -> File:
    """One row a recipient, UTF-8 with a byte order mark so that spreadsheets read it; no cell starts a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for m in messages:
        r = m.row
        cells = (campaign.id, r.contact, r.company, r.channel, r.language, r.variant, m.name, m.address, m.subject,
                 m.text, m.html)  # fmt: skip
        writer.writerow([safe_cell(cell) for cell in cells])
    return File(f"{campaign.id}.csv", "text/csv; charset=utf-8", out.getvalue().encode("utf-8-sig"))


def safe_cell(value: str | None) -> str:
    """The text with a quote mark before it where a spreadsheet would read a formula; `plain_cell` takes it away."""
    text = value or ""
    return f"'{text}" if text.startswith(FORMULA) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def to_json_file(campaign: Campaign, messages: Sequence[Message]) -> File:
    """All messages with what carries each sentence."""
    items = [_item(m) for m in messages]
    document = {"campaign": campaign.id, "name": campaign.name, "messages": items}
    return File(f"{campaign.id}.json", "application/json", json.dumps(document, ensure_ascii=False, indent=1).encode())


def _item(m: Message) -> dict[str, Any]:
    document = m.row.document or {}
    return {
        "contact_id": m.row.contact, "company_id": m.row.company, "channel": m.row.channel, "language": m.row.language,
        "variant": m.row.variant, "to": {"name": m.name, "address": m.address}, "subject": m.subject, "text": m.text,
        "html": m.html, "unsubscribe": m.unsubscribe, "sentences": document.get("sentences", []),
        "facts": document.get("facts", []),
    }  # fmt: skip


def to_eml(campaign: Campaign, messages: Sequence[Message]) -> File:
    """A zip of mails that any mail program opens; other channels are left out."""
    mails = ((f"{_safe_name(m.row.contact)}.eml", bytes(mail_of(campaign, m))) for m in messages if is_mail(m))
    return File(f"{campaign.id}-eml.zip", "application/zip", _zip(mails))


def to_html(campaign: Campaign, messages: Sequence[Message]) -> File:
    """A zip of pages, one a recipient."""
    pages = ((f"{_safe_name(m.row.contact)}.html", _page(m).encode()) for m in messages)
    return File(f"{campaign.id}-html.zip", "application/zip", _zip(pages))


def is_mail(message: Message) -> bool:
    return message.row.channel == "email" and bool(message.address)


def mail_of(campaign: Campaign, m: Message) -> EmailMessage:
    """The mail with its text and HTML parts and the headers of RFC 8058. Its Message-ID is the same on every export."""
    mail = EmailMessage(policy=ONE_LINE)
    mail["Subject"] = " ".join(m.subject.split())
    mail["To"] = _address(m.name, m.address or "")
    if m.sender:
        mail["From"] = _address(*m.sender)
    domain = m.sender[1].rpartition("@")[2] if m.sender else "localhost"
    mail["Message-ID"] = f"<{sha256(f'{campaign.id}/{m.row.contact}'.encode()).hexdigest()[:32]}@{domain}>"
    mail["Date"] = format_datetime(m.row.exported_at or m.row.updated_at)
    if m.unsubscribe:
        mail["List-Unsubscribe"] = f"<{m.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(m.text)
    mail.add_alternative(_page(m), subtype="html")
    return mail


def _address(name: str | None, address: str) -> Address:
    return Address(display_name=" ".join((name or "").split()), addr_spec=address)


def _page(m: Message) -> str:
    head = f'<meta charset="utf-8"><title>{escape(m.subject)}</title>'
    return f'<!doctype html><html lang="{escape(m.row.language)}"><head>{head}</head><body>\n{m.html}\n</body></html>\n'


def _safe_name(text: str) -> str:
    """A file name that stays in its folder: other letters than these become their code."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"~{ord(c):x}" for c in text)


def _zip(files: Iterable[tuple[str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def push_to_crm(desk: Desk, campaign_id: str, who: Principal) -> list[str]:
    """Puts what left into the CRM, one draft for each channel and language, each once. Gives back the CRM's ids.

    Raises CrmRefused where the CRM takes none.
    """
    campaign = release(desk, campaign_id, who)
    connector = desk.connector(campaign.connection)
    messages = [message_of(desk, campaign, row) for row in rows_of(desk, campaign_id, "exported")]
    groups = sorted({(m.row.channel, m.row.language, m.row.variant) for m in messages})
    made = []
    for group in groups:
        part = [m for m in messages if (m.row.channel, m.row.language, m.row.variant) == group]
        key = f"campaign:{campaign.id}:{':'.join(group)}"
        claim = desk.ledger.claim(campaign.connection, key, "push", at=desk.clock())
        result = claim.result
        if result is None:
            result = connector.push_campaign(_push(campaign, group, part), marker=key, at=desk.clock())
            desk.ledger.finish(campaign.connection, key, "push", result=result, at=desk.clock())
        made.append(result)
    return made


def _push(campaign: Campaign, group: tuple[str, str, str], messages: Sequence[Message]) -> CampaignPush:
    channel, language, variant = group
    first = messages[0]
    return CampaignPush(
        id=f"{campaign.id}-{channel}-{language}-{variant}",
        name=f"{campaign.name} ({language}, {variant})",
        channel=channel,
        language=language,
        subject=first.subject,
        text=first.text,
        html=first.html,
        messages=tuple(CampaignMessage(m.row.contact, m.address, m.subject, m.text, m.html) for m in messages),
    )


def trial_mails(desk: Desk, campaign_id: str, address: str, *, most: int = 3) -> list[EmailMessage]:
    """The first mails of a campaign, all to one address of the owner's: to look at, before anything leaves."""
    campaign = get_campaign(desk, campaign_id)
    rows = [row for row in rows_of(desk, campaign_id, None) if row.document and row.channel == "email"][:most]
    if not rows:
        raise StateConflict(f"campaign {campaign_id} has no mail yet: run it first")
    messages = [replace(message_of(desk, campaign, row), address=address, name=None) for row in rows]
    return [mail_of(campaign, m) for m in messages]


FORMS: Mapping[str, Callable[[Campaign, Sequence[Message]], File]] = {
    "csv": to_csv,
    "eml": to_eml,
    "html": to_html,
    "json": to_json_file,
}
"""Forms of export by name."""
