from __future__ import annotations

from collections.abc import Iterator

import pytest

from crmplugin.store.records import RecordStore
from tests.store.filled import open_store


@pytest.fixture
def store(database_url: str) -> Iterator[RecordStore]:
    """An empty store."""
    opened = open_store(database_url)
    yield opened
    opened.close()
