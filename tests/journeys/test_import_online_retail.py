"""Half a million real order lines go in: quickly, in little memory, and twice without a change."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crmplugin.journeys.import_tables import import_files
from tests.store.filled import open_store

PARQUET = "purchases/online_retail/online_retail.parquet"
HEADINGS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
LIMIT_S, LIMIT_MB = {"sqlite": 30, "postgresql": 60}, 300


def write_lines(path: Path, rows: int | None = None) -> Path:
    """The data set as CSV, or its first rows; skips, with the reason, where the public data are not at hand."""
    folder = os.environ.get("PUBLIC_DATA_DIR", "")
    if not (Path(folder) / PARQUET).is_file():
        pytest.skip("PUBLIC_DATA_DIR is unset or not a folder")
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(HEADINGS)
        writer.writerows(_rows(Path(folder) / PARQUET, rows))
    return path


def _rows(path: Path, limit: int | None) -> Iterator[list[object]]:
    import pyarrow.parquet

    taken = 0
    for batch in pyarrow.parquet.ParquetFile(path).iter_batches(20_000, columns=list(HEADINGS)):
        for row in zip(*(batch.column(name).to_pylist() for name in HEADINGS), strict=True):
            if taken == limit:
                return
            taken += 1
            yield ["" if cell is None else cell for cell in row]


def test_the_first_20_000_lines_go_in_and_again_change_nothing(database_url: str, tmp_path: Path):
    path = write_lines(tmp_path / "lines.csv", 20_000)
    store = open_store(database_url)

    first = import_files([path], connection="local", records=store, folder=tmp_path)
    again = import_files([path], connection="local", records=store, folder=tmp_path)

    lines = sum(len(order["lines"]) for order in store.iterate_docs("local", "orders"))
    store.close()
    assert lines + first.refused_rows == 20_000
    assert {row["reason"] for row in first.refused} == {
        "no customer: an order that is nobody's cannot be used for anyone"
    }
    assert (again.taken, again.updated, again.unchanged) == (0, 0, first.taken)


@pytest.mark.long
def test_all_lines_go_in_within_time_and_memory(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_lines(tmp_path / "lines.csv")
    monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", database_url)
    code = "import resource, sys; from crmplugin.cli import main; sys.argv[0] = 'crmplugin'\n"
    code += "try: main()\nfinally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)"

    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, "import", str(path)], capture_output=True, text=True, check=False
    )
    took_s = time.monotonic() - start

    assert done.returncode == 5, done.stderr
    assert done.stdout.startswith("30238 taken, 0 updated, 0 unchanged")
    assert took_s <= LIMIT_S[database_url.partition(":")[0]]
    assert int(done.stderr.splitlines()[-1]) <= LIMIT_MB
