"""The prospecting list: the owner's rules decide, and say why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RULES = """
qualified_from = 3
[[rule]]
id = "industry"
field = "company.industry"
any_of = ["Dairy", "brewing"]
points = 3
text = "an industry we know"
[[rule]]
id = "size"
field = "company.employees"
min = 50
max = 500
points = 2
[[rule]]
id = "cold"
field = "contact.source"
any_of = ["bought list"]
points = -1
"""


def lead(n: int, **changes: Any) -> dict[str, Any]:
    given = {"id": f"C-{n}", "company_id": f"CO-{n}", "first_name": "A", "last_name": f"B{n}", "lifecycle": "lead",
             "email": f"a{n}@c{n}.example", "source": "website"}  # fmt: skip
    return {**given, **changes}


def records() -> dict[str, Any]:
    facts = {
        1: ("dairy", 100),
        2: ("dairy", 20),
        3: ("steel", 100),
        4: ("brewing", 60),
        5: ("dairy", 80),
        6: (None, None),
    }
    no = {"email": {"state": "withdrawn"}}
    return {
        "format": "crmplugin-records/1",
        "companies": [{"id": f"CO-{n}", "name": f"F{n}", "industry": i, "employees": e} for n, (i, e) in facts.items()],
        "contacts": [
            lead(1, source="bought list"),
            lead(2, source="Referral by CO-9", consent=no),
            lead(3),
            lead(4),
            lead(5),
            lead(6),
            lead(7, company_id="CO-2", email="A2@C2.example"),
        ],
        "orders": [{"id": "O-1", "company_id": "CO-5", "ordered_at": "2026-01-01T00:00:00Z"}],
        "deals": [{"id": "D-1", "company_id": "CO-3", "status": "open", "stage_kind": "new"}],
    }


@pytest.fixture
def run(tmp_path: Path, crmplugin: Any) -> Any:
    path = tmp_path / "records.json"
    path.write_text(json.dumps(records()), "utf-8")
    assert crmplugin("import", str(path)).code == 0

    def ask(rules: str = RULES, *more: str) -> Any:
        (tmp_path / "rules.toml").write_text(rules, "utf-8")
        return crmplugin("prospects", str(tmp_path / "rules.toml"), "--json", *more)

    return ask


def test_leads_stand_by_points_with_reasons_and_gaps(run: Any) -> None:
    found = run().json

    assert [(i["contact_id"], i["score"]) for i in found["items"]] == [
        ("C-4", 5), ("C-1", 4), ("C-2", 3), ("C-7", 3), ("C-6", 0),
    ]  # fmt: skip
    assert found["items"][0]["reasons"] == [
        {"rule": "industry", "text": "an industry we know", "points": 3},
        {"rule": "size", "text": "company employees is 60", "points": 2},
    ]
    assert found["items"][4]["unknown"] == ["company.employees", "company.industry"]
    assert [i["qualified"] for i in found["items"]] == [True, True, True, True, False]


def test_referrals_come_first_among_equals_and_sources_are_counted(run: Any) -> None:
    found = run().json

    assert found["items"][2]["referral"] is True
    assert found["by_source"] == {"Referral by CO-9": 1, "bought list": 1, "website": 3}


def test_who_said_no_is_marked_on_every_record_of_the_address(run: Any) -> None:
    marked = {i["contact_id"] for i in run().json["items"] if i["opted_out"] == ["email"]}

    assert marked == {"C-2", "C-7"}


def test_changing_a_rule_changes_the_order(run: Any) -> None:
    found = run(RULES.replace("points = -1", "points = 9")).json

    assert found["items"][0]["contact_id"] == "C-1"


def test_the_order_of_rules_changes_nothing(run: Any) -> None:
    head, *rules = RULES.split("[[rule]]")

    assert run("[[rule]]".join((head, *reversed(rules)))).json == run().json


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (RULES.replace("company.industry", "contact.salutation"), "rule 1: field: expected one of"),
        (RULES.replace("points = 3", 'points = "many"'), "rule 1: points: expected a number"),
        (RULES.replace('any_of = ["Dairy", "brewing"]\n', ""), "rule 1: give any_of"),
        (RULES.replace("text =", "colour ="), "unknown key 'colour'"),
        (RULES.replace('id = "size"', 'id = "industry"'), "two rules have the id 'industry'"),
        ("[[rule", "rules.toml"),
        ("speed = 3", "unknown key 'speed'"),
    ],
)
def test_rules_that_cannot_be_are_named(run: Any, rules: str, says: str) -> None:
    answer = run(rules)

    assert answer.code == 1
    assert says in answer.err
