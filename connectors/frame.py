"""What is the same in every connector over HTTP: the verbs whose work lies in its reader, writer and puller, and what
becomes of the settings that all connections may have.

A connector whose CRM wants more of a verb writes that verb itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from connectors.documents import field_table
from connectors.transport import CALLS_AT_ONCE, READ_TIMEOUT_S, Credentials, Dialect, Limit, Transport
from crmplugin.domain.brief import is_promotional
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, SettingsError
from crmplugin.ports import Changes, Services

OPEN_STAGE_KINDS = ("new", "qualified", "proposal", "negotiation", "closing")
STAGE_KINDS = (*OPEN_STAGE_KINDS, "won", "lost")


class Reads(Protocol):
    """Reads contexts."""

    def read(self, subject: Subject) -> Context: ...


class Writes(Protocol):
    """Writes drafts, and finds what an earlier write made."""

    def find(self, marker: str, draft: Draft | None) -> str | None: ...

    def write(self, draft: Draft, *, marker: str, at: datetime) -> str: ...


class Pulls(Protocol):
    """Pages of what changed."""

    def page(self, since: datetime | None, cursor: str | None, now: datetime) -> Changes: ...


def addressee(draft: Draft) -> str | None:
    """The contact whose "no mail" forbids this draft, wherever it is said: None for what no opt-out forbids."""
    promotes = draft.audience == "customer" and draft.channel == "email" and is_promotional(draft.kind, draft.type)
    return draft.to.contact_id if promotes and draft.to is not None else None


def opted_out(draft: Draft, crm: str) -> CrmRefused:
    """The error for a draft whose recipient opted out after it was made."""
    return CrmRefused(f"Reject draft {draft.id}: whom it is for has opted out of mails in {crm} since it was made.")


class Frame:
    """The verbs that reader, writer and puller do, and the settings of the connection."""

    crm: str
    _reader: Reads
    _writer: Writes
    _puller: Pulls

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        self._connection, self._options, self._services = connection, options, services

    def read_context(self, subject: Subject) -> Context:
        """Everything about one subject in as few rounds as the CRM allows. Raises NotFound."""
        return self._reader.read(subject)

    def find_written(self, marker: str, *, draft: Draft | None = None) -> str | None:
        """What an earlier write-back with this marker made in the CRM, if it is there."""
        return self._writer.find(marker, draft)

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Writes an approved draft; raises CrmRefused when the deal changed since, or the CRM says no."""
        return self._writer.write(draft, marker=marker, at=at)

    def changes_since(self, since: datetime | None, *, cursor: str | None = None) -> Changes:
        """One page of what changed; `since` None: everything."""
        return self._puller.page(since, cursor, self._services.clock())

    def _transport(
        self,
        origins: Sequence[str],
        credentials: Credentials,
        dialect: Dialect,
        limits: Mapping[str, Limit],
        headers: Mapping[str, str] | None = None,
    ) -> Transport:
        """Calls as often, as long and as many at once as the settings say; `limits` are the CRM's own."""
        options = self._options
        per_second = options.get("calls_per_second")
        own = {"calls": Limit(float(per_second), int(per_second))} if per_second else {}
        return Transport(
            self._connection,
            self.crm,
            origins,
            credentials,
            self._services,
            dialect=dialect,
            limits={**limits, **own},
            timeout_s=float(options.get("timeout_s") or READ_TIMEOUT_S),
            calls_at_once=int(options.get("calls_at_once") or CALLS_AT_ONCE),
            headers=headers or {},
        )

    def _keys(self, name: str) -> list[str]:
        """A secret, and the one before it while it is being changed."""
        return [str(self._options[key]) for key in (name, f"old_{name}") if self._options.get(key)]

    def _stages(self, known: Sequence[str] = STAGE_KINDS, *, but: tuple[str, ...] = ()) -> Mapping[str, str]:
        """What the settings say that stages mean. `but`: how keys of another table begin. Raises SettingsError."""
        stages: Mapping[str, str] = self._options.get("stages") or {}
        for stage, kind in stages.items():
            if kind not in known and not stage.startswith(but):
                where = f'connections.{self._connection}.stages."{stage}"'
                raise SettingsError(f"{where} is {kind!r}: expected one of {', '.join(known)}")
        return stages

    def _fields(self) -> dict[str, dict[str, str]]:
        """The settings' own fields by collection. Raises SettingsError for a field that is none of ours."""
        return field_table(self._options.get("fields") or {}, connection=self._connection)
