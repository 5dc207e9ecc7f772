"""One real Odoo for all long tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.odoo.live import Live, running


@pytest.fixture(scope="package")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("live")) as made:
        yield made
