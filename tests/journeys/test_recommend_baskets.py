"""Recommendations in bulk: files in, files out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from crmplugin.errors import UsageError
from crmplugin.journeys.recommend_baskets import recommend_baskets


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def lists(source: Path, target: Path, *, top: int = 10) -> dict[object, list[object]]:
    recommend_baskets(source, target, top=top)
    rows = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    return {row["customer_id"]: row["items"] for row in rows}


def history(*days: tuple[str, list[str]]) -> list[dict[str, object]]:
    return [{"date": day, "items": items} for day, items in days]


A = {"customer_id": "A", "history": history(("2026-01-01", ["X", "Y"]), ("2026-02-01", ["X"]))}
B = {"customer_id": 7, "history": history(("2026-01-05", ["Z"])), "colour": "extra keys are ignored"}
NEW = {"customer_id": "N", "history": []}


def crowd(n: int = 90) -> list[dict[str, object]]:
    """Customers who buy from one of three shelves, some again and again."""
    draw = random.Random(5)
    rows = []
    for c in range(n):
        shelf = [f"S{c % 3}-{i}" for i in range(12)]
        days = [(f"2026-0{m}-{draw.randint(1, 28):02}", draw.sample(shelf, 5)) for m in range(1, 7)]
        rows.append({"customer_id": f"c{c:03}", "history": history(*days)})
    return rows


def test_own_purchases_come_first_and_the_new_customer_gets_what_most_buy(tmp_path):
    found = lists(write(tmp_path / "in.jsonl", [A, B, NEW]), tmp_path / "out.jsonl")

    assert found["A"][0] == "X"
    assert found[7][0] == "Z"
    assert found["N"] == ["X", "Y", "Z"]


def test_neither_the_order_of_lines_nor_a_line_given_twice_changes_a_list(tmp_path):
    rows = crowd()
    shuffled = [*rows, rows[3]]
    random.Random(1).shuffle(shuffled)

    first = lists(write(tmp_path / "a.jsonl", rows), tmp_path / "a.out")
    second = lists(write(tmp_path / "b.jsonl", shuffled), tmp_path / "b.out")

    assert first == second
    assert len(second) == len(rows)


def test_shifting_every_date_changes_nothing(tmp_path):
    rows = crowd()
    later = json.loads(json.dumps(rows).replace("2026-0", "2025-0"))

    first = lists(write(tmp_path / "a.jsonl", rows), tmp_path / "a.out")

    assert lists(write(tmp_path / "b.jsonl", later), tmp_path / "b.out") == first


def test_lists_hold_no_item_twice_and_have_falling_scores(tmp_path):
    recommend_baskets(write(tmp_path / "in.jsonl", crowd()), tmp_path / "out.jsonl", top=15)

    for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        assert len(set(row["items"])) == len(row["items"]) == len(row["scores"]) == 15
        assert row["scores"] == sorted(row["scores"], reverse=True)


def test_what_came_after_as_of_does_not_exist_yet(tmp_path):
    asked = {**A, "as_of": "2026-01-15"}
    later = {"customer_id": "A", "history": history(("2026-01-20", ["NEVER"]))}

    found = lists(write(tmp_path / "in.jsonl", [asked, later]), tmp_path / "out.jsonl")

    assert found["A"] == ["X", "Y"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("not json", "line 2: expected one JSON object"),
        ('["A"]', "line 2: expected an object"),
        ('{"history": []}', "line 2: customer_id: expected an id"),
        ('{"customer_id": "A"}', "line 2: history: expected a list"),
        ('{"customer_id": "A", "history": [{"date": "soon", "items": []}]}', r"history\[0\].date: expected a date"),
        ('{"customer_id": "A", "history": [{"date": "2026-01-01", "items": [null]}]}', r"history\[0\].items"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_nothing_is_written(tmp_path, line, says):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(A) + "\n" + line + "\n", encoding="utf-8")

    with pytest.raises(UsageError, match=says):
        recommend_baskets(source, tmp_path / "out.jsonl", top=10)

    assert [p.name for p in tmp_path.iterdir()] == ["in.jsonl"]


def test_an_empty_file_gives_an_empty_file(tmp_path):
    assert lists(write(tmp_path / "in.jsonl", []), tmp_path / "out.jsonl") == {}
