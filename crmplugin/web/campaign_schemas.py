"""Bodies, queries and answers of campaigns."""

from __future__ import annotations

from typing import get_args

from marshmallow import Schema, fields, validate

from crmplugin.domain.campaign import CHANNELS, MAX_VARIANTS, MODES, MOVES, RecipientState
from crmplugin.web.schemas import Empty, Listed, Strict, nullable, one_of, short

__all__ = ["Empty", "Listed"]


class CampaignRequest(Strict):
    """What is wanted. Give `segment_id`, a saved segment, or `segment`, a predicate of its own."""

    connection = short(64, load_default="local")
    segment_id = short(allow_none=True)
    segment = fields.Dict(allow_none=True)
    goal = short(500, required=True)
    kind = one_of(("campaign_message",), load_default="campaign_message")
    channels = fields.List(one_of(CHANNELS), validate=validate.Length(1))
    languages = fields.List(short(16))
    mode = one_of(MODES, load_default="merge")
    variants = fields.Integer(strict=True, validate=validate.Range(1, MAX_VARIANTS), load_default=1)
    holdout_pct = fields.Integer(strict=True, validate=validate.Range(0, 50), load_default=10)
    name = short(120, allow_none=True)


class MasterEdit(Strict):
    language = short(16, required=True)
    channel = one_of(CHANNELS, required=True)
    variant = short(8, required=True)
    patterns = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class CampaignEdit(Strict):
    version = fields.Integer(required=True, strict=True)
    masters = fields.List(fields.Nested(MasterEdit), required=True, validate=validate.Length(1))


class Versioned(Strict):
    version = fields.Integer(strict=True, allow_none=True)


class RecipientQuery(Listed):
    cursor = short(1024)
    state = one_of(get_args(RecipientState))


class ExportQuery(Strict):
    format = one_of(("csv", "eml", "html", "json", "crm"), load_default="csv")


class CampaignSummary(Schema):
    id = fields.String(required=True)
    connection = fields.String(required=True)
    name = fields.String(required=True)
    status = one_of(tuple(MOVES), required=True)
    mode = one_of(MODES, required=True)
    variants = fields.Integer(required=True)
    goal = fields.String(required=True)
    created_at = fields.String(required=True)


class CampaignAnswer(CampaignSummary):
    version = fields.Integer(required=True)
    segment_id = nullable()
    segment = fields.Dict(allow_none=True)
    angle = fields.String()
    kind = fields.String()
    channels = fields.List(fields.String())
    languages = fields.List(fields.String())
    holdout_pct = fields.Integer()
    masters = fields.List(fields.Dict())
    created_by = nullable()
    approved_at = nullable()
    approved_by = nullable()
    learned = fields.Dict(allow_none=True)
    problem = nullable()
    progress = fields.Dict(required=True)
    results = fields.Dict()


class CampaignPage(Schema):
    items = fields.List(fields.Nested(CampaignSummary), required=True)
    next = nullable(required=True)


class PreviewAnswer(Schema):
    campaign = fields.String(required=True)
    channels = fields.Dict(required=True)
    plan = fields.Dict(required=True)
    estimate = fields.Dict(required=True)
    samples = fields.List(fields.Dict(), required=True)


class RecipientAnswer(Schema):
    contact_id = fields.String(required=True)
    company_id = fields.String(required=True)
    channel = fields.String(required=True)
    language = fields.String(required=True)
    variant = nullable()
    state = one_of(get_args(RecipientState), required=True)
    reason = nullable()
    exported_at = nullable()
    to = fields.Dict(allow_none=True)
    subject = nullable()
    body = nullable()
    html = nullable()
    sentences = fields.List(fields.Dict())
    facts = fields.List(fields.Dict())
    writer = nullable()


class RecipientPage(Schema):
    items = fields.List(fields.Nested(RecipientAnswer), required=True)
    next = nullable(required=True)
