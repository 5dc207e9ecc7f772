"""The local CRM: its records lie in our own store, its webhooks are signed with a secret of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.local import events, verify
from connectors.local.mapping import to_activity
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.errors import CrmRefused, NotFound, NotGenuine, SettingsError
from crmplugin.ports import CampaignPush, Changes, PanelCall, Reading, Records, SegmentPage, Visitor


class LocalConnector:
    """One local connection. Raises SettingsError without a secret: a webhook that anybody may send is none."""

    crm = "local"
    writes_once = True

    def __init__(self, connection: str, options: Mapping[str, Any], *, records: Records) -> None:
        self._connection, self._records = connection, records
        self._secret = str(options.get("webhook_secret") or "")
        if not self._secret:
            raise SettingsError(f"connections.{connection}.webhook_secret is not set: set it, or start `serve` once")

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, *, url: str, now: datetime) -> None:
        """Raises NotGenuine whatever is wrong; the signature does not cover the URL."""
        verify.verify(headers, body, secret=self._secret, now=now)

    def read_events(self, body: bytes, *, received_at: datetime) -> Reading:
        """Raises Unreadable or TooLarge when the body as a whole cannot be taken."""
        return events.read_events(body, connection=self._connection, received_at=received_at)

    def acknowledge(self, reading: Reading, new: Sequence[bool]) -> tuple[int, Mapping[str, str], bytes]:
        """202 with what was accepted, ignored, refused; `new` says of each event whether it was kept just now."""
        return events.acknowledge(reading, new)

    def read_context(self, subject: Subject) -> Context:
        """Everything about one subject. Raises NotFound naming type, id and connection."""
        return self._records.read_context(self._connection, subject)

    def find_written(self, marker: str, *, draft: Draft | None = None) -> str | None:
        """The activity that an earlier write-back with this marker made, if it is there."""
        return self._records.find_by_source(self._connection, marker)

    def write_back(self, draft: Draft, *, marker: str, at: datetime) -> str:
        """Adds the draft as an activity whose `source` is the marker, `crmplugin:<draft id>`, and gives back its id.

        The same marker again changes nothing. Raises CrmRefused when the draft's subject is gone.
        """
        try:
            context = self.read_context(draft.subject_of)
        except NotFound as error:
            raise CrmRefused(f"Draft {draft.id} cannot be written back: {error} Reject the draft.") from error
        return self._records.add_activity(self._connection, to_activity(draft, context, marker=marker, at=at))

    def diagnose(self) -> Sequence[tuple[str, bool, str]]:
        """Checks as (name, good, what to do)."""
        known = any(True for _ in self._records.names(self._connection))
        mend = "" if known else f"Import records: crmplugin import FILE --connection {self._connection}"
        return (("webhook secret", True, ""), ("records", known, mend))

    def verify_panel(self, call: PanelCall, *, now: datetime) -> Visitor:
        """The local CRM has no screen of its own: its panel opens by our signed link alone."""
        raise NotGenuine("the panel of a local connection opens by a link of `crmplugin panel-link`")

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        """None: the local CRM keeps no rights of its own, so the owner's rule decides."""
        return None

    def changes_since(self, since: datetime | None, *, cursor: str | None = None) -> Changes:
        """Nothing: the records are ours already, and an import raises no events."""
        return Changes()

    def find_segment(self, segment_id: str, *, cursor: str | None = None) -> SegmentPage:
        """Raises CrmRefused: segments of the local CRM are predicates over our own store."""
        raise CrmRefused(f"segment {segment_id!r}: a local connection has only segments of its records")

    def push_campaign(self, campaign: CampaignPush, *, marker: str, at: datetime) -> str:
        """Raises CrmRefused: there is no mail tool behind the local CRM."""
        raise CrmRefused("the local CRM takes no campaign drafts: export the campaign as files")

    def renew(self, *, now: datetime) -> datetime | None:
        """None: nothing of the local CRM expires."""
        return None
