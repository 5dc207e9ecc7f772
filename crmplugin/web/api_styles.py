"""Style sheets of the API: what was learned from a rep's approved drafts, to be read, changed and deleted."""

# mypy: disable-error-code="untyped-decorator"
# flask-smorest has no types.
from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import Schema, fields, validate

from crmplugin.journeys.styles import edit_style, erase_styles, list_styles, style_json
from crmplugin.web.auth import desk, who
from crmplugin.web.openapi import ApiBlueprint

styles = ApiBlueprint("styles", __name__, url_prefix="/api/v1/styles", description="Style sheets of reps")


class StyleQuery(Schema):
    connection = fields.String()
    user_id = fields.String()


class StyleChanges(Schema):
    connection = fields.String(load_default="local")
    user_id = fields.String(required=True, validate=validate.Length(1, 255))
    kind = fields.String(required=True, validate=validate.Length(1, 32))
    language = fields.String(required=True, validate=validate.Length(1, 16))
    words = fields.Integer(validate=validate.Range(1, 1000), allow_none=True)
    greeting = fields.String(allow_none=True)
    phrases_used = fields.List(fields.String(validate=validate.Length(max=160)))
    phrases_removed = fields.List(fields.String(validate=validate.Length(max=160)))


class OfStyles(Schema):
    connection = fields.String(load_default="local")
    user_id = fields.String(required=True)
    kind = fields.String()
    language = fields.String()


class StylesErased(Schema):
    erased = fields.Integer()


class StyleAnswer(Schema):
    user_id = fields.String()
    kind = fields.String()
    language = fields.String()
    drafts = fields.Integer()
    words = fields.Integer(allow_none=True)
    greeting = fields.String(allow_none=True)
    phrases_used = fields.List(fields.String())
    phrases_removed = fields.List(fields.String())
    edited = fields.Boolean()
    updated_at = fields.String(allow_none=True)


class StyleList(Schema):
    items = fields.List(fields.Nested(StyleAnswer))


@styles.get("")
@styles.doc(operationId="listStyles")
@styles.arguments(StyleQuery, location="query")
@styles.response(200, StyleList)
def list_them(query: dict[str, Any]) -> Response:
    """The style sheets you may see: your own, or everybody's for who leads."""
    found = list_styles(desk(), who(), query.get("connection"), query.get("user_id"))
    return jsonify({"items": [style_json(sheet) for sheet in found]})


@styles.patch("")
@styles.doc(operationId="editStyle")
@styles.arguments(StyleChanges)
@styles.response(200, StyleAnswer)
def edit_one(body: dict[str, Any]) -> Response:
    """Change a sheet by hand; from then on it is not learned over."""
    connection, key = body.pop("connection"), tuple(body.pop(name) for name in ("user_id", "kind", "language"))
    return jsonify(style_json(edit_style(desk(), who(), connection, key, body)))


@styles.delete("")
@styles.doc(operationId="eraseStyles")
@styles.arguments(OfStyles, location="query")
@styles.response(200, StylesErased)
def erase_some(query: dict[str, Any]) -> Response:
    """Delete a rep's sheets, all or of one kind or language; approvals after this are learned from again."""
    return jsonify({"erased": erase_styles(desk(), who(), **query)})
