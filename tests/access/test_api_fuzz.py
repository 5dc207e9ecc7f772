"""The whole OpenAPI document, asked at random as each role: nothing breaks, and no answer is outside the description.

In the normal run a few calls of each operation; the long run (`-m long`) makes a hundred times as many.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from crmplugin.web.rights import ROLES
from tests.access.conftest import HERE

# Schemathesis itself draws from `random`, which Hypothesis frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
CALM = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
]
STREAMS = ("streamDraft",)
"""Answers that do not end by themselves."""


@pytest.fixture(scope="module")
def schema(app: Any) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


def fuzz(schema: Any, office: Any, role: str, examples: int) -> dict[str, int]:
    """Asks every operation as a role; gives back how often each was asked."""
    _, token = office.desk.access.create_token(role, at=datetime.now(UTC), connections=[HERE])
    asked: dict[str, int] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        name = operation.definition.raw["operationId"]
        if name in STREAMS:
            continue

        asked[name] = _ask(operation, token, examples)
    return asked


def _ask(operation: Any, token: str, examples: int) -> int:
    """Calls one operation so often and checks each answer; gives back how often."""
    calls = []
    how = {"deadline": None, "suppress_health_check": CALM, "phases": [Phase.generate], "database": None}

    @given(case=operation.as_strategy())
    @settings(max_examples=examples, **how)
    def ask(case: Any) -> None:
        if isinstance(case.query, dict):
            case.query.pop("wait", None)
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}", "Accept": "application/json"}
        case.headers["Accept-Encoding"] = "identity"  # the description is of what stands in the answer
        case.validate_response(case.call(), checks=CHECKS)
        calls.append(1)

    ask()
    return len(calls)


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_outside_the_description(schema, office, role):
    asked = fuzz(schema, office, role, 2)

    assert len(asked) > 15


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_outside_the_description_in_many_calls(schema, office, role):
    fuzz(schema, office, role, 200)
