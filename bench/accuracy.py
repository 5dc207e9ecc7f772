"""How well wrong numbers and names are found in texts that other people's systems wrote and other people marked.

    PUBLIC_DATA_DIR=… python -m bench.accuracy

Game reports of the accuracy shared task (data on ehudreiter/accuracySharedTask, CC0): a box score becomes facts, each
report is checked sentence by sentence, and what the checker refuses is held against what people marked as wrong. A
sentence gets the counts of the players and teams that it names, or those of the sentence before if it names nobody.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from crmplugin.checking.check import build_index, check_text
from crmplugin.domain.draft import PASSING, Sentence
from crmplugin.domain.fact import Fact

FOLDER = ("grounding", "accuracy_shared_task")
_COUNTS = {"PTS": "points", "REB": "rebounds", "AST": "assists", "STL": "steals", "BLK": "blocks", "TO": "turnovers",
           "MIN": "minutes", "OREB": "offensive rebounds", "DREB": "defensive rebounds", "FGM": "field goals made",
           "FGA": "field goals tried", "FG3M": "threes made", "FG3A": "threes tried", "FTM": "free throws made",
           "FTA": "free throws tried", "PF": "fouls"}  # fmt: skip
_SHARES = ("FG_PCT", "FG3_PCT", "FT_PCT")
NUMBERS = frozenset({"number", "quantity", "percent", "money", "ordinal"})
NAMES = frozenset({"name", "capital", "date"})
Marks = set[tuple[str, int]]


def read_games(root: Path) -> Iterator[tuple[str, list[str], Mapping[str, Any]]]:
    """Id, tokens of the report, record of the game."""
    folder = root.joinpath(*FOLDER)
    with gzip.open(folder / "shared_task.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = {row["shared_task_text_id"]: row for row in map(json.loads, lines)}
    with (folder / "games.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["TEXT_ID"] in records:
                yield row["TEXT_ID"], row["GENERATED_TEXT"].split(), records[row["TEXT_ID"]]


def read_marks(root: Path, kind: str) -> Marks:
    """Report and place (token, from 0) of every token that people marked as wrong in this way."""
    marks: Marks = set()
    with root.joinpath(*FOLDER, "gsml.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["TYPE"] == kind:
                first, last = int(row["DOC_TOKEN_START"]), int(row["DOC_TOKEN_END"])
                marks |= {(row["TEXT_ID"].removesuffix(".txt"), n - 1) for n in range(first, last + 1)}
    return marks


def facts_of(game: Mapping[str, Any]) -> dict[str, list[Fact]]:
    """Facts by the name of whom they are about; names and the day of the game stand under the empty name."""
    day = datetime.strptime(game["day"], "%m_%d_%y").date()  # noqa: DTZ007
    found = {"": [Fact("game.on", "date", "day of the game", day.isoformat(), day.isoformat())]}
    for side in ("home", "vis"):
        line = {k.removeprefix("TEAM-"): v for k, v in game[f"{side}_line"].items()}
        name, city = line["NAME"], line["CITY"]
        found[""] += [
            _named(side, "org", name),
            _named(f"{side}.city", "org", city),
            _named(f"{side}.full", "org", f"{city} {name}"),
        ]
        found[name] = found[city] = list(_values(side, name, line))
    for n, first in game["box_score"]["FIRST_NAME"].items():
        row = {k: v[n] for k, v in game["box_score"].items()}
        full = f"{first} {row['SECOND_NAME']}"
        found[""].append(_named(f"p{n}", "person", full))
        found[row["SECOND_NAME"]] = [*found.get(row["SECOND_NAME"], ()), *_values(f"p{n}", full, row)]
    return found


def _named(id_: str, kind: str, text: str) -> Fact:
    return Fact(f"{id_}.name", kind, kind, text, text)  # type: ignore[arg-type]


def _values(id_: str, name: str, row: Mapping[str, str]) -> Iterator[Fact]:
    names = {**_COUNTS, "WINS": "wins", "LOSSES": "losses", "TOV": "turnovers",
             **{f"PTS_QTR{q}": f"points in quarter {q}" for q in range(1, 5)}}  # fmt: skip
    for key, label in names.items():
        if row.get(key, "N/A") != "N/A":
            kind, unit = ("duration", "minute") if key == "MIN" else ("count", None)
            yield Fact(f"{id_}.{key.lower()}", kind, f"{label} of {name}", row[key], row[key], unit=unit)  # type: ignore[arg-type]
    for key in _SHARES:
        if row.get(key, "N/A") != "N/A":
            yield Fact(f"{id_}.{key.lower()}", "percent", f"{key.lower()} of {name}", row[key], row[key], unit="%")


def sentences_of(tokens: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Place of the first token and the tokens of each sentence."""
    start = 0
    for n, token in enumerate(tokens):
        if token == "." or n == len(tokens) - 1:
            yield start, list(tokens[start : n + 1])
            start = n + 1


def refused(tokens: Sequence[str], game: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Kind of span and place of every token that the checker does not let through."""
    facts, names = facts_of(game), build_index([])
    day = date.fromisoformat(facts[""][0].value)
    about: list[str] = []
    for start, words in sentences_of(tokens):
        about = [name for name in facts if name and name in " ".join(words)] or about
        usable = [*facts[""], *(f for name in about for f in facts[name])]
        usable = list({f.id: f for f in usable}.values())
        text = " ".join(words)
        report = check_text([Sentence(text, "claim")], usable, language="en", locale="en_US", audience="internal",
                            send_on=day, zone="UTC", names=names, style=False)  # fmt: skip
        for span in report.sentences[0].spans:
            if span.verdict not in PASSING:
                first = start + text[: span.start].count(" ")
                last = start + text[: span.end].rstrip().count(" ")
                yield from ((span.kind, n) for n in range(first, last + 1))


def measure(root: Path) -> dict[str, Counter[str]]:
    """For NUMBER and NAME: tokens marked by people (`marked`), refused by us (`refused`) and both (`both`)."""
    counts = {"NUMBER": Counter[str](), "NAME": Counter[str]()}
    marks = {kind: read_marks(root, kind) for kind in counts}
    anything = {
        place for kind in ("NUMBER", "NAME", "WORD", "CONTEXT", "NOT_CHECKABLE") for place in read_marks(root, kind)
    }
    for text_id, tokens, game in read_games(root):
        found = list(refused(tokens, game))
        for kind, spans in (("NUMBER", NUMBERS), ("NAME", NAMES)):
            mine = {(text_id, n) for span, n in found if span in spans}
            theirs = {m for m in marks[kind] if m[0] == text_id}
            counts[kind].update(
                marked=len(theirs), refused=len(mine), both=len(mine & theirs), any=len(mine & anything)
            )
    return counts


def main() -> int:
    root = os.environ.get("PUBLIC_DATA_DIR")
    if not root:
        sys.stderr.write("Set PUBLIC_DATA_DIR to the folder of the public data.\n")
        return 1
    sys.stdout.write(
        f"{'kind':8} {'marked':>7} {'refused':>8} {'both':>6} {'recall':>8} {'precision':>10} {'any error':>10}\n"
    )
    for kind, n in measure(Path(root)).items():
        recall, precision, loose = n["both"] / n["marked"], n["both"] / n["refused"], n["any"] / n["refused"]
        sys.stdout.write(
            f"{kind:8} {n['marked']:7} {n['refused']:8} {n['both']:6} {recall:8.1%} {precision:10.1%} {loose:10.1%}\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
