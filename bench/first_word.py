"""First word on the reader's screen minus first word from the model, in a real browser; start, memory and CPU at rest.

The model is scripted: it is silent for a fixed time, then speaks. Each run asks for a draft with a click in the page,
and the page's own clock says when the first character stood in the document. Usage:
`python -m bench.first_word [runs] [--across]`; `--across` has web and worker as two processes on one PostgreSQL.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from crmplugin.llm.scripted import Reply, ScriptedModel, scripted_model
from tests.browser.conftest import SWITCHES
from tests.browser.served import Served
from tests.browser.words import LINES
from tests.postgres import cluster, make_database
from tests.work.servers import RUN, environ

RUNS = 50
SILENCE_S = 0.2
PIECE_S = 0.005
REST_S = 10.0
WATCH = """
() => {
  window.firstWord = null;
  const look = () => {
    const place = document.querySelector("#stream-subject, #stream-text");
    const said = (document.querySelector("#stream-subject")?.textContent ?? "")
      + (document.querySelector("#stream-text")?.textContent ?? "");
    if (place && said && window.firstWord === null) window.firstWord = performance.timeOrigin + performance.now();
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
}
"""


class Clock:
    """When the model's first piece left, as wall clock: `time.monotonic` of the model, moved onto `time.time`."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model, self._offset = model, time.time() - time.monotonic()

    def first_piece(self, n: int) -> float:
        """Seconds since 1970 of the first piece of the n-th answer, from 0."""
        return self._model.first_pieces_at[n] + self._offset


def one_run(page: Page, address: str, clock: Clock, n: int) -> float:
    """Milliseconds from the model's first piece to its first character on the screen."""
    page.goto(f"{address}/console/new?about=deal:D-1")
    page.evaluate(WATCH)
    page.get_by_role("button", name="Write the draft").click()
    page.locator("#approve").wait_for()
    seen = page.evaluate("window.firstWord") / 1000
    return (seen - clock.first_piece(n)) * 1000


def at_rest(process: psutil.Process) -> tuple[float, float]:
    """Resident memory of server and worker in MB, and the share of one core they use while nobody asks, in percent."""
    family = [process, *process.children(recursive=True)]
    before = sum(sum(p.cpu_times()[:2]) for p in family)
    time.sleep(REST_S)
    used = sum(sum(p.cpu_times()[:2]) for p in family) - before
    return sum(p.memory_info().rss for p in family) / 1e6, used / REST_S * 100


def measure(runs: int, *, across: bool) -> dict[str, Any]:
    reply = Reply("\n".join(LINES), first_s=SILENCE_S, piece_s=PIECE_S)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="crmplugin-bench-", ignore_cleanup_errors=True)))
        model = stack.enter_context(scripted_model(lambda _: reply))
        more = dict(model.environment)
        if across:
            more["CRMPLUGIN_DATABASE_URL"] = make_database(stack.enter_context(cluster()))
        only_web = ("--no-worker",) if across else ()
        served = Served(folder / "var", "--no-demo", *only_web, more=more)
        stack.callback(served.stop)
        if across:
            worker = subprocess.Popen(
                [*RUN, "worker"], env=environ(served.var) | more, cwd=folder, stderr=subprocess.DEVNULL
            )
            stack.callback(worker.wait, 30)
            stack.callback(worker.terminate)
        return _measure(served, model, runs)


def _measure(served: Served, model: ScriptedModel, runs: int) -> dict[str, Any]:
    served.take_records()
    served.draft(kind="follow_up", deal_id="D-1")  # loads what is loaded late
    warm, clock = len(model.first_pieces_at), Clock(model)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
        page = browser.new_page(locale="en-GB")
        page.goto(served.sign_in_link())
        times = sorted(one_run(page, served.address, clock, warm + n) for n in range(runs))
        browser.close()
    memory, cpu = at_rest(psutil.Process(served.process.pid))
    return {
        "runs": runs,
        "p50_ms": statistics.median(times),
        "p99_ms": times[min(len(times) - 1, int(len(times) * 0.99))],
        "start_s": served.answered_s,
        "memory_mb": memory,
        "cpu_percent": cpu,
        "load": psutil.getloadavg()[0],
    }


def find_chromium() -> str:
    """The browser of this machine; without one the run ends with what to install."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        sys.exit("no Chromium on this machine: apt-get install chromium")
    return found


ROWS = (
    ("first word on screen after the model's, p50", "p50_ms", "{:.0f} ms", ("30 ms", "100 ms")),
    ("first word on screen after the model's, p99", "p99_ms", "{:.0f} ms", ("100 ms", "250 ms")),
    ("start to first answered request", "start_s", "{:.2f} s", ("2 s", "2 s")),
    ("memory at rest, server and worker", "memory_mb", "{:.0f} MB", ("", "")),
    ("CPU at rest, share of one core", "cpu_percent", "{:.1f} %", ("", "")),
    ("load of the machine meanwhile", "load", "{:.1f}", ("", "")),
)
"""Label, key, how it is shown, first bar in one process and across."""


def main() -> None:
    across = "--across" in sys.argv
    counts = [int(word) for word in sys.argv[1:] if word.isdigit()]
    measured = measure(counts[0] if counts else RUNS, across=across)
    where = "web and worker apart, PostgreSQL" if across else "one process, SQLite"
    print(f"{where}: {measured['runs']} runs, model silent for {SILENCE_S * 1000:.0f} ms")
    for label, key, form, bars in ROWS:
        print(f"{label:<48}{form.format(measured[key]):>12}{bars[across]:>10}")
    print(json.dumps(measured), file=sys.stderr)


if __name__ == "__main__":
    main()
