"""What a person takes from a draft, brings back, or lets be worked on again: each by its button in a real browser."""

from __future__ import annotations

import email
import re
from email.policy import default
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

CLIPBOARD = ["clipboard-read", "clipboard-write"]
READ = """
async kind => {
  const [item] = await navigator.clipboard.read();
  return (await item.getType(kind)).text();
}
"""


@pytest.fixture
def draft(demo):
    return demo.draft(kind="follow_up", deal_id="D-103")


def test_the_text_is_copied_with_and_without_its_paragraphs(visit, demo, draft):
    seen = visit(demo, permissions=CLIPBOARD)
    page = seen.open(f"/console/drafts/{draft['id']}")

    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    rich, plain = page.evaluate(READ, "text/html"), page.evaluate(READ, "text/plain")
    page.get_by_text("Send or save it yourself").click()
    page.get_by_role("button", name="Copy as plain text").click()
    expect(page.get_by_role("button", name="Copied").last).to_be_visible()

    first = draft["body"].split("\n\n")[1]
    assert plain == f"{draft['subject']}\n\n{draft['body']}"
    assert f"<p>{first}</p>" in rich
    assert page.evaluate(READ, "text/plain") == plain


def test_the_text_goes_to_the_mail_program_and_into_files(visit, demo, draft):
    page = visit(demo).open(f"/console/drafts/{draft['id']}")
    page.get_by_text("Send or save it yourself").click()

    link = urlsplit(page.get_by_role("link", name="Open in mail program").get_attribute("href"))
    with page.expect_download() as mail:
        page.get_by_role("link", name="Save as mail").click()
    with page.expect_download() as text:
        page.get_by_role("link", name="Save as text").click()

    message = email.message_from_bytes(Path(mail.value.path()).read_bytes(), policy=default)
    assert (link.scheme, link.path) == ("mailto", draft["to"]["address"])
    assert parse_qs(link.query)["subject"] == [draft["subject"]]
    assert (message["To"].addresses[0].addr_spec, message["Subject"]) == (draft["to"]["address"], draft["subject"])
    assert draft["body"].split("\n\n")[1] in Path(text.value.path()).read_text("utf-8").replace("\r\n", "\n")


def test_an_older_text_is_brought_back(visit, demo, draft):
    demo.edit(draft["id"], draft["body"].replace("\n\n", "\n\nThank you for your patience.\n\n", 1))
    page = visit(demo).open(f"/console/drafts/{draft['id']}")
    expect(page.locator(".sheet .text")).to_contain_text("Thank you for your patience.")

    page.get_by_role("link", name="See it").first.click()
    expect(page.get_by_text("This is version 1, not the present one.")).to_be_visible()
    page.get_by_role("button", name="Bring this text back").click()

    expect(page.locator("#approve")).to_be_visible()
    expect(page.locator(".sheet .text")).not_to_contain_text("Thank you for your patience.")
    assert demo.api(f"/api/v1/drafts/{draft['id']}")["version"] == 3


def test_an_event_is_worked_on_again(visit, demo):
    demo.wait_for_event("demo-1")
    page = visit(demo).open("/console/events")
    row = page.locator("li.row", has_text="demo-1")

    row.get_by_role("button", name="Work on it again").click()

    expect(page.locator("li.row", has_text="demo-1").get_by_text("tried 2 times")).to_be_visible()
    expect(page.locator("li.row", has_text="demo-1").locator(".mark")).to_have_text(re.compile("done"))


def test_a_sign_in_link_lets_a_colleague_in_once(visit, demo):
    page = visit(demo).open("/console/people")
    page.get_by_label("Colleague of the CRM").select_option(label="Katrin Albers (local)")
    page.get_by_role("button", name="Make a sign-in link").click()
    link = page.locator("main code").first.inner_text()

    colleague = visit(demo, role=None).page
    colleague.goto(link)
    expect(colleague.get_by_text("Signed in as Katrin Albers")).to_be_visible()
    stranger = visit(demo, role=None).page
    stranger.goto(link)

    expect(stranger.locator("#problem")).to_contain_text("This sign-in link was used before or is too old.")
