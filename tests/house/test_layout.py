"""The house keeps its shape: rooms, arrows, packaged data, and no room for odds and ends."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [p for top in ("crmplugin", "connectors") for p in sorted((ROOT / top).rglob("*.py"))]
LONGEST_FUNCTION = 60
HAND_WRITTEN = [p for p in SOURCES if "migrations" not in p.parts]
"""A migration is one long list of tables by nature."""


def test_the_top_level_holds_what_was_agreed():
    for name in ("crmplugin", "connectors", "prompts", "tests", "app.py", "pyproject.toml"):
        assert (ROOT / name).exists()


def test_there_is_no_utils():
    assert not [p for p in SOURCES if p.stem in ("utils", "util", "helpers", "misc", "common")]


def test_imports_go_one_way():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_are_short(path: Path):
    tree = ast.parse(path.read_text("utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]

    too_long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= LONGEST_FUNCTION]

    assert not too_long


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_lives_there(path: Path):
    tree = ast.parse(path.read_text("utf-8"))

    # The manifest of an Odoo module is an expression and nothing else.
    assert not tree.body or path.name == "__manifest__.py" or ast.get_docstring(tree), f"{path} has no docstring"


def test_a_connector_can_be_imported_without_flask():
    code = "import sys, connectors.local.connector; sys.exit('flask' in sys.modules or 'sqlalchemy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
