"""No pattern of the project takes ages on a text that was written to make it do so.

Each is timed on hostile texts of one length and of four times that: a linear pattern takes four times as long, a
quadratic one sixteen times. More than that is refused, unless it is fast anyway beside a plain search of the same text.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import connectors
import crmplugin

ROOT = Path(__file__).resolve().parents[2]
SHORT, LONG = 300, 1200
MOST_RATIO = 40
"""A quadratic pattern's sixteen, and the noise of a busy machine."""
PLAIN = re.compile("[^\x00]*\x00")
FAST = 400
"""So many times a plain search is fast anyway."""
SEEDS = (
    "a", "A", "0", " ", "a ", "\t \n", "-", "0.", "0,", "1 ", "(", "[a", "<a", "a@", "a.", "@a.", ".a", "https://a",
    "ä", "a-", "/a", "a=", "\"", "'", "$1", "1%", "12:", "a, ", "\u00a0", "€", "0-", "+1", "a_", "é'", "&#", "1 a ",
)  # fmt: skip
CALLS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")


def literal_patterns() -> Iterator[tuple[str, int]]:
    """Patterns that stand in the source as texts, with their flags."""
    for folder in ("crmplugin", "connectors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
                    named = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
                    text = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
                    if named and isinstance(text, str):
                        yield text, 0


def compiled_patterns() -> Iterator[tuple[str, int]]:
    """Patterns that modules hold, however they were put together."""
    for package in (crmplugin, connectors):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." in info.name:
                continue
            for value in vars(importlib.import_module(info.name)).values():
                yield from _inside(value, 3)


def _inside(value: Any, depth: int) -> Iterator[tuple[str, int]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value.pattern, value.flags
    elif depth and isinstance(value, dict):
        for one in value.values():
            yield from _inside(one, depth - 1)
    elif depth and isinstance(value, (list, tuple, set, frozenset)):
        for one in value:
            yield from _inside(one, depth - 1)


def took(pattern: re.Pattern[str], text: str) -> float:
    """The shortest of three runs, in seconds of this process."""
    times = []
    for _ in range(3):
        began = time.process_time()
        pattern.search(text)
        times.append(time.process_time() - began)
    return min(times)


def hostile(seed: str, length: int) -> str:
    return (seed * (length // len(seed) + 1))[:length] + "\x00!"


def test_no_pattern_explodes():
    patterns = sorted(set(literal_patterns()) | set(compiled_patterns()))
    slow = [f"{text[:100]!r} on {seed!r}" for text, flags in patterns for seed in SEEDS if explodes(text, flags, seed)]

    assert len(patterns) > 150
    assert slow == []


def explodes(text: str, flags: int, seed: str) -> bool:
    pattern = re.compile(text, flags)
    # Small steps first: a pattern that doubles with each letter would otherwise never come back.
    for length in (8, 11, 14, 17, 20, 23, 26, SHORT, LONG):
        if took(pattern, hostile(seed, length)) > FAST * took_plainly(seed, LONG):
            return length < SHORT or took(pattern, hostile(seed, LONG)) > MOST_RATIO * took(
                pattern, hostile(seed, SHORT)
            )
    return False


_plain: dict[tuple[str, int], float] = {}


def took_plainly(seed: str, length: int) -> float:
    key = (seed, length)
    if key not in _plain:
        _plain[key] = max(took(PLAIN, hostile(seed, length)), 2e-6)
    return _plain[key]


def test_this_test_finds_a_pattern_that_does():
    assert explodes(r"(a+)+$", 0, "a")
    assert explodes(r"(\s*,?\s*)*x", 0, " ")
    assert not explodes(r"a+$", 0, "a")
