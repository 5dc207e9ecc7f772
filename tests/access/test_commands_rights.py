"""Every command × role × connection: the table of rights says who may run it, and this walks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from crmplugin.cli import COMMANDS as TOP
from crmplugin.cli import cli
from crmplugin.cli.rights import check_caller, read_caller
from crmplugin.errors import AccessDenied, NotFound
from crmplugin.journeys.campaigns import create_campaign
from crmplugin.store.access import Principal
from crmplugin.web.rights import COMMANDS, ROLES
from tests.access.conftest import HERE, NAMES, THERE
from tests.web.conftest import make_event, wait_until

NOW = datetime.now(UTC)
ARGUMENTS = {
    "audit show": "{draft}", "audit replay": "{draft}", "backup": "{folder}/b.zip", "restore": "{folder}/b.zip",
    "brief": "--deal D-1", "draft": "summary --deal D-1", "timeline": "--deal D-1", "recommend": "--company CO-1",
    "campaign approve": "{campaign}", "campaign create": "{file}", "campaign export": "{campaign}",
    "campaign pause": "{campaign}", "campaign preview": "{campaign}", "campaign resume": "{campaign}",
    "campaign run": "{campaign}", "campaign status": "{campaign}", "check": "--facts {file} --text {file}",
    "connect": "hubspot", "connections show": HERE, "connections test": HERE, "erase": "--contact C-1",
    "events show": "evt-walk --connection {here}", "events replay": "evt-walk --connection {here}",
    "export": "--contact C-1", "import": "{file}", "jobs cancel": "{job}", "jobs retry": "{job}", "jobs show": "{job}",
    "panel-link": "--deal D-1", "prospects": "{file}", "reviews": "{file}", "scan": "{file}",
    "segments owners": "FM-1", "segments preview": "SG-1", "style edit": "U-1 follow_up en", "style erase": "U-1",
    "style list": "--user U-1", "sync": HERE, "token create": "--role rep", "token revoke": "abcdef12",
    "audit export": "--connection {here}", "sessions end": "--all",
}  # fmt: skip
"""What each command is called with; the others take nothing, or `--connection`, whose default is the own one."""
OPEN_TO_ANY_SCOPE = ("nothing", "list", "asked")


def leaves(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its group's name."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for short in command.list_commands(context):
        inner = command.get_command(context, short)
        assert inner is not None
        yield from leaves(inner, f"{name} {short}".strip())


LEAVES = dict(leaves(cli))


@pytest.fixture(scope="module")
def things(office, tmp_path_factory) -> dict[str, str]:
    """What is there on the connection that is looked at, by the name that stands for it above."""
    desk, folder = office.desk, tmp_path_factory.mktemp("things")
    (folder / "some.json").write_text("{}")
    read = desk.connector(HERE).read_events(json.dumps(make_event("evt-walk")).encode(), received_at=NOW)
    desk.intake.take(read.events)
    wait_until(lambda: desk.drafts.of_event(HERE, "evt-walk"), 60)
    wish = {"connection": HERE, "segment": {}, "goal": "win_back", "channels": ["email"]}
    return {
        "draft": desk.drafts.of_event(HERE, "evt-walk")[0],
        "campaign": create_campaign(desk, wish, Principal("user:U-8", "admin")).id,
        "job": f"{HERE}/evt-walk",
        "here": HERE,
        "folder": str(folder),
        "file": str(folder / "some.json"),
    }


@pytest.fixture
def as_commands_do(monkeypatch, environ, office):
    """The environment of the office, as whoever starts a command there has it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def given_to(name: str, things: dict[str, str]) -> dict[str, Any]:
    args = [part.format(**things) for part in ARGUMENTS.get(name, "").split()]
    return LEAVES[name].make_context(name, args).params


SCOPES: dict[str, dict[str, Any]] = {
    "everything": {},
    "own": {"connections": [HERE]},
    "foreign": {"connections": [THERE]},
    "own, as the owner": {"connections": [HERE], "user_id": "U-1"},
    "own, as a colleague": {"connections": [HERE], "user_id": "U-2"},
}


def wanted(name: str, role: str, whose: str) -> bool:
    """Whether a command may run, by its row."""
    right = COMMANDS[name]
    if role not in right.roles:
        return False
    if whose == "everything" or right.about in OPEN_TO_ANY_SCOPE:
        return True
    if right.about == "installation" or whose == "foreign":
        return False
    if role != "rep" or whose == "own":
        return True
    return right.about in ("subject", "user") and whose == "own, as the owner"


def test_every_command_has_a_row_and_every_row_a_command():
    assert set(LEAVES) == set(COMMANDS)
    assert {name.split()[0] for name in LEAVES} == set(TOP)


@pytest.mark.parametrize("whose", SCOPES)
def test_each_role_may_run_what_the_table_says(as_commands_do, office, things, whose):
    wrong = []
    for role in ROLES:
        _, secret = office.desk.access.create_token(role, at=NOW, **SCOPES[whose])
        who = read_caller({"CRMPLUGIN_TOKEN": secret, **environ_of(office)})
        for name in LEAVES:
            try:
                check_caller(name, who, given_to(name, things), lambda: nullcontext(office.desk))
                may = True
            except (AccessDenied, NotFound):
                may = False
            if may is not wanted(name, role, whose):
                wrong.append((name, role, "may" if may else "may not"))
    assert wrong == []


def environ_of(office) -> dict[str, str]:
    return {"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_DATABASE_URL": office.desk.settings.database_url}


def test_user_of_the_machine_is_an_admin_of_everything(things):
    who = read_caller({})

    assert (who.role, who.connections, who.name.startswith("cli:")) == ("admin", None, True)
    for name in LEAVES:
        check_caller(name, who, given_to(name, things))


@pytest.mark.parametrize("name", LEAVES)
def test_no_command_forgets_to_look(as_commands_do, crmplugin, things, name):
    as_commands_do.setenv("CRMPLUGIN_TOKEN", "crmp_nobody-has-this")

    answer = crmplugin(*name.split(), *(part.format(**things) for part in ARGUMENTS.get(name, "").split()))

    assert (answer.code, "CRMPLUGIN_TOKEN holds no valid token" in answer.err) == (1, True), answer


def test_without_a_command_it_serves_and_looks_too(as_commands_do, crmplugin):
    as_commands_do.setenv("CRMPLUGIN_TOKEN", "crmp_nobody-has-this")

    assert "CRMPLUGIN_TOKEN holds no valid token" in crmplugin().err


@pytest.fixture
def run_as(as_commands_do, office, crmplugin):
    """Runs commands with a new token: `run_as("rep", user_id="U-1")("brief", "--deal", "D-1")`."""

    def make(role: str, **scope: Any):
        token_id, secret = office.desk.access.create_token(role, at=NOW, **scope)

        def run(*args: str):
            as_commands_do.setenv("CRMPLUGIN_TOKEN", secret)
            return crmplugin(*args)

        run.name = f"token:{token_id}"
        return run

    return make


def test_rep_drafts_for_their_own_deal_and_is_named(run_as):
    rep = run_as("rep", connections=[HERE], user_id="U-1")

    assert rep("draft", "summary", "--deal", "D-1", "--json").json["created_by"] == rep.name
    refused = rep("draft", "summary", "--deal", "D-2")
    assert (refused.code, refused.err) == (1, f"no deal D-2 of yours on {HERE}")
    assert rep("audit", "verify").err == "a rep may not run audit verify: it takes one of admin, director, manager"


def test_lists_hold_only_what_the_token_sees(run_as, things):
    manager = run_as("manager", connections=[THERE])

    events = manager("events", "list", "--json").json["items"]
    assert {event["connection"] for event in events} <= {THERE}
    assert {job["connection"] for job in manager("jobs", "list", "--json").json["items"]} <= {THERE}
    assert [c["name"] for c in manager("connections", "list", "--json").json["items"]] == [THERE]
    assert run_as("marketing", connections=[THERE])("campaign", "list", "--json").json["items"] == []
    assert things["campaign"] in run_as("marketing")("campaign", "list", "--json").out


def test_file_that_names_another_connection_is_refused(run_as, tmp_path):
    wish = {"connection": HERE, "segment": {}, "goal": "win_back", "channels": ["email"]}
    (tmp_path / "wish.json").write_text(json.dumps(wish))
    (tmp_path / "brief.json").write_text(json.dumps({"connection": HERE, "facts": []}))
    (tmp_path / "text.txt").write_text(f"{NAMES[HERE]} pays.")

    assert f"no connection '{HERE}'" in run_as("admin", connections=[THERE])(
        "campaign", "create", str(tmp_path / "wish.json")
    ).err  # fmt: skip
    refused = run_as("rep", connections=[THERE])(
        "check", "--facts", str(tmp_path / "brief.json"), "--text", str(tmp_path / "text.txt")
    )
    assert (refused.code, f"no connection '{HERE}'" in refused.err) == (1, True)


def test_token_that_ended_or_was_revoked_runs_nothing(as_commands_do, office, crmplugin):
    access = office.desk.access
    _, old = access.create_token("admin", at=NOW, expires_at=NOW - timedelta(seconds=1))
    token_id, revoked = access.create_token("admin", at=NOW)
    access.revoke_token(token_id, at=NOW)
    for secret in (old, revoked):
        as_commands_do.setenv("CRMPLUGIN_TOKEN", secret)
        assert "no valid token" in crmplugin("connections", "list").err


def test_before_there_is_a_database_a_token_opens_nothing(monkeypatch, crmplugin, tmp_path: Path):
    monkeypatch.setenv("CRMPLUGIN_TOKEN", "crmp_anything")

    assert "cannot be looked up" in crmplugin("connections", "list").err
