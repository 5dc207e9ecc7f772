"""A CRM beside the local one, with state: its records are a store of their own, its webhooks are signed as the local's.

It says whom a user may see when it was told so (`RIGHTS`), as a CRM with sharing rules would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pytest

from connectors import registry
from connectors.local.connector import LocalConnector
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.ports import Services
from crmplugin.store.records import RecordStore

STORES: dict[str, RecordStore] = {}
"""Connection -> what that CRM holds."""
RIGHTS: dict[tuple[str, str], bool] = {}
"""(user, deal) -> whether the CRM lets that user see it."""


class Elsewhere(LocalConnector):
    """Speaks as the local CRM does, over records that are not ours."""

    crm = "elsewhere"

    def __init__(self, connection: str, options: Mapping[str, Any], services: Services) -> None:
        super().__init__(connection, options, records=STORES[connection])

    def read_context(self, subject: Subject) -> Context:
        return self._records.read_context(self._connection, subject)

    def may_see(self, user_id: str, subject: Subject) -> bool | None:
        return RIGHTS.get((user_id, subject.id))

    def write_back(self, draft: Draft, **how: Any) -> str:
        return super().write_back(draft, **how)


@contextmanager
def known_crm() -> Iterator[None]:
    """The registry with one CRM more."""
    vendor = registry.Vendor("tests.access.elsewhere", "Elsewhere", required=("webhook_secret",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "VENDORS", MappingProxyType({**registry.VENDORS, "elsewhere": vendor}))
        yield
