"""The panel's pages, in a frame of the CRM: one record, its prepared draft, one click for another.

The launch answers with the whole page and a pass in it. Scripts send the pass with everything they ask for; no cookie
is read or set, since browsers block those of a frame.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, g, request

from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound
from crmplugin.journeys.visibility import check_subject
from crmplugin.store.access import Principal
from crmplugin.store.drafts import DraftRow
from crmplugin.web.asking import own_draft
from crmplugin.web.auth import desk, who
from crmplugin.web.console_about import Names
from crmplugin.web.console_customer import customer_values
from crmplugin.web.console_drafts import ACTIONS, ask_by_form, choices, draft_values, file_of, recipients, verdicts
from crmplugin.web.console_frame import Door, back_to, page
from crmplugin.web.console_records import ONE_CLICK, drafts_of
from crmplugin.web.panel_pass import holder, record_of, visitor
from crmplugin.web.streams import StreamCap, follow, read_last_id
from crmplugin.web.take_away import FORMS

blueprint = Blueprint("panel_pages", __name__, url_prefix="/panel/<connection>/pages")

PREPARED = ("proposed", "writing", "approved", "writing_back")
"""States in which a draft is what somebody opens the panel for."""
TELLING = ("failed", "blocked", "no_message", "scheduled")
"""States that say why nothing is prepared."""


def opened(connection: str, subject: Subject, user_id: str | None, token: str) -> Response:
    """The whole page of a launch, with its pass in it."""
    _enter(connection, visitor(connection, subject, user_id))
    response = _record_page(connection, subject, token=token)
    response.headers["Cache-Control"] = "no-store"
    return response


def _enter(connection: str, holder_of_pass: Principal) -> None:
    g.principal = holder_of_pass
    g.door = Door(f"/panel/{connection}/pages", panel=True)


def _enter_by_pass(connection: str) -> Subject:
    """Lets the holder of the pass in; gives back the record it was made for."""
    _enter(connection, holder(connection))
    return record_of(connection)


def _record_page(
    connection: str, subject: Subject, *, row: DraftRow | None = None, token: str | None = None
) -> Response:
    """The panel of a record with one draft on it: the one given, else the newest that is prepared."""
    check_subject(desk(), who(), connection, subject)
    context = desk().tools(connection).read_context(subject)
    found = drafts_of(context, subject.type, subject.id)
    if row is None:
        row = next(
            (desk().drafts.get(d["id"]) for group in (PREPARED, TELLING) for d in found if d["status"] in group), None
        )
    values: dict[str, Any] = draft_values(row) if row else {"look_again_ms": 0, "choices": choices()}
    return page(
        "panel.html",
        connection=connection,
        of=connection,
        token=token,
        subject=subject,
        record=Names(desk()).about(connection, subject.type, subject.id),
        one_click=ONE_CLICK,
        account_people=recipients(context),
        others=[d for d in found if row is None or d["id"] != row.id][:5],
        **values,
    )


@blueprint.get("")
def record(connection: str) -> Response:
    """The record's panel again."""
    return _record_page(connection, _enter_by_pass(connection))


@blueprint.get("/customer")
def customer(connection: str) -> Response:
    """What happened with the record's customer, and how they buy."""
    subject = _enter_by_pass(connection)
    check_subject(desk(), who(), connection, subject)
    about = Names(desk()).about(connection, subject.type, subject.id)
    return page(
        "customer.html", connection=connection, of=connection, record=about, **customer_values(connection, subject)
    )


@blueprint.post("")
def ask(connection: str) -> Response:
    """One click: asks for a draft and shows it, where its text comes in."""
    _enter_by_pass(connection)
    return back_to(g.door.draft(ask_by_form(connection).id))


@blueprint.get("/<draft_id>")
def one_draft(connection: str, draft_id: str) -> Response:
    subject = _enter_by_pass(connection)
    return _record_page(connection, subject, row=_own(connection, draft_id))


@blueprint.post("/<draft_id>/<any({names}):action>".format(names=", ".join(ACTIONS)))
def act(connection: str, draft_id: str, action: str) -> Response:
    """Does what the button says and shows the draft as it is then."""
    _enter_by_pass(connection)
    _own(connection, draft_id)
    return back_to(g.door.draft(ACTIONS[action](draft_id).id))


@blueprint.post("/<draft_id>/check")
def check_typing(connection: str, draft_id: str) -> str:
    """What the checks say of a text that is being typed; nothing is saved."""
    _enter_by_pass(connection)
    _own(connection, draft_id)
    return verdicts(draft_id)


@blueprint.get("/<draft_id>/stream")
def stream(connection: str, draft_id: str) -> Response:
    """A draft's pieces as they come."""
    _enter_by_pass(connection)
    row = _own(connection, draft_id)
    cap: StreamCap = current_app.extensions["stream_cap"]
    return cap.answer(follow(desk(), row.id, read_last_id(request.headers.get("Last-Event-ID"))))


@blueprint.get("/<draft_id>/file.<any({forms}):form>".format(forms=", ".join(FORMS)))
def download(connection: str, draft_id: str, form: str) -> Response:
    """The text as a file."""
    _enter_by_pass(connection)
    return file_of(_own(connection, draft_id), form)


def _own(connection: str, draft_id: str) -> DraftRow:
    """A draft of this connection that the holder may see. Raises NotFound."""
    row = own_draft(desk(), draft_id, who())
    if row.connection != connection:
        raise NotFound(f"there is no draft {draft_id} of yours")
    return row
