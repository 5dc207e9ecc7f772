"""Prints the drafts of the sample company, to be read aloud: every record, each language, one writer.

    python -m bench.read_aloud --languages en de fr es [--kinds follow_up pitch] [--channel email] [--only D-101]

Texts that occur twice are printed once. The last lines count outcomes and the sentences that occur most often.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from tempfile import TemporaryDirectory

from crmplugin.demo import load
from crmplugin.domain.brief import Request
from crmplugin.domain.crm import Subject
from crmplugin.domain.draft import Draft
from crmplugin.journeys.draft import make_draft
from crmplugin.journeys.import_records import import_document
from crmplugin.settings import load_settings
from crmplugin.wiring import Assistant

SUBJECTS = (("deal", "deals"), ("company", "companies"), ("ticket", "tickets"))
WRITTEN = frozenset({"context", "claim", "ask", "close"})
DAY = date(2026, 3, 11)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", nargs="+", default=["en", "de", "fr", "es"])
    parser.add_argument("--kinds", nargs="+", default=["follow_up"])
    parser.add_argument("--types", nargs="+", default=[None])
    parser.add_argument("--channel")
    parser.add_argument("--tone")
    parser.add_argument("--length")
    parser.add_argument("--only", nargs="+", default=[], help="ids of records")
    parser.add_argument("--quiet", action="store_true", help="only the counts")
    parser.add_argument("--bare", action="store_true", help="without greeting, signature and legal parts")
    return parser.parse_args()


def subjects(document: dict, only: list[str]) -> Iterator[Subject]:
    for type_, collection in SUBJECTS:
        for record in document.get(collection, ()):
            if not only or record["id"] in only:
                yield Subject(type_, record["id"])  # type: ignore[arg-type]


def drafts(assistant: Assistant, document: dict, given: argparse.Namespace) -> Iterator[Draft]:
    tools, now = assistant.tools("local"), datetime.combine(DAY, time(9), UTC)
    for subject in subjects(document, given.only):
        for kind in given.kinds:
            for type_ in given.types:
                for language in given.languages:
                    request = Request(
                        "local", kind, subject, type=type_, language=language, channel=given.channel,
                        tone=given.tone, length=given.length, as_of=now,
                    )  # fmt: skip
                    yield make_draft(request, tools=tools, draft_id="read", now=now)


def show(draft: Draft, *, bare: bool) -> None:
    where = f"{draft.subject_of.type} {draft.subject_of.id} · {draft.kind}/{draft.type} · {draft.channel}"
    print(f"\n=== {where} · {draft.language} · {draft.decision.outcome} {draft.decision.code or ''}")
    if draft.body is None:
        print("; ".join(draft.missing_info))
        return
    written = " ".join(s.text for s in draft.sentences if s.role in WRITTEN and s.action != "removed")
    print(f"Subject: {draft.subject}\n{written if bare else draft.body}")
    for sentence in draft.grounding.removed:
        print(f"  -- removed: {sentence}")
    for check in draft.checks:
        if check.verdict != "pass":
            print(f"  -- {check.verdict}: {check.code}: {check.text}")


def main() -> None:
    given = read_arguments()
    seen: set[str] = set()
    outcomes: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        assistant = Assistant(load_settings({"CRMPLUGIN_CONFIG": "", "CRMPLUGIN_VAR": folder}))
        document = load(DAY)
        import_document(document, connection="local", records=assistant.records)
        for draft in drafts(assistant, document, given):
            outcomes[
                f"{draft.language} {draft.kind}/{draft.type}: {draft.decision.outcome} {draft.decision.code or ''}"
            ] += 1
            if not given.quiet and (draft.body or "") not in seen:
                show(draft, bare=given.bare)
            seen.add(draft.body or "")
            sentences.update(s.text for s in draft.sentences if s.verdict != "rendered")
        assistant.close()
    print("\n" + "\n".join(f"{n:5} {name}" for name, n in sorted(outcomes.items())))
    print("\n" + "\n".join(f"{n:5} {text}" for text, n in sentences.most_common(15)))


if __name__ == "__main__":
    main()
