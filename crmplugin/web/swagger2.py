"""The OpenAPI document as Swagger 2.0, for tools that read nothing newer (Power Platform's custom connectors).

Only what our own document uses is translated; source: https://swagger.io/specification/v2/, read 2026-03.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER_KEYS = ("in", "name", "required", "description")
SCHEMA_KEYS = ("type", "format", "enum", "default", "minimum", "maximum", "minLength", "maxLength")


def to_swagger2(document: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The same API at an address (`https://sales.example.com`), in the older words."""
    host = urlsplit(address)
    components = document["components"]
    return {
        "swagger": "2.0",
        "info": document["info"],
        "host": host.netloc,
        "basePath": "/",
        "schemes": [host.scheme],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        "security": [{"token": []}],
        "paths": {path: _path(item) for path, item in document["paths"].items()},
        "definitions": {name: _schema(schema) for name, schema in components["schemas"].items()},
        "responses": {name: _response(response) for name, response in components["responses"].items()},
        "tags": document.get("tags", []),
    }


def _path(item: Mapping[str, Any]) -> dict[str, Any]:
    shared = [_parameter(p) for p in item.get("parameters", [])]
    operations = {method: _operation(item[method]) for method in METHODS if method in item}
    return {**operations, **({"parameters": shared} if shared else {})}


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: operation[key] for key in ("operationId", "summary", "description", "tags") if key in operation}
    parameters = [_parameter(p) for p in operation.get("parameters", [])]
    if body := operation.get("requestBody"):
        schema = body["content"]["application/json"]["schema"]
        parameters.append(
            {"in": "body", "name": "body", "required": body.get("required", False), "schema": _schema(schema)}
        )
    responses = {status: _response(response) for status, response in operation["responses"].items()}
    return {**kept, "parameters": parameters, "responses": responses}


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema = parameter.get("schema", {})
    flat = {key: schema[key] for key in SCHEMA_KEYS if key in schema}
    return {**{key: parameter[key] for key in PARAMETER_KEYS if key in parameter}, "type": "string", **flat}


def _response(response: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in response:
        return {"$ref": _moved(response["$ref"])}
    contents = list(response.get("content", {}).values())
    schema = {"schema": _schema(contents[0]["schema"])} if contents and "schema" in contents[0] else {}
    return {"description": response.get("description", ""), **schema}


def _schema(schema: Any) -> Any:
    """A schema with its references moved and `nullable` in the older words."""
    if isinstance(schema, list):
        return [_schema(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    if "anyOf" in schema:  # how marshmallow's apispec says "this object, or null"
        return {"allOf": [_schema(part) for part in schema["anyOf"] if "$ref" in part], "x-nullable": True}
    moved = {key: _schema(value) for key, value in schema.items() if key != "nullable"}
    if isinstance(moved.get("$ref"), str):
        moved["$ref"] = _moved(moved["$ref"])
    return {**moved, "x-nullable": True} if schema.get("nullable") is True else moved


def _moved(reference: str) -> str:
    return reference.replace("#/components/schemas/", "#/definitions/").replace(
        "#/components/responses/", "#/responses/"
    )
