"""What happens behind the drafts, for people: events, jobs, connections; and the door for those who are signed out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from crmplugin.errors import CrmPluginError, NotFound, StateConflict
from crmplugin.journeys.desk import Job
from crmplugin.journeys.replay import replay_event
from crmplugin.journeys.visibility import check_connection
from crmplugin.web import schemas
from crmplugin.web.auth import COOKIE, desk, who
from crmplugin.web.console_frame import back_to, blueprint, page, words
from crmplugin.web.console_waiting import rows_of

PER_PAGE = 30
MOST_AT_ONCE = 200
CATCH_UP_S = 0.3


@blueprint.get("/")
def home() -> Response:
    """The way in."""
    return back_to("/console")


@blueprint.get("/sign-in")
def sign_in() -> Response:
    """How to get in, for somebody who is not; who is goes on."""
    session = request.cookies.get(COOKIE)
    if session and desk().access.by_session(session, now=desk().clock()):
        return back_to("/console")
    return page("sign_in.html")


@blueprint.post("/sign-in")
def paste_link() -> Response:
    """Goes to a link that somebody pasted."""
    secret = request.form.get("link", "").strip().rstrip("/").rpartition("/")[2]
    return back_to(f"/sign-in/{secret}" if secret.replace("-", "").replace("_", "").isalnum() else "/sign-in")


@blueprint.get("/console/events")
def events() -> Response:
    """What came in and what became of it, newest first."""
    desk().intake.settle(CATCH_UP_S)
    state = request.args.get("state")
    state = state if state in schemas.EVENT_STATES else None
    caller = who()
    found = desk().events.list(
        limit=PER_PAGE, connections=caller.connections, cursor=request.args.get("cursor") or None, state=state
    )
    drafts = desk().drafts.of_events([(e.connection, e.id) for e in found.items])
    rows = [{"event": e, "drafts": drafts.get((e.connection, e.id), ()), "about": _about(e)} for e in found.items]
    return page(
        "events.html",
        rows=rows,
        state=state,
        states=schemas.EVENT_STATES,
        next=_next("/console/events", found.next, state=state),
        paged=bool(request.args.get("cursor")),
        may_replay=caller.role == "admin",
        held=_held(),
    )


def _held() -> str | None:
    """Why events do not go on at all, if they do not."""
    return None if desk().jobs.healthy() else words()("events.held")


def _about(event: Any) -> dict[str, Any] | None:
    """The record that an event names."""
    named: dict[str, Any] | None = event.document.get("object")
    return named


def _next(path: str, cursor: str | None, **filters: str | None) -> str | None:
    if cursor is None:
        return None
    return f"{path}?{urlencode({k: v for k, v in filters.items() if v} | {'cursor': cursor})}"


@blueprint.post("/console/events/replay")
def replay() -> Response:
    """Works on an event once more."""
    connection = request.form.get("connection", "")
    check_connection(desk(), who(), connection)
    replay_event(desk(), desk().events.get(connection, request.form.get("event", "")))
    return back_to("/console/events")


@blueprint.post("/console/events/replay-dead")
def replay_dead() -> Response:
    """Works once more on the events that failed, the newest first."""
    found = desk().events.list(limit=MOST_AT_ONCE, connections=who().connections, state="dead").items
    again = [row for row in found if _is_tried(replay_event, desk(), row)]
    return page("done.html", done=words().count("events.replayed", len(again)), back="/console/events")


def _is_tried(do: Any, *what: Any) -> bool:
    """Whether something could be begun again; what moved on meanwhile is left alone."""
    try:
        do(*what)
    except StateConflict:
        return False
    return True


@blueprint.get("/console/jobs")
def jobs() -> Response:
    """Work in progress and done, newest first."""
    state = request.args.get("state")
    state = state if state in schemas.JOB_STATES else None
    found, cursor = desk().jobs.list(limit=PER_PAGE, cursor=request.args.get("cursor") or None, state=state)
    rows = [job for job in found if _is_mine(job)]
    return page(
        "jobs.html",
        rows=rows,
        named=_drafts_named([job.draft for job in rows if job.draft]),
        state=state,
        states=schemas.JOB_STATES,
        next=_next("/console/jobs", cursor, state=state),
        paged=bool(request.args.get("cursor")),
        may_retry=who().role == "admin",
    )


def _drafts_named(ids: list[str]) -> dict[str, dict[str, Any]]:
    """The drafts that jobs are about, as rows of a list, by id."""
    found = desk().drafts.summaries(limit=len(ids), id=ids).items if ids else ()
    return {row["id"]: row for row in rows_of(found)}


def _is_mine(job: Job) -> bool:
    """Whether the caller may see a job: of their connections, or of none."""
    return job.connection is None or who().sees(job.connection)


@blueprint.post("/console/jobs/retry")
def retry_job() -> Response:
    """Runs a failed or cancelled job again, or with no job named all that failed."""
    job = request.form.get("job")
    if job:
        found = desk().jobs.find(job)
        if found is None or not _is_mine(found):
            raise NotFound(f"there is no job {job} of yours")
        desk().jobs.retry(job)
        return back_to("/console/jobs")
    dead = desk().jobs.list(limit=MOST_AT_ONCE, cursor=None, state="dead")[0]
    again = [found.id for found in dead if _is_mine(found) and _is_tried(desk().jobs.retry, found.id)]
    return page("done.html", done=words().count("jobs.retried", len(again)), back="/console/jobs")


@blueprint.get("/console/connections")
def connections() -> Response:
    """Every connection with its diagnosis, asked for now."""
    settings = desk().settings
    base = settings.public_url or request.host_url.rstrip("/")
    names = [name for name in settings.connections if who().sees(name)]
    rows = [
        {"name": n, "crm": settings.connections[n].crm, "url": f"{base}/webhooks/{n}", "checks": _checks(n)}
        for n in names
    ]
    return page("connections.html", rows=rows)


def _checks(name: str) -> list[tuple[str, bool, str]]:
    """The diagnosis of a connection; a CRM that cannot be asked is one bad line of it."""
    try:
        return list(desk().connector(name).diagnose())
    except CrmPluginError as error:
        return [("", False, str(error))]
