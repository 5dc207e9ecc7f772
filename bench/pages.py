"""How light and quick the pages are, in a real browser: the panel's first load, the checks while typing, and a
list of ten thousand drafts.

Usage: `python -m bench.pages [runs]`. First contentful paint and the longest task of the page's own thread are the
browser's own figures; bytes are those of the bodies as they travelled.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from playwright.sync_api import Browser, sync_playwright

from bench.first_word import find_chromium
from crmplugin.store.drafts import DraftStore
from tests.browser.conftest import SWITCHES
from tests.browser.served import Served
from tests.browser.test_weight import fill

RUNS = 15
PAINT = """() => new Promise(done => new PerformanceObserver(list => done(list.getEntries()[0].startTime))
  .observe({ type: "paint", buffered: true }))"""
WATCH = """() => { window.longest = 0; new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
}).observe({ type: "event", durationThreshold: 16, buffered: false }); }"""


def first_load(browser: Browser, served: Served) -> tuple[float, int, int]:
    """Milliseconds to the first contentful paint of a panel with a prepared draft, its requests, and their bytes."""
    page = browser.new_page(viewport={"width": 400, "height": 700}, locale="en-GB")
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(served.panel_link("D-1", "U-1"))
    page.locator(".sheet .text").wait_for()
    page.wait_for_load_state("networkidle")
    paint, weight = page.evaluate(PAINT), sum(a.request.sizes()["responseBodySize"] for a in answers)
    page.close()
    return paint, len(answers), weight


def longest_interaction(browser: Browser, served: Served, runs: int) -> tuple[float, float]:
    """The longest answer to a tick, in ms (events under 16 ms are not told of), and the next page's arrival, in ms."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page.goto(served.sign_in_link())
    page.goto(f"{served.address}/console?by=newest")
    page.evaluate(WATCH)
    for n in range(min(runs, 20)):
        page.locator("input[name=draft]").nth(n).click()
    longest = page.evaluate("new Promise(done => setTimeout(() => done(window.longest), 200))")
    page.goto(f"{served.address}/console?by=value&page=250")
    arrived = page.evaluate("performance.getEntriesByType('navigation')[0].responseEnd")
    page.close()
    return longest, arrived


TYPE = """async words => {
  const body = document.querySelector("[data-editor] textarea"), verdicts = document.getElementById("verdicts");
  const took = [];
  for (const word of words) {
    await new Promise(done => setTimeout(done, 150));
    const began = performance.now();
    const told = new Promise(done => new MutationObserver((_, watch) => { watch.disconnect(); done(); })
      .observe(verdicts, { childList: true, subtree: true, characterData: true }));
    body.value += word;
    body.dispatchEvent(new Event("input", { bubbles: true }));
    await told;
    took.push(performance.now() - began);
  }
  return took;
}"""


def verdicts_while_typing(browser: Browser, served: Served, draft_id: str, runs: int) -> list[float]:
    """Milliseconds from a change of the text to the checks' word on it in the page, shortest first."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page.goto(served.sign_in_link())
    page.goto(f"{served.address}/console/drafts/{draft_id}?edit=1")
    took = page.evaluate(TYPE, ["\nThey get 35 % off.", *(f" and {n} more" for n in range(2, runs + 2))])
    page.close()
    return sorted(took[1:])


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with TemporaryDirectory(prefix="crmplugin-bench-", ignore_cleanup_errors=True) as folder:
        served = Served(Path(folder) / "var", "--no-demo")
        try:
            served.take_records()
            draft_id = served.draft(kind="summary", deal_id="D-1")["id"]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=SWITCHES)
                loads = [first_load(browser, served) for _ in range(runs)]
                typed = verdicts_while_typing(browser, served, draft_id, 3 * runs)
                served.store(lambda engine: fill(DraftStore(engine), 10_000))
                longest, arrived = longest_interaction(browser, served, runs)
                browser.close()
        finally:
            served.stop()
    paints = sorted(paint for paint, _, _ in loads)
    rows = (
        ("first contentful paint, median", f"{statistics.median(paints):.0f} ms", "300 ms"),
        ("first contentful paint, slowest", f"{paints[-1]:.0f} ms", ""),
        ("requests of the first load", str(max(n for _, n, _ in loads)), "6"),
        ("bytes of the first load", f"{max(w for _, _, w in loads) / 1000:.1f} kB", "60 kB"),
        ("checks' word while typing, median", f"{statistics.median(typed):.0f} ms", "100 ms"),
        ("checks' word while typing, slowest", f"{typed[-1]:.0f} ms", ""),
        ("longest answer to a tick, 10,000 drafts", f"{longest:.0f} ms" if longest else "under 16 ms", "50 ms"),
        ("page 250 of 500 by value arrives after", f"{arrived:.0f} ms", ""),
        ("load of the machine meanwhile", f"{psutil.getloadavg()[0]:.1f}", ""),
    )
    for label, value, bar in rows:
        print(f"{label:<44}{value:>14}{bar:>10}")


if __name__ == "__main__":
    main()
