"""Every answer that is no success: RFC 9457 problem documents with a stable `code` and `retryable`."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from crmplugin.errors import (
    AccessDenied,
    CrmError,
    CrmPluginError,
    ModelError,
    NotFound,
    NotGenuine,
    RecordProblem,
    StateConflict,
    StoreError,
    TooLarge,
    TooManyTries,
    Unreadable,
    UsageError,
)

log = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"
STATUSES: tuple[tuple[type[CrmPluginError], int], ...] = (
    (NotFound, 404),
    (UsageError, 422),
    (StateConflict, 409),
    (AccessDenied, 403),
    (TooManyTries, 429),
    (NotGenuine, 401),
    (Unreadable, 400),
    (TooLarge, 413),
    (StoreError, 503),
    (ModelError, 502),
    (CrmError, 502),
)
"""The status of each error; the first class that fits counts."""
CODES: Mapping[int, str] = {
    400: "bad_request", 401: "not_signed_in", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    406: "not_acceptable", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 503: "unavailable",
}  # fmt: skip
TITLES: Mapping[int, str] = {
    400: "Not understood", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Not in this state", 413: "Too large", 422: "Invalid fields", 500: "Internal error",
    502: "CRM or model failed", 503: "Unavailable",
}  # fmt: skip
RETRY_AFTER_S = 5


def problem(
    status: int, detail: str, *, code: str | None = None, retryable: bool | None = None, **more: Any
) -> Response:
    """A problem document as an answer. 502 and 503 are retryable unless said otherwise."""
    document = {
        "type": "about:blank",
        "title": TITLES.get(status, "Request failed"),
        "status": status,
        "code": code or CODES.get(status, "error"),
        "detail": detail,
        "retryable": status in (429, 502, 503) if retryable is None else retryable,
        **more,
    }
    response = Response(json.dumps(document, ensure_ascii=False), status, content_type=PROBLEM_TYPE)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def from_error(error: CrmPluginError) -> Response:
    """The problem of one of our errors."""
    status = next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    more = {"errors": [{"field": error.key, "reason": str(error)}]} if isinstance(error, RecordProblem) else {}
    response = problem(status, str(error), code=error.code, retryable=error.retryable, **more)
    wait = getattr(error, "retry_after_s", None)
    if wait:
        response.headers["Retry-After"] = str(int(wait) + 1)
    return response


def from_http(error: HTTPException) -> Response:
    """The problem of an error that Flask or webargs raised."""
    if error.response is not None:  # a redirect in the coat of an error
        return error.response  # type: ignore[return-value]
    status = error.code or 500
    messages = getattr(error, "data", {}).get("messages") if hasattr(error, "data") else None
    if status == 422 and messages:
        fields = list(_fields(messages))
        return problem(422, "; ".join(f"{f['field']}: {f['reason']}" for f in fields), errors=fields)
    if status == 413:
        _drain()
    response = problem(status, _detail(status, error, messages))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _detail(status: int, error: HTTPException, messages: Any) -> str:
    if status == 400 and messages:
        return "the body is not JSON"
    if status == 413:
        return f"the body is larger than the {request.max_content_length} bytes that are taken"
    if status == 404 and not error.description:
        return f"there is nothing at {request.path}"
    return error.description or "the request failed"


def _fields(messages: Any, path: str = "") -> Any:
    """Each message of a nest of fields, with the path of its field; the first level says only where it was."""
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            at_top = not path and key in ("json", "query", "headers", "path", "_schema")
            yield from _fields(inner, path if at_top else f"{path}.{key}".lstrip("."))
        return
    for message in messages if isinstance(messages, list) else [messages]:
        yield {"field": path.removesuffix("._schema") or "body", "reason": str(message).rstrip(".")}


def _drain(limit: int = 64 * 1024 * 1024) -> None:
    """Reads what the caller still sends, up to a bound: many clients only read an answer after they have sent all."""
    stream = request.environ.get("wsgi.input")
    left = limit
    while stream is not None and left > 0:
        piece = stream.read(min(left, 1024 * 1024))
        if not piece:
            return
        left -= len(piece)


def register(app: Flask) -> None:
    """Makes every error of the application a problem document."""
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(CrmPluginError, from_error)
    app.register_error_handler(
        RecursionError, lambda _: problem(400, "the body is not JSON that can be read: too deep")
    )
    app.register_error_handler(Exception, _unexpected)


def _unexpected(error: Exception) -> Response:
    log.exception("request failed", extra={"path": request.path})
    return problem(500, "this should not happen: the log of the server says more", code="internal", retryable=False)
