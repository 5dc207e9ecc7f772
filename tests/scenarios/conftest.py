"""Scenarios run through the public command line: import, then draft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios import world


@pytest.fixture
def draft(crmplugin, tmp_path: Path):
    """Imports records and drafts: `draft(records, "follow_up", "--deal", "D-1")`."""

    def run(records: dict[str, Any], *args: str, code: int = 0) -> dict[str, Any]:
        path = tmp_path / "records.json"
        path.write_text(json.dumps(records), encoding="utf-8")
        taken = crmplugin("import", str(path), "--json")
        assert taken.code == 0, taken.out + taken.err
        answer = crmplugin("draft", *args, "--as-of", world.TODAY, "--json")
        assert answer.code == code, answer.out + answer.err
        return answer.json

    return run
