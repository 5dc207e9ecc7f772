"""`eval`: the quality cases through one or more writers, models and versions of the prompts, as one table."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from crmplugin.cli.output import connection_option, json_option, now, open_assistant, print_json, read_as_of
from crmplugin.errors import UsageError

EXIT_FAILED = 4
_INNER = "EVAL_OTHER_PROMPTS"
"""Set in the process that runs another version of the prompts, so that it does not start one more."""


@click.command(
    "eval",
    help="The quality cases, as a table; exit 4 when a case fails. Scores are kept under var/evals, and what changed "
    "since the last one of the same writer is told.\n\nExample: crmplugin eval --prompts ../changed/prompts",
)
@click.option("--prompts", "prompt_folders", multiple=True, type=click.Path(exists=True, file_okay=False),
              help="Another version of the prompts folder, run beside the present one.")  # fmt: skip
@click.option("--model", "models", multiple=True, help="A model to write with, beside the template writer.")
@click.option("--cases", "case_folder", type=click.Path(exists=True, file_okay=False),
              help="A folder with cases/*.toml and worlds/*.json instead of the packaged ones.")  # fmt: skip
@click.option("--approved", type=click.IntRange(1, 500), metavar="N",
              help="Your own newest N approved drafts as cases, drafted anew at their moment.")  # fmt: skip
@click.option("--judge", metavar="MODEL", help="A model that grades, last, what passed everything else; fails no case.")
@connection_option
@click.option("--only", multiple=True, help="Only cases whose id contains this.")
@json_option
def eval_command(prompt_folders: tuple[str, ...], models: tuple[str, ...], case_folder: str | None,
                 approved: int | None, judge: str | None, connection: str, only: tuple[str, ...],
                 as_json: bool) -> None:  # fmt: skip
    known = _own(approved, connection) if approved else _packaged(case_folder)
    cases = [c for c in known if not only or any(part in c.id for part in only)]
    if not cases:
        raise UsageError("no case to run: see --cases, --approved and --only")
    scores = [_kept(score) for score in _scores(cases, models, judge)]
    options = [
        *(f"--model={m}" for m in models), *(f"--only={o}" for o in only),
        *([f"--cases={case_folder}"] if case_folder else []),
        *([f"--approved={approved}", f"--connection={connection}"] if approved else []),
        *([f"--judge={judge}"] if judge else []),
    ]  # fmt: skip
    for prompts in prompt_folders:
        scores += [_kept(score) for score in _with_prompts(Path(prompts), options)]
    if as_json:
        print_json({"scores": scores})
    else:
        _print_table(scores)
    sys.exit(0 if all(score["passed"] == score["cases"] for score in scores) else EXIT_FAILED)


def _packaged(case_folder: str | None) -> list[Any]:
    from crmplugin.journeys.evaluate import read_cases

    folder: Traversable = Path(case_folder) if case_folder else files("evals")
    return read_cases(folder)


def _own(most: int, connection: str) -> list[Any]:
    """Cases from the newest approved drafts of a connection."""
    from crmplugin.journeys.evaluate_own import APPROVED, own_cases
    from crmplugin.store.drafts import DraftStore

    with open_assistant() as assistant:
        rows = DraftStore(assistant.engine).list(limit=most, connection=connection, status=list(APPROVED)).items
        return own_cases(rows)


def _scores(cases: Sequence[Any], models: Sequence[str], judge: str | None) -> Iterator[dict[str, Any]]:
    from crmplugin.journeys.evaluate import Score, score_json

    grade = _judge(judge)
    for model in (None, *models):
        variant = f"model {model}" if model else "template"
        outcomes = tuple(grade(run_one(case, model)) for case in cases)
        yield score_json(Score(variant, outcomes), made_at=now(), prompts=prompts_hash())


def _judge(model: str | None) -> Callable[[Any], Any]:
    """Grades an outcome that passed, by a model; without one it stays as it is."""
    if model is None:
        return lambda outcome: outcome
    from crmplugin.journeys.judging import judge_draft
    from crmplugin.llm.chat import open_chat
    from crmplugin.settings import load_settings

    chat = open_chat(load_settings(os.environ | {"CRMPLUGIN_MODEL": model}).model)

    def grade(outcome: Any) -> Any:
        seen = outcome.passed and outcome.draft is not None and outcome.draft.body
        return replace(outcome, grade=judge_draft(chat, outcome.draft, private=outcome.private)) if seen else outcome

    return grade


def run_one(case: Any, model: str | None) -> Any:
    """What comes of one case, in a throw-away store or, of an own draft, over the records there are; `model` None:
    the template writer."""
    from crmplugin.journeys.evaluate import Outcome, run_case
    from crmplugin.wiring import Assistant, open_scratch

    if not case.records:
        from crmplugin.settings import load_settings

        writer = "model" if model else "template"
        with closing(Assistant(load_settings(os.environ | _model_settings(model)))) as own:
            tools = own.tools(case.connection)
            return run_case(case, tools=tools, writer=writer, as_of=datetime.fromisoformat(case.as_of))
    with TemporaryDirectory() as folder:
        paths = [str(_written(Path(folder), n, document)) for n, document in enumerate(case.records)]
        with open_scratch(paths, _model_settings(model)) as (assistant, report):
            if report.refused:
                return Outcome(case.id, (f"records refused: {report.refused[0]}",))
            as_of = read_as_of(case.as_of, assistant.seller_zone("local"))
            assert as_of is not None
            return run_case(case, tools=assistant.tools("local"), writer="model" if model else "template", as_of=as_of)


def _written(folder: Path, number: int, document: Mapping[str, Any]) -> Path:
    path = folder / f"{number}.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def _model_settings(model: str | None) -> dict[str, str]:
    """What a scratch store needs to know of the model endpoint: this process's own settings for it."""
    if model is None:
        return {}
    names = {name: value for name, value in os.environ.items() if name.startswith(("CRMPLUGIN_MODEL_", "OPENAI_"))}
    return {**names, "CRMPLUGIN_MODEL": model}


def prompts_hash() -> str:
    """A short hash over all files of the prompts in use."""
    digest = hashlib.sha256()
    for source in _files(files("prompts")):
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:10]


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _files(entry)
        elif entry.name.endswith((".toml", ".md", ".txt")):
            yield entry


def _with_prompts(prompts: Path, options: Sequence[str]) -> list[dict[str, Any]]:
    """The scores with another version of the prompts, in a process of its own that finds that version first."""
    if not (prompts / "checks").is_dir() or not (prompts / "sentences").is_dir():
        raise UsageError(f"{prompts} is no prompts folder: it holds no 'checks' and 'sentences'")
    with TemporaryDirectory() as folder:
        link = Path(folder, "prompts")
        link.symlink_to(prompts.resolve(), target_is_directory=True)
        found = os.environ | {"PYTHONPATH": os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]), _INNER: "1"}
        answer = subprocess.run(
            [sys.executable, "-P", "-c", "from crmplugin.cli import main; main()", "eval", "--json", *options],
            env=found, capture_output=True, text=True, check=False,
        )  # fmt: skip
    try:
        scores: list[dict[str, Any]] = json.loads(answer.stdout)["scores"]
    except (ValueError, KeyError):
        raise UsageError(f"{prompts}: {answer.stderr.strip() or 'no answer'}") from None
    return scores


def _kept(score: dict[str, Any]) -> dict[str, Any]:
    """The score with what changed since the last kept one of its variant, and kept itself."""
    from crmplugin.journeys.evaluate import changes
    from crmplugin.settings import load_settings

    if os.environ.get(_INNER):
        return score
    folder = Path(load_settings(os.environ).var, "evals")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{score['variant'].replace(' ', '-').replace('/', '_')}.jsonl"
    past = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(score, ensure_ascii=False) + "\n")
    return {**score, "since": changes(past[-1], score) if past else []}


def _print_table(scores: Sequence[Mapping[str, Any]]) -> None:
    judged = any(s.get("judged") for s in scores)
    head = f"{'writer':24} {'prompts':12} {'passed':>9} {'95 % interval':>16} {'cost':>8}"
    click.echo(f"{head} {'judge would send':>26}" if judged else head)
    for s in scores:
        low, high = (f"{100 * float(x):.0f}" for x in s["interval"])
        row = (f"{s['variant']:24} {s['prompts']:12} {s['passed']:>5}/{s['cases']:<3} {f'{low} to {high} %':>16} "
               f"{s['cost']:>8}")  # fmt: skip
        click.echo(f"{row} {_judged(s.get('judged')):>26}" if judged else row)
    several = len({s["prompts"] for s in scores}) > 1
    for s in scores:
        name = f"{s['variant']} with {s['prompts']}" if several else s["variant"]
        told = [f"{case}: {failure}" for case, failures in s["outcomes"].items() for failure in failures]
        for line in (*told, *s.get("since", ())):
            click.echo(f"  {name}: {line}")


def _judged(judged: Mapping[str, Any] | None) -> str:
    if not judged:
        return "-"
    low, high = (f"{100 * float(x):.0f}" for x in judged["interval"])
    return f"{judged['sent']}/{judged['of']} ({low} to {high} %)"


COMMANDS = [eval_command]
