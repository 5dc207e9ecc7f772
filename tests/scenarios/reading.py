"""What the scenario tests look at in a draft."""

from __future__ import annotations

from typing import Any


def customer_text(draft: dict[str, Any]) -> str:
    return f"{draft['subject']}\n{draft['body']}\n{draft['html']}"


def assert_proven(draft: dict[str, Any]) -> None:
    """Every sentence passes, and every fact it cites is in the answer."""
    facts = {f["id"] for f in draft["facts"]}
    for sentence in draft["sentences"]:
        assert sentence["verdict"] in ("supported", "rendered"), sentence
        assert set(sentence["evidence"]) <= facts, sentence
    assert not [c for c in draft["checks"] if c["verdict"] == "fail"]
