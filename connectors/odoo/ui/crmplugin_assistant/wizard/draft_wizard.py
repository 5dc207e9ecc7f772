"""Asks for a draft, shows it with its proof when it is there, and passes on what the person decides."""

from markupsafe import Markup, escape

from odoo import _, api, fields, models
from odoo.tools import html_sanitize, plaintext2html

KINDS = [
    ("follow_up", "Follow-up"),
    ("pitch", "Pitch"),
    ("negotiation_note", "Negotiation note"),
    ("meeting_brief", "Meeting brief"),
    ("summary", "Summary"),
]
STATUSES = [
    ("new", "New"),
    ("scheduled", "Scheduled"),
    ("writing", "Being written"),
    ("proposed", "Waits for you"),
    ("blocked", "Not allowed now"),
    ("no_message", "Nothing to say"),
    ("stopped", "Stopped"),
    ("failed", "Failed"),
    ("approved", "Approved"),
    ("writing_back", "Approved"),
    ("written", "Written back"),
    ("rejected", "Rejected"),
    ("superseded", "Replaced"),
    ("cancelled", "Cancelled"),
]
WITHOUT_TEXT = ("blocked", "no_message", "failed")


class DraftWizard(models.TransientModel):
    _name = "crmplugin.draft.wizard"
    _description = "Deal assistant"
    _transient_max_hours = 8.0

    res_model = fields.Char(required=True, readonly=True)
    res_id = fields.Integer(required=True, readonly=True)
    kind = fields.Selection(KINDS, default="follow_up", required=True)
    instruction = fields.Text("What matters")
    draft = fields.Char(readonly=True)
    draft_version = fields.Integer(readonly=True)
    status = fields.Selection(STATUSES, default="new", readonly=True)
    subject = fields.Char(readonly=True)
    body = fields.Html(readonly=True, sanitize=True)
    recipient = fields.Char(readonly=True)
    contact = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    proof = fields.Html(readonly=True, sanitize=True)
    is_mail = fields.Boolean("Mail", readonly=True)

    @api.model
    def _opened_for(self, record):
        """A new one for this record, which the user must be able to read."""
        record.check_access("read")
        return self.create({"res_model": record._name, "res_id": record.id})._reopened()

    def _reopened(self):
        return {
            "type": "ir.actions.act_window",
            "name": _("Deal assistant"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def _record(self):
        """The record, with the rights of whoever asks."""
        self.ensure_one()
        record = self.env[self.res_model].browse(self.res_id)
        record.check_access("read")
        return record

    def action_start(self):
        """Asks for a draft; it is looked for until it is there."""
        record = self._record()
        name = "deal_id"
        if record._name == "res.partner":
            name = "company_id" if record.is_company else "contact_id"
        body = {"kind": self.kind, name: str(record.id), "key": f"odoo-{self.id}-{self.draft_version}-{self.kind}"}
        if self.instruction:
            body["instruction"] = self.instruction
        self._take(self.env["crmplugin.client"]._call(record, "POST", "/drafts", body))
        return self._reopened()

    def action_look(self):
        """Looks whether the draft is there."""
        if self.draft:
            self._take(self.env["crmplugin.client"]._call(self._record(), "GET", f"/drafts/{self.draft}"))
        return self._reopened()

    def action_approve(self):
        """Approves, and for a mail opens the composer filled in: the person sends."""
        self._decide("approve")
        return self._composer() if self.is_mail else self._reopened()

    def action_reject(self):
        self._decide("reject")
        return self._reopened()

    def _decide(self, what):
        path, body = f"/drafts/{self.draft}/{what}", {"version": self.draft_version}
        self._take(self.env["crmplugin.client"]._call(self._record(), "POST", path, body))

    def _composer(self):
        record = self._record()
        person = self.contact if (self.contact or "").isdigit() else False
        context = {
            "default_model": record._name,
            "default_res_ids": record.ids,
            "default_composition_mode": "comment",
            "default_subject": self.subject,
            "default_body": self.body,
            "default_partner_ids": [int(person)] if person else [],
            "crmplugin_draft": self.draft,
        }
        return {
            "type": "ir.actions.act_window",
            "name": _("Send"),
            "res_model": "mail.compose.message",
            "view_mode": "form",
            "target": "new",
            "context": context,
        }

    def _take(self, draft):
        decision, to = draft.get("decision") or {}, draft.get("to") or {}
        known = dict(STATUSES)
        self.write(
            {
                "draft": draft.get("id"),
                "draft_version": draft.get("version") or 0,
                "status": draft.get("status") if draft.get("status") in known else "failed",
                "subject": draft.get("subject"),
                "body": html_sanitize(draft.get("html") or plaintext2html(draft.get("body") or "")),
                "recipient": " ".join(part for part in (to.get("display_name"), to.get("address")) if part),
                "contact": to.get("contact_id"),
                "reason": decision.get("reason")
                if draft.get("status") in ("blocked", "no_message", "failed")
                else False,
                "proof": self._proof_of(draft),
                "is_mail": draft.get("audience") == "customer" and draft.get("channel") == "email",
            }
        )

    @api.model
    def _proof_of(self, draft):
        """Each sentence that claims something, with what it rests on."""
        facts = {fact["id"]: fact for fact in draft.get("facts") or ()}
        rows = []
        for sentence in draft.get("sentences") or ():
            names = [facts[one] for one in sentence.get("evidence") or () if one in facts]
            if names and sentence.get("action") != "removed":
                said = ", ".join(f"{fact.get('label')}: {fact.get('display')}" for fact in names)
                rows.append(Markup("<li>%s<br/><small class='text-muted'>%s</small></li>") % (sentence["text"], said))
        return Markup("<ul>%s</ul>") % Markup("").join(rows) if rows else escape("")
