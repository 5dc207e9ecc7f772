"""Prompt files: a TOML head between `+++` lines, then a system and a user section with `{{placeholders}}`.

A head with an unknown key, an input that no section uses or a placeholder that the head does not declare is refused
when the file is loaded. Sections are split before values are filled in, so no value can open a role.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from crmplugin.domain.draft import PromptUsed
from crmplugin.ports import Message

HEAD_KEYS = frozenset({"name", "version", "purpose", "inputs", "role", "output", "changed", "reason"})
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_PART = re.compile(r"\{\{> (\w+)\}\}\n?")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt, ready to be filled."""

    name: str
    version: str
    hash: str
    inputs: frozenset[str]
    system: str
    user: str

    @property
    def used(self) -> PromptUsed:
        return PromptUsed(self.name, self.version, self.hash)

    def fill(self, values: Mapping[str, str]) -> list[Message]:
        """The messages. Raises ValueError when a value is missing or not asked for."""
        if values.keys() != self.inputs:
            raise ValueError(f"prompt {self.name}: expected {sorted(self.inputs)}, got {sorted(values)}")
        pairs = (("system", self.system), ("user", self.user))
        return [Message(role, _PLACEHOLDER.sub(lambda m: values[m[1]], text)) for role, text in pairs]


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt `prompts/write/<name>.md`. Raises ValueError for a file that breaks the form."""
    text = (files("prompts") / "write" / f"{name}.md").read_text("utf-8")
    return parse_prompt(text, name)


def prompt_head(name: str) -> Mapping[str, object]:
    """The head of a prompt's file: purpose, date and reason of the last change."""
    return tomllib.loads((files("prompts") / "write" / f"{name}.md").read_text("utf-8").split("+++\n", 2)[1])


def parse_prompt(text: str, name: str) -> Prompt:
    """A prompt from the text of its file."""
    try:
        _, head_text, rest = text.split("+++\n", 2)
        _, sections = rest.split("## system\n", 1)
        system, user = sections.split("## user\n", 1)
    except ValueError:
        raise ValueError(f"prompt {name}: expected a head between +++ lines, ## system and ## user") from None
    head = tomllib.loads(head_text)
    system, user = (_with_parts(s).strip() for s in (system, user))
    _check(name, head, system + user)
    digest = hashlib.sha256(f"{system}\n{user}".encode()).hexdigest()[:16]
    return Prompt(head["name"], head["version"], digest, frozenset(head["inputs"]), system, user)


def _with_parts(text: str) -> str:
    """The text with its parts, and theirs."""
    return _PART.sub(lambda m: _with_parts(_part(m[1])), text)


def _part(name: str) -> str:
    return (files("prompts") / "parts" / f"{name}.md").read_text("utf-8")


def _check(name: str, head: Mapping[str, object], text: str) -> None:
    wrong = head.keys() ^ HEAD_KEYS
    if wrong:
        raise ValueError(f"prompt {name}: head keys missing or unknown: {sorted(wrong)}")
    used, declared = set(_PLACEHOLDER.findall(text)), set(head["inputs"])  # type: ignore[call-overload]
    if used != declared:
        raise ValueError(f"prompt {name}: inputs declared and used differ in {sorted(used ^ declared)}")
