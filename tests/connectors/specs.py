"""The vendors' own descriptions of their APIs, from the folder in CRM_SPECS_DIR: which call is allowed, what answers.

Three mechanical edits are made at load, as the descriptions need: an `"example": null` is dropped, the media type `*/*`
is read as `application/json`, and a parameter that takes a "comma separated" list of values, or a "multiple selection"
of them, takes more than one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from tests.fakes.server import Request

METHODS = ("get", "put", "post", "delete", "patch")
HUBSPOT = (
    "CRM__Objects__", "CRM__Associations__", "CRM__Crm_Owners__", "CRM__Pipelines__", "CRM__Lists__",
    "CRM__Properties__", "Communication_Preferences__", "Marketing__Marketing_Emails__", "Auth__Oauth__",
)  # fmt: skip
WITHOUT = "CRM_SPECS_DIR is unset or not a folder: the vendors' descriptions are not part of the project"


def specs_folder() -> Path:
    """The folder of descriptions; skips the test by name when there is none."""
    named = os.environ.get("CRM_SPECS_DIR")
    if not named or not Path(named).is_dir():
        pytest.skip(WITHOUT)
    return Path(named)


@dataclass(frozen=True)
class Operation:
    """One call that a description allows."""

    method: str
    path: str
    pattern: re.Pattern[str]
    about: Mapping[str, Any]
    document: Mapping[str, Any]
    prefix: str

    def problems(self, request: Request) -> list[str]:
        """What of a request the description does not allow."""
        declared = {p["name"]: p for p in self._parameters() if p["in"] == "query"}
        found = [f"parameter {name} is not declared" for name in request.query if name not in declared]
        found += [
            f"parameter {name} is required"
            for name, p in declared.items()
            if p.get("required") and name not in request.query
        ]
        for name, values in request.query.items():
            found += [f"parameter {name}: {e}" for e in self._bad_values(declared.get(name, {}), values)]
        return found + self._bad_body(request.body)

    def _bad_values(self, parameter: Mapping[str, Any], values: list[str]) -> Iterator[str]:
        schema = self.resolved(parameter.get("schema", {}))
        item = self.resolved(schema.get("items", {})) if schema.get("type") == "array" else schema
        if schema.get("type") != "array" and len(values) > 1:
            yield "given more than once"
        for value in values:
            if item.get("type") in ("integer", "number") and not re.fullmatch(r"-?\d+(\.\d+)?", value):
                yield f"{value!r} is no number"
            if item.get("enum") and value not in [str(one) for one in item["enum"]]:
                yield f"{value!r} is none of its values"
            if item.get("pattern") and not re.fullmatch(item["pattern"], value):
                yield f"{value!r} is no list of its values"
            if item.get("type") == "boolean" and value not in ("true", "false"):
                yield f"{value!r} is neither true nor false"

    def _bad_body(self, body: Any) -> list[str]:
        given = self.about.get("requestBody")
        if given is None:
            return [] if body is None else ["a body is not expected"]
        content = self.resolved(given).get("content", {})
        media = content.get("application/json") or next(iter(content.values()), {})
        return self.errors(media.get("schema", {}), body) if "application/json" in content else []

    def errors(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        """What of a value a schema of this document refuses."""
        resource = Resource(contents=self.document, specification=DRAFT4)
        registry = Registry().with_resource("urn:description", resource)
        schema = json.loads(json.dumps(schema).replace('"#/', '"urn:description#/'))
        checker = OAS30Validator(schema, registry=registry, format_checker=oas30_format_checker)
        return [f"{'/'.join(map(str, e.path))}: {e.message[:200]}" for e in checker.iter_errors(value)]

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            part: Any = self.document
            for key in schema["$ref"].lstrip("#/").split("/"):
                part = part[key.replace("~1", "/").replace("~0", "~")]
            schema = part
        return schema

    def _parameters(self) -> list[Mapping[str, Any]]:
        shared = self.document["paths"][self.path].get("parameters", [])
        return [self.resolved(p) for p in (*shared, *self.about.get("parameters", []))]

    def examples(self) -> Iterator[Any]:
        """The answers that the description shows for a success."""
        for status, answer in self.about.get("responses", {}).items():
            if not str(status).startswith("2"):
                continue
            for media in self.resolved(answer).get("content", {}).values():
                if media.get("example") is not None:
                    yield media["example"]
                for example in media.get("examples", {}).values():
                    yield self.resolved(example).get("value")


class Book:
    """All operations of one vendor."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        self.documents = documents
        self.operations = [op for prefix, document in documents.items() for op in _operations(document, prefix)]

    def find(self, request: Request) -> Operation | None:
        """The operation of a request: the most literal path that fits."""
        fitting = [
            op for op in self.operations if op.method == request.method.lower() and op.pattern.fullmatch(request.path)
        ]
        return min(fitting, key=lambda op: op.path.count("{"), default=None)

    def problems(self, request: Request) -> list[str]:
        """What is wrong with a request; empty when the description allows it."""
        operation = self.find(request)
        where = f"{request.method} {request.path}"
        if operation is None:
            return [f"{where}: no such call in the description"]
        return [f"{where}: {problem}" for problem in operation.problems(request)]


def _operations(document: Mapping[str, Any], prefix: str) -> Iterator[Operation]:
    for path, about in document["paths"].items():
        pattern = re.compile(re.escape(prefix) + re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
        for method in METHODS:
            if method in about:
                yield Operation(method, path, pattern, about[method], document, prefix)


@cache
def _load(file: Path) -> Any:
    text = file.read_text("utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return edited(json.loads(text) if file.suffix == ".json" else yaml.load(text, Loader=loader))


def edited(part: Any) -> Any:
    """The three mechanical edits."""
    if isinstance(part, list):
        return [edited(one) for one in part]
    if not isinstance(part, dict):
        return part
    kept = {key: edited(value) for key, value in part.items() if not (key == "example" and value is None)}
    values = kept["schema"].get("enum") if kept.get("in") == "query" and isinstance(kept.get("schema"), dict) else None
    if values and any(word in str(kept.get("description")).lower() for word in ("comma separated", "multiple sel")):
        one = "|".join(map(re.escape, values))
        kept["schema"] = {"type": "string", "pattern": f"^({one})(,({one}))*$"}
    return {("application/json" if key == "*/*" else key): value for key, value in kept.items()}


@cache
def hubspot_book() -> Book:
    folder = specs_folder() / "hubspot"
    found = {name: next(folder.glob(f"{name}*.json")) for name in HUBSPOT}
    merged = merge({name: _load(file) for name, file in found.items()})
    return Book({"": merged})


def merge(documents: Mapping[str, Any]) -> dict[str, Any]:
    """One document of many whose components have the same names: each gets its number in front."""
    merged: dict[str, Any] = {"openapi": "3.0.1", "info": {"title": "all", "version": "1"}, "paths": {}}
    components: dict[str, dict[str, Any]] = {}
    for number, document in enumerate(documents.values()):
        own = json.loads(
            re.sub(r'"#/components/(\w+)/', rf'"#/components/\1/n{number}_', json.dumps(document, ensure_ascii=False))
        )
        for kind, entries in own.get("components", {}).items():
            prefix = "" if kind == "securitySchemes" else f"n{number}_"
            components.setdefault(kind, {}).update({prefix + name: entry for name, entry in entries.items()})
        merged["paths"].update({path: about for path, about in own["paths"].items() if path not in merged["paths"]})
        merged["servers"] = own.get("servers", [])
    return merged | {"components": components}


def trimmed(document: Mapping[str, Any], operations: Mapping[str, set[str]]) -> dict[str, Any]:
    """The description with these calls alone (path -> methods) and what they refer to: a mock server starts faster."""
    paths = {path: _only(document["paths"][path], methods) for path, methods in operations.items()}
    components: dict[str, dict[str, Any]] = {"securitySchemes": document["components"].get("securitySchemes", {})}
    waiting = _references(paths)
    while waiting:
        kind, name = waiting.pop()
        if name not in components.setdefault(kind, {}):
            components[kind][name] = document["components"][kind][name]
            waiting |= _references(components[kind][name])
    return _alive({**document, "paths": paths, "components": components})


def _alive(part: Any) -> Any:
    """A mock says that every record was deleted and that every page has a next one: here it does not."""
    if isinstance(part, list):
        return [_alive(one) for one in part]
    if not isinstance(part, dict):
        return part
    alive = {key: _alive(value) for key, value in part.items() if not _says_more(key, value)}
    if isinstance(alive.get("archived"), dict) and alive["archived"].get("type") == "boolean":
        alive["archived"] = {**alive["archived"], "example": False}
    return alive


def _says_more(key: str, value: Any) -> bool:
    """Whether this says that another page follows: a reference or a cursor of an example."""
    return (key == "paging" and "$ref" in value) or (key in ("next_cursor", "next_start") and value is not None)


def _only(path: Mapping[str, Any], methods: set[str]) -> dict[str, Any]:
    return {key: value for key, value in path.items() if key not in METHODS or key in methods}


def _references(part: Any) -> set[tuple[str, str]]:
    return set(re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(part)))


@cache
def pipedrive_book() -> Book:
    folder = specs_folder() / "pipedrive"
    versions = {"/api/v2": "pipedrive-v2-openapi.yml", "/api/v1": "pipedrive-v1-openapi.yml"}
    return Book({prefix: _load(folder / name) for prefix, name in versions.items()})


def prefixed(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One document of many, each under its own beginning of paths."""
    moved = {
        prefix: {**document, "paths": {prefix + path: about for path, about in document["paths"].items()}}
        for prefix, document in documents.items()
    }
    return {**merge(moved), "servers": []}
