"""The OpenAPI document: 3.0.3, short operation ids, the problem document as every operation's error."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask, Request
from flask_smorest import Api, Blueprint
from flask_smorest.utils import prepare_response
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest, HTTPException

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

    def _register_responses(self) -> None:
        """Every error response by the name of its status, and the default one, as problem documents."""
        names = {status.name: status.phrase for status in HTTPStatus if status >= 400}
        for name, text in {**names, self.DEFAULT_ERROR_RESPONSE_NAME: "A problem, with a code for machines"}.items():
            response = {"description": text, "schema": self.ERROR_SCHEMA}
            prepare_response(response, self.spec, PROBLEM_TYPE)
            self.spec.components.response(name, response, lazy=True)


class _JsonReader(FlaskParser):
    """Whatever Python does not read as JSON is 400, a number of thousands of digits too."""

    def load_json(self, req: Request, schema: Any) -> Any:
        try:
            return super().load_json(req, schema)
        except ValueError as error:
            raise BadRequest("the body is not JSON") from error


class ApiBlueprint(Blueprint):  # type: ignore[misc]
    """A part of the API."""

    ARGUMENTS_PARSER = _JsonReader()


def open_api(app: Flask) -> ProblemApi:
    app.config.update(SETTINGS)
    return ProblemApi(app)
