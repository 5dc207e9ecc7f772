"""One draft for people: its page, asking for another, and what is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, render_template, request
from marshmallow import ValidationError

from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.draft import Draft
from crmplugin.errors import NotFound, StateConflict, UsageError
from crmplugin.journeys import approve as decisions
from crmplugin.journeys.present import draft_from_json, told_facts
from crmplugin.journeys.run_draft import current_draft
from crmplugin.journeys.telling import tell_export
from crmplugin.store.drafts import DraftRow
from crmplugin.web import schemas
from crmplugin.web.asking import create_draft, own_draft
from crmplugin.web.auth import desk, who
from crmplugin.web.brief_charts import pictures
from crmplugin.web.console_about import Names, name_of
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
from crmplugin.web.console_waiting import what
from crmplugin.web.take_away import FORMS, as_file, mailto
from crmplugin.web.texts import whole_number

KINDS = tuple(k for k in schemas.KINDS if k not in ("insight_digest",))
CHANNELS = ("email", "phone", "chat", "sms", "social", "letter", "note")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl")
TONES = ("friendly", "formal", "direct", "concise")
LENGTHS = ("short", "medium", "long")
WRITERS = ("auto", "model", "template")
MOST_PEOPLE = 40
VARIANT_FIELDS = ("to_contact_id", "tone", "length", "language", "channel", "instruction", "writer")
ASK_FIELDS = ("type", *VARIANT_FIELDS)
MOVING = {"writing": 0, "scheduled": 0, "approved": 600, "writing_back": 600}
"""States that change by themselves: how often, in ms, a page looks again. A stream needs no looking."""


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
        "charts": pictures(draft.charts, reader(row.connection), lambda _collection, _id: None),
        "about": about,
        "what": what(draft.kind, draft.type),
        "moves": moves,
        "versions": desk().drafts.versions(row.id),
        "decided_by": _who_did(moves, "approved", row.connection),
        "rejected_by": _who_did(moves, "rejected", row.connection),
        "editing": request.args.get("edit") == "1" and row.status == "proposed" and old is None,
        "may_approve": decisions.may_approve(desk(), row, caller),
        "may_override": caller.role in decisions.MAY_OVERRIDE,
        "look_again_ms": MOVING.get(row.status, 0),
        "crm_url": _crm_url(draft),
        "mailto": mailto(draft),
        "people": _people(row),
        "choices": choices(),
        "asked": row.request,
        "newer": _newer(row),
        "cause": desk().events.find(row.connection, row.event) if row.event else None,
    }


def _old_version(row: DraftRow) -> Draft | None:
    """The version that `?version=` names, when it is not the present one."""
    wanted = whole_number(request.args.get("version"))
    if wanted is None or wanted == row.version:
        return None
    document = desk().drafts.version(row.id, wanted)
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


def _people(row: DraftRow) -> list[dict[str, str]]:
    """Whom another version could go to."""
    if row.status != "proposed" or row.document.get("audience") != "customer":
        return []
    subject = Subject(row.subject_type, row.subject_id)  # type: ignore[arg-type]
    return recipients(desk().tools(row.connection).read_context(subject))


def recipients(context: Context) -> list[dict[str, str]]:
    """The people of an account who can be written to, as id and name."""
    there = [c for c in context.contacts if c.status not in ("left", "inactive")]
    return [{"id": c.id, "name": name_of(c) or c.id, "title": c.title or ""} for c in there][:MOST_PEOPLE]


def choices() -> dict[str, tuple[str, ...]]:
    """What may be chosen for a draft, its people aside."""
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
    keep_edits = "edits_shown" not in request.form or "keep_edits" in request.form
    return decisions.regenerate(desk(), draft_id, who(), changes, keep_edits=keep_edits)


def do_restore(draft_id: str) -> DraftRow:
    """Makes the text of an older version the present one, as an edit."""
    row, wanted = desk().drafts.get(draft_id), whole_number(request.form.get("old"))
    document = None if wanted is None else desk().drafts.version(draft_id, wanted)
    if document is None:
        raise UsageError("there is no such version of this draft")
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


@blueprint.get("/console/drafts/<draft_id>/file.<any({forms}):form>".format(forms=", ".join(FORMS)))
def download(draft_id: str, form: str) -> Response:
    """The text as a file."""
    return file_of(own_draft(desk(), draft_id, who()), form)


def file_of(row: DraftRow, form: str) -> Response:
    """A draft's text as a file called after the company. Raises NotFound while there is no text."""
    draft = current_draft(row)
    if not draft.body:
        raise NotFound("there is no text yet")
    about = Names(desk()).about(row.connection, row.subject_type, row.subject_id)
    at = desk().clock()
    tell_export(desk().audit, "draft", by=who().name, at=at, connection=row.connection, draft=row.id, form=form)
    return as_file(draft, form, about.company or about.contact or row.kind)


@blueprint.get("/console/drafts/<draft_id>/facts")
def all_facts(draft_id: str) -> Response:
    """Everything that was read for a draft and may be shown beside it."""
    row = own_draft(desk(), draft_id, who())
    draft = current_draft(row)
    about = Names(desk()).about(row.connection, row.subject_type, row.subject_id)
    return page("facts.html", connection=row.connection, row=row, draft=draft, facts=told_facts(draft), about=about)
