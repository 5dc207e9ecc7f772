"""An org with a deal, its history and two won deals before it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.salesforce import FakeSalesforce, with_orbis


@pytest.fixture
def org() -> Iterator[FakeSalesforce]:
    fake = with_orbis(FakeSalesforce())
    with fake.running():
        yield fake
