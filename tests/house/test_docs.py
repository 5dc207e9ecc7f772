"""The guide names every setting, error, event and command."""

from __future__ import annotations

from pathlib import Path

import pytest

from crmplugin import errors
from crmplugin.cli import COMMANDS
from crmplugin.settings import SCALARS

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
ERRORS = [v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, errors.CrmPluginError)]


@pytest.mark.parametrize("name", SCALARS)
def test_every_setting_is_in_the_guide(name: str):
    assert f"`{name}`" in GUIDE


@pytest.mark.parametrize("error", [e for e in ERRORS if e is not errors.CrmPluginError], ids=lambda e: e.__name__)
def test_every_error_code_is_in_the_guide(error: type[errors.CrmPluginError]):
    assert f"`{error.code}`" in GUIDE


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example(command: str, crmplugin):
    shown = crmplugin(command, "--help")

    assert shown.code == 0
    assert f"crmplugin {command}" in shown.out.split("Example", 1)[-1]
