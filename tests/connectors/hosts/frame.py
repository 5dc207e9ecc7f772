"""A browser page in a frame as a CRM has it: pages of the CRM and of our server, without any network.

What the page asks of our server goes into the real one in this process; `instead` answers in its place once.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page, Route

from tests.connectors.cards import installed

HERE = Path(__file__).resolve().parent
T = TypeVar("T")
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
Answer = tuple[int, Any]
Ask = Callable[[str, str, Mapping[str, str], Any], Any]
"""`ask(method, url, headers, document)` of our server, as the CRM would pass it on."""


@dataclass
class Frame:
    """The page, and what our server is to say in place of its own answers."""

    page: Page
    instead: list[Answer | None] = field(default_factory=list)
    """Status and document; None: no answer at all."""


class Apart:
    """A thread of its own for the server, which may not be where the browser's driver runs its event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)

    def run(self, work: Callable[..., T], *args: Any) -> T:
        return self._pool.submit(work, *args).result()

    @contextmanager
    def inside(self, context: AbstractContextManager[T]) -> Iterator[T]:
        """The context, entered and left over there."""
        yield self.run(context.__enter__)
        self.run(context.__exit__, None, None, None)
        self._pool.shutdown()


def framed(browser: Browser, files: Mapping[str, bytes], served: Mapping[str, Ask], *, size: tuple[int, int]) -> Frame:
    """A page that is given these files by address; addresses that begin with a key of `served` are asked for."""
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    frame = Frame(page)

    def answer(route: Route) -> None:
        url = route.request.url.partition("?")[0]
        ask = next((ask for start, ask in served.items() if url.startswith(start)), None)
        if url in files:
            kind = KINDS.get(Path(url).suffix, "text/html")
            route.fulfill(body=files[url], content_type=f"{kind}; charset=utf-8")
        elif ask is not None:
            _serve(route, frame, ask)
        else:
            route.abort()

    page.route("**/*", answer)
    return frame


def _serve(route: Route, frame: Frame, ask: Ask) -> None:
    if frame.instead:
        said = frame.instead.pop(0)
        if said is None:
            route.abort()
        else:
            route.fulfill(status=said[0], body=json.dumps(said[1]), content_type="application/json")
        return
    request = route.request
    response = ask(request.method, request.url, request.headers, json.loads(request.post_data or "null"))
    route.fulfill(status=response.status_code, body=response.data, content_type=response.content_type)


def built(folder: Path, *entries: str, **aliases: str) -> dict[str, bytes]:
    """What esbuild makes of these sources, by name."""
    tools = installed(HERE, folder / "hosts")
    aliased = [f"--alias:{name}={place}" for name, place in aliases.items()]
    command = [tools / "node_modules" / "esbuild" / "bin" / "esbuild", *entries, "--bundle", *aliased, "--outdir=built"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return {made.name: made.read_bytes() for made in (folder / "built").iterdir()}


def canned(status: str, **more: Any) -> dict[str, Any]:
    """A draft in this state as our server answers it."""
    decision = {"outcome": "draft", "code": None, "reason": "Because of this.", "earliest": "2026-12-07"}
    return {"id": "d-1", "kind": "follow_up", "status": status, "subject": None, "body": None, "audience": "customer",
            "to": None, "version": 1, "sentences": [], "facts": [], "warnings": [], "missing_info": [],
            "decision": decision, "problem": None} | more  # fmt: skip


UNSUPPORTED = {"text": "It is free.", "role": "claim", "evidence": [], "verdict": "unsupported", "action": "kept",
               "reason": "no fact says so"}  # fmt: skip


def unsupported() -> Answer:
    """A draft with a sentence that nothing carries."""
    return 200, canned("proposed", subject="S", body="It is free.", sentences=[UNSUPPORTED])


def written_slowly(*lines: tuple[str, str | None]) -> Answer:
    """A draft that is being written: its lines so far, each with its verdict (None: not checked yet)."""
    return 200, canned("writing", arriving=[{"text": t, "role": None, "verdict": verdict} for t, verdict in lines])


def stopped_while_writing() -> list[Answer]:
    """What the server says to a rep who stops the writing."""
    return [(200, canned(status)) for status in ("writing", "stopped", "stopped")]


def problems(crm: str) -> dict[int, str]:
    """Status of the server's answer -> what the rep is told."""
    return {
        401: f"{crm} and the server do not trust each other",
        403: "You may not do this",
        404: "This record is not yours to see",
        409: "Somebody was faster",
        422: "Something is missing",
        429: "Too much was asked at once",
        500: "That did not work",
        502: f"{crm} did not take it",
        503: "The server is busy",
    }
