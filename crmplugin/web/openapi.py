"""The OpenAPI document: 3.0.3, short operation ids, the problem document as every operation's error."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from flask import Flask
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from crmplugin import __version__
from crmplugin.web.problems import PROBLEM_TYPE, from_http
from crmplugin.web.schemas import Problem

SETTINGS = {
    "API_TITLE": "crmplugin",
    "API_VERSION": __version__,
    "OPENAPI_VERSION": "3.0.3",
    "OPENAPI_URL_PREFIX": "/api/v1",
    "OPENAPI_JSON_PATH": "openapi.json",
    "OPENAPI_SWAGGER_UI_PATH": None,
    "API_SPEC_OPTIONS": {
        "info": {"description": "A sales assistant for CRMs: facts decide, words follow."},
        "security": [{"token": []}],
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    },
}


class ProblemApi(Api):  # type: ignore[misc]
    """flask-smorest with our problem documents for its own errors."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = "Problem"

    def handle_http_exception(self, error: HTTPException) -> Any:
        return from_http(error)


def open_api(app: Flask) -> ProblemApi:
    app.config.update(SETTINGS)
    return ProblemApi(app)


def finish(spec: APISpec) -> None:
    """Says that errors are problem documents, which flask-smorest writes down as plain JSON."""
    for name, response in spec.components.responses.items():
        content = response.get("content", {})
        if name != "UNPROCESSABLE" and "application/json" in content:
            content[PROBLEM_TYPE] = content.pop("application/json")
