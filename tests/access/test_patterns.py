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
from typing import Any, TypeGuard

import pytest

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


LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
BUILT: dict[str, tuple[tuple[object, ...], ...]] = {
    "crmplugin.analysis.passages:_history_patterns": ((),),
    "crmplugin.checking.clauses:_breaks": tuple((code,) for code in LANGUAGES),
    "crmplugin.checking.dates:_grammar": tuple((code,) for code in LANGUAGES),
    "crmplugin.checking.money:_patterns": ((),),
    "crmplugin.checking.numbers:_shape": ((".", ","), (",", " ")),
    "crmplugin.checking.spans:_unit_pattern": tuple((code,) for code in LANGUAGES),
    "crmplugin.checking.spans:_hedges": tuple((code,) for code in LANGUAGES),
    "crmplugin.checking.spans:_shapes": tuple((code,) for code in LANGUAGES),
    "crmplugin.llm.personal:_after_label": (("account",), ("phone",)),
    "crmplugin.llm.personal:_address_pattern": ((),),
    "crmplugin.llm.personal:name_pattern": ((("Zoe van der Berg", "Amir Shah", "Lund"),),),
}
"""Functions that put a pattern together of word lists, with what each is called with here."""
ESCAPED = {
    "stands_in", "_has_code", "names_any", "_bounded", "_said", "_same_weekday", "_shown_clock", "_in_words",
    "_numbered_products", "_with_next_word", "_labelled", "_is_recorded", "_steps", "_apply", "__init__", "_skeleton",
    "_greeting", "_regex",
}  # fmt: skip
"""Functions whose patterns hold words, escaped, and what may stand beside one. Those of `_regex` match whole texts of
bounded length."""
OWNERS = {"_must", "_must_not"}
"""Patterns of quality cases, which whoever runs them writes."""


def built_patterns(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Patterns that functions put together, as they compile them."""
    found, compile_ = [], re.compile

    def recorded(pattern: Any, flags: Any = 0) -> Any:
        made = compile_(pattern, flags)
        found.append((made.pattern, made.flags))
        return made

    with monkeypatch.context() as patch:
        patch.setattr(re, "compile", recorded)
        for name, calls in BUILT.items():
            module, _, function = name.partition(":")
            made = getattr(importlib.import_module(module), function)
            for args in calls:
                getattr(made, "__wrapped__", made)(*args)
    yield from found


def makers() -> set[str]:
    """The functions that compile, or search with, a pattern that is no constant."""
    return {
        function.name
        for folder in ("crmplugin", "connectors")
        for path in (ROOT / folder).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if _is_of_re(call) and not (call.args and isinstance(call.args[0], ast.Constant))
    }


def _is_of_re(node: ast.AST) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in CALLS:
        return False
    return isinstance(node.func.value, ast.Name) and node.func.value.id == "re"


def test_every_function_that_makes_a_pattern_is_known():
    assert makers() - OWNERS - ESCAPED == {name.partition(":")[2] for name in BUILT}


def literal_patterns() -> Iterator[tuple[str, int]]:
    """Patterns that stand in the source as texts, with their flags."""
    for folder in ("crmplugin", "connectors"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if _is_of_re(node) and node.args and isinstance(node.args[0], ast.Constant):
                    text = node.args[0].value
                    if isinstance(text, str):
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


def took(pattern: re.Pattern[str], text: str, enough: float = 0.0) -> float:
    """The shortest of three runs, in seconds of this process; of one that takes no longer than `enough`, that."""
    times = []
    for _ in range(3):
        began = time.process_time()
        pattern.search(text)
        times.append(time.process_time() - began)
        if times[-1] <= enough:
            break
    return min(times)


def hostile(seed: str, length: int) -> str:
    return (seed * (length // len(seed) + 1))[:length] + "\x00!"


def test_no_pattern_explodes(monkeypatch):
    patterns = sorted({*literal_patterns(), *compiled_patterns(), *built_patterns(monkeypatch)})
    slow = [f"{text[:100]!r} on {seed!r}" for text, flags in patterns for seed in SEEDS if explodes(text, flags, seed)]

    assert len(patterns) > 300
    assert slow == []


def explodes(text: str, flags: int, seed: str) -> bool:
    if not any(sign in text for sign in "*+{"):
        return False  # nothing in it repeats
    pattern = re.compile(text, flags)
    # Small steps first: a pattern that doubles with each letter would otherwise never come back.
    fast = FAST * took_plainly(seed, LONG)
    for length in (8, 14, 20, 26, SHORT, LONG):
        if took(pattern, hostile(seed, length), fast) > fast:
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
