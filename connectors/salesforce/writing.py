"""Putting an approved draft into Salesforce, once: a note, a task, a draft mail or a field, with a row that says so.

The row (`AI_Draft__c`, of our package) has a unique key. It is made in the same all-or-nothing request as the record,
so Salesforce itself refuses the second one, and the first is found by its key.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.contexts import not_found
from connectors.documents import instant_text
from connectors.salesforce.client import Outcome, Part, SalesforceClient, codes_of, records_of
from connectors.salesforce.mapping import PREFIXES
from connectors.salesforce.reading import PEOPLE, place_of
from connectors.salesforce.soql import equal, select, soql_time
from connectors.transport import Refused
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, SettingsError

TARGETS = ("note", "task", "draft_email")
"""What a draft may become; also `field:<name>`."""
DEFAULT_TARGETS: Mapping[str, str] = {"email": "task", "phone": "task"}
KEY_OBJECT, KEY_FIELD, RECORD_FIELD, ABOUT_FIELD = "AI_Draft__c", "Key__c", "Record_Id__c", "About_Id__c"
MAX_NOTE, MAX_TASK, MAX_SUBJECT = 50_000, 32_000, 255
GONE = frozenset({"NOT_FOUND", "ENTITY_IS_DELETED"})
WATCHED: Mapping[str, str] = {"StageName": "stage", "Amount": "amount", "CloseDate": "close date"}


class Writer:
    """Writes drafts of one connection. `targets`: channel or kind of draft -> what it becomes."""

    def __init__(
        self, client: SalesforceClient, *, connection: str, targets: Mapping[str, str], our_user: str = ""
    ) -> None:
        self._client, self._connection, self._our_user = client, connection, our_user
        self._targets = {**DEFAULT_TARGETS, **targets}
        for name, target in targets.items():
            if target not in TARGETS and not target.startswith("field:"):
                known = ", ".join((*TARGETS, "field:<name>"))
                raise SettingsError(
                    f"connections.{connection}.write_back.{name} is {target!r}: Salesforce holds {known}"
                )

    def find(self, marker: str) -> str | None:
        """The id of what an earlier write with this marker made; None when Salesforce has no row with that key."""
        try:
            row = self._client.read(f"{KEY_OBJECT}/{KEY_FIELD}/{quote(marker, safe='')}")
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return str(row.get(RECORD_FIELD) or row.get("Id"))

    def write(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes the draft and gives back the new record's id (of a field: the deal's, with the field).

        Raises CrmRefused when the record is gone, has changed since the draft, or Salesforce refuses a value.
        """
        kind, id_ = place_of(draft.subject_of)
        thing = self._subject(draft, kind, id_)
        made = self._made(draft, kind, thing, at)
        return self.make_once(made, marker, id_, what=f"draft {draft.id}")

    def make_once(self, made: list[Part], marker: str, about: str, *, what: str) -> str:
        """Makes the record and the row that keeps its key, both or none; the id of the earlier one if there is one.

        Sent again it is refused by the key, so an answer that was lost does no harm.
        """
        outcomes = self._client.composite(_keyed(made, marker, about, self._client), all_or_none=True)
        if "DUPLICATE_VALUE" in outcomes.get("key", Outcome("key", 0)).codes and (earlier := self.find(marker)):
            return earlier
        for outcome in sorted(outcomes.values(), key=lambda one: "PROCESSING_HALTED" in one.codes):
            self._check_taken(what, outcome)
        made_of = outcomes["record"].body if "record" in outcomes else {"id": about}
        return str(made_of["id"])

    def _subject(self, draft: Draft, kind: str, id_: str) -> Mapping[str, Any]:
        """The record as it is now, and whether it changed since. Raises CrmRefused when it is gone or did."""
        named = {"Opportunity": "OwnerId,AccountId,ContactId", "Task": "OwnerId,WhatId,WhoId",
                  "Event": "OwnerId,WhatId,WhoId", "EmailMessage": "RelatedToId"}.get(kind, "OwnerId")  # fmt: skip
        field = self._target(draft).partition("field:")[2]
        named += f",{field},LastModifiedDate,LastModifiedById" if field else ""
        parts = [self._client.object_part("subject", "GET", f"{kind}/{id_}?fields={named}")]
        if kind == "Opportunity" and draft.audience == "customer":
            fields = (*WATCHED, "CreatedDate", "CreatedById")
            where = equal("OpportunityId", id_)
            soql = select(fields, "OpportunityHistory", where, order="CreatedDate DESC", limit=50)
            parts.append(self._client.query_part("changes", soql))
        outcomes = self._client.composite(parts)
        if GONE & set(outcomes["subject"].codes):
            raise CrmRefused(f"Reject draft {draft.id}: {not_found('salesforce', self._connection, draft.subject_of)}.")
        thing: Mapping[str, Any] = self._client.good(outcomes["subject"])
        if field and thing.get(field):
            self._refuse_overwriting(draft, field, thing)
        if "changes" in outcomes:
            self._refuse_changed(draft, records_of(self._client.good(outcomes["changes"])))
        return thing

    def _refuse_overwriting(self, draft: Draft, field: str, thing: Mapping[str, Any]) -> None:
        """Raises CrmRefused when somebody saved the record after the draft, and there is a text in the field."""
        saved = instant_text(thing.get("LastModifiedDate")) or ""
        if saved <= (instant_text(soql_time(draft.created_at)) or "") or self._is_ours(thing.get("LastModifiedById")):
            return
        raise CrmRefused(
            f"Ask for a new draft: {draft.subject_of.type} {draft.subject_of.id} was saved in Salesforce at {saved}, "
            f"after this draft was made, and {field} holds a text that would be lost."
        )

    def _is_ours(self, user_id: Any) -> bool:
        return bool(self._our_user) and str(user_id)[:15] == self._our_user[:15]

    def _refuse_changed(self, draft: Draft, history: list[Mapping[str, Any]]) -> None:
        """Raises CrmRefused when stage, amount or close date were changed by others after the draft was made."""
        since = soql_time(draft.created_at)
        late = [row for row in history if (instant_text(row.get("CreatedDate")) or "") > (instant_text(since) or "")]
        before = next((row for row in history if row not in late), {})
        for row in reversed(late):
            ours = self._is_ours(row.get("CreatedById"))
            changed = [word for name, word in WATCHED.items() if before and row.get(name) != before.get(name)]
            before = row
            if ours or not (changed or len(late) == len(history)):
                continue
            raise CrmRefused(
                f"Ask for a new draft: the {' and '.join(changed) or 'stage'} of {draft.subject_of.type} "
                f"{draft.subject_of.id} was changed in Salesforce at {instant_text(row.get('CreatedDate'))}, after "
                "this draft was made."
            )

    def _made(self, draft: Draft, kind: str, thing: Mapping[str, Any], at: datetime) -> list[Part]:
        """The requests that make the record, in their order; the first one's id is the record's."""
        target = self._target(draft)
        about = _about(kind, thing)
        if target.startswith("field:"):
            path = f"{kind}/{thing['Id']}"
            return [self._client.object_part("field", "PATCH", path, {target.partition(":")[2]: draft.body or ""})]
        body = _BODIES[target](draft, about, thing, at)
        object_ = {"note": "ContentNote", "task": "Task", "draft_email": "EmailMessage"}[target]
        parts = [self._client.object_part("record", "POST", object_, body)]
        if target == "note":
            link = {"ContentDocumentId": "@{record.id}", "LinkedEntityId": about, "ShareType": "V"}
            parts.append(self._client.object_part("link", "POST", "ContentDocumentLink", link))
        return parts

    def _check_taken(self, what: str, outcome: Outcome) -> None:
        if outcome.status < 400:
            return
        codes = codes_of(outcome.body)
        if outcome.name in ("key", "done") and {"NOT_FOUND", "INVALID_TYPE", "INVALID_FIELD"} & set(codes):
            raise CrmRefused(
                f"Salesforce has no {KEY_OBJECT}, without which a draft could be written twice: deploy "
                "connectors/salesforce/ui and give its permission set to the integration user."
            )
        try:
            self._client.good(outcome)
        except Refused as error:
            raise CrmRefused(f"Salesforce did not take {what}: {error}") from error

    def _target(self, draft: Draft) -> str:
        """By the draft's kind, else by `internal` or its channel; a note when nothing is said."""
        where = "internal" if draft.audience == "internal" else draft.channel or "note"
        return self._targets.get(draft.kind) or self._targets.get(where, "note")


def _keyed(made: list[Part], marker: str, about: str, client: SalesforceClient) -> list[Part]:
    """The row with the key first, so that the second time fails before anything else; its record last."""
    row = {KEY_FIELD: marker, ABOUT_FIELD: about}
    if made[0].name != "record":  # A field of the record itself is set: that is what the row names.
        return [client.object_part("key", "POST", KEY_OBJECT, row | {RECORD_FIELD: about}), *made]
    key = client.object_part("key", "POST", KEY_OBJECT, row)
    done = client.object_part("done", "PATCH", f"{KEY_OBJECT}/@{{key.id}}", {RECORD_FIELD: "@{record.id}"})
    return [key, *made, done]


def _about(kind: str, thing: Mapping[str, Any]) -> str:
    """Where the text belongs: the record itself, or what an activity is about."""
    for name in ("WhatId", "RelatedToId", "WhoId") if kind in ("Task", "Event", "EmailMessage") else ():
        if thing.get(name):
            return str(thing[name])
    return str(thing["Id"])


def _html(draft: Draft) -> str:
    text = draft.html or "".join(f"<p>{html.escape(line)}</p>" for line in (draft.body or "").split("\n") if line)
    return f"<p><b>{html.escape(draft.subject)}</b></p>{text}" if draft.subject else text


def _note(draft: Draft, about: str, thing: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    content = _html(draft)
    _check_length(draft, content, MAX_NOTE)
    title = (draft.subject or f"Draft: {draft.kind.replace('_', ' ')}")[:MAX_SUBJECT]
    return {"Title": title, "Content": base64.b64encode(content.encode()).decode()}


def _task(draft: Draft, about: str, thing: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    text = draft.body or ""
    _check_length(draft, text, MAX_TASK)
    person = draft.to.contact_id if draft.to else None
    of = PREFIXES.get(about[:3])
    task: dict[str, Any] = {
        "Subject": (draft.subject or f"Draft: {draft.kind.replace('_', ' ')}")[:MAX_SUBJECT],
        "Description": text,
        "Status": "Not Started",
        "Priority": "Normal",
        "ActivityDate": at.date().isoformat(),
        "TaskSubtype": "Call" if draft.channel == "phone" else "Task",
    }
    if of in PEOPLE:
        task["WhoId"] = about
    else:
        task["WhatId"] = about
    if person and PREFIXES.get(person[:3]) in PEOPLE and of != "Lead":
        task["WhoId"] = person
    if str(thing.get("OwnerId") or "").startswith("005"):
        task["OwnerId"] = thing["OwnerId"]
    return task


def _draft_email(draft: Draft, about: str, thing: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    address = draft.to.address if draft.to else None
    if not address:
        raise CrmRefused(f"Draft {draft.id} has no address: a mail without a recipient cannot be kept as a draft.")
    text = draft.html or "".join(f"<p>{html.escape(line)}</p>" for line in (draft.body or "").split("\n") if line)
    related = {"ParentId": about} if PREFIXES.get(about[:3]) == "Case" else {"RelatedToId": about}
    subject = (draft.subject or "")[:MAX_SUBJECT]
    return {"Subject": subject, "HtmlBody": text, "ToAddress": address, "Status": "5", **related}


def _check_length(draft: Draft, text: str, most: int) -> None:
    if len(text) > most:
        raise CrmRefused(f"Shorten draft {draft.id}: Salesforce holds at most {most} characters there.")


_BODIES: Mapping[str, Any] = {"note": _note, "task": _task, "draft_email": _draft_email}
