"""What one Pipedrive company has set up: users, pipelines, stages. Read beside other calls and kept for minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.pipedrive.client import PipedriveClient
from connectors.pipedrive.mapping import Company, to_document
from crmplugin.domain.records import Document

KEPT_FOR = timedelta(minutes=10)


class CompanyBook:
    """The company as it was read last; `calls` are what must be asked when that is too long ago."""

    def __init__(self, client: PipedriveClient, settings: Company, clock: Callable[[], datetime]) -> None:
        self._client, self._clock = client, clock
        self._read_at: datetime | None = None
        self._own_user: str | None = settings.own_user
        self.company = settings
        self.users: list[Document] = []

    def calls(self) -> list[Callable[[], Any]]:
        """Calls to make beside others, whose answers go to `take`; none while the last ones are fresh."""
        if self._read_at is not None and self._clock() - self._read_at < KEPT_FOR:
            return []
        return [self._client.users, lambda: self._client.all("pipelines"), lambda: self._client.all("stages")]

    def take(self, answers: list[Any]) -> None:
        """Keeps the answers of `calls`, in their order."""
        if not answers:
            return
        users, pipelines, stages = answers
        labels = {f"pipeline:{one.get('id')}": str(one.get("name") or one.get("id")) for one in pipelines}
        labels |= {f"stage:{one.get('id')}": str(one.get("name") or one.get("id")) for one in stages}
        self.company = replace(self.company, labels=labels)
        self.users = [to_document("users", user, self.company) for user in users]
        self._read_at = self._clock()

    def own_user(self) -> str:
        """The id of the user whose token it is, asked for once."""
        if self._own_user is None:
            self._own_user = str(self._client.me()[0].get("id") or "")
        return self._own_user

    def read(self) -> Company:
        """The company, asked for now if it is not known."""
        self.take(self._client.transport.together(*self.calls()))
        return self.company
