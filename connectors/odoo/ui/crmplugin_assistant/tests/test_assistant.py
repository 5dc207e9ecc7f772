"""The button before a server on the loopback interface that keeps what it was asked."""

import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

SECRET = "panel-secret-EXAMPLE"


class Assistant(BaseHTTPRequestHandler):
    asked = []
    answers = []

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append((self.command, self.path, dict(self.headers), body))
        status, document = self.answers.pop(0)
        out = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(out)))
        self.end_headers()
        self.wfile.write(out)

    do_POST = do_GET

    def log_message(self, *args):
        """Silent."""


DRAFT = {
    "id": "d-1", "version": 2, "status": "proposed", "audience": "customer", "channel": "email",
    "subject": "Your quote",
    "html": "<p>The quote is valid until Friday.</p><script>x</script>",
    "to": {"contact_id": "0", "display_name": "Dana Reyes", "address": "dana@orbis.example"},
    "sentences": [{"text": "The quote is valid until Friday.", "evidence": ["q.valid_until"], "action": "kept"}],
    "facts": [{"id": "q.valid_until", "label": "Valid until", "display": "27 <b>November</b>"}],
    "decision": {"outcome": "draft", "reason": "the quote ends"},
}  # fmt: skip


@tagged("post_install", "-at_install")
class TestAssistant(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Assistant)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cls.addClassCleanup(server.server_close)
        cls.addClassCleanup(server.shutdown)
        parameters = cls.env["ir.config_parameter"].sudo()
        parameters.set_param("crmplugin_assistant.url", f"http://127.0.0.1:{server.server_address[1]}/")
        parameters.set_param("crmplugin_assistant.connection", "acme")
        parameters.set_param("crmplugin_assistant.panel_secret", SECRET)
        cls.rep = new_test_user(cls.env, "assistant-rep", groups="base.group_user,sales_team.group_sale_salesman")
        cls.person = cls.env["res.partner"].create({"name": "Dana Reyes", "email": "dana@orbis.example"})
        cls.deal = cls.env["crm.lead"].create({"name": "Line 3", "user_id": cls.rep.id, "partner_id": cls.person.id})

    def setUp(self):
        super().setUp()
        Assistant.asked.clear()
        Assistant.answers[:] = []

    def wizard(self, record=None):
        action = (record or self.deal).with_user(self.rep).action_crmplugin_draft()
        return self.env[action["res_model"]].with_user(self.rep).browse(action["res_id"])

    def test_call_is_signed_with_the_user_whom_odoo_knows(self):
        Assistant.answers.append((202, {"id": "d-1", "status": "writing", "version": 1}))

        self.wizard().action_start()

        method, path, headers, body = Assistant.asked[0]
        call = json.loads(headers["X-Crmplugin-Call"])
        expected = hmac.new(
            SECRET.encode(),
            f"{headers['X-Crmplugin-Timestamp']}.{headers['X-Crmplugin-Call']}".encode(),
            hashlib.sha256,
        ).hexdigest()
        self.assertEqual(headers["X-Crmplugin-Signature"], expected)
        self.assertEqual((method, path, call["path"]), ("POST", "/panel/acme/drafts", "/panel/acme/drafts"))
        self.assertEqual(call["user"], {"id": self.rep.id, "login": "assistant-rep"})
        self.assertEqual(call["sha256"], hashlib.sha256(body).hexdigest())
        self.assertEqual(json.loads(body)["deal_id"], str(self.deal.id))

    def test_draft_is_looked_for_and_shown_with_its_proof(self):
        Assistant.answers += [(202, {"id": "d-1", "status": "writing", "version": 1}), (200, DRAFT)]
        wizard = self.wizard()

        wizard.action_start()
        wizard.action_look()

        self.assertEqual((wizard.status, wizard.subject), ("proposed", "Your quote"))
        self.assertNotIn("script", wizard.body)
        self.assertIn("27 &lt;b&gt;November", wizard.proof)

    def test_approval_opens_the_composer_filled_in(self):
        to = {"contact_id": str(self.person.id), "address": "dana@orbis.example"}
        Assistant.answers += [
            (201, {**DRAFT, "to": to}),
            (200, {**DRAFT, "to": to, "status": "approved", "version": 3}),
        ]
        wizard = self.wizard()
        wizard.action_start()

        action = wizard.action_approve()

        self.assertEqual(json.loads(Assistant.asked[1][3]), {"version": 2})
        composer = self.env["mail.compose.message"].with_user(self.rep).with_context(**action["context"]).create({})
        self.assertEqual((composer.subject, composer.partner_ids), ("Your quote", self.person))
        self.assertIn("valid until Friday", composer.body)

    def test_activity_is_done_once_its_mail_is_sent(self):
        Assistant.answers += [(201, {**DRAFT, "id": "d1"}), (200, {**DRAFT, "id": "d1", "status": "approved"})]
        wizard = self.wizard()
        wizard.action_start()
        mine, other = (
            self.deal.activity_schedule(
                "mail.mail_activity_data_email", note=f"<p>Text</p><p>Ref crmplugin:{draft}</p>"
            )
            for draft in ("d1", "d12")
        )

        action = wizard.action_approve()
        composer = self.env["mail.compose.message"].with_user(self.rep).with_context(**action["context"])
        composer.create({"partner_ids": self.person.ids})._action_send_mail()

        self.assertIn("valid until Friday", " ".join(self.deal.message_ids.mapped("body")))
        self.assertEqual((self.deal.with_context(active_test=True).activity_ids, mine.active), (other, False))

    def test_note_and_words_for_a_call_are_approved_without_a_composer(self):
        for changed in ({"audience": "internal", "channel": None}, {"channel": "phone"}):
            Assistant.answers[:] = [(201, {**DRAFT, **changed}), (200, {**DRAFT, **changed})]
            wizard = self.wizard()
            wizard.action_start()

            self.assertEqual(wizard.action_approve()["res_model"], "crmplugin.draft.wizard")

    def test_wizard_speaks_french_german_and_spanish(self):
        for language, words in (("fr_FR", "Vous attend"), ("de_DE", "Wartet auf Sie"), ("es_ES", "Le espera")):
            self.env["res.lang"]._activate_lang(language)
            self.env["ir.module.module"].search([("name", "=", "crmplugin_assistant")])._update_translations([language])
            wizard = self.env["crmplugin.draft.wizard"].with_context(lang=language)
            shown = wizard.fields_get(["status"])["status"]["selection"]
            arch = wizard.get_view(self.env.ref("crmplugin_assistant.draft_wizard_form").id)["arch"]

            self.assertEqual(dict(shown)["proposed"], words)
            self.assertNotIn(">What it rests on<", arch)

    def test_company_and_person_are_asked_for_by_what_they_are(self):
        company = self.env["res.partner"].create({"name": "Orbis Dairy", "is_company": True})
        for record, name in ((self.person, "contact_id"), (company, "company_id")):
            Assistant.answers.append((202, {"id": "d-1", "status": "writing"}))
            self.wizard(record).action_start()
            self.assertEqual(json.loads(Assistant.asked[-1][3])[name], str(record.id))

    def test_trouble_is_one_sentence(self):
        for answer, words in (
            ((409, {"detail": "The draft was changed."}), "The draft was changed."),
            ((401, {"detail": "another secret"}), "another secret"),
            ((502, {}), "502"),
        ):
            Assistant.answers.append(answer)
            with self.assertRaisesRegex(UserError, words):
                self.wizard().action_start()

    def test_without_settings_an_administrator_is_named(self):
        self.env["ir.config_parameter"].sudo().set_param("crmplugin_assistant.panel_secret", False)
        with self.assertRaisesRegex(UserError, "administrator"):
            self.wizard().action_start()

    def test_nobody_asks_about_a_deal_they_may_not_read(self):
        other = self.env["crm.lead"].create({"name": "Other", "user_id": self.env.ref("base.user_admin").id})
        with self.assertRaises(AccessError):
            self.wizard(other)
        wizard = self.wizard()
        wizard.sudo().res_id = other.id
        with self.assertRaises(AccessError):
            wizard.action_start()

    def test_secret_is_read_by_no_sales_person(self):
        with self.assertRaises(AccessError):
            self.env["ir.config_parameter"].with_user(self.rep).search([]).mapped("value")

    def test_rules_are_made_once_and_follow_the_address(self):
        settings = self.env["res.config.settings"].create(
            {"crmplugin_webhook_url": "https://a.example/webhooks/acme/x"}
        )
        settings.action_crmplugin_rules()
        again = self.env["res.config.settings"].create({"crmplugin_webhook_url": "https://b.example/webhooks/acme/x"})
        again.action_crmplugin_rules()

        rules = self.env["base.automation"].search(
            [("name", "=", "Deal assistant"), ("model_id.model", "=", "crm.lead")]
        )
        self.assertEqual(len(rules), 1)
        self.assertIn("date_last_stage_update", rules.action_server_ids.webhook_field_ids.mapped("name"))
        self.assertEqual(rules.action_server_ids.mapped("webhook_url"), ["https://b.example/webhooks/acme/x"])

    def test_rules_need_an_address(self):
        with self.assertRaises(UserError):
            self.env["res.config.settings"].create({"crmplugin_webhook_url": False}).action_crmplugin_rules()
