"""Test mails to oneself, through a real SMTP server."""

from __future__ import annotations

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message

from crmplugin.errors import CrmUnavailable, StateConflict, UsageError
from crmplugin.journeys import campaigns
from crmplugin.journeys.campaign_export import trial_mails
from crmplugin.journeys.outbox import send
from tests.campaigns.conftest import MARKETER, make_wish, make_world, rows, run_here


class Postbox(Message):
    def __init__(self) -> None:
        super().__init__()
        self.mails = []

    def handle_message(self, message):
        self.mails.append(message)


@pytest.fixture
def postbox():
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=0)
    # The library asks its own port for a first connection, so it must know it before it starts.
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.port = free.getsockname()[1]
    server.start()
    box.url = f"smtp://127.0.0.1:{server.port}"
    yield box
    server.stop()


def test_three_mails_go_to_the_owner_and_nobody_else(open_desk, postbox):
    desk = open_desk(make_world(5))
    done = run_here(desk, make_wish())

    sent = send(trial_mails(desk, done.id, "mia@meridian.example"), postbox.url)

    assert sent == 3
    assert [mail["To"] for mail in postbox.mails] == ["mia@meridian.example"] * 3
    assert [mail["X-RcptTo"] for mail in postbox.mails] == ["mia@meridian.example"] * 3
    assert rows(desk, done, "exported") == []


def test_a_campaign_without_mails_says_so(open_desk):
    desk = open_desk(make_world(1))
    made = campaigns.create_campaign(desk, make_wish(), MARKETER)

    with pytest.raises(StateConflict, match="has no mail yet"):
        trial_mails(desk, made.id, "mia@meridian.example")


def test_no_server_and_a_silent_server_are_told_apart():
    with pytest.raises(UsageError, match="smtp_url: set it"):
        send([], None)
    with pytest.raises(CrmUnavailable, match="took no mail"):
        send([], "smtp://127.0.0.1:9")
