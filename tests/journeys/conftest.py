"""Installations of their own for tests that carry everything from one to another."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from crmplugin.settings import Settings, load_settings
from tests.postgres import make_database


@pytest.fixture
def make_home(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """A new empty installation: `make_home("other")`; its database is of the kind that `--database` names."""

    def make(name: str = "home", *, database: str | None = None) -> Settings:
        environ = {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": str(tmp_path / name)}
        if (database or request.config.getoption("--database")) == "postgresql":
            environ["CRMPLUGIN_DATABASE_URL"] = make_database(request.getfixturevalue("postgres_folder"))
        return load_settings(environ)

    return make
