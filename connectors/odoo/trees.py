"""What is asked of Odoo in one request: records with what hangs on them, as `web_read` takes it.

A leaf is a field; a branch has the fields of the related records. What a database does not have, or the bot may not
read, is cut off before it is asked for (`schema.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Tree = dict[str, Any]

MODELS = (
    "crm.lead", "crm.stage", "res.partner", "res.users", "res.company", "res.currency", "res.partner.industry",
    "res.country", "res.country.state", "crm.team", "crm.lost.reason", "utm.source", "sale.order", "sale.order.line",
    "product.product", "uom.uom", "product.category", "account.move", "mail.message", "mail.message.subtype",
    "mail.activity", "mail.activity.type", "calendar.event", "mail.tracking.value", "ir.model.fields",
    "helpdesk.ticket", "helpdesk.stage", "mail.blacklist",
)  # fmt: skip
"""Models whose fields are looked up: all that stand in a tree."""


def _leaves(names: str) -> Tree:
    return {name: {} for name in names.split()}


def _branch(fields: Tree, **more: Any) -> Tree:
    return {"fields": fields, **more}


NAME = _branch(_leaves("name"))
USER = _branch(_leaves("name login email phone tz lang partner_id"))
PRODUCT = _leaves("name display_name default_code list_price standard_price active description_sale write_date") | {
    "uom_id": NAME, "categ_id": NAME, "currency_id": NAME,
}  # fmt: skip
STAGE = _branch(_leaves("name sequence is_won"))
PARTNER = _leaves(
    "name is_company email email_normalized phone function lang tz active is_blacklisted phone_blacklisted "
    "message_bounce company_type partner_share website street city zip parent_id commercial_partner_id "
    "create_date write_date write_uid vat type"
) | {
    "country_id": _branch(_leaves("code name")), "state_id": NAME, "industry_id": NAME, "user_id": USER,
    "company_id": {}, "title": NAME,
}  # fmt: skip
MESSAGE = _leaves(
    "date message_type subject body email_from message_id is_internal parent_id partner_ids model res_id"
) | {
    "author_id": _branch(_leaves("name partner_share")),
    "subtype_id": _branch(_leaves("internal")),
    "mail_activity_type_id": _branch(_leaves("category")),
    "tracking_value_ids": _branch(
        _leaves("old_value_char new_value_char create_date") | {"field_id": _branch(_leaves("name"))}
    ),
    "create_uid": {}, "write_date": {}, "create_date": {},
}  # fmt: skip
ACTIVITY = _leaves(
    "summary note date_deadline date_done active user_id create_date create_uid write_date res_model res_id"
) | {"activity_type_id": _branch(_leaves("name category"))}
MEETING = _leaves("name description start stop allday partner_ids user_id active opportunity_id write_date write_uid")
LINE = _leaves("name product_uom_qty price_unit discount price_subtotal display_type product_id")
INVOICE = _leaves("name state move_type payment_state invoice_date_due invoice_date amount_total write_date")
ORDER = _leaves(
    "name state date_order validity_date amount_untaxed amount_total currency_rate commitment_date effective_date "
    "delivery_status signed_on partner_id opportunity_id company_id create_date write_date write_uid"
) | {
    "currency_id": NAME,
    "order_line": _branch(LINE),
    "invoice_ids": _branch(INVOICE),
}  # fmt: skip
DEAL = _leaves(
    "name type active expected_revenue recurring_revenue probability date_deadline date_closed date_last_stage_update "
    "date_conversion duration_tracking won_status description email_from phone contact_name partner_name function "
    "website lang_code partner_id is_blacklisted phone_blacklisted company_id create_date write_date write_uid"
) | {
    "stage_id": STAGE, "user_id": USER, "team_id": NAME, "company_currency": NAME, "lost_reason_id": NAME,
    "source_id": NAME,
}  # fmt: skip
TICKET = _leaves(
    "name number description priority partner_id user_id create_date close_date closed_date kanban_state active "
    "write_date ticket_ref product_id sla_fail closed unattended write_uid company_id"
) | {"stage_id": _branch(_leaves("name fold closed"))}

NEWEST = {"order": "id desc"}
MESSAGES = _branch(MESSAGE, limit=30, **NEWEST)
ACTIVITIES = _branch(ACTIVITY, limit=30, **NEWEST)
MEETINGS = _branch(MEETING, limit=15, order="start desc")
EARLIER = _branch(ORDER | {"order_line": _branch(LINE | {"product_id": _branch(PRODUCT)})}, limit=60,
                  order="date_order desc")  # fmt: skip
"""Orders with what their products are called."""
PERSON = _branch(PARTNER | {"sale_order_ids": EARLIER}, limit=50)
ACCOUNT = PARTNER | {
    "child_ids": PERSON,
    "sale_order_ids": EARLIER,
    "opportunity_ids": _branch(DEAL, limit=50, **NEWEST),
    "message_ids": _branch(MESSAGE, limit=15, **NEWEST),
}

ROOTS: Mapping[str, Tree] = {
    "crm.lead": DEAL | {
        "partner_id": _branch(PARTNER | {
            "message_ids": _branch(MESSAGE, limit=15, **NEWEST),
            "opportunity_ids": _branch(DEAL, limit=30, **NEWEST),
            "commercial_partner_id": _branch(ACCOUNT),
        }),
        "order_ids": _branch(EARLIER["fields"] | {"message_ids": _branch(MESSAGE, limit=8, **NEWEST)}, limit=20,
                             order="id desc"),
        "message_ids": MESSAGES, "activity_ids": ACTIVITIES, "calendar_event_ids": MEETINGS,
    },
    "res.partner": PARTNER | {
        "commercial_partner_id": _branch(ACCOUNT), "message_ids": MESSAGES, "activity_ids": ACTIVITIES,
        "meeting_ids": MEETINGS, "opportunity_ids": _branch(DEAL, limit=30, **NEWEST),
    },
}  # fmt: skip
