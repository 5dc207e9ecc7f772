"""`brief` and `draft`: what the history says, and one checked text."""

from __future__ import annotations

import sys
import uuid
from typing import Any, get_args

import click

from crmplugin.cli.output import (
    as_of_option,
    connection_option,
    json_option,
    now,
    open_assistant,
    print_json,
    read_as_of,
    read_subject,
    subject_options,
)
from crmplugin.cli.rights import caller
from crmplugin.domain.brief import Brief, DraftChannel, FollowUpType, Kind, Request
from crmplugin.domain.draft import Draft
from crmplugin.domain.fact import Fact

EXIT_NOT_DRAFTED = 3


def _request(kind: str, connection: str, given: dict[str, Any], assistant: Any) -> Request:
    subject = read_subject({k: given.pop(k) for k in ("deal", "company", "contact", "ticket", "activity")})
    as_of = read_as_of(given.pop("as_of"), assistant.seller_zone(connection))
    return Request(connection, kind, subject, as_of=as_of, **given)  # type: ignore[arg-type]


@click.command("brief", help="The computed fact brief of one record.\n\nExample: crmplugin brief --deal D-1 --json")
@connection_option
@subject_options
@click.option("--kind", type=click.Choice(get_args(Kind)), default="follow_up", show_default=True)
@click.option("--language", metavar="CODE", help="Output language, such as en or de.")
@as_of_option
@json_option
def brief_command(connection: str, kind: str, as_json: bool, **given: Any) -> None:
    from crmplugin.journeys.draft import make_brief
    from crmplugin.journeys.present import brief_json

    with open_assistant() as assistant:
        request = _request(kind, connection, given, assistant)
        brief = make_brief(request, tools=assistant.tools(connection), now=now())
    if as_json:
        print_json(brief_json(brief))
    else:
        _print_brief(brief)


@click.command(
    "draft",
    help="One draft, printed. Exit 0 drafted, 3 blocked or no message, 1 error.\n\n"
    "Example: crmplugin draft follow_up --deal D-1 --language de",
)
@click.argument("kind", type=click.Choice(get_args(Kind)))
@connection_option
@subject_options
@click.option("--type", "type", type=click.Choice(get_args(FollowUpType)), help="Type of follow-up; default: decided.")
@click.option("--to", "to_contact_id", metavar="CONTACT", help="Contact to write to.")
@click.option("--channel", type=click.Choice(get_args(DraftChannel)))
@click.option("--language", metavar="CODE", help="Output language, such as en or de.")
@click.option("--tone", metavar="TONE", help="Wording only; never changes facts.")
@click.option("--length", metavar="LENGTH", help="short, normal or long.")
@click.option("--instruction", metavar="TEXT", help="A wish in your words; it can never lift a gate.")
@click.option("--writer", type=click.Choice(["auto", "model", "template"]), default="auto", show_default=True)
@as_of_option
@json_option
def draft_command(kind: str, connection: str, as_json: bool, **given: Any) -> None:
    from crmplugin.journeys.draft import make_draft
    from crmplugin.journeys.present import draft_json, to_json
    from crmplugin.journeys.recording import Recording
    from crmplugin.store.drafts_told import printed

    with open_assistant() as assistant:
        request = _request(kind, connection, given, assistant)
        recording = Recording(assistant.tools(connection))
        draft = make_draft(
            request,
            tools=recording.tools,
            step=recording.step,
            draft_id=str(uuid.uuid4()),
            now=now(),
            created_by=caller().name,
        )
        assistant.audit.add(printed(to_json(draft), recording.kept(draft), by=caller().name, at=draft.created_at))
    if as_json:
        print_json(draft_json(draft))
    else:
        _print_draft(draft)
    sys.exit(0 if draft.decision.outcome == "draft" else EXIT_NOT_DRAFTED)


def _print_draft(draft: Draft) -> None:
    if draft.decision.outcome != "draft":
        _print_decision(draft)
        return
    to = draft.to.display_name if draft.to and draft.to.display_name else "-"
    click.echo(f"{draft.kind} · {draft.type or '-'} · {draft.channel} to {to} · {draft.language} · {draft.writer}")
    if draft.decision.code:
        click.echo(f"{draft.decision.code}: {draft.decision.reason}")
    click.echo(f"\nSubject: {draft.subject}\n" if draft.subject else "")
    click.echo(draft.body)
    _print_proof(draft)
    for warning in draft.warnings:
        click.echo(f"! {warning.text}")
    for info in draft.missing_info:
        click.echo(f"? {info}")


def _print_decision(draft: Draft) -> None:
    decision = draft.decision
    click.echo(f"{decision.outcome}: {decision.code}\n{decision.reason or ''}")
    for gate in decision.gates:
        click.echo(f"- {gate.code}: {gate.reason}")
    for alternative in decision.alternatives:
        click.echo("  instead: " + ", ".join(f"{k} {v}" for k, v in alternative.items() if v))
    if decision.earliest:
        click.echo(f"earliest: {decision.earliest.isoformat()}")
    for info in draft.missing_info:
        click.echo(f"? {info}")


def _print_proof(draft: Draft) -> None:
    facts = {f.id: f for f in draft.facts}
    click.echo("\nProof")
    for sentence in draft.sentences:
        if sentence.action == "removed":
            click.echo(f"  removed: {sentence.text} ({sentence.reason})")
        elif sentence.evidence:
            click.echo(f"  {sentence.text}")
            for fact_id in sentence.evidence:
                click.echo("      " + (_fact_line(facts[fact_id]) if fact_id in facts else fact_id))


def _fact_line(fact: Fact) -> str:
    source = ", ".join(f"{s.object}/{s.id} {s.field}" for s in fact.source) or fact.basis.formula or fact.basis.type
    return f"{fact.id} = {fact.display} ({source})"


def _print_brief(brief: Brief) -> None:
    decision = brief.decision
    kind = brief.plan.type or brief.plan.kind if brief.plan else decision.code
    click.echo(f"{brief.subject.type} {brief.subject.id}: {decision.outcome}, {kind}")
    for gate in brief.gates:
        click.echo(f"gate {gate.code}: {gate.reason}")
    for fact in brief.facts:
        click.echo(f"  {'internal ' if fact.visibility == 'internal' else ''}{fact.label}: {_fact_line(fact)}")
    for warning in brief.warnings:
        click.echo(f"! {warning.text}")
    for info in brief.missing_info:
        click.echo(f"? {info}")


COMMANDS = [brief_command, draft_command]
