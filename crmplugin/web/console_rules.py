"""The owner's voice and policy: looked at, changed, tried on a real deal before they are saved, and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Response, request

from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Context, Subject
from crmplugin.domain.records import build, check_record, merge
from crmplugin.errors import CrmPluginError, NotFound, RecordProblem, StateConflict
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.journeys.telling import tell_rules
from crmplugin.journeys.visibility import check_connection
from crmplugin.web.auth import desk, who
from crmplugin.web.console_frame import back_to, blueprint, page
from crmplugin.web.rights import MANAGER
from crmplugin.web.rule_forms import FORMS, Document, document_of, form_of
from crmplugin.web.texts import whole_number

PREVIEW_KIND = {"voice": "follow_up", "policy": "negotiation_note"}
"""What shows best how a rule changes a text."""
TRIED = 5
"""Deals that are tried until one gives a text."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A rule as somebody sees it: its fields, what is wrong with one, and what it would change."""

    form: Mapping[str, str]
    wrong: str | None = None
    problem: str | None = None
    before: str | None = None
    after: str | None = None
    about: str | None = None
    tried: bool = False


@blueprint.get("/console/rules")
def rules() -> Response:
    """Voice or policy of a connection, at its present version or at the one that is asked for."""
    collection, connection = _asked(request.args)
    version = request.args.get("version", "")
    document = _document(connection, collection)
    if (wanted := whole_number(version)) is not None:
        document = next((d or {} for n, _, d in _versions(connection, collection) if n == wanted), document)
    return _page(connection, collection, Seen(form_of(collection, document)), shown=version)


@blueprint.post("/console/rules")
def change_rules() -> Response:
    """Tries a changed rule on a deal, or saves it. Nothing is saved that is not right."""
    collection, connection = _asked(request.form)
    form = {field.name: request.form.get(field.name, "").replace("\r\n", "\n") for field in FORMS[collection]}
    wanted = document_of(collection, form, _document(connection, collection))
    try:
        checked = check_record(collection, wanted)
    except RecordProblem as error:
        return _page(connection, collection, Seen(form, _field_of(collection, error.key), str(error)), status=422)
    if request.form.get("do") != "save":
        return _page(connection, collection, _tried(connection, collection, form, checked))
    _check_version(connection, collection)
    import_document(
        {"format": "crmplugin-records/1", collection: wanted}, connection=connection, records=desk().records
    )
    tell_rules(desk().audit, [collection], by=who().name, at=desk().clock(), connection=connection)
    return back_to(f"/console/rules?collection={collection}&connection={connection}&saved=1")


def _asked(values: Mapping[str, str]) -> tuple[str, str]:
    """Collection and connection that are meant. Raises NotFound."""
    collection, connection = values.get("collection", "voice"), values.get("connection", "local")
    check_connection(desk(), who(), connection)
    if collection not in FORMS:
        raise NotFound(f"there are no rules called {collection}")
    return collection, connection


def _document(connection: str, collection: str) -> Document:
    return desk().records.read_doc(connection, collection, collection) or {}


def _versions(connection: str, collection: str) -> list[Any]:
    return desk().records.versions(connection, collection, collection)


def _check_version(connection: str, collection: str) -> None:
    """Raises StateConflict when somebody else saved meanwhile."""
    now = len(_versions(connection, collection))
    if request.form.get("seen") != str(now):
        raise StateConflict("somebody else saved these rules meanwhile: look at them again, then make your change")


def _field_of(collection: str, key: str) -> str | None:
    """The input that a problem's key (`bands[0].max_pct`, `terms.avoid`) is about."""
    parts = key.replace("[", ".").replace("]", "").split(".")
    paths = {f.name: f.path for f in FORMS[collection]}
    exact = next((name for name, path in paths.items() if list(path) == parts[: len(path)]), None)
    return exact or next((name for name, path in paths.items() if path[0] == parts[0]), None)


def _tried(connection: str, collection: str, form: Mapping[str, str], checked: Document) -> Seen:
    """The text of a deal under the present rules and under the changed ones; nothing of it is kept."""
    present = _document(connection, collection)
    rule = build(collection, merge(present, checked))
    for _, deal in desk().records.search(connection, "", limit=TRIED):
        before = _text(connection, collection, deal.id, build(collection, present))
        after = _text(connection, collection, deal.id, rule)
        if before or after:
            return Seen(form, before=before, after=after, about=deal.name or deal.id, tried=True)
    return Seen(form, tried=True)


def _text(connection: str, collection: str, deal_id: str, rule: Any) -> str | None:
    """What the template writer would write with a rule; None when it would write nothing."""
    tools = desk().tools(connection)
    read = tools.read_context

    def with_rule(subject: Subject) -> Context:
        return replace(read(subject), **{collection: rule})

    asked = Request(connection, PREVIEW_KIND[collection], Subject("deal", deal_id), writer="template")  # type: ignore[arg-type]
    tried = replace(tools, read_context=with_rule)
    try:
        return make_draft(asked, tools=tried, draft_id="preview", now=desk().clock()).body
    except CrmPluginError:
        return None


def _page(connection: str, collection: str, seen: Seen, *, shown: str = "", status: int = 200) -> Response:
    versions = _versions(connection, collection)
    return page(
        "rules.html",
        status=status,
        connection=connection,
        of=connection,
        connections=[name for name in desk().settings.connections if who().sees(name)],
        collection=collection,
        collections=tuple(FORMS),
        fields=FORMS[collection],
        seen=seen,
        versions=versions,
        shown=shown,
        saved=request.args.get("saved") == "1",
        may_change=who().role not in (MANAGER,),
    )
