"""The composer that an approval opened: once the mail is sent, the activity that asked for it is done."""

from odoo import models


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    def _action_send_mail(self, auto_commit=False):
        sent = super()._action_send_mail(auto_commit=auto_commit)
        draft = self.env.context.get("crmplugin_draft")
        if isinstance(draft, str) and draft.isalnum():
            self.env["mail.activity"].search(
                [
                    ("res_model", "in", self.mapped("model")),
                    ("note", "ilike", f"Ref crmplugin:{draft}<"),
                    ("activity_type_id.category", "!=", "phonecall"),
                ]
            )._filtered_access("write").action_feedback()
        return sent
