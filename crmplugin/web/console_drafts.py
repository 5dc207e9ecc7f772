"""Drafts for people: what waits, one of them, asking for another, and what is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response, render_template, request
from marshmallow import ValidationError

from crmplugin.domain.draft import Draft
from crmplugin.errors import StateConflict, UsageError
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.present import draft_from_json, told_facts
from crmplugin.journeys.run_draft import current_draft
from crmplugin.journeys.visibility import is_visible, owners_seen
from crmplugin.store.drafts import DraftRow, SummaryRow
from crmplugin.web import schemas
from crmplugin.web.asking import create_draft, own_draft
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import Names
from crmplugin.web.console_frame import (
    CONSOLE,
    back_to,
    blueprint,
    form_text,
    form_version,
    page,
    plain_who,
    reader,
    words,
)
from crmplugin.web.console_sheet import lay_out

GROUPS: Mapping[str, tuple[str, ...]] = {
    "waiting": ("proposed",),
    "writing": ("writing", "scheduled"),
    "done": ("approved", "writing_back", "written"),
    "held": ("blocked", "no_message"),
    "failed": ("failed",),
    "closed": ("rejected", "superseded", "stopped", "cancelled"),
}
"""How a person sorts drafts: the states behind each word of the filter."""
PER_PAGE = 20
KINDS = tuple(k for k in schemas.KINDS if k not in ("insight_digest",))
CHANNELS = ("email", "phone", "chat", "sms", "social", "letter", "note")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
TONES = ("friendly", "formal", "direct", "concise")
LENGTHS = ("short", "medium", "long")
WRITERS = ("auto", "model", "template")
VARIANT_FIELDS = ("tone", "length", "language", "channel", "instruction", "writer")
ASK_FIELDS = ("type", *VARIANT_FIELDS)
MOVING = {"writing": 0, "scheduled": 0, "approved": 600, "writing_back": 600}
"""States that change by themselves: how often, in ms, a page looks again. A stream needs no looking."""


@blueprint.get("/console")
@blueprint.get("/console/drafts")
def waiting() -> Response:
    """Drafts by state; those that wait come first."""
    group = request.args.get("show", "waiting")
    group = group if group in GROUPS else "waiting"
    kind = request.args.get("kind") or None
    return page("waiting.html", group=group, groups=GROUPS, kind=kind, kinds=schemas.KINDS, **_listed(group, kind))


def _listed(group: str, kind: str | None) -> dict[str, Any]:
    """One page of a list, its rows in names and words."""
    caller = who()
    found = desk().drafts.summaries(
        limit=PER_PAGE,
        cursor=request.args.get("cursor") or None,
        connections=caller.connections,
        owners=owners_seen(desk(), caller),
        status=GROUPS[group],
        kind=kind if kind in schemas.KINDS else None,
    )
    more = {"show": group, **({"kind": kind} if kind else {}), "cursor": found.next}
    return {
        "rows": rows_of(found.items),
        "next": f"/console?{urlencode(more)}" if found.next else None,
        "paged": bool(request.args.get("cursor")),
    }


def rows_of(found: tuple[SummaryRow, ...]) -> list[dict[str, Any]]:
    """Rows of a list of drafts, with the names around each."""
    names = Names(desk())
    return [_row(row, names) for row in found if is_visible(desk(), who(), row)]


def _row(row: SummaryRow, names: Names) -> dict[str, Any]:
    about = names.about(row.connection, row.subject_type, row.subject_id)
    parts = row.parts
    person = (parts["to"] or {}).get("display_name") or about.contact
    return {
        "id": row.id,
        "title": about.company or person or f"{words().plain('subject', row.subject_type)} {row.subject_id}",
        "person": person if about.company else None,
        "deal": about.deal,
        "value": reader(row.connection).money(about.amount, about.currency),
        "what": what(row.kind, parts["type"]),
        "why": (parts["decision"] or {}).get("reason"),
        "subject": parts["subject"],
        "internal": parts["audience"] == "internal",
        "warnings": len(parts["warnings"] or ()),
        "status": row.status,
        "at": row.created_at,
        "problem": row.problem,
    }


def what(kind: str, type_: str | None) -> str:
    """A draft's kind and purpose in plain words."""
    return words().plain("type", type_) if type_ else words().plain("kind", kind)


@blueprint.get("/console/drafts/<draft_id>")
def one_draft(draft_id: str) -> Response:
    """One draft, for whoever may see it."""
    row = own_draft(desk(), draft_id, who())
    return page("draft.html", connection=row.connection, **draft_values(row))


def draft_values(row: DraftRow) -> dict[str, Any]:
    """What the template of a draft shows."""
    old = _old_version(row)
    draft = old or current_draft(row)
    moves = desk().drafts.moves(row.id)
    about = Names(desk()).about(row.connection, row.subject_type, row.subject_id)
    caller = who()
    return {
        "row": row,
        "draft": draft,
        "old": old is not None,
        "sheet": lay_out(draft),
        "about": about,
        "what": what(draft.kind, draft.type),
        "moves": moves,
        "versions": desk().drafts.versions(row.id),
        "decided_by": _who_did(moves, "approved", row.connection),
        "rejected_by": _who_did(moves, "rejected", row.connection),
        "editing": request.args.get("edit") == "1" and row.status == "proposed" and old is None,
        "may_approve": decisions.may_approve(row.kind, caller.role),
        "may_override": caller.role in decisions.MAY_OVERRIDE,
        "look_again_ms": MOVING.get(row.status, 0),
        "crm_url": _crm_url(draft),
        "mailto": _mailto(draft),
        "choices": choices(),
        "asked": row.request,
        "newer": _newer(row),
        "cause": desk().events.find(row.connection, row.event) if row.event else None,
    }


def _old_version(row: DraftRow) -> Draft | None:
    """The version that `?version=` names, when it is not the present one."""
    text = request.args.get("version", "")
    if not text.isdigit() or int(text) == row.version:
        return None
    document = desk().drafts.version(row.id, int(text))
    return draft_from_json(document) if document else None


def _newer(row: DraftRow) -> str | None:
    """The draft that took this one's place."""
    return desk().drafts.replaced_by(row.id) if row.status == "superseded" else None


def _who_did(moves: Any, new: str, connection: str) -> str:
    name = next((m.by for m in reversed(moves) if m.new == new), None)
    return plain_who(name, connection)


def _crm_url(draft: Draft) -> str | None:
    urls = (s.url for f in draft.facts for s in f.source if s.id == draft.subject_of.id)
    return next((url for url in urls if url and url.startswith(("https://", "http://"))), None)


def _mailto(draft: Draft) -> str | None:
    """An address that opens the draft in the mail program; only for mail to a known address."""
    if draft.channel != "email" or draft.audience != "customer" or draft.to is None or not draft.to.address:
        return None
    query = urlencode({"subject": draft.subject or "", "body": draft.body or ""}).replace("+", "%20")
    return f"mailto:{draft.to.address}?{query}"


def choices() -> dict[str, tuple[str, ...]]:
    """What may be chosen for a draft."""
    return {
        "kinds": KINDS,
        "types": tuple(words().tables["type"]),
        "channels": CHANNELS,
        "languages": LANGUAGES,
        "tones": TONES,
        "lengths": LENGTHS,
        "writers": WRITERS,
    }


@blueprint.post("/console/drafts")
def ask() -> Response:
    """Asks for a draft and goes on to it, where its text comes in."""
    row = ask_by_form(request.form.get("connection", "local"))
    return back_to(CONSOLE.draft(row.id))


def ask_by_form(connection: str) -> DraftRow:
    """The draft that a form asks for. Raises UsageError naming the fields that are wrong."""
    subject_type, _, subject_id = request.form.get("about", "").partition(":")
    body = {name: text for name in ASK_FIELDS if (text := form_text(name))}
    body |= {"connection": connection, "kind": request.form.get("kind", ""), f"{subject_type}_id": subject_id}
    try:
        checked = schemas.DraftRequest().load(body)
    except ValidationError as error:
        raise UsageError(_fields(error)) from error
    return create_draft(desk(), checked, who(), route="console", key=None, origin="click")


def _fields(error: ValidationError) -> str:
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return "; ".join(f"{name}: {reasons}" for name, reasons in messages.items())


def do_edit(draft_id: str) -> DraftRow:
    """Saves the text of the form as a new version; it is checked again."""
    version, body = form_version(), _text_of_form("body")
    if version is None or not body.strip():
        raise UsageError("the text is empty: write something, or leave it as it was")
    subject = _text_of_form("subject").strip() or None
    return decisions.edit(desk(), draft_id, who(), version=version, subject=subject, body=body)


def _text_of_form(name: str) -> str:
    """A text as it was typed; browsers send line ends as CR LF."""
    return request.form.get(name, "").replace("\r\n", "\n")


def do_approve(draft_id: str) -> DraftRow:
    """Approves the version that the person saw, with a reason where they override."""
    return decisions.approve(desk(), draft_id, who(), version=form_version(), override_reason=form_text("reason"))


def do_reject(draft_id: str) -> DraftRow:
    return decisions.reject(desk(), draft_id, who(), version=form_version(), reason=form_text("reason"))


def do_withdraw(draft_id: str) -> DraftRow:
    return decisions.withdraw(desk(), draft_id, who(), version=form_version())


def do_stop(draft_id: str) -> DraftRow:
    """Stops the writing; a draft that was finished just before is simply shown."""
    try:
        return decisions.stop(desk(), draft_id, who())
    except StateConflict:
        return desk().drafts.get(draft_id)


def do_regenerate(draft_id: str) -> DraftRow:
    """Another version, with what the form wants different."""
    changes = {name: text for name in VARIANT_FIELDS if (text := form_text(name))}
    try:
        schemas.Variant().load(changes)
    except ValidationError as error:
        raise UsageError(_fields(error)) from error
    return decisions.regenerate(desk(), draft_id, who(), changes)


def do_restore(draft_id: str) -> DraftRow:
    """Makes the text of an older version the present one, as an edit."""
    row, wanted = desk().drafts.get(draft_id), request.form.get("old", "")
    document = desk().drafts.version(draft_id, int(wanted)) if wanted.isdigit() else None
    if document is None:
        raise UsageError(f"there is no version {wanted} of this draft")
    subject, body = document.get("subject"), document.get("body") or ""
    version = form_version() or row.version
    return decisions.edit(desk(), draft_id, who(), version=version, subject=subject, body=body)


def do_retry(draft_id: str) -> DraftRow:
    """Tries a failed draft again: its writing, or its write-back when it was approved."""
    row = desk().drafts.get(draft_id)
    if any(m.new == "approved" for m in desk().drafts.moves(draft_id)):
        job = f"write/{draft_id}/{row.attempt}"
        desk().jobs.retry(job)
        return desk().drafts.get(draft_id)
    return decisions.regenerate(desk(), draft_id, who(), {})


ACTIONS: Mapping[str, Callable[[str], DraftRow]] = {
    "edit": do_edit,
    "approve": do_approve,
    "reject": do_reject,
    "withdraw": do_withdraw,
    "stop": do_stop,
    "regenerate": do_regenerate,
    "restore": do_restore,
    "retry": do_retry,
}
"""What a button of a draft's page does, by the last part of its address."""


@blueprint.post("/console/drafts/<draft_id>/<any({names}):action>".format(names=", ".join(ACTIONS)))
def act(draft_id: str, action: str) -> Response:
    """Does what the button says and shows the draft as it is then."""
    own_draft(desk(), draft_id, who())
    return back_to(CONSOLE.draft(ACTIONS[action](draft_id).id))


@blueprint.post("/console/drafts/<draft_id>/check")
def check_typing(draft_id: str) -> str:
    """What the checks say of a text that is being typed; nothing is saved."""
    own_draft(desk(), draft_id, who())
    return verdicts(draft_id)


def verdicts(draft_id: str) -> str:
    """The sentences of the form's text that need the person, as a piece of a page."""
    subject = _text_of_form("subject").strip() or None
    seen = decisions.preview(desk(), draft_id, subject=subject, body=_text_of_form("body"))
    return render_template("console/_verdicts.html", t=words(), sheet=lay_out(seen))


@blueprint.get("/console/drafts/<draft_id>/facts")
def all_facts(draft_id: str) -> Response:
    """Everything that was read for a draft and may be shown beside it."""
    row = own_draft(desk(), draft_id, who())
    draft = current_draft(row)
    about = Names(desk()).about(row.connection, row.subject_type, row.subject_id)
    return page("facts.html", connection=row.connection, row=row, draft=draft, facts=told_facts(draft), about=about)
