"""The table of rights: each route, page and command, who may use it, what it is about. What is not in it is closed.

A row is `"blueprint.function": Right(roles, about)`, of a command `"group command": Right(roles, about)`. `about` says
what is held against the caller's scope before the route or command runs: the connection, draft or record that it names.
An id of somebody else is answered like one that is not there. Who may approve what stands in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from crmplugin.domain.campaign import CAMPAIGNERS

REP, MANAGER, DIRECTOR, MARKETING, ADMIN_ROLE = "rep", "manager", "director", "marketing", "admin"
ROLES = (REP, MANAGER, DIRECTOR, MARKETING, ADMIN_ROLE)

EVERYBODY = frozenset(ROLES)
SALES = EVERYBODY - {MARKETING}
LEADERS = frozenset({MANAGER, DIRECTOR, ADMIN_ROLE})
ADMIN = frozenset({ADMIN_ROLE})
OPEN: frozenset[str] = frozenset()
"""No sign-in asked for: the route is public, or checks a signature or pass of its own."""

About = Literal[
    "nothing", "list", "asked", "connection", "draft", "campaign", "event", "job", "signature", "pass",
    "subject", "user", "installation",
]  # fmt: skip
"""What a route or command is about.

nothing: no customer's data. list: only rows that the caller may see. asked: the record that query, form, body or file
name. connection, draft, campaign, event, job: what the address or the arguments name. signature: a webhook, link or
launch that proves itself. pass: the holder of a panel's pass, on the connection that the address names.
Of commands alone: subject: the record of `--deal` and the like. user: what belongs to one user of a connection.
installation: everything, so it takes a caller who is bound to no connection. There `connection` is a whole one, so a
rep with a user has none; left out, `connection`, `draft`, `event` and `job` are the installation.
"""


@dataclass(frozen=True, slots=True)
class Right:
    """Who may use a route, and what it is about."""

    roles: frozenset[str]
    about: About = "nothing"


RIGHTS: Mapping[str, Right] = {
    # the server itself
    "static": Right(OPEN),
    "health.healthz": Right(OPEN),
    "health.readyz": Right(OPEN),
    "health.metrics": Right(LEADERS, "list"),
    "api-docs.openapi_json": Right(OPEN),
    "webhooks.receive": Right(OPEN, "signature"),
    "installs.finish": Right(OPEN, "signature"),
    "installs.removed": Right(OPEN, "signature"),
    # signing in and out
    "sign_in.use_link": Right(OPEN, "signature"),
    "sign_in.sign_out": Right(EVERYBODY),
    "oidc.start": Right(OPEN),
    "oidc.callback": Right(OPEN),
    "console.sign_in": Right(OPEN),
    "console.paste_link": Right(OPEN),
    # the API
    "drafts.create_draft": Right(EVERYBODY, "asked"),
    "drafts.list_drafts": Right(EVERYBODY, "list"),
    "drafts.get_draft": Right(EVERYBODY, "draft"),
    "drafts.stream_draft": Right(EVERYBODY, "draft"),
    "drafts.list_versions": Right(EVERYBODY, "draft"),
    "drafts.edit_draft": Right(EVERYBODY, "draft"),
    "drafts.approve_draft": Right(EVERYBODY, "draft"),
    "drafts.reject_draft": Right(EVERYBODY, "draft"),
    "drafts.regenerate_draft": Right(EVERYBODY, "draft"),
    "drafts.stop_draft": Right(EVERYBODY, "draft"),
    "drafts.withdraw_draft": Right(EVERYBODY, "draft"),
    "campaigns.create_campaign": Right(CAMPAIGNERS, "asked"),
    "campaigns.list_campaigns": Right(CAMPAIGNERS | LEADERS, "list"),
    "campaigns.get_campaign": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "campaigns.edit_campaign": Right(CAMPAIGNERS, "campaign"),
    "campaigns.preview_campaign": Right(CAMPAIGNERS, "campaign"),
    "campaigns.approve_campaign": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "campaigns.run_campaign": Right(CAMPAIGNERS, "campaign"),
    "campaigns.pause_campaign": Right(CAMPAIGNERS, "campaign"),
    "campaigns.resume_campaign": Right(CAMPAIGNERS, "campaign"),
    "campaigns.list_recipients": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "campaigns.export": Right(CAMPAIGNERS, "campaign"),
    "briefs.get_brief": Right(SALES, "asked"),
    "events.list_events": Right(LEADERS, "list"),
    "events.get_event": Right(LEADERS, "event"),
    "events.replay_event_again": Right(ADMIN, "event"),
    "styles.list_them": Right(EVERYBODY, "list"),
    "styles.edit_one": Right(SALES, "asked"),
    "styles.erase_some": Right(SALES, "asked"),
    "jobs.list_jobs": Right(LEADERS, "list"),
    "jobs.get_job": Right(LEADERS, "job"),
    # the console
    "console.home": Right(OPEN),
    "console.waiting": Right(EVERYBODY, "list"),
    "console.approve_many": Right(EVERYBODY, "list"),
    "console.one_draft": Right(EVERYBODY, "draft"),
    "console.download": Right(EVERYBODY, "draft"),
    "console.all_facts": Right(EVERYBODY, "draft"),
    "console.ask": Right(EVERYBODY, "asked"),
    "console.act": Right(EVERYBODY, "draft"),
    "console.check_typing": Right(EVERYBODY, "draft"),
    "console.deals": Right(SALES, "list"),
    "console.figures": Right(LEADERS, "list"),
    "console.prompts": Right(LEADERS, "list"),
    "console.rules": Right(LEADERS, "asked"),
    "console.change_rules": Right(LEADERS - {MANAGER}, "asked"),
    "console.styles": Right(SALES, "list"),
    "console.change_style": Right(SALES, "asked"),
    "console.new_draft": Right(SALES, "asked"),
    "console.one_record": Right(SALES, "connection"),
    "console.events": Right(LEADERS, "list"),
    "console.replay": Right(ADMIN, "asked"),
    "console.jobs": Right(LEADERS, "list"),
    "console.replay_dead": Right(ADMIN, "list"),
    "console.retry_job": Right(ADMIN, "asked"),
    "console.connections": Right(LEADERS, "list"),
    "console.audit": Right(LEADERS, "list"),
    "console.people": Right(ADMIN),
    "console.make_link": Right(ADMIN),
    "console.revoke_token": Right(ADMIN),
    "console.all_campaigns": Right(CAMPAIGNERS | LEADERS, "list"),
    "console.keep_campaign": Right(CAMPAIGNERS, "asked"),
    "console.one_campaign": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "console.act_on_campaign": Right(CAMPAIGNERS, "campaign"),
    "console.campaign_file": Right(CAMPAIGNERS, "campaign"),
    # the panel in a CRM
    "panel.launch": Right(OPEN, "signature"),
    "panel.launch_by_crm": Right(OPEN, "signature"),
    "panel.create_panel_draft": Right(OPEN, "pass"),
    "panel.get_panel_draft": Right(OPEN, "pass"),
    "panel.list_panel_drafts": Right(OPEN, "pass"),
    "panel.decide_panel_draft": Right(OPEN, "pass"),
    "panel.draft_action": Right(OPEN, "pass"),
    "panel_pages.record": Right(OPEN, "pass"),
    "panel_pages.ask": Right(OPEN, "pass"),
    "panel_pages.one_draft": Right(OPEN, "pass"),
    "panel_pages.act": Right(OPEN, "pass"),
    "panel_pages.check_typing": Right(OPEN, "pass"),
    "panel_pages.stream": Right(OPEN, "pass"),
    "panel_pages.customer": Right(OPEN, "pass"),
    "panel_pages.download": Right(OPEN, "pass"),
}

COMMANDS: Mapping[str, Right] = {
    # the installation
    "serve": Right(ADMIN, "installation"),
    "worker": Right(ADMIN, "installation"),
    "doctor": Right(ADMIN, "installation"),
    "migrate": Right(ADMIN, "installation"),
    "backup": Right(ADMIN, "installation"),
    "restore": Right(ADMIN, "installation"),
    "connect": Right(ADMIN, "installation"),
    "vault list": Right(ADMIN, "installation"),
    "vault rotate": Right(ADMIN, "installation"),
    "token create": Right(ADMIN, "installation"),
    "token list": Right(ADMIN, "installation"),
    "token revoke": Right(ADMIN, "installation"),
    "token link": Right(ADMIN, "installation"),
    "sessions list": Right(ADMIN, "installation"),
    "sessions end": Right(ADMIN, "installation"),
    "audit verify": Right(LEADERS, "installation"),
    "audit export": Right(ADMIN, "connection"),
    "audit show": Right(LEADERS, "draft"),
    "audit replay": Right(LEADERS, "draft"),
    "connections list": Right(LEADERS, "list"),
    "connections show": Right(ADMIN, "connection"),
    "connections test": Right(ADMIN, "connection"),
    "panel-link": Right(ADMIN, "connection"),
    "import": Right(ADMIN, "connection"),
    "sync": Right(ADMIN, "connection"),
    "export": Right(ADMIN, "connection"),
    "erase": Right(ADMIN, "connection"),
    "spending": Right(LEADERS, "list"),
    "events list": Right(LEADERS, "list"),
    "events show": Right(LEADERS, "event"),
    "events replay": Right(ADMIN, "event"),
    "jobs list": Right(LEADERS, "list"),
    "jobs show": Right(LEADERS, "job"),
    "jobs retry": Right(ADMIN, "job"),
    "jobs cancel": Right(ADMIN, "job"),
    # what the history says
    "brief": Right(SALES, "subject"),
    "draft": Right(EVERYBODY, "subject"),
    "timeline": Right(SALES, "subject"),
    "recommend": Right(SALES, "subject"),
    "prospects": Right(SALES, "connection"),
    "segments list": Right(CAMPAIGNERS | LEADERS, "connection"),
    "segments preview": Right(CAMPAIGNERS | LEADERS, "connection"),
    "segments owners": Right(CAMPAIGNERS | LEADERS, "connection"),
    "reviews": Right(CAMPAIGNERS | LEADERS, "connection"),
    "style list": Right(EVERYBODY, "user"),
    "style edit": Right(SALES, "user"),
    "style erase": Right(SALES, "user"),
    "campaign create": Right(CAMPAIGNERS, "asked"),
    "campaign list": Right(CAMPAIGNERS | LEADERS, "list"),
    "campaign status": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "campaign preview": Right(CAMPAIGNERS, "campaign"),
    "campaign approve": Right(CAMPAIGNERS | LEADERS, "campaign"),
    "campaign run": Right(CAMPAIGNERS, "campaign"),
    "campaign pause": Right(CAMPAIGNERS, "campaign"),
    "campaign resume": Right(CAMPAIGNERS, "campaign"),
    "campaign export": Right(CAMPAIGNERS, "campaign"),
    # texts that one brings along
    "check": Right(EVERYBODY, "asked"),
    "scan": Right(EVERYBODY, "nothing"),
    "eval": Right(EVERYBODY, "nothing"),
    "openapi": Right(EVERYBODY, "nothing"),
}
