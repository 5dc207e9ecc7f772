"""What the suite makes the product write into logs is kept, and searched when the suite ends.

Markers are what stands in the records that tests, demo and quality cases work with: every mail address ends in
`.example`, names and texts are read from the sources of them all, every secret is known or has a form. Searched are
the logs of all servers, workers and commands that tests start, and what the product logs within the process of the
tests, at `debug`.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import ahocorasick

from crmplugin.cli.logs import log_formatter

OURS = ("crmplugin", "connectors")
FOREIGN = ("prism.log",)
"""Logs of servers that are not ours: a vendor's, played by its own mock."""
PRINTED = re.compile(r"^(Sign in once|crmplugin serves on).*$", re.MULTILINE)
"""What `serve` prints for whoever starts it, where a test keeps it in one file with the log."""
PATTERNS = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.example\b"),
    re.compile(r"\bcrmp_[\w-]{20,}"),
    re.compile(r"/sign-in/[\w-]{30,}"),
    re.compile(r"\b(?:Bearer|Basic) [\w.=+/-]{16,}"),
    re.compile(r"[?&](?:sig|token|code|state)=[^&\s\"*…]{8,}"),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\."),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
)
MARKS = (
    "Kestrel Foods", "Osprey Mills", "Shahkestrel", "Shahosprey", "Amir Shah", "Vanterpool", "Zypressenweg", "5557731",
    "Heron tattoo", "Orbis", "Dana Reyes", "Markerhawk", "Quarrelmark", "Line 2 stopped", "PLANTED-",
    "webhook-secret-of-the-tests", "secret-of-the-process-tests",
)  # fmt: skip


@contextmanager
def kept_log(path: Path) -> Iterator[None]:
    """Keeps what the product logs in this process, as it would stand in a server's log."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(log_formatter())
    loggers = [logging.getLogger(name) for name in OURS]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
        handler.close()


ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ("tests/**/*.py", "crmplugin/demo/*.toml", "evals/worlds/*.json")
"""Where the records stand that the suite works with."""
SAID = re.compile(
    r'"?\b(?:body|subject|postal_address|description|instruction|text|name)\b"?\s*[:=]\s*"((?:[^"\\]|\\.){10,})"'
)
PERSON = re.compile(r'"?first_name"?\s*[:=]\s*"([^"]+)",\s*"?last_name"?\s*[:=]\s*"([^"]+)"')
TALK = re.compile(r'^\s*\["[\w-]+", "[^"]*", "((?:[^"\\]|\\.){10,})"', re.MULTILINE)
"""A line of the demo's talks: way, time, text."""
SHORTEST, LONGEST = 10, 40


@cache
def sample_texts() -> frozenset[str]:
    """Names of people, and the beginnings of names and texts of more than one word, of all samples."""
    found: set[str] = set()
    for source in (path.read_text("utf-8") for form in SAMPLES for path in ROOT.glob(form)):
        said = (re.split(r"[{\\]", text)[0][:LONGEST].strip() for text in SAID.findall(source) + TALK.findall(source))
        found |= {text for text in said if len(text) >= SHORTEST and " " in text}
        found |= {f"{first} {last}" for first, last in PERSON.findall(source)}
    return frozenset(found)


@cache
def _automaton() -> ahocorasick.Automaton:
    """Finds every marker, also as JSON writes it."""
    automaton = ahocorasick.Automaton()
    for mark in {*MARKS, *sample_texts()}:
        automaton.add_word(mark, mark)
        automaton.add_word(json.dumps(mark)[1:-1], mark)
    automaton.make_automaton()
    return automaton


def markers_in(folder: Path) -> list[tuple[str, str, str]]:
    """Marker, log and line, of every line of a log under the folder that holds one; at most twenty."""
    found = [
        (mark, str(path.relative_to(folder)), line[:300])
        for path in sorted([*folder.rglob("*.log"), *folder.rglob("log")])
        if path.name not in FOREIGN and path.is_file()
        for line in PRINTED.sub("", path.read_text("utf-8", "replace")).splitlines()
        for mark in marks_of(line)
    ]
    return found[:20]


def marks_of(line: str) -> list[str]:
    """The markers in a line of a log."""
    return [mark for _, mark in _automaton().iter(line)] + [p.pattern for p in PATTERNS if p.search(line)]
