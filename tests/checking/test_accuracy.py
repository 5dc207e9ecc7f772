"""Errors that people marked in game reports of other people's systems: how many the checker finds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.accuracy import FOLDER, measure

DATA = os.environ.get("PUBLIC_DATA_DIR", "")


@pytest.mark.skipif(not DATA or not Path(DATA).is_dir(), reason="PUBLIC_DATA_DIR unset or not a folder")
def test_wrong_numbers_and_names_in_reports_of_others_are_found(tell):
    assert Path(DATA, *FOLDER).is_dir()

    counts = measure(Path(DATA))

    recall = {kind: n["both"] / n["marked"] for kind, n in counts.items()}
    precision = {kind: n["both"] / n["refused"] for kind, n in counts.items()}
    for kind, n in counts.items():
        tell(f"{kind:8} recall {recall[kind]:.1%}, precision {precision[kind]:.1%} over {n['marked']} tokens")
    assert recall["NUMBER"] >= 0.38
    assert recall["NAME"] >= 0.55
    assert precision["NUMBER"] >= 0.35
    assert precision["NAME"] >= 0.45
