"""Putting an approved draft into Pipedrive: a note, an activity to do, or a custom field.

Pipedrive can neither draft nor send mails and has no key against writing twice: a mail becomes an activity of type
email that the rep sends from, and the text ends with a reference by which it is found again.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.contexts import not_found
from connectors.documents import instant_text
from connectors.frame import addressee, opted_out
from connectors.pipedrive.client import PipedriveClient
from connectors.pipedrive.company import CompanyBook
from connectors.pipedrive.mapping import to_document
from connectors.pipedrive.reading import TIE, place_of
from connectors.reference import reference_in, referenced_html
from connectors.transport import Refused
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, SettingsError

TARGETS = ("note", "task")
DEFAULT_TARGETS: Mapping[str, str] = {"email": "task", "phone": "task"}
TASK_TYPES = {"email": "email", "phone": "call"}
MAX_FIELD = 255
"""Characters of a short text field."""
WATCHED = {"stage_id": "stage", "status": "status", "value": "amount", "currency": "currency",
           "expected_close_date": "close date"}  # fmt: skip
"""Fields of a deal whose change since the draft makes its text old, in our words."""


class Writer:
    """Writes drafts of one connection. `targets`: channel or kind of draft -> what it becomes."""

    def __init__(
        self, client: PipedriveClient, book: CompanyBook, *, connection: str, targets: Mapping[str, str]
    ) -> None:
        self._client, self._book, self._connection = client, book, connection
        self._targets = {**DEFAULT_TARGETS, **targets}
        for name, target in targets.items():
            if target not in TARGETS and not target.startswith("field:"):
                raise SettingsError(
                    f"connections.{connection}.write_back.{name} is {target!r}: Pipedrive holds note, task and "
                    "field:<key>; it takes no mails"
                )

    def find(self, marker: str, draft: Draft | None) -> str | None:
        """The note or activity that an earlier write with this marker made, if it is there."""
        if draft is None or self._target(draft).startswith("field:"):
            return None
        kind, id_ = self._place(draft)
        tie = {TIE[kind]: id_}
        if self._target(draft) == "note":
            written = [(f"notes:{one['id']}", one.get("content")) for one in self._client.notes(**tie)]
        else:
            newest = self._client.all("activities", at_most=100, sort_by="add_time", sort_direction="desc", **tie)
            written = [(f"activities:{one['id']}", one.get("note")) for one in newest]
        return next((id_ for id_, text in written if reference_in(text) == marker), None)

    def write(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes the draft and gives back the new record's id, `notes:123`.

        Raises CrmRefused when the record is gone, has changed since the draft, the person it is for wants no mail any
        more, or Pipedrive refuses a value.
        """
        kind, id_ = self._place(draft)
        calls: list[Callable[[], Any]] = [
            lambda: self._subject(draft, kind, id_),
            lambda: self._refuse_opted_out(draft),
        ]
        thing = self._client.transport.together(*calls)[0]
        target = self._target(draft)
        if target.startswith("field:"):
            return self._set_field(kind, id_, target.partition(":")[2], draft)
        if target == "note":
            heading = f"<p><b>{html.escape(draft.subject)}</b></p>" if draft.subject else ""
            content = heading + referenced_html(draft, marker)
            return f"notes:{self._client.create_note({'content': content, TIE[kind]: int(id_)})}"
        return f"activities:{self._client.create_activity(_task(draft, kind, thing, marker, at))}"

    def _refuse_opted_out(self, draft: Draft) -> None:
        """Raises CrmRefused when the person it is for has said meanwhile that they want no mail."""
        id_ = addressee(draft)
        if id_ is None:
            return
        try:
            person = to_document("persons", self._client.person(id_), self._book.company)
        except Refused as error:
            if error.status == 404:
                raise CrmRefused(f"Reject draft {draft.id}: Pipedrive has no person {id_} any more.") from error
            raise
        if person.get("consent", {}).get("email", {}).get("state") == "withdrawn":
            raise opted_out(draft, "Pipedrive")

    def _set_field(self, kind: str, id_: str, key: str, draft: Draft) -> str:
        text = draft.body or ""
        if kind != "deals":
            raise CrmRefused(f"Draft {draft.id} is about a {draft.subject_of.type}: only fields of deals are written.")
        if len(text) > MAX_FIELD:
            raise CrmRefused(f"Shorten draft {draft.id}: Pipedrive holds at most {MAX_FIELD} characters in a field.")
        self._client.update_deal(id_, {"custom_fields": {key: text}})
        return f"deals:{id_}.{key}"

    def _subject(self, draft: Draft, kind: str, id_: str) -> Mapping[str, Any]:
        """The record as it is now. Raises CrmRefused when it is gone or changed."""
        try:
            thing = self._client.read(kind, id_)
        except Refused as error:
            if error.status != 404:
                raise
            thing = {}
        if not thing or thing.get("is_deleted") is True:
            raise CrmRefused(f"Reject draft {draft.id}: {not_found('pipedrive', self._connection, draft.subject_of)}.")
        if kind == "deals" and draft.audience == "customer":
            self._refuse_changed(draft, thing)
        return thing

    def _refuse_changed(self, draft: Draft, deal: Mapping[str, Any]) -> None:
        """Raises CrmRefused when a watched field was changed after the draft was made."""
        if not _is_after(deal.get("update_time"), draft.created_at):
            return
        for change in self._client.changes_of(str(deal["id"])):
            word = WATCHED.get(str(change.get("field_key")))
            if word and _is_after(change.get("time"), draft.created_at):
                raise CrmRefused(
                    f"Ask for a new draft: the {word} of {draft.subject_of.type} {draft.subject_of.id} was changed in "
                    f"Pipedrive at {instant_text(change.get('time'))}, after this draft was made."
                )

    def _place(self, draft: Draft) -> tuple[str, str]:
        """Where the text belongs: the record itself, or what an activity belongs to."""
        kind, id_ = place_of(draft.subject_of)
        if kind in TIE:
            return kind, id_
        thing = self._client.read(kind, id_) if kind == "activities" else self._client.note(id_)
        for parent, tie in TIE.items():
            if thing.get(tie):
                return parent, str(thing[tie])
        raise CrmRefused(f"Reject draft {draft.id}: {draft.subject_of.id} belongs to no deal, person or organisation.")

    def _target(self, draft: Draft) -> str:
        """By the draft's kind, else by `internal` or its channel; a note when nothing is said."""
        where = "internal" if draft.audience == "internal" else draft.channel or "note"
        return self._targets.get(draft.kind) or self._targets.get(where, "note")


def _is_after(time: Any, moment: datetime) -> bool:
    text = instant_text(time)
    return text is not None and datetime.fromisoformat(text) > moment


def _task(draft: Draft, kind: str, thing: Mapping[str, Any], marker: str, at: datetime) -> dict[str, Any]:
    """An activity to do today. Who it concerns are participants: the person's own field cannot be written."""
    now = at.astimezone(UTC)
    task: dict[str, Any] = {
        "subject": (draft.subject or f"Draft: {draft.kind.replace('_', ' ')}")[:255],
        "type": TASK_TYPES.get(draft.channel or "", "task"),
        "due_date": now.date().isoformat(),
        "note": referenced_html(draft, marker),
        "done": False,
        TIE[kind]: int(thing["id"]),
    }
    person = draft.to.contact_id if draft.to else None
    if person and person.isdigit():
        task["participants"] = [{"person_id": int(person), "primary": True}]
    if kind == "persons":
        del task["person_id"]
        task["participants"] = [{"person_id": int(thing["id"]), "primary": True}]
    if kind == "deals" and thing.get("org_id"):
        task["org_id"] = int(thing["org_id"])
    if thing.get("owner_id"):
        task["owner_id"] = int(thing["owner_id"])
    return task
