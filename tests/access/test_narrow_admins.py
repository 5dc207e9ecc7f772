"""An admin of one connection gives and takes no more than they have."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from tests.access.conftest import HERE, THERE
from tests.web.test_webhooks import is_problem

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def clock_of_this_test():
    """Each test's own beginning: the suite takes longer than a link lasts."""
    global NOW
    NOW = datetime.now(UTC)


def test_link_of_a_narrow_admin_is_as_narrow(app, signed_in):
    admin = signed_in("admin", connections=[THERE])
    told = admin.post("/console/people/link", data={"role": "admin"}).get_data(as_text=True)
    secret = re.search(r"/sign-in/([\w-]+)", told)[1]
    guest = app.test_client()
    guest.get(f"/sign-in/{secret}")

    assert guest.get(f"/console/rules?connection={THERE}&collection=voice").status_code == 200
    assert guest.get(f"/console/rules?connection={HERE}&collection=voice").status_code == 404
    is_problem(admin.post("/console/people/link", data={"role": "rep", "user": f"U-1@{HERE}"}), 404, "not_found")


def test_narrow_admin_ends_no_wider_key(app, office, signed_in):
    whole, secret = office.desk.access.create_token("admin", at=NOW, name="key of all")
    admin = signed_in("admin", connections=[THERE])

    assert "key of all" not in admin.get("/console/people").get_data(as_text=True)
    admin.post("/console/people/revoke", data={"token": whole})

    holder = app.test_client().get("/api/v1/drafts", headers={"Authorization": f"Bearer {secret}"})
    assert holder.status_code == 200
