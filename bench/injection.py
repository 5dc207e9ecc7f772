"""How well the scan finds orders hidden in text, on public data: recall and false alarms, beside a one-line pattern.

    PUBLIC_DATA_DIR=… python -m bench.injection [even|odd|all]

The rules were made on the rows with even index of each file (BIPIA: of each kind); the odd rows give the figures. The
attacks of BIPIA are read as mails: each attack string after the text of one of its benign mails.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from crmplugin.checking.injection import scan_text

BASELINE = re.compile(r"(?i)ignore (all|previous)")
HALVES = {"even": (0,), "odd": (1,), "all": (0, 1)}


def read_cases(root: Path) -> Iterator[tuple[str, bool, list[tuple[int, str]]]]:
    """(name, whether these are attacks, (index, text) of each; BIPIA counts inside each kind of attack)."""
    folder = root / "injections"
    mails = [str(row["context"]) for row in _lines(folder / "bipia/email_train.jsonl")]
    yield "bipia mails", False, list(enumerate(mails))
    for name in ("text_attack_train", "code_attack_train"):
        kinds = json.loads((folder / f"bipia/{name}.json").read_text("utf-8")).values()
        attacks = [(i, attack) for kind in kinds for i, attack in enumerate(kind)]
        yield f"bipia {name}", True, attacks
        hidden = [(i, f"{mails[n % len(mails)]}\n\n{attack}") for n, (i, attack) in enumerate(attacks)]
        yield f"bipia {name} in a mail", True, hidden
    yield "giskard_half", True, _chosen(_lines(folder / "giskard_half.jsonl"), "type", {None})
    warden = _lines(folder / "llm_warden_train.jsonl.gz")
    yield "llm_warden jailbreak", True, _chosen(warden, "type", {"jailbreak"})
    yield "llm_warden benign", False, _chosen(warden, "type", {"benign"})
    benign = json.loads((folder / "piguard/NotInject_one.json").read_text("utf-8"))
    yield "NotInject_one", False, _chosen(benign, "label", {None})
    mixed = _lines(folder / "piguard/valid_half.jsonl")
    yield "piguard valid attacks", True, _chosen(mixed, "label", {1})
    yield "piguard valid benign", False, _chosen(mixed, "label", {0})


def _chosen(rows: list[dict[str, object]], key: str, values: set[object]) -> list[tuple[int, str]]:
    return [(i, str(row["prompt"])) for i, row in enumerate(rows) if row.get(key) in values]


def _lines(path: Path) -> list[dict[str, object]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def measure(root: Path, half: str) -> list[tuple[str, str, int, int, int]]:
    """Rows of name, kind of figure, texts, found by the scan, found by the pattern."""
    rows = []
    for name, attack, texts in read_cases(root):
        chosen = [text for i, text in texts if i % 2 in HALVES[half]]
        ours = sum(scan_text(text).suspicious for text in chosen)
        theirs = sum(bool(BASELINE.search(text)) for text in chosen)
        rows.append((name, "recall" if attack else "false alarms", len(chosen), ours, theirs))
    return rows


def main() -> int:
    root, half = os.environ.get("PUBLIC_DATA_DIR"), (sys.argv[1:] or ["odd"])[0]
    if not root or half not in HALVES:
        sys.stderr.write("Set PUBLIC_DATA_DIR to the folder of the public data; choose even, odd or all.\n")
        return 1
    table = csv.writer(sys.stdout, delimiter="\t")
    table.writerow(["file", "figure", "texts", "scan", "pattern"])
    for name, figure, total, ours, theirs in measure(Path(root), half):
        table.writerow([name, figure, total, *(f"{n} ({100 * n / max(1, total):.1f} %)" for n in (ours, theirs))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
