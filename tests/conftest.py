"""What every test may use: a clean environment, a folder of its own, the command line as a call."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import settings as hypothesis_settings

from crmplugin.cli import cli
from crmplugin.errors import CrmPluginError
from tests.postgres import cluster, drop_database, make_database
from tests.written import kept_log, markers_in

# How long an example takes says more about the other work of the machine than about ours.
hypothesis_settings.register_profile("crmplugin", deadline=None)
hypothesis_settings.load_profile("crmplugin")


FIGURES = "figures"


@dataclass(frozen=True)
class Answer:
    """What a command gave: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database", choices=["sqlite", "postgresql"], default="sqlite", help="What stands behind every test."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about the one database says nothing about the other."""
    foreign = {"postgresql": "embedded", "sqlite": "on_postgresql"}[config.getoption("--database")]
    others = [item for item in items if item.get_closest_marker(foreign)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps a figure that a test measured for the end of the run's report, whichever process it ran in."""
    return lambda text: request.node.user_properties.append((FIGURES, text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests measured, whether they passed or not."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.stats.get(kind, ())]
    for report in sorted(reports, key=lambda r: r.nodeid):
        texts = [text for name, text in report.user_properties if name == FIGURES]
        if texts and report.when == "call":
            terminalreporter.write_sep("-", report.nodeid)
            terminalreporter.write_line("\n".join(texts))


@pytest.fixture(scope="session", autouse=True)
def no_marker_in_any_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Customers' texts and secrets are in no log that these tests wrote."""
    folder = tmp_path_factory.getbasetemp()
    with kept_log(folder / "this-process.log"):
        yield
    assert markers_in(folder) == []


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[str]:
    """A PostgreSQL server for this run."""
    with cluster() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres_folder: str) -> Iterator[str]:
    """The URL of a new empty PostgreSQL database."""
    url = make_database(postgres_folder)
    yield url
    drop_database(postgres_folder, url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new empty database of the kind that `--database` names."""
    if request.config.getoption("--database") == "postgresql":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path}/var/crmplugin.sqlite"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """No settings from outside; all files of a test under its own folder, its database of the chosen kind."""
    for name in list(os.environ):
        if name.startswith(("CRMPLUGIN_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CRMPLUGIN_CONFIG", "")
    monkeypatch.setenv("CRMPLUGIN_VAR", str(tmp_path / "var"))
    if request.config.getoption("--database") == "postgresql":
        monkeypatch.setenv("CRMPLUGIN_DATABASE_URL", request.getfixturevalue("database_url"))
    return tmp_path


@pytest.fixture
def crmplugin() -> Callable[..., Answer]:
    """Runs a command in this process: `crmplugin("draft", "follow_up", "--deal", "D-1")`."""

    def run(*args: str, stdin: str | None = None) -> Answer:
        result = CliRunner().invoke(cli, [str(a) for a in args], input=stdin, catch_exceptions=True)
        if isinstance(result.exception, CrmPluginError):
            return Answer(1, result.stdout, str(result.exception))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run
