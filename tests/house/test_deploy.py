"""The files for operators speak of what there is: metrics, commands, options, settings."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from click import Context

from crmplugin.cli import cli
from crmplugin.settings import SCALARS

DEPLOY = Path(__file__).parents[2] / "deploy"
ROOMS = Path(__file__).parents[2] / "crmplugin"


def metric_names() -> set[str]:
    """The names that the code gives to Prometheus, as far as they are written out."""
    meters = re.findall(r'"(crmplugin_\w+)"', (ROOMS / "meters.py").read_text())
    gauges = re.findall(r'_(?:family|by|one)\("(\w+)"', (ROOMS / "web" / "health.py").read_text())
    return {*meters, *(f"crmplugin_{name}" for name in gauges)}


def test_alerts_ask_for_metrics_that_exist():
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"][0]["rules"]
    asked = {name for rule in rules for name in re.findall(r"crmplugin_[a-z_]+", rule["expr"])}

    bare = {re.sub(r"_(total|count|bucket|sum)$", "", name) for name in asked}

    assert bare - metric_names() == set()
    assert len(rules) >= 8


def commands_in(name: str) -> list[list[str]]:
    """The arguments of crmplugin in a file: after `crmplugin` in a unit, as `command` in compose."""
    text = (DEPLOY / name).read_text()
    if name.endswith(".yaml"):
        services = yaml.safe_load(text)["services"].values()
        return [s["command"].split() for s in services if "postgres" not in s.get("command", "postgres")]
    return [line.split()[1:] for line in text.splitlines() if line.startswith("ExecStart=")]


def test_units_and_compose_call_commands_with_options_they_have():
    files = ("compose.yaml", "crmplugin.service", "crmplugin-worker@.service")
    called = [command for name in files for command in commands_in(name)]

    assert len(called) == 4
    for name, *options in called:
        command = cli.get_command(Context(cli), name)
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        assert {option for option in options if option.startswith("--")} <= known


def test_settings_in_the_files_exist():
    named = {
        name
        for file in DEPLOY.iterdir()
        for name in re.findall(r"CRMPLUGIN_([A-Z_]+)", file.read_text())
        if name != "CONFIG"
    }

    assert {name.lower() for name in named} <= set(SCALARS)


def test_volume_of_the_containers_belongs_to_their_user():
    """A named volume takes over the owner of the folder it is mounted on; without one it is root's."""
    mounts = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]["volumes"]
    image = (DEPLOY / "Dockerfile").read_text()

    for folder in (mount.split(":")[1] for mount in mounts if not mount.startswith("./")):
        assert re.search(rf"install -d -o crmplugin \S+ \S+ .*{folder}\n", image)


def test_what_is_secret_stays_out_of_the_image():
    left_out = (DEPLOY.parent / ".dockerignore").read_text().splitlines()

    assert {".git", "var", "deploy/secrets", "deploy/crmplugin.toml"} <= set(left_out)
