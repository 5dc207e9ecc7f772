"""The button of a deal."""

from odoo import models


class CrmLead(models.Model):
    _inherit = "crm.lead"

    def action_crmplugin_draft(self):
        """Opens the assistant for this deal."""
        self.ensure_one()
        return self.env["crmplugin.draft.wizard"]._opened_for(self)
