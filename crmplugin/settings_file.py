"""Reads the settings file and the environment, and finds the line of a key for an error message."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from crmplugin.errors import SettingsError

DIGEST_CHARS = 12
Path_ = tuple[str, ...]
TOKEN_VARIABLE = "CRMPLUGIN_TOKEN"
"""No setting: whose token a command of the command line runs with."""
PLAIN_VARIABLES = {"OPENAI_API_KEY": "openai_api_key", "OPENAI_BASE_URL": "openai_base_url"}
TYPE_NAMES = {str: "a text", int: "a whole number", bool: "true or false", Decimal: "a number", list: "a list of texts"}


@dataclass(frozen=True)
class Source:
    """The settings as written. A path is the keys from the top; the n-th `[[playbook]]` is ("playbook", "n").

    `variables` maps the path of a value that came from the environment to its variable's name.
    """

    name: str
    folder: Path
    text: str
    document: Mapping[str, Any]
    variables: Mapping[Path_, str]
    environ: Mapping[str, str]

    def problem(self, path: Path_, what: str) -> SettingsError:
        """The error for one key: where it stands and what is wrong with it."""
        if variable := self.variables.get(path):
            return SettingsError(f"environment variable {variable} {what}")
        line = line_of(self.text, path)
        where = f"{self.name} line {line}" if line else self.name
        return SettingsError(f"{where}: {_dotted(path)} {what}")

    def digests(self, key: str) -> dict[str, str]:
        """Each key as written with a digest of its value that only this installation can make."""
        found = {}
        for name, value in _leaves(self.document):
            told = hmac.new(key.encode(), f"setting\0{name}\0{value!r}".encode(), hashlib.sha256)
            found[name] = told.hexdigest()[:DIGEST_CHARS]
        return found

    def at(self, path: Path_) -> Any:
        """What is written at a path; None when nothing is."""
        value: Any = self.document
        for key in path:
            if isinstance(value, list):
                value = value[int(key)]
            elif isinstance(value, Mapping):
                value = value.get(key)
            else:
                return None
        return value

    def value(self, path: Path_, kind: type) -> Any:
        """The value at a path as `kind`, `env:` and `file:` resolved; None when absent."""
        raw = self.at(path)
        if raw is None:
            return None
        if kind is list:
            return self.strings(path)
        if kind is dict:
            return self.texts(path)
        if isinstance(raw, str):
            raw = self._resolved(path, raw)
        value = _converted(raw, kind, from_text=path in self.variables)
        if value is None:
            raise self.problem(path, f"is {_shown(raw)}: expected {TYPE_NAMES[kind]}")
        return value

    def one_of(self, path: Path_, value: Any, allowed: Collection[str]) -> str:
        if isinstance(value, str) and value in allowed:
            return value
        if value is None:
            raise self.problem(path, f"is missing: expected one of {', '.join(allowed)}")
        raise self.problem(path, f"is {_shown(value)}: expected one of {', '.join(allowed)}")

    def strings(self, path: Path_) -> tuple[str, ...]:
        """A list of texts; one text alone counts as a list of one; absent is empty."""
        value = self.at(path)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.problem(path, f"is {_shown(value)}: expected a list of texts")
        return tuple(value)

    def table(self, path: Path_) -> Mapping[str, Any]:
        value = self.at(path)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.problem(path, f"is {_shown(value)}: expected a table")
        return value

    def texts(self, path: Path_) -> Mapping[str, str]:
        """A table whose values are all texts."""
        table = self.table(path)
        for key, value in table.items():
            if not isinstance(value, str):
                raise self.problem((*path, key), f"is {_shown(value)}: expected a text")
        return table

    def tables(self, path: Path_) -> list[Mapping[str, Any]]:
        value = self.at(path)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
            raise self.problem(path, f"is {_shown(value)}: expected tables, each under [[{_dotted(path)}]]")
        return value

    def named_tables(self, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name in self.table((key,)):
            yield name, self.table((key, name))

    def refuse_unknown(self, path: Path_, known: Collection[str]) -> None:
        """Raises for the first key at a path that nobody reads, with the nearest known one."""
        for key in self.table(path) if path else self.document:
            if key not in known:
                raise self.problem((*path, key), f"is no setting{_nearest(key, known)}; correct or remove it")

    def _resolved(self, path: Path_, text: str) -> str:
        scheme, _, rest = text.partition(":")
        if scheme == "env":
            if not self.environ.get(rest):
                raise self.problem(path, f"is env:{rest}, but the environment variable {rest} is not set: set it")
            return self.environ[rest]
        if scheme == "file":
            return self._from_file(path, self.folder / Path(rest).expanduser())
        return text

    def _from_file(self, path: Path_, file: Path) -> str:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise self.problem(path, f"names {file}, which cannot be read ({error}): correct the path") from error


def _leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[str, Any]]:
    """Every value of a document with its dotted key; a list is one value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    else:
        yield _dotted(path), value


def read_source(environ: Mapping[str, str], scalars: Collection[str]) -> Source:
    """The file and the environment as one document. Empty variables count as unset."""
    file = _file_of(environ)
    text, document = ("", {}) if file is None else _parse(file)
    variables: dict[Path_, str] = {}
    for name, value in environ.items():
        if value and (path := _path_of(name, scalars)):
            _put(document, path, value)
            variables[path] = name
    folder = file.parent if file else Path()
    return Source(str(file) if file else "settings", folder, text, document, variables, environ)


def _file_of(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("CRMPLUGIN_CONFIG")
    if named is None:
        default = Path("crmplugin.toml")
        return default if default.is_file() else None
    return Path(named) if named else None


def _parse(file: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = file.read_text("utf-8")
        return text, tomllib.loads(text, parse_float=Decimal)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read ({error}): correct CRMPLUGIN_CONFIG or the file") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not TOML: {error}; correct that line") from error


def _path_of(variable: str, scalars: Collection[str]) -> Path_ | None:
    """CRMPLUGIN_PORT is ("port",), CRMPLUGIN_CONNECTIONS__ACME__BASE_URL is ("connections", "acme", "base_url")."""
    if variable in PLAIN_VARIABLES:
        return (PLAIN_VARIABLES[variable],)
    if not variable.startswith("CRMPLUGIN_") or variable in ("CRMPLUGIN_CONFIG", TOKEN_VARIABLE):
        return None
    parts = tuple(variable.removeprefix("CRMPLUGIN_").lower().split("__"))
    if len(parts) == 3 and parts[0] == "connections" and all(parts):
        return parts
    if len(parts) == 1 and parts[0] in scalars:
        return parts
    hint = _nearest(variable, ["CRMPLUGIN_" + name.upper() for name in scalars])
    raise SettingsError(f"environment variable {variable} is no setting{hint}; correct or remove it")


def _put(document: dict[str, Any], path: Path_, value: str) -> None:
    for key in path[:-1]:
        document = document.setdefault(key, {})
        if not isinstance(document, dict):
            return
    document[path[-1]] = value


def _converted(raw: Any, kind: type, *, from_text: bool) -> Any:
    if kind is str:
        return raw if isinstance(raw, str) else None
    if kind is bool:
        texts = {"true": True, "false": False, "1": True, "0": False} if from_text else {}
        return raw if isinstance(raw, bool) else texts.get(str(raw).lower())
    if isinstance(raw, bool):
        return None
    if kind is int:
        return raw if isinstance(raw, int) else int(raw) if isinstance(raw, str) and _is_int(raw) else None
    return _decimal(raw)


def _is_int(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]{1,12}", text) is not None


def _decimal(raw: Any) -> Decimal | None:
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        return None
    return value if value.is_finite() and value >= 0 else None


def line_of(text: str, path: Path_) -> int | None:
    """The line where a path's key stands, else its nearest table's line; None when neither is in the file."""
    table: Path_ = ()
    counts: dict[str, int] = {}
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        stripped, (key, equals, _) = line.strip(), line.partition("=")
        if header := re.match(r"(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$", stripped):
            name = header[2].strip()
            table = _keys(name)
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                table = (*table, str(counts[name]))
            here = table
        elif equals and re.fullmatch(r"[A-Za-z0-9_.\"' -]+", key.strip()):
            here = table + _keys(key.strip())
        else:
            continue
        if path[: len(here)] == here and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best else None


def _keys(text: str) -> Path_:
    return tuple(part.strip().strip("\"'") for part in text.split("."))


def _dotted(path: Path_) -> str:
    return ".".join(path)


def _nearest(key: str, known: Collection[str]) -> str:
    match = difflib.get_close_matches(key, list(known), 1)
    return f" (did you mean {match[0]}?)" if match else ""


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
