"""Bodies, queries and answers of the API, as marshmallow schemas: they check what comes in, document what goes out."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, get_args
from zoneinfo import ZoneInfo

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from crmplugin.domain.brief import DraftChannel, FollowUpType, Kind
from crmplugin.domain.draft import MOVES, Verdict

SUBJECTS = ("deal", "company", "contact", "ticket", "activity")
KINDS = tuple(k for k in get_args(Kind) if k != "campaign_message")
JOB_STATES = ("waiting", "running", "done", "dead", "cancelled")
EVENT_STATES = ("stored", "working", "done", "ignored", "dead")


def short(limit: int = 255, **more: Any) -> fields.String:
    """A text that is not empty and not endless."""
    return fields.String(validate=validate.Length(1, limit), **more)


def one_of(words: tuple[str, ...], **more: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(words), **more)


class AsOf(fields.Field[Any]):
    """An instant with zone, or a date, which means 12:00 in the seller's zone. Deserialised as text that is one."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and _is_moment(value):
            return value
        raise ValidationError("expected an RFC 3339 time with zone, or a date")


def _is_moment(text: str) -> bool:
    try:
        if len(text) == 10:
            return bool(date.fromisoformat(text))
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def read_as_of(text: str | None, zone: str | None) -> datetime | None:
    """The moment behind an `as_of`; None for none."""
    if text is None:
        return None
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time(12), ZoneInfo(zone or "UTC"))
    return datetime.fromisoformat(text)


class Strict(Schema):
    """A body or query in which an unknown key is an error."""

    class Meta:
        unknown = RAISE


class DraftRequest(Strict):
    """What is wanted. Exactly one of the five ids says what the draft is about."""

    connection = short(64, load_default="local")
    kind = one_of(KINDS, required=True)
    type = one_of(get_args(FollowUpType), allow_none=True)
    deal_id = short()
    company_id = short()
    contact_id = short()
    ticket_id = short()
    activity_id = short()
    to_contact_id = short(allow_none=True)
    channel = one_of(get_args(DraftChannel), allow_none=True)
    language = short(16, allow_none=True)
    tone = short(64, allow_none=True)
    length = short(32, allow_none=True)
    instruction = fields.String(validate=validate.Length(0, 4000), allow_none=True)
    writer = one_of(("auto", "model", "template"), load_default="auto")
    as_of = AsOf(allow_none=True, metadata={"type": "string", "example": "2026-03-11T09:00:00Z"})

    @validates_schema
    def check_subject(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in SUBJECTS if data.get(f"{name}_id")]
        if len(given) != 1:
            expected = ", ".join(f"{name}_id" for name in SUBJECTS)
            raise ValidationError(f"expected exactly one of {expected}", f"{given[1] if given else 'deal'}_id")


class PanelDraftRequest(DraftRequest):
    """The same from inside a CRM: the connection stands in the address; `key` is an idempotency key."""

    connection = short(64)
    key = short()


class Wait(Strict):
    wait = fields.Float(validate=validate.Range(0, 60), load_default=0.0)


class Listed(Strict):
    limit = fields.Integer(validate=validate.Range(1, 200), load_default=50)
    cursor = short(512)


class DraftQuery(Listed):
    connection = short(64)
    status = one_of(tuple(MOVES))
    kind = one_of(KINDS)
    event = short()
    deal = short()
    company = short()
    contact = short()
    ticket = short()
    activity = short()


class EventQuery(Listed):
    connection = short(64)
    type = short(64)
    state = one_of(EVENT_STATES)


class JobQuery(Listed):
    state = one_of(JOB_STATES)


class OfConnection(Strict):
    connection = short(64)


class BriefQuery(Strict):
    """Exactly one of the five ids says what the brief is about."""

    connection = short(64, load_default="local")
    deal = short()
    company = short()
    contact = short()
    ticket = short()
    activity = short()
    kind = one_of(KINDS, load_default="follow_up")
    language = short(16)
    as_of = AsOf(metadata={"type": "string", "example": "2026-03-11"})

    @validates_schema
    def check_subject(self, data: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in SUBJECTS if data.get(name)]
        if len(given) != 1:
            raise ValidationError(f"expected exactly one of {', '.join(SUBJECTS)}", given[1] if given else "deal")


class Version(fields.Integer):
    def __init__(self, **more: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(1, 2**31 - 1), **more)


class Edit(Strict):
    version = Version(required=True)
    subject = fields.String(validate=validate.Length(0, 998), allow_none=True)
    body = fields.String(validate=validate.Length(1, 100_000), required=True)


class OverrideReason(Strict):
    reason = fields.String(validate=validate.Length(1, 2000), required=True)


class Approval(Strict):
    version = Version(allow_none=True)
    override = fields.Nested(OverrideReason, allow_none=True)


class Decision(Strict):
    version = Version(allow_none=True)
    reason = fields.String(validate=validate.Length(0, 2000), allow_none=True)


class Variant(Strict):
    """What should be different; nothing: the same again."""

    tone = short(64, allow_none=True)
    length = short(32, allow_none=True)
    language = short(16, allow_none=True)
    channel = one_of(get_args(DraftChannel), allow_none=True)
    instruction = fields.String(validate=validate.Length(0, 4000), allow_none=True)
    writer = one_of(("auto", "model", "template"))
    to_contact_id = short(allow_none=True)
    keep_edits = fields.Boolean(load_default=True, metadata={"description": "What a person changed goes into it"})


class Empty(Strict):
    """No body, or an empty object."""


def nullable(**more: Any) -> fields.String:
    return fields.String(allow_none=True, **more)


class FieldProblem(Schema):
    field = fields.String(required=True)
    reason = fields.String(required=True)


class Problem(Schema):
    """RFC 9457, with a stable code for machines."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)
    retryable = fields.Boolean(required=True)
    errors = fields.List(fields.Nested(FieldProblem))


class SentenceAnswer(Schema):
    text = fields.String()
    role = fields.String()
    evidence = fields.List(fields.String())
    verdict = one_of(get_args(Verdict))
    action = one_of(("kept", "repaired", "removed"))
    reason = nullable()


class DraftAnswer(Schema):
    """A draft: the text with the evidence of each sentence, and what became of it."""

    id = fields.String(required=True)
    connection = fields.String(required=True)
    kind = fields.String(required=True)
    type = nullable()
    status = one_of(tuple(MOVES), required=True)
    about = fields.Dict()
    decision = fields.Dict()
    audience = one_of(("customer", "internal"))
    to = fields.Dict(allow_none=True)
    channel = nullable()
    language = nullable()
    subject = nullable()
    body = nullable()
    html = nullable()
    sentences = fields.List(fields.Nested(SentenceAnswer))
    facts = fields.List(fields.Dict())
    warnings = fields.List(fields.Dict())
    missing_info = fields.List(fields.String())
    missing_questions = fields.List(fields.String())
    grounding = fields.Dict()
    charts = fields.List(fields.Dict())
    checks = fields.List(fields.Dict())
    compliance = fields.Dict()
    next_touch = fields.Dict(allow_none=True)
    writer = nullable()
    model = nullable()
    prompt = fields.Dict(allow_none=True)
    usage = fields.Dict(allow_none=True)
    as_of = fields.String()
    created_at = fields.String()
    created_by = nullable()
    origin = one_of(("event", "click", "campaign", "api"))
    event = nullable()
    earliest = nullable()
    version = fields.Integer(required=True)
    write_back = one_of(("on_approval", "at_once", "never"))
    replaces = nullable()
    written_id = nullable()
    problem = nullable()


class DraftPage(Schema):
    items = fields.List(fields.Nested(DraftAnswer), required=True)
    next = nullable(required=True)


class VersionAnswer(Schema):
    version = fields.Integer(required=True)
    at = fields.String(required=True)
    by = nullable()
    subject = nullable()
    body = nullable()


class VersionPage(Schema):
    items = fields.List(fields.Nested(VersionAnswer), required=True)
    next = nullable(required=True)
    moves = fields.List(fields.Dict())


class BriefAnswer(Schema):
    connection = fields.String(required=True)
    subject = fields.Dict(required=True)
    as_of = fields.String(required=True)
    language = nullable()
    locale = nullable()
    zone = nullable()
    send_on = nullable()
    decision = fields.Dict()
    gates = fields.List(fields.Dict())
    signals = fields.Dict()
    plan = fields.Dict(allow_none=True)
    facts = fields.List(fields.Dict())
    warnings = fields.List(fields.Dict())
    missing_info = fields.List(fields.String())
    missing_questions = fields.List(fields.String())
    charts = fields.List(fields.Dict())


class EventAnswer(Schema):
    id = fields.String(required=True)
    connection = fields.String(required=True)
    type = fields.String(required=True)
    received_at = fields.String(required=True)
    state = one_of(EVENT_STATES, required=True)
    reason = nullable()
    drafts = fields.List(fields.String())
    attempts = fields.Integer()


class EventPage(Schema):
    items = fields.List(fields.Nested(EventAnswer), required=True)
    next = nullable(required=True)


class JobAnswer(Schema):
    id = fields.String(required=True)
    kind = fields.String(required=True)
    connection = nullable()
    event = nullable()
    draft = nullable()
    state = one_of(JOB_STATES, required=True)
    wait_reason = nullable()
    attempts = fields.Integer()
    next_at = nullable()


class JobPage(Schema):
    items = fields.List(fields.Nested(JobAnswer), required=True)
    next = nullable(required=True)
