"""Where the assistant is, and the rules that tell it what happens."""

from urllib.parse import urlsplit

from odoo import Command, _, fields, models
from odoo.exceptions import UserError

RULES = (
    (
        "crm.lead",
        "on_create_or_write",
        ("stage_id", "active", "expected_revenue", "user_id", "partner_id"),
        "stage_id type active won_status company_id user_id create_date write_date write_uid "
        "date_last_stage_update date_closed",
        [],
    ),
    (
        "mail.message",
        "on_create",
        (),
        "date message_type author_id model res_id create_date write_date write_uid",
        [("model", "=", "crm.lead"), ("message_type", "=", "email")],
    ),
    (
        "sale.order",
        "on_create_or_write",
        ("state",),
        "state date_order opportunity_id partner_id company_id create_date write_date write_uid",
        [],
    ),
)
"""Model, trigger, fields that trigger, fields that are sent, which records."""
NAME = "Deal assistant"


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    crmplugin_url = fields.Char("Address", config_parameter="crmplugin_assistant.url")
    crmplugin_connection = fields.Char("Connection", config_parameter="crmplugin_assistant.connection")
    crmplugin_panel_secret = fields.Char("Secret of the button", config_parameter="crmplugin_assistant.panel_secret")
    crmplugin_webhook_url = fields.Char("Address of the webhook", config_parameter="crmplugin_assistant.webhook_url")

    def action_crmplugin_rules(self):
        """Makes the automation rules, or brings those that are there to the address of the settings."""
        self.set_values()
        address = self.env["ir.config_parameter"].sudo().get_param("crmplugin_assistant.webhook_url")
        if urlsplit(address or "").scheme not in ("http", "https"):
            raise UserError(_("Fill in the address of the webhook first: the server's settings print it."))
        made = [self._make_rule(address, *rule) for rule in RULES if rule[0] in self.env]
        text = _("%s automation rules tell the assistant what happens.", len(made))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"title": _("Deal assistant"), "message": text, "type": "success"},
        }

    def _make_rule(self, address, model, trigger, triggers, sent, domain):
        rules = self.env["base.automation"]
        model_id = self.env["ir.model"]._get_id(model)
        told = {"webhook_url": address, "webhook_field_ids": [Command.set(self._fields_of(model, sent.split()).ids)]}
        when = {
            "trigger": trigger,
            "trigger_field_ids": [Command.set(self._fields_of(model, triggers).ids)],
            "filter_domain": repr(domain) if domain else False,
        }
        rule = rules.search([("name", "=", NAME), ("model_id", "=", model_id)], limit=1)
        if rule:
            rule.write(when)
            rule.action_server_ids.write(told)
            return rule
        action = {"name": NAME, "model_id": model_id, "state": "webhook", "usage": "base_automation", **told}
        return rules.create({"name": NAME, "model_id": model_id, "action_server_ids": [Command.create(action)], **when})

    def _fields_of(self, model, names):
        return self.env["ir.model.fields"].search([("model", "=", model), ("name", "in", list(names))])
