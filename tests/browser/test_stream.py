"""Text as it arrives from a scripted model: grey until checked, stopped by a click, whole after a cut."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping

import pytest
from playwright.sync_api import expect

from tests.browser.served import Served, free_port
from tests.browser.words import SLOWLY
from tests.postgres import make_database
from tests.work.servers import RUN, environ

ANSWER = "The lead time for the FM-300 is 6 to 8 weeks."


def ask(page, wish=""):
    page.goto(page.url.split("/console")[0] + "/console/new?about=deal:D-1")
    page.get_by_label("Anything it should take into account?").fill(wish)
    page.get_by_role("button", name="Write the draft").click()


def test_text_streams_in_grey_until_its_sentence_is_checked(visit, modelled, pace):
    page = visit(modelled).page
    ask(page, SLOWLY)

    arriving = page.locator("#stream-text .arriving")
    expect(arriving).to_have_text(re.compile(r"^The lead.{0,36}$"))
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    pace.to("All our machines")
    expect(page.locator("#stream-text .supported")).to_have_text(re.compile("^" + ANSWER))
    expect(page.locator("#heard")).to_contain_text(ANSWER)

    pace.go()
    expect(page.locator(".seal.good")).to_be_visible()
    expect(page.get_by_text("Written by scripted")).to_be_visible()


def test_the_text_keeps_its_place_when_the_whole_sheet_comes(visit, modelled, pace):
    page = visit(modelled).page
    ask(page, SLOWLY)
    pace.to("All our machines")
    sentence = page.locator(".s", has_text=ANSWER)
    expect(page.locator("#stream-text .supported").first).to_have_text(ANSWER)
    before = sentence.bounding_box()["y"]

    pace.go()
    expect(page.locator("#approve")).to_be_visible()

    assert abs(sentence.bounding_box()["y"] - before) <= 2


def test_stop_ends_the_writing(visit, modelled, pace):
    page = visit(modelled).page
    ask(page, SLOWLY)
    expect(page.locator("#stream-text .arriving")).to_be_visible()

    page.get_by_role("button", name="Stop writing").click()

    expect(page.get_by_role("heading", name="You stopped this draft.")).to_be_visible()


def test_a_cut_stream_goes_on_where_it_was(visit, modelled):
    seen = visit(modelled)
    asked: list[str | None] = []
    brief = 'retry: 1000\n\nid: 1\nevent: brief\ndata: {"facts": 3, "decision": {}}\n\n'

    def cut_first(route):
        asked.append(route.request.headers.get("last-event-id"))
        if len(asked) == 1:
            route.fulfill(status=200, content_type="text/event-stream", body=brief)
        elif len(asked) <= 4:
            route.abort()
        else:
            route.continue_()

    seen.page.route("**/stream", cut_first)
    ask(seen.page)

    expect(seen.page.locator("#stream-state")).to_have_text(re.compile("connection was cut"))
    expect(seen.page.locator(".seal.good")).to_be_visible()
    assert asked[:5] == ["0", "1", "1", "1", "1"]


def test_a_reload_in_mid_stream_shows_it_all(visit, modelled, pace):
    page = visit(modelled).page
    ask(page, SLOWLY)
    expect(page.locator("#stream-text .arriving")).to_be_visible()

    page.reload()

    expect(page.locator("#stream-text")).to_contain_text("The lead")
    pace.go()
    expect(page.locator(".seal.good")).to_be_visible()


def test_another_version_takes_the_place_of_the_first(visit, modelled):
    page = visit(modelled).page
    ask(page)
    expect(page.locator("#approve")).to_be_visible()
    first = page.url

    page.get_by_text("Another version", exact=True).click()
    page.get_by_label("Tone").select_option("formal")
    page.get_by_role("button", name="Write another version").click()

    expect(page).not_to_have_url(first)
    expect(page.locator("#approve")).to_be_visible()
    page.goto(first)
    expect(page.locator(".seal")).to_contain_text("Another version took its place.")


def test_a_server_killed_in_mid_stream_ends_in_a_whole_draft(visit, model, pace, tmp_path_factory):
    """Its process is killed while the text comes in; started again, the same page goes on to the finished draft."""
    var, port = tmp_path_factory.mktemp("killed") / "var", str(free_port())
    served = Served(var, "--no-demo", "--port", port, more=model.environment)
    try:
        served.take_records()
        page = visit(served).page
        ask(page, SLOWLY)
        expect(page.locator("#stream-text .arriving")).to_be_visible()

        served.kill()
        expect(page.locator("#stream-state")).to_have_text(re.compile("connection was cut"))
        served = Served(var, "--no-demo", "--port", port, more=model.environment)
        pace.go()

        expect(page.locator("#approve")).to_be_visible(timeout=90_000)
        expect(page.locator(".sheet .text")).to_contain_text(ANSWER)
    finally:
        served.stop()


def worker(served: Served, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A worker of its own on the database of a server."""
    with (served.var.parent / "worker.log").open("ab") as log:
        return subprocess.Popen([*RUN, "worker"], env=environ(served.var) | more, cwd=served.var.parent, stderr=log)


@pytest.mark.long
def test_a_worker_killed_in_mid_stream_leaves_its_draft_to_another(visit, model, pace, postgres_folder, tmp_path):
    """Web and workers are processes of their own; the page that waits goes on to the draft that the second finishes."""
    more = {**model.environment, "CRMPLUGIN_DATABASE_URL": make_database(postgres_folder)}
    served = Served(tmp_path / "var", "--no-demo", "--no-worker", more=more)
    workers = [worker(served, more)]
    try:
        served.take_records()
        page = visit(served).page
        ask(page, SLOWLY)
        expect(page.locator("#stream-text .arriving")).to_be_visible()

        workers[0].kill()
        workers.append(worker(served, more))
        pace.go()

        expect(page.locator("#approve")).to_be_visible(timeout=90_000)
        expect(page.locator(".sheet .text")).to_contain_text(ANSWER)
        expect(page.locator(".sheet .text p", has_text=ANSWER)).to_have_count(1)
    finally:
        for process in workers:
            process.kill()
            process.wait(30)
        served.stop()
