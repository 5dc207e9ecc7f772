"""How long the nightly fit takes over half a million stored order lines, and learning again after new orders.

    PUBLIC_DATA_DIR=… python -m bench.fit_in_store [database URL]

Seconds are given by the processor, over all threads, and by the clock; memory is the peak of the whole process.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crmplugin.journeys.fit import refresh_fit
from crmplugin.journeys.fit_products import keep_fit_fresh, learn_products, utc_now
from crmplugin.journeys.import_tables import import_files
from crmplugin.settings import load_settings
from crmplugin.store.account_fits import OVERLAP
from crmplugin.wiring import Assistant
from tests.journeys.test_import_online_retail import write_lines

NEWEST = datetime(2011, 12, 9, tzinfo=UTC)
CHANGED = 20


def main() -> None:
    database = {"CRMPLUGIN_DATABASE_URL": sys.argv[1]} if len(sys.argv) > 1 else {}
    with tempfile.TemporaryDirectory() as folder:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder, **database}))
        lines = write_lines(Path(folder) / "online_retail.csv")
        import_files([lines], connection="local", records=assistant.records, folder=Path(folder))
        print(f"{assistant.engine.dialect.name}: {assistant.records.counts('local')['orders']:,} orders; load "
              f"{os.getloadavg()[0]:.1f}\n\n| step | accounts | processor s | by the clock s | peak MB |\n"
              "|---|---|---|---|---|")  # fmt: skip
        records, fits = assistant.records, assistant.fits
        told("what all accounts show together", lambda: refresh_fit("local", records=records))
        told("the whole fit of products", lambda: learn_products("local", records=records, fits=fits, clock=at_night))
        order_again(assistant)
        told("after new orders of twenty accounts", lambda: keep_fit_fresh("local", records=records, fits=fits))
        assistant.close()


def at_night() -> datetime:
    """So late that the import lies before what the next fit looks at again."""
    return utc_now() + OVERLAP


def order_again(assistant: Assistant) -> None:
    """A new order for each of twenty accounts: what they bought the first time."""
    ids = sorted(account for account, _ in assistant.records.iterate_purchases("local"))
    chosen = set(ids[:: max(1, len(ids) // CHANGED)][:CHANGED])
    first: dict[str, dict[str, Any]] = {}
    for doc in assistant.records.iterate_docs("local", "orders"):
        if doc.get("company_id") in chosen:
            first.setdefault(doc["company_id"], doc)
    changed = [{**doc, "id": f"{doc['id']}~again", "ordered_at": NEWEST.isoformat()} for doc in first.values()]
    assistant.records.upsert_many("local", [("orders", doc) for doc in changed])


def told(name: str, work: Callable[[], Any]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    took = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"| {name} | {getattr(done, 'accounts', '')} | {took[0]:.1f} | {took[1]:.1f} | {peak} |", flush=True)


if __name__ == "__main__":
    main()
