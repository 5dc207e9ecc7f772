"""Briefs, events and jobs of the API: what is known, what came in, what became of it."""

# mypy: disable-error-code="untyped-decorator"
# flask-smorest has no types.
from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.errors import NotFound, StateConflict
from crmplugin.journeys.draft import make_brief
from crmplugin.journeys.present import brief_json
from crmplugin.journeys.replay import replay_event
from crmplugin.journeys.visibility import check_connection, check_subject
from crmplugin.store.events import EventRow
from crmplugin.web import schemas
from crmplugin.web.asking import seller_zone
from crmplugin.web.auth import desk, who
from crmplugin.web.openapi import ApiBlueprint
from crmplugin.web.shapes import event_answer, job_answer

CATCH_UP_S = 0.5
"""How long a reader of events waits for what was acknowledged just now."""

briefs = ApiBlueprint("briefs", __name__, url_prefix="/api/v1/briefs", description="Fact briefs")
events = ApiBlueprint("events", __name__, url_prefix="/api/v1/events", description="Events: what came in")
jobs = ApiBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", description="Jobs: what is done about it")


@briefs.get("")
@briefs.doc(operationId="getBrief")
@briefs.arguments(schemas.BriefQuery, location="query")
@briefs.response(200, schemas.BriefAnswer)
def get_brief(query: dict[str, Any]) -> Response:
    """The computed facts, gates, signals and plan for one record."""
    connection = query["connection"]
    check_connection(desk(), who(), connection)
    subject = next(Subject(name, query[name]) for name in schemas.SUBJECTS if query.get(name))  # type: ignore[arg-type]
    check_subject(desk(), who(), connection, subject)
    as_of = schemas.read_as_of(query.get("as_of"), seller_zone(desk(), connection))
    request = Request(connection, query["kind"], subject, language=query.get("language"), as_of=as_of)
    return jsonify(brief_json(make_brief(request, tools=desk().tools(connection), now=desk().clock())))


@events.get("")
@events.doc(operationId="listEvents")
@events.arguments(schemas.EventQuery, location="query")
@events.response(200, schemas.EventPage)
def list_events(query: dict[str, Any]) -> Response:
    """Events, newest first."""
    desk().intake.settle(CATCH_UP_S)
    filters = {name: query.get(name) for name in ("connection", "type", "state", "cursor")}
    page = desk().events.list(limit=query["limit"], connections=who().connections, **filters)
    drafts = desk().drafts.of_events([(row.connection, row.id) for row in page.items])
    items = [event_answer(row, drafts.get((row.connection, row.id), ())) for row in page.items]
    return jsonify({"items": items, "next": page.next})


@events.get("/<path:event_id>")
@events.doc(operationId="getEvent")
@events.arguments(schemas.OfConnection, location="query")
@events.response(200, schemas.EventAnswer)
def get_event(query: dict[str, Any], event_id: str) -> Response:
    """One event; name the connection when two have that id."""
    return jsonify(_answer(_own_event(query.get("connection"), event_id)))


@events.post("/<path:event_id>/replay")
@events.doc(operationId="replayEvent")
@events.arguments(schemas.Empty, required=False)
@events.arguments(schemas.OfConnection, location="query")
@events.response(202, schemas.EventAnswer)
def replay_event_again(body: dict[str, Any] | None, query: dict[str, Any], event_id: str) -> Response:
    """Work on an event once more; drafts it made before stay."""
    row = replay_event(desk(), _own_event(query.get("connection"), event_id))
    response = jsonify(_answer(row))
    response.status_code = 202
    return response


@jobs.get("")
@jobs.doc(operationId="listJobs")
@jobs.arguments(schemas.JobQuery, location="query")
@jobs.response(200, schemas.JobPage)
def list_jobs(query: dict[str, Any]) -> Response:
    """Jobs, newest first."""
    found, cursor = desk().jobs.list(limit=query["limit"], cursor=query.get("cursor"), state=query.get("state"))
    items = [job_answer(job) for job in found if job.connection is None or who().sees(job.connection)]
    return jsonify({"items": items, "next": cursor})


@jobs.get("/<path:job_id>")
@jobs.doc(operationId="getJob")
@jobs.response(200, schemas.JobAnswer)
def get_job(job_id: str) -> Response:
    """One job."""
    job = desk().jobs.find(job_id)
    if job is None or not (job.connection is None or who().sees(job.connection)):
        raise NotFound(f"there is no job {job_id}; list them with GET /api/v1/jobs")
    return jsonify(job_answer(job))


def _own_event(connection: str | None, event_id: str) -> EventRow:
    """An event that this caller may see. Raises NotFound, or StateConflict when two connections have that id."""
    scope = who().connections
    if connection is None and scope is not None and len(scope) == 1:
        connection = scope[0]
    try:
        row = desk().events.get(connection, event_id)
    except NotFound:
        desk().intake.settle(CATCH_UP_S)
        row = desk().events.get(connection, event_id)
    except StateConflict:
        if scope is not None:
            raise NotFound(f"there is no event {event_id}: say of which connection with ?connection=") from None
        raise
    if not who().sees(row.connection):
        raise NotFound(f"there is no event {event_id}")
    return row


def _answer(row: EventRow) -> dict[str, Any]:
    return event_answer(row, desk().drafts.of_event(row.connection, row.id))
