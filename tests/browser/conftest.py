"""Real Chromium against real servers: one with the sample company, one with a scripted model."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from crmplugin.llm.scripted import Reply, ScriptedModel, scripted_model
from tests.browser.served import Served
from tests.browser.words import SLOWLY, TEXT, Pace
from tests.connectors.hosts.frame import Apart

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 30_000
"""How long a test waits for what should be there at once: the machine may be busy with other things."""
expect.set_options(timeout=PATIENCE_MS)
EXPECTED_REFUSALS = ("net::ERR_", "status of 401", "status of 409", "status of 404")
"""What Chromium's console says when a page shows an answer that is no success: not an error of ours."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        message = "no Chromium on this machine: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES)
        yield browser
        browser.close()


class _Host(BaseHTTPRequestHandler):
    """A page of another site: whatever HTML `pages` has for the path."""

    pages: dict[str, str] = {}

    def do_GET(self) -> None:
        body = self.pages.get(self.path, "").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture(scope="session")
def host() -> Iterator[tuple[str, dict[str, str]]]:
    """The origin of another site, and its pages by path. `localhost` is no site of `127.0.0.1`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}", _Host.pages
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, host: tuple[str, dict[str, str]]) -> Iterator[Served]:
    """The server as a new user starts it: sample company, template writer."""
    yield from as_a_new_user(tmp_path_factory.mktemp("demo"), host)


def as_a_new_user(folder: Path, host: tuple[str, dict[str, str]]) -> Iterator[Served]:
    """A server that nobody used before, until the end of the fixture."""
    served = Served(folder / "var", more={"CRMPLUGIN_CONNECTIONS__LOCAL__FRAME_ANCESTORS": host[0]})
    yield served
    served.stop()


PACE = Pace()


@pytest.fixture
def pace() -> Iterator[Pace]:
    """How fast the model speaks when it is asked to take its time; in the end it may say all."""
    PACE.hold()
    yield PACE
    PACE.go()


@pytest.fixture(scope="session")
def model() -> Iterator[ScriptedModel]:
    """A model that speaks at once, or in two halves when it is asked to take its time."""

    def script(body: dict[str, Any]) -> Reply:
        return Reply(TEXT, piece_s=0.005, before_piece=PACE.wait if SLOWLY in str(body["messages"]) else None)

    with scripted_model(script) as running:
        yield running


@pytest.fixture(scope="session")
def modelled(tmp_path_factory: pytest.TempPathFactory, model: ScriptedModel) -> Iterator[Served]:
    """A server with a model and a few records of its own."""
    served = Served(tmp_path_factory.mktemp("modelled") / "var", "--no-demo", more=model.environment)
    served.take_records()
    yield served
    served.stop()


class Visit:
    """A browser of its own, signed in, that remembers what went wrong and where it asked."""

    def __init__(self, context: BrowserContext, served: Served) -> None:
        self.context, self.served = context, served
        self.complaints: list[str] = []
        self.origins: set[str] = set()
        context.set_default_timeout(PATIENCE_MS)
        context.on("request", lambda request: self.origins.add("/".join(request.url.split("/")[:3])))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("console", self._console)
        self.page: Page = context.new_page()

    def _console(self, message: Any) -> None:
        if message.type == "error" and not any(known in message.text for known in EXPECTED_REFUSALS):
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.served.address + path)
        return self.page


@pytest.fixture
def visit(chromium: Browser, host: tuple[str, dict[str, str]]) -> Iterator[Callable[..., Visit]]:
    """`visit(demo)`, `visit(demo, role="rep", width=400, theme="dark")`; checks at its end that nothing went wrong."""
    visits: list[Visit] = []

    def _visit(
        served: Served, *, role: str | None = "admin", user_id: str | None = None, width: int = 1280, height: int = 900,
        theme: Any = "light", locale: str = "en-GB", **options: Any,
    ) -> Visit:  # fmt: skip
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, locale=locale, **options
        )
        made = Visit(context, served)
        visits.append(made)
        if role:
            made.page.goto(served.sign_in_link(role, user_id))
        return made

    yield _visit
    for made in visits:
        made.context.close()
    assert not [c for made in visits for c in made.complaints]
    assert {origin for made in visits for origin in made.origins} <= {m.served.address for m in visits} | {host[0]}


@pytest.fixture(scope="module")
def apart() -> Apart:
    """A thread for the server, beside a browser that is driven from this one."""
    return Apart()


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """The folder for the pictures of the README, when they are wanted."""
    wanted = os.environ.get("CRMPLUGIN_PICTURES")
    return Path(wanted) if wanted else None
