"""The notation of times in the sample data."""

from __future__ import annotations

from datetime import date

import pytest

from crmplugin.demo.dates import fill_text, resolve

WEDNESDAY = date(2026, 3, 11)
SATURDAY = date(2026, 3, 14)


@pytest.mark.parametrize(
    ("notation", "today", "expected"),
    [
        ("@-5bd", WEDNESDAY, "2026-03-04"),
        ("@-1bd", SATURDAY, "2026-03-12"),
        ("@+0bd", SATURDAY, "2026-03-13"),
        ("@+1bd", SATURDAY, "2026-03-16"),
        ("@+1bd", date(2026, 12, 24), "2026-12-28"),
        ("@-1bd", date(2027, 1, 4), "2026-12-31"),
        ("@+4d", SATURDAY, "2026-03-18"),
        ("@-2w", WEDNESDAY, "2026-02-25"),
        ("@-1mo", date(2026, 3, 31), "2026-02-28"),
        ("@-1y", date(2028, 2, 29), "2027-02-28"),
        ("@-4y", date(2028, 2, 29), "2024-02-29"),
        ("@-1y+70d", WEDNESDAY, "2025-05-20"),
        ("@-5bd 14:05 Europe/Berlin", WEDNESDAY, "2026-03-04T14:05:00+01:00"),
        ("@+14bd 14:05 Europe/Berlin", WEDNESDAY, "2026-03-31T14:05:00+02:00"),
        ("@-3d 09:00 America/Chicago", WEDNESDAY, "2026-03-06T09:00:00-06:00"),
        ("@+0bd 09:00", WEDNESDAY, "2026-03-11T09:00:00+00:00"),
    ],
)
def test_notation_resolves(notation: str, today: date, expected: str) -> None:
    assert resolve(notation, today) == expected


@pytest.mark.parametrize("notation", ["@5bd", "@-5", "@-5bd 9:00", "@-5bd 14:05 Berlin!", "-5bd", "@"])
def test_anything_else_is_refused(notation: str) -> None:
    with pytest.raises(ValueError, match="sample data"):
        resolve(notation, WEDNESDAY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("by {@+9d en_GB}", "by 20 March"),
        ("by {@+9d en_US weekday}", "by Friday, March 20"),
        ("bis {@+9d de weekday}", "bis Freitag, 20. März"),
        ("avant le {@+9d fr}", "avant le 20 mars"),
        ("el {@+9d es}", "el 20 de marzo"),
        ("mail me @ home", "mail me @ home"),
    ],
)
def test_days_inside_a_text_are_written_out(text: str, expected: str) -> None:
    assert fill_text(text, WEDNESDAY) == expected
