"""What one HubSpot account has set up: owners, pipelines, stages. Read beside other calls and kept for minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.hubspot.client import HubSpotClient
from connectors.hubspot.mapping import Account, user_of
from crmplugin.domain.records import Document

KEPT_FOR = timedelta(minutes=10)


class AccountBook:
    """The account as it was read last; `calls` are what must be asked when that is too long ago."""

    def __init__(self, client: HubSpotClient, settings: Account, clock: Callable[[], datetime]) -> None:
        self._client, self._settings, self._clock = client, settings, clock
        self._read_at: datetime | None = None
        self.account = settings
        self.users: list[Document] = []
        self._owner_of: dict[str, str] = {}

    def calls(self) -> list[Callable[[], Any]]:
        """Calls to make beside others, whose answers go to `take`; none while the last ones are fresh."""
        if self._read_at is not None and self._clock() - self._read_at < KEPT_FOR:
            return []
        client = self._client
        return [client.owners, lambda: client.pipelines("deals"), lambda: client.pipelines("tickets")]

    def take(self, answers: list[Any]) -> None:
        """Keeps the answers of `calls`, in their order."""
        if not answers:
            return
        owners, deals, tickets = answers
        labels, stages = _stages(deals, tickets)
        self.users = [user_of(owner) for owner in owners]
        self._owner_of = {str(o["userId"]): str(o["id"]) for o in owners if o.get("userId") is not None}
        names = {user["id"]: user["name"] for user in self.users if user.get("name")}
        stages = {**stages, **self._settings.stages}
        self.account = replace(self._settings, labels=labels, stages=stages, owners=names)
        self._read_at = self._clock()

    def read(self) -> Account:
        """The account, asked for now if it is not known."""
        calls = self.calls()
        self.take(self._client.transport.together(*calls))
        return self.account

    def owner_of(self, user_id: str) -> str | None:
        """The owner id behind a HubSpot user id; None when that user owns nothing."""
        self.read()
        return self._owner_of.get(user_id)


def _stages(deals: list[Mapping[str, Any]], tickets: list[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """Names of pipelines and stages, and what closed stages mean."""
    labels: dict[str, str] = {}
    stages: dict[str, str] = {}
    for pipeline in deals:
        labels[str(pipeline.get("id"))] = str(pipeline.get("label") or pipeline.get("id"))
        for stage in pipeline.get("stages") or ():
            id_, about = str(stage.get("id")), stage.get("metadata") or {}
            labels[id_] = str(stage.get("label") or id_)
            if str(about.get("isClosed")).lower() == "true":
                stages[id_] = "won" if str(about.get("probability")).startswith("1") else "lost"
    for pipeline in tickets:
        for stage in pipeline.get("stages") or ():
            if str((stage.get("metadata") or {}).get("ticketState")).upper() == "CLOSED":
                stages[f"ticket:{stage.get('id')}"] = "closed"
    return labels, stages
