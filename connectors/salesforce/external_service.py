r"""Our OpenAPI document as an External Service of Salesforce: what a flow may ask of the server, as actions.

Only some operations, with what Salesforce reads: JSON bodies and answers, no error documents (a flow has its fault
path), no null among choices, no objects without fields. Source: Salesforce Help, "External Services: Schema
Definitions", read in November 2026. After the API changed, in `connectors/salesforce/ui`:

    crmplugin openapi | python -m connectors.salesforce.external_service > \
        force-app/main/default/externalServiceRegistrations/AI_Assistant.externalServiceRegistration-meta.xml
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

OPERATIONS = ("createDraft", "getDraft", "listDrafts", "rejectDraft", "stopDraft")
"""Saying yes is not among them: that is a person's."""
CREDENTIAL = "AI_Assistant_API"
JSON = "application/json"
METHODS = ("get", "post", "patch", "put", "delete")
DROPPED = ("additionalProperties", "example", "tags", "readOnly")
BINDING: dict[str, object] = {
    "host": "", "basePath": "/", "allowedSchemes": [], "requestMediaTypes": [], "responseMediaTypes": [],
    "compatibleMediaTypes": {}, "integrationFlags": None, "extensions": {},
}  # fmt: skip

Thing = Mapping[str, Any]


def reduced(document: Thing) -> dict[str, Any]:
    """The document with our operations alone, and the schemas that they need."""
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        ours = [m for m in METHODS if item.get(m, {}).get("operationId") in OPERATIONS]
        chosen = {m: _operation(item[m], document["components"]["schemas"]) for m in ours}
        if chosen:
            shared = {"parameters": _plain(item["parameters"])} if item.get("parameters") else {}
            paths[path] = shared | chosen
    schemas = _needed(paths, document["components"]["schemas"])
    info = {"title": "AI Assistant", "version": "1", "description": document["info"]["description"]}
    return {"openapi": "3.0.3", "info": info, "paths": paths, "components": {"schemas": schemas}}


def registration(document: Thing) -> str:
    """The metadata file of the External Service."""
    schema = escape(json.dumps(reduced(document), indent=1, ensure_ascii=False))
    names = "".join(
        f"    <operations>\n        <active>true</active>\n        <name>{name}</name>\n    </operations>\n"
        for name in sorted(operation.lower() for operation in OPERATIONS)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<ExternalServiceRegistration xmlns="http://soap.sforce.com/2006/04/metadata">\n'
        "    <description>Drafts for flows: ask for one, read it, stop or reject it.</description>\n"
        "    <label>AI Assistant</label>\n"
        f"    <namedCredentialReference>{CREDENTIAL}</namedCredentialReference>\n{names}"
        "    <registrationProviderType>Custom</registrationProviderType>\n"
        f"    <schema>{schema}</schema>\n    <schemaType>OpenApi3</schemaType>\n"
        f"    <serviceBinding>{escape(json.dumps(BINDING))}</serviceBinding>\n"
        "    <status>Complete</status>\n</ExternalServiceRegistration>\n"
    )


def _operation(operation: Thing, schemas: Thing) -> dict[str, Any]:
    kept = {name: operation[name] for name in ("operationId", "summary", "parameters") if operation.get(name)}
    body = operation.get("requestBody")
    answers = {
        status: {"description": answer["description"], "content": {JSON: answer["content"][JSON]}}
        for status, answer in operation["responses"].items()
        if status.startswith("2") and JSON in answer.get("content", {})
    }
    # A body without fields is none: Salesforce wants a field in every object.
    filled = body and any(schemas[name].get("properties") for name in _referred(body))
    asked = {"requestBody": {**body, "content": {JSON: body["content"][JSON]}}} if body and filled else {}
    made: dict[str, Any] = _plain(kept | asked | {"responses": answers})
    return made


def _plain(thing: Any) -> Any:
    """Without what Salesforce does not read; "this object, or null" is the object."""
    if isinstance(thing, list):
        return [_plain(one) for one in thing]
    if not isinstance(thing, Mapping):
        return thing
    if "anyOf" in thing:
        return _plain(next(one for one in thing["anyOf"] if "$ref" in one))
    kept = {name: _plain(one) for name, one in thing.items() if name not in DROPPED}
    if isinstance(kept.get("properties"), dict):
        kept["properties"] = {name: one for name, one in kept["properties"].items() if not _is_open(one)}
    if isinstance(kept.get("enum"), list):
        kept["enum"] = [one for one in kept["enum"] if one is not None]
    return kept


def _is_open(schema: Thing) -> bool:
    """An object that may hold anything, or a list of such: a flow has no type for it."""
    inner = schema.get("items", schema)
    return inner.get("type") == "object" and not inner.get("properties")


def _needed(part: Any, schemas: Thing) -> dict[str, Any]:
    """The schemas that a part refers to, and those that they refer to."""
    needed: dict[str, Any] = {}
    names = _referred(part)
    while names:
        name = names.pop()
        if name not in needed:
            needed[name] = _plain(schemas[name])
            names |= _referred(needed[name])
    return dict(sorted(needed.items()))


def _referred(part: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)))


if __name__ == "__main__":
    sys.stdout.write(registration(json.load(sys.stdin)))
