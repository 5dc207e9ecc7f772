"""Putting an approved draft into HubSpot: a note, a task, a logged mail or a property, tied to what it is about.

HubSpot has no key against doing it twice. With `key_property` (a unique property of ours) it is sent as an upsert;
without, the last line of the text is a reference by which it is found again. HubSpot takes no drafts of one-to-one
mails: a mail becomes a task of type EMAIL that the rep sends from, unless the settings say otherwise.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.contexts import not_found
from connectors.documents import instant_text, truth
from connectors.frame import addressee, opted_out
from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.mapping import links_of
from connectors.hubspot.reading import KINDS, place_of
from connectors.reference import reference_in, referenced_html
from connectors.transport import Refused
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, SettingsError

TARGETS = ("note", "task", "logged_email")
"""What a draft may become; also `property:<name>`."""
DEFAULT_TARGETS: Mapping[str, str] = {"email": "task", "phone": "task"}
TASK_TYPES = {"email": "EMAIL", "phone": "CALL"}
KIND_OF_TARGET = {"note": "notes", "task": "tasks", "logged_email": "emails"}
BODY_OF_KIND = {"notes": "hs_note_body", "tasks": "hs_task_body", "emails": "hs_email_html"}
TIE_TYPES: Mapping[tuple[str, str], int] = {
    ("notes", "contacts"): 202, ("notes", "companies"): 190, ("notes", "deals"): 214, ("notes", "tickets"): 228,
    ("tasks", "contacts"): 204, ("tasks", "companies"): 192, ("tasks", "deals"): 216,
    ("emails", "contacts"): 198, ("emails", "companies"): 186, ("emails", "deals"): 210,
}  # fmt: skip
"""HubSpot's numbers for a tie made with the record; other ties are made after it."""
TIED = ("companies", "contacts", "deals", "tickets")
WATCHED: Mapping[str, Mapping[str, str]] = {
    "deals": {"dealstage": "stage", "amount": "amount", "closedate": "close date"},
}
"""Properties whose change since the draft makes its text old, in our words."""
MAX_BODY = 65_536
SEARCHED = 100
"""Newest records among which our reference is looked for."""

Ties = Mapping[str, list[str]]


class Writer:
    """Writes drafts of one connection. `targets`: channel or kind of draft -> what it becomes."""

    def __init__(
        self,
        client: HubSpotClient,
        *,
        connection: str,
        targets: Mapping[str, str],
        key_property: str | None,
        opt_outs: Sequence[str],
    ) -> None:
        self._client, self._connection, self._key_property = client, connection, key_property
        self._opt_outs = opt_outs
        self._targets = {**DEFAULT_TARGETS, **targets}
        for name, target in targets.items():
            if target not in TARGETS and not target.startswith("property:"):
                known = ", ".join((*TARGETS, "property:<name>"))
                raise SettingsError(
                    f"connections.{connection}.write_back.{name} is {target!r}: HubSpot holds {known}; "
                    "it takes no drafts of one-to-one mails"
                )

    def find(self, marker: str, draft: Draft | None) -> str | None:
        """The record that an earlier write with this marker made, if it is there."""
        target = self._target(draft) if draft else "note"
        if target.startswith("property:"):
            return None  # Setting a property twice is setting it once.
        kind = KIND_OF_TARGET[target]
        if self._key_property:
            return self._find_by_key(kind, marker)
        if draft is None:
            return None
        root, id_ = place_of(draft.subject_of)
        ids = self._client.associated(root, kind, [id_])[id_]
        newest = sorted(ids, key=lambda one: (len(one), one), reverse=True)[:SEARCHED]
        body = BODY_OF_KIND[kind]
        for thing in self._client.read_many(kind, newest, [body]):
            if reference_in((thing.get("properties") or {}).get(body)) == marker:
                return f"{kind}:{thing['id']}"
        return None

    def write(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes the draft and gives back the new record's id, `notes:123`.

        Raises CrmRefused when the record is gone, has changed since the draft, the person it is for wants no mail any
        more, or HubSpot refuses a value.
        """
        kind, id_ = place_of(draft.subject_of)
        calls: list[Callable[[], Any]] = [
            lambda: self._subject(draft, kind, id_),
            lambda: self._refuse_opted_out(draft),
        ]
        values, ties = self._client.transport.together(*calls)[0]
        target = self._target(draft)
        if target.startswith("property:"):
            return self._set_property(kind, id_, target.partition(":")[2], draft)
        to_kind = KIND_OF_TARGET[target]
        properties = _PROPERTIES[target](draft, marker, at)
        if len(properties[BODY_OF_KIND[to_kind]]) > MAX_BODY:
            raise CrmRefused(f"Shorten draft {draft.id}: HubSpot holds at most {MAX_BODY} characters in a {target}.")
        if values.get("hubspot_owner_id"):
            properties["hubspot_owner_id"] = str(values["hubspot_owner_id"])
        return f"{to_kind}:{self._make(to_kind, properties, ties, marker)}"

    def _make(self, kind: str, properties: Mapping[str, str], ties: Ties, marker: str) -> str:
        if self._key_property:
            id_ = self._client.upsert(kind, self._key_property, marker, properties)
            later = [(to, other) for to, ids in ties.items() for other in ids]
        else:
            known = [(to, other) for to, ids in ties.items() for other in ids if (kind, to) in TIE_TYPES]
            id_ = self._client.create(kind, properties, [_tie(kind, to, other) for to, other in known])
            later = [(to, other) for to, ids in ties.items() for other in ids if (kind, to) not in TIE_TYPES]
        for to, other in later:
            self._client.associate(kind, id_, to, other)
        return id_

    def _set_property(self, kind: str, id_: str, name: str, draft: Draft) -> str:
        self._client.update(kind, id_, {name: draft.body or ""})
        return f"{kind}:{id_}.{name}"

    def _subject(self, draft: Draft, kind: str, id_: str) -> tuple[Mapping[str, Any], Ties]:
        """The record's properties as they are now, and what the new one is to be tied to. Raises when it changed."""
        watched = WATCHED.get(kind, {})
        try:
            thing = self._client.read(
                kind,
                id_,
                ["hubspot_owner_id", *watched],
                associations=[to for to in TIED if to != kind],
                history=list(watched),
            )
        except Refused as error:
            if error.status == 404:
                gone = not_found("hubspot", self._connection, draft.subject_of)
                raise CrmRefused(f"Reject draft {draft.id}: {gone}.") from error
            raise
        if draft.audience == "customer":
            _refuse_changed(draft, thing, watched)
        return thing.get("properties") or {}, _ties(draft, kind, thing)

    def _refuse_opted_out(self, draft: Draft) -> None:
        """Raises CrmRefused when the person it is for has said meanwhile that they want no mail."""
        person = addressee(draft)
        if person is None:
            return
        try:
            values = self._client.read("contacts", person, self._opt_outs).get("properties") or {}
        except Refused as error:
            if error.status == 404:
                raise CrmRefused(f"Reject draft {draft.id}: HubSpot has no contact {person} any more.") from error
            raise
        if any(truth(values.get(name)) for name in self._opt_outs):
            raise opted_out(draft, "HubSpot")

    def _find_by_key(self, kind: str, marker: str) -> str | None:
        try:
            thing = self._client.read(kind, marker, (), id_property=self._key_property)
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return f"{kind}:{thing['id']}"

    def _target(self, draft: Draft) -> str:
        """By the draft's kind, else by `internal` or its channel; a note when nothing is said."""
        where = "internal" if draft.audience == "internal" else draft.channel or "note"
        return self._targets.get(draft.kind) or self._targets.get(where, "note")


def _ties(draft: Draft, kind: str, thing: Mapping[str, Any]) -> dict[str, list[str]]:
    """The draft's subject, the person written to, and the company; of an activity what that one is tied to."""
    links = links_of(thing)
    ties = {to: links.get(to, [])[:1] for to in ("companies",)}
    if draft.to is not None and draft.to.contact_id is not None:
        ties["contacts"] = [draft.to.contact_id]
    elif kind in KINDS.values():
        ties["contacts"] = links.get("contacts", [])[:1] if kind == "tickets" else []
    if kind in KINDS.values():
        ties[kind] = [str(thing["id"])]
    else:
        ties |= {to: links.get(to, [])[:1] for to in ("deals", "tickets")}
    return {to: ids for to, ids in ties.items() if ids}


def _tie(kind: str, to: str, other: str) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TIE_TYPES[kind, to]}]
    return {"to": {"id": other}, "types": types}


def _refuse_changed(draft: Draft, thing: Mapping[str, Any], watched: Mapping[str, str]) -> None:
    """Raises CrmRefused when a watched property was changed after the draft was made."""
    past = thing.get("propertiesWithHistory") or {}
    made = instant_text(draft.created_at.isoformat()) or ""
    for name, word in watched.items():
        newest = max((entry.get("timestamp") or "" for entry in past.get(name) or ()), default="")
        changed = instant_text(newest) if newest else None
        if changed and datetime.fromisoformat(changed) > datetime.fromisoformat(made):
            raise CrmRefused(
                f"Ask for a new draft: the {word} of {draft.subject_of.type} {draft.subject_of.id} was changed in "
                f"HubSpot at {changed}, after this draft was made."
            )


def _note(draft: Draft, marker: str, at: datetime) -> dict[str, str]:
    heading = f"<p><strong>{html.escape(draft.subject)}</strong></p>" if draft.subject else ""
    return {"hs_timestamp": _when(at), "hs_note_body": heading + referenced_html(draft, marker)}


def _task(draft: Draft, marker: str, at: datetime) -> dict[str, str]:
    return {
        "hs_timestamp": _when(at),
        "hs_task_subject": (draft.subject or f"Draft: {draft.kind.replace('_', ' ')}")[:255],
        "hs_task_body": referenced_html(draft, marker),
        "hs_task_status": "NOT_STARTED",
        "hs_task_priority": "MEDIUM",
        "hs_task_type": TASK_TYPES.get(draft.channel or "", "TODO"),
    }


def _logged_email(draft: Draft, marker: str, at: datetime) -> dict[str, str]:
    address = draft.to.address if draft.to else None
    if not address:
        raise CrmRefused(f"Draft {draft.id} has no address: a mail without a recipient cannot be logged.")
    headers = {"to": [{"email": address}], "cc": [], "bcc": []}
    return {
        "hs_timestamp": _when(at),
        "hs_email_direction": "EMAIL",
        "hs_email_status": "SENT",
        "hs_email_subject": draft.subject or "",
        "hs_email_html": referenced_html(draft, marker),
        "hs_email_headers": json.dumps(headers),
    }


_PROPERTIES = {"note": _note, "task": _task, "logged_email": _logged_email}


def _when(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
