"""Putting an approved draft into Odoo: an internal note, an activity to do, or a field of the deal.

Odoo has no draft of a mail: one that is made is sent. A mail therefore becomes an e-mail activity that the rep sends
from; with our module the composer opens filled in. A note is found again by its Message-Id, an activity by the
reference in its last line; the activity also has an external id, so that Odoo itself takes it once.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.contexts import not_found
from connectors.documents import instant_text
from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import id_of, message_id
from connectors.odoo.reading import Reader
from connectors.reference import reference_in, referenced_html
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, SettingsError

TARGETS = ("note", "task")
DEFAULT_TARGETS: Mapping[str, str] = {"email": "task", "phone": "task"}
TASK_TYPES = {"email": "mail.mail_activity_data_email", "phone": "mail.mail_activity_data_call"}
TODO = "mail.mail_activity_data_todo"
WATCHED = {"date_last_stage_update": "stage", "date_closed": "status"}
XML_MODELS = {"crm.lead": "crm.model_crm_lead", "res.partner": "base.model_res_partner"}
FIELDS = ("name", "active", "user_id", "date_last_stage_update", "date_closed", "write_date", "company_id")


class Writer:
    """Writes drafts of one connection. `targets`: channel or kind of draft -> what it becomes."""

    def __init__(self, client: OdooClient, reader: Reader, *, connection: str, targets: Mapping[str, str]) -> None:
        self._client, self._reader, self._connection = client, reader, connection
        self._targets = {**DEFAULT_TARGETS, **targets}
        for name, target in targets.items():
            if target not in TARGETS and not target.startswith("field:"):
                raise SettingsError(
                    f"connections.{connection}.write_back.{name} is {target!r}: Odoo holds note, task and "
                    "field:<name>; a mail that is made there is sent"
                )

    def find(self, marker: str, draft: Draft | None) -> str | None:
        """The note or activity that an earlier write with this marker made, if it is there."""
        if draft is None or self._target(draft).startswith("field:"):
            return None
        if self._target(draft) == "note":
            found = self._client.search("mail.message", [["message_id", "=", message_id(marker)]], ["id"], limit=1)
            return f"message:{found[0]['id']}" if found else None
        model, id_ = self._reader.place_of(draft.subject_of)
        domain = [["res_model", "=", model], ["res_id", "=", id_], ["note", "ilike", marker]]
        rows = self._client.search("mail.activity", domain, ["note"], order="id")
        return next((f"activity:{one['id']}" for one in rows if reference_in(one.get("note")) == marker), None)

    def write(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes the draft and gives back the new record's id, `message:123`.

        Raises CrmRefused when the record is gone, has changed since the draft, or Odoo refuses a value.
        """
        model, id_ = self._reader.place_of(draft.subject_of)
        thing = self._subject(draft, model, id_)
        target = self._target(draft)
        if target.startswith("field:"):
            return self._set_field(model, id_, target.partition(":")[2], draft)
        if target == "note":
            return f"message:{self._note(draft, model, id_, marker)}"
        return f"activity:{self._task(draft, model, id_, thing, marker, at)}"

    def _note(self, draft: Draft, model: str, id_: int, marker: str) -> int:
        heading = f"<p><b>{html.escape(draft.subject)}</b></p>" if draft.subject else ""
        posted = self._client.call(
            model,
            "message_post",
            [id_],
            body=heading + _html(draft),
            body_is_html=True,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
            message_id=message_id(marker),
        )
        return int(posted[0] if isinstance(posted, list) else posted)

    def _task(self, draft: Draft, model: str, id_: int, thing: Mapping[str, Any], marker: str, at: datetime) -> int:
        """By `load` with an external id: the same again is the same activity."""
        row = {
            "id": f"__import__.{marker.replace(':', '_')}",
            "res_model_id/id": XML_MODELS[model],
            "res_id": str(id_),
            "activity_type_id/id": TASK_TYPES.get(draft.channel or "", TODO),
            "summary": draft.subject or f"Draft: {draft.kind.replace('_', ' ')}",
            "note": referenced_html(draft, marker),
            "date_deadline": at.astimezone(UTC).date().isoformat(),
        }
        owner = id_of(thing.get("user_id"))
        if owner:
            row["user_id/.id"] = owner
        answer = self._client.call("mail.activity", "load", fields=list(row), data=[list(row.values())])
        if not answer.get("ids"):
            words = "; ".join(str(one.get("message")) for one in answer.get("messages") or ())
            raise CrmRefused(f"odoo ({self._connection}) took no activity for draft {draft.id}: {words[:300]}")
        return int(answer["ids"][0])

    def _set_field(self, model: str, id_: int, name: str, draft: Draft) -> str:
        if model != "crm.lead":
            raise CrmRefused(f"Draft {draft.id} is about a {draft.subject_of.type}: only fields of deals are written.")
        self._client.call(model, "write", [id_], vals={name: draft.body or ""})
        return f"{model}:{id_}.{name}"

    def _subject(self, draft: Draft, model: str, id_: int) -> Mapping[str, Any]:
        """The record as it is now. Raises CrmRefused when it is gone or changed."""
        fields = list(FIELDS) if model == "crm.lead" else ["name", "user_id"]
        found = self._client.search(model, [["id", "=", id_]], fields, limit=1)
        if not found:
            raise CrmRefused(f"Reject draft {draft.id}: {not_found('odoo', self._connection, draft.subject_of)}.")
        for name, word in WATCHED.items():
            changed = instant_text(found[0].get(name) or None) if draft.audience == "customer" else None
            if changed and datetime.fromisoformat(changed) > draft.created_at:
                raise CrmRefused(
                    f"Ask for a new draft: the {word} of {draft.subject_of.type} {draft.subject_of.id} was changed in "
                    f"Odoo at {changed}, after this draft was made."
                )
        return found[0]

    def _target(self, draft: Draft) -> str:
        """By the draft's kind, else by `internal` or its channel; a note when nothing is said."""
        where = "internal" if draft.audience == "internal" else draft.channel or "note"
        return self._targets.get(draft.kind) or self._targets.get(where, "note")


def _html(draft: Draft) -> str:
    return draft.html or "".join(f"<p>{html.escape(line)}</p>" for line in (draft.body or "").split("\n") if line)
