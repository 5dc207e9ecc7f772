"""The whole OpenAPI document, asked at random as each role: nothing breaks, and no answer is outside the description.

Half of the calls are about what is there: else every one would end at an id of nothing. In the normal run a few calls
of each operation; the long run (`-m long`) makes a hundred times as many.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from connectors.local.events import read_events
from crmplugin.web.rights import ROLES
from crmplugin.web.schemas import SUBJECTS
from tests.access.conftest import HERE
from tests.web.conftest import make_event

# Schemathesis itself draws from `random`, which Hypothesis frowns upon.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
CALM = [
    HealthCheck.too_slow,
    HealthCheck.filter_too_much,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
]
DRAFTS, FEW = 4, 2
WISH = {"kind": "summary", "deal_id": "D-1"}
MASTER = {"language": "en", "channel": "email", "variant": "A", "patterns": {}}
RARE = {"stopDraft", "withdrawDraft", "runCampaign"}
"""What is possible for a moment only, or for a campaign that reaches somebody."""


@pytest.fixture(scope="module")
def schema(app: Any) -> Any:
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)


@pytest.fixture(scope="module")
def there(app: Any, office: Any) -> Any:
    """Gives ids of what is there: new drafts and campaigns, an event that came, its job, records."""
    now = datetime.now(UTC)
    read = read_events(json.dumps(make_event("evt-fuzz")).encode(), connection=HERE, received_at=now)
    office.desk.intake.take(read.events)
    _, token = office.desk.access.create_token("admin", at=now)
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"

    def make() -> dict[str, list[str]]:
        drafts = [client.post("/api/v1/drafts?wait=30", json=WISH).json["id"] for _ in range(DRAFTS)]
        wish = {"segment": {}, "goal": "win_back"}
        campaigns = [client.post("/api/v1/campaigns", json=wish).json["id"] for _ in range(DRAFTS)]
        for n, campaign in enumerate(campaigns):  # each is further than the one before
            for state in ("approved", "running", "paused")[:n]:
                office.desk.campaigns.move(campaign, state, at=now)
        known = {"draft_id": drafts, "campaign_id": campaigns, "event_id": ["evt-fuzz"], "connection": [HERE]}
        known |= {"job_id": [f"{HERE}/evt-fuzz"], "event": ["evt-fuzz"], "version": [1, 2], "user_id": ["U-1"]}
        known |= {"segment": [{}], "goal": ["win_back"], "channels": [["email"]], "masters": [[MASTER]]}
        known |= {"segment_id": [None], "languages": [["en"]]}
        ids = {"deal": "D-1", "company": "CO-1", "contact": "C-1", "ticket": "T-1"}
        return known | {f"{name}{end}": [id_] for name, id_ in ids.items() for end in ("", "_id")}

    return make


def fuzz(schema: Any, office: Any, there: Any, role: str, examples: int) -> dict[str, Counter[int]]:
    """Asks every operation as a role; gives back how often each was answered how."""
    _, token = office.desk.access.create_token(role, at=datetime.now(UTC), connections=[HERE])
    found = [result.ok() for result in schema.get_all_operations()]
    known = there()
    asked: dict[str, Counter[int]] = {}
    for one in found:
        # What can be decided about is used up by many calls; the few of a normal run leave enough.
        known = there() if examples > FEW and "{" in one.path else known
        asked[one.definition.raw["operationId"]] = _ask(one, token, known, examples)
    return asked


def _name_known(part: dict[str, Any], known: dict[str, list[Any]], pick: int) -> None:
    """Puts ids of what is there into a part of a call, and one record where several are named."""
    for name in [name for name in part if name.removesuffix("_id") in SUBJECTS][1:]:
        del part[name]
    part.update({name: known[name][pick % len(known[name])] for name in set(part) & set(known)})


def _ask(operation: Any, token: str, known: dict[str, list[Any]], examples: int) -> Counter[int]:
    """Calls one operation so often and checks each answer; gives back how often which status came."""
    answers: Counter[int] = Counter()
    waits = "wait" in {parameter.name for parameter in operation.query}
    streams = "text/event-stream" in str(operation.definition.raw["responses"])
    how = {"deadline": None, "suppress_health_check": CALM, "phases": [Phase.generate], "database": None}

    @given(case=operation.as_strategy(), pick=st.integers(0, DRAFTS - 1))
    @settings(max_examples=examples, **how)
    def ask(case: Any, pick: int) -> None:
        if answers.total() % 2 == 0:
            for part in (case.path_parameters, case.query, case.body):
                if isinstance(part, dict):
                    _name_known(part, known, pick)
        if waits:
            case.query = {**(case.query or {}), "wait": pick}
        accept = "text/event-stream" if streams and answers.total() % 4 == 0 else "application/json"
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}", "Accept": accept}
        case.headers["Accept-Encoding"] = "identity"  # the description is of what stands in the answer
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        answers[answer.status_code] += 1

    ask()
    return answers


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_outside_the_description(schema, office, there, role):
    asked = fuzz(schema, office, there, role, FEW)

    assert len(asked) > 15


@pytest.mark.long
@pytest.mark.parametrize("role", ROLES)
def test_no_answer_is_outside_the_description_in_many_calls(schema, office, there, role):
    asked = fuzz(schema, office, there, role, 200)

    answers = sum(asked.values(), Counter())
    print(f"{role}: {answers.total()} calls of {len(asked)} operations: {dict(sorted(answers.items()))}")
    if role == "admin":  # who may do everything gets something from everywhere
        never = {name for name, answers in asked.items() if not any(status < 300 for status in answers)}
        assert never <= RARE
