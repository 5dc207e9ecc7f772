"""Public comments by webhook and by table: a draft each, and a person alerted when one cannot wait."""

from __future__ import annotations

import pytest

from crmplugin.errors import UsageError
from crmplugin.journeys.comments import read_comments
from tests.web.conftest import make_event, wait_until

URGENT = "The door of the oven burned my colleague. You will hear from our lawyer."


def comment(id_: str, body: str) -> dict[str, object]:
    return {"id": id_, "type": "social", "direction": "inbound", "at": "2026-03-10T12:00:00Z", "body": body}


def drafts_of(office, event):
    def done():
        row = office.desk.events.find("local", event)
        drafts = [office.desk.drafts.get(i) for i in office.desk.drafts.of_event("local", event)]
        return row and row.state == "done" and drafts and all(d.status != "writing" for d in drafts) and drafts

    return wait_until(done)


def tasks(office, event):
    found = office.desk.records.iterate("local", "activities")
    return [a for a in found if a.source == f"crmplugin:alert:{event}"]


def test_an_urgent_comment_alerts_a_person_once(office, post_webhook):
    event = make_event(
        "rev-1",
        type="review.received",
        object={"type": "activity", "id": "R-1"},
        records={"activities": [comment("R-1", URGENT)]},
    )

    post_webhook(event)
    (draft,) = drafts_of(office, "rev-1")
    post_webhook(event)

    (task,) = tasks(office, "rev-1")
    warnings = {w["code"]: w["text"] for w in draft.document["warnings"]}
    assert task.type == "task"
    assert "lawyer" in warnings["urgent_comment"]
    assert draft.kind == "social_reply"
    assert "oven" not in (draft.document["body"] or "")  # a public answer gives nothing of the account away


def test_a_calm_comment_alerts_nobody(office, post_webhook):
    event = make_event(
        "rev-2",
        type="review.received",
        object={"type": "activity", "id": "R-2"},
        records={"activities": [comment("R-2", "Great machine, runs perfectly.")]},
    )

    post_webhook(event)
    drafts_of(office, "rev-2")

    assert tasks(office, "rev-2") == []


def test_a_table_of_reviews_goes_in_once_and_bad_lines_are_named(office, tmp_path):
    path = tmp_path / "reviews.csv"
    rows = ["id,at,rating,text", "a,2026-03-10,5,Lovely bread ovens", "b,2026-03-10,9,Stars", "c,yesterday,3,Fine"]
    path.write_text("\n".join(rows), "utf-8")

    first = read_comments(office.desk, path)
    again = read_comments(office.desk, path)

    assert (first["accepted"], [row["line"] for row in first["refused"]]) == (1, [3, 4])
    assert (again["accepted"], again["duplicates"]) == (0, 1)


def test_a_table_without_text_is_refused_whole(office, tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text("id,stars\na,5\n", "utf-8")

    with pytest.raises(UsageError, match="the column at is missing"):
        read_comments(office.desk, path)
