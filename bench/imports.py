"""How long tables take to import, and in how much memory: Online Retail, Maven's pipeline, Northwind's orders.

Run: PUBLIC_DATA_DIR=… python -m bench.imports [database URL]
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from crmplugin.journeys.import_tables import import_files
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant
from tests.journeys.test_import_online_retail import write_lines

SETS = ("crm/maven_crm", "crm/northwind")


def main() -> None:
    """Prints one table; the second time nothing must change. Memory is the peak of the whole process so far."""
    data = Path(os.environ["PUBLIC_DATA_DIR"])
    database = {"CRMPLUGIN_DATABASE_URL": sys.argv[1]} if len(sys.argv) > 1 else {}
    table = Table("tables", "", "s", "CPU s", "peak MB", "taken", "updated", "unchanged", "refused rows")
    with tempfile.TemporaryDirectory() as folder:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder, **database}))
        lines = write_lines(Path(folder) / "online_retail.csv")
        sets = {"online_retail": [lines], **{name: sorted((data / name).glob("*.csv")) for name in SETS}}
        for name, paths in sets.items():
            for time_ in ("first", "again"):
                table.add_row(name, time_, *_measure(assistant, paths, Path(folder)))
        assistant.close()
    Console().print(table)


def _measure(assistant: Assistant, paths: list[Path], folder: Path) -> list[str]:
    wall, cpu = time.perf_counter(), time.process_time()
    report = import_files(paths, connection="local", records=assistant.records, folder=folder)
    took = f"{time.perf_counter() - wall:.1f}", f"{time.process_time() - cpu:.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    counts = (report.taken, report.updated, report.unchanged, report.refused_rows)
    return [*took, str(peak), *(f"{n:,}" for n in counts)]


if __name__ == "__main__":
    main()
