"""The button of a person or company."""

from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def action_crmplugin_draft(self):
        """Opens the assistant for this person or company."""
        self.ensure_one()
        return self.env["crmplugin.draft.wizard"]._opened_for(self)
