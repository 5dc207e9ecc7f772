"""What can be said of Odoo's module without Odoo: its own tests run in a real one, in the long test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

MODULE = Path(__file__).parents[3] / "connectors" / "odoo" / "ui" / "crmplugin_assistant"
ODOOS_OWN = {"Config Settings", "Created by", "Created on", "Display Name", "ID", "Last Updated by", "Last Updated on"}
NO_WORDS = {"acme", "https://assist.example.com", "Res", "Res Model"}
"""Examples, and fields that nobody sees."""
ENTRY = re.compile(r'^msgid (?P<id>(?:".*"\n)+)msgstr (?P<text>(?:".*"\n?)+)', re.MULTILINE)


def entries(name: str) -> dict[str, str]:
    """Term -> translation."""
    text = (MODULE / "i18n" / name).read_text("utf-8")
    found = {joined(one["id"]): joined(one["text"]) for one in ENTRY.finditer(text)}
    return {term: words for term, words in found.items() if term}


def joined(quoted: str) -> str:
    return "".join(str(ast.literal_eval(line)) for line in quoted.splitlines())


@pytest.mark.parametrize("language", ["de", "es", "fr"])
def test_every_term_is_translated_with_its_places(language):
    wanted = entries("crmplugin_assistant.pot").keys() - ODOOS_OWN - NO_WORDS
    given = entries(f"{language}.po")

    assert wanted - {term for term, words in given.items() if words} == set()
    assert len(wanted) > 50
    for term in wanted:
        assert given[term].count("%s") == term.count("%s")


def test_every_file_that_the_manifest_names_is_there():
    manifest = ast.literal_eval((MODULE / "__manifest__.py").read_text("utf-8"))

    assert [name for name in manifest["data"] if not (MODULE / name).is_file()] == []


def test_no_secret_and_no_address_reaches_the_browser():
    shown = "".join(file.read_text("utf-8") for file in (MODULE / "static").rglob("*.js"))

    assert "fetch(" not in shown
    assert not re.search(r"secret|https?://|panel/", shown)
