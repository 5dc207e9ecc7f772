"""Characters that no database keeps: NUL, and half of a surrogate pair. They are refused before anything is looked up.

Webhooks are left alone: what is genuine is stored as it came, and read with care.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request

from crmplugin.web.problems import problem

MOST_DIGITS = 9
UNKEPT = re.compile("[\x00\ud800-\udfff]")
WHY = "holds a NUL character or half of a surrogate pair: leave it out"


def whole_number(text: str | None) -> int | None:
    """The number that somebody sent, if it is a whole one of a size that counts and databases have; else None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def register(app: Flask) -> None:
    app.before_request(refuse_unkept)


def refuse_unkept() -> Response | None:
    """404 for an address with such a character, 422 naming the fields of query, form or body that have one."""
    if request.endpoint is None or request.blueprint == "webhooks":
        return None
    if any(UNKEPT.search(str(value)) for value in (request.view_args or {}).values()):
        return problem(404, f"there is nothing at this address: it {WHY}")
    request.get_data(cache=True)  # before the form, which would use the body up: a signature may be about all of it
    named = [*request.args.items(multi=True), *request.form.items(multi=True), *_in_json()]
    fields = dict.fromkeys(name for name, value in named if UNKEPT.search(name) or UNKEPT.search(value))
    if not fields:
        return None
    errors = [{"field": UNKEPT.sub("�", name), "reason": WHY} for name in fields]
    return problem(422, "; ".join(f"{e['field']}: {e['reason']}" for e in errors), errors=errors)


def _in_json() -> Iterator[tuple[str, str]]:
    """Path and text of every text in a JSON body; a body without escapes has no such character."""
    if b"\\u" in request.get_data():
        yield from _texts(request.get_json(force=True, silent=True), "")


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for n, one in enumerate(value):
            yield from _texts(one, f"{path}[{n}]")
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, f"{path}.{key}" if path else key)
            yield from [(key, key)] if UNKEPT.search(key) else []
