"""Every page and call with values that nobody types, in every query and form: an answer of ours, never an accident.

The names of queries and forms are read from the source, so that a new one is tried as well.
"""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from crmplugin.domain.crm import Subject
from crmplugin.journeys.launch import launch_url
from crmplugin.web.auth import COOKIE, csrf_token
from tests.access.conftest import HERE

WEB = Path(__file__).resolve().parents[2] / "crmplugin" / "web"
GETTERS = {"form_text", "form_version", "_text_of_form"}
VALUES = ("9" * 5000, "٣", "deal:", "🧨" * 300)
MORE = (
    "9" * 30, "-1", "1e400", "NaN", "²", "0x10", "%00", "a" * 3000, "../../etc/passwd", ":", "deal:D-1:x", "local:",
    "{}", "[", "\u202e\ufeff", "2026-02-30", "' OR 1=1 --", "<svg onload=alert(1)>",
)  # fmt: skip
OTHERS = {"connection": HERE, "collection": "deals", "form": "txt", "action": "stop", "filename": "console.css"}
"""What stands for a variable of an address where anything else is a 404 before the page looks."""


@cache
def names() -> set[str]:
    """Every name under which the pages look for a value in a query or form."""
    found = set()
    for path in WEB.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = ast.unparse(node.func)
                if re.search(r"(request\.(args|form)|form|values)\.get(list)?$", called) or called in GETTERS:
                    found.add(node.args[0].value)
    return found


@pytest.fixture
def person(app, office):
    """A signed-in browser of an admin, and what its forms send."""
    made = app.test_client()
    ends = datetime.now(UTC) + timedelta(minutes=5)
    made.get(f"/sign-in/{office.desk.access.create_link('admin', expires_at=ends)}")
    with app.test_request_context():
        made.environ_base["HTTP_X_CSRF_TOKEN"] = csrf_token(made.get_cookie(COOKIE).value)
    made.environ_base["HTTP_ACCEPT"] = "text/html"
    return made


@pytest.fixture
def visitor(app, office):
    """Somebody in the panel."""
    made = app.test_client()
    url = launch_url(
        office.desk.settings.signing_key, HERE, Subject("deal", "D-1"), "U-1", base="", now=datetime.now(UTC)
    )
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {made.get(url).json['pass']}"
    return made


def routes(app, draft: str, campaign: str) -> list[tuple[str, str, str]]:
    """Endpoint, method and address of every route of people; ids in it are of something that is there."""
    urls, ids = app.url_map.bind("localhost"), {"draft_id": draft, "campaign_id": campaign, "record_id": "D-1"}
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith(("console.", "panel", "sign_in", "oidc", "installs")):
            continue
        chosen = {name: (OTHERS | ids).get(name, "x") for name in rule.arguments}
        for method in sorted((rule.methods or set()) & {"GET", "POST"} - {"HEAD"}):
            found.append((rule.endpoint, method, urls.build(rule.endpoint, chosen, method=method)))
    return [one for one in found if one[0] != "sign_in.sign_out"]


def check_pages(app, person, visitor, values: tuple[str, ...]) -> None:
    draft = person.post("/api/v1/drafts?wait=30", json={"kind": "summary", "deal_id": "D-1"}).json["id"]
    campaign = person.post("/api/v1/campaigns", json={"segment": {}, "goal": "win_back"}).json["id"]
    found = routes(app, draft, campaign)
    broken = []
    for endpoint, method, path in found:
        caller = visitor if endpoint.startswith("panel") else person
        for value in values:
            sent = dict.fromkeys(names(), value)
            answer = caller.open(path, method=method, **{"query_string" if method == "GET" else "data": sent})
            if answer.status_code >= 500:
                broken.append((endpoint, method, value[:20], answer.status_code))
    assert broken == []
    assert min(len(found), len(names())) > 30


def test_no_value_of_a_query_or_form_breaks_a_page(app, person, visitor):
    check_pages(app, person, visitor, VALUES)


@pytest.mark.long
def test_no_more_unlikely_value_breaks_a_page(app, person, visitor):
    check_pages(app, person, visitor, MORE)


def test_json_that_is_too_deep_or_too_large_a_number_is_refused(signed_in, visitor):
    client, sent = signed_in("admin"), {"content_type": "application/json"}
    for body in (
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"kind": "summary", "deal_id": ' + "9" * 5000 + "}",
        '{"version": 1e999}',
    ):
        assert client.post("/api/v1/drafts", data=body, **sent).status_code in (400, 422)
        assert visitor.post(f"/panel/{HERE}/drafts", data=body, **sent).status_code in (400, 422)
