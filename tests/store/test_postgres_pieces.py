"""Pieces of drafts between processes: who waits on one PostgreSQL hears at once of what another kept."""

from __future__ import annotations

import threading
import time

import pytest

from crmplugin.journeys.broadcast import FLUSH_TO_OTHERS_S, Broadcast
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.pieces import Piece, PieceListener, PieceStore
from tests.work.servers import wait_until


@pytest.fixture
def engines(postgres_url):
    """Two processes' ways to one database."""
    here, elsewhere = open_engine(postgres_url), open_engine(postgres_url)
    migrate(here)
    yield here, elsewhere
    here.dispose()
    elsewhere.dispose()


@pytest.fixture
def reader(engines):
    broadcast = Broadcast(PieceStore(engines[0]))
    listener = PieceListener(engines[0], broadcast.tell)
    listener.start()
    time.sleep(0.3)  # until it listens
    yield broadcast
    listener.stop()


def test_reader_elsewhere_is_woken_by_a_piece(engines, reader):
    writer = Broadcast(PieceStore(engines[1]), flush_s=FLUSH_TO_OTHERS_S).open("draft-1")
    threading.Timer(0.2, writer.emit, ("text", {"piece": "Dear"})).start()
    began = time.monotonic()

    with reader.watch("draft-1") as watch:
        channel = watch.wait(20)

    assert channel is None
    assert time.monotonic() - began < 10
    assert [p.data for p in reader.store.after("draft-1", 0)] == [{"piece": "Dear"}]


def test_news_between_two_waits_is_not_missed(engines, reader):
    with reader.watch("draft-1") as watch:
        reader.tell("draft-1")
        began = time.monotonic()

        watch.wait(20)

    assert time.monotonic() - began < 10


def test_news_of_other_drafts_wake_nobody(engines, reader):
    other = Piece(1, "text", {"piece": "Dear"})
    threading.Timer(0.1, PieceStore(engines[1]).add, ("draft-2", [other])).start()
    began = time.monotonic()

    with reader.watch("draft-1") as watch:
        watch.wait(0.5)

    assert time.monotonic() - began >= 0.5


def test_listener_ends_when_the_database_goes_away(engines, postgres_url):
    listener = PieceListener(open_engine(postgres_url.replace("host=", "host=/nowhere")), lambda draft: None)
    listener.start()

    listener.stop()

    assert not listener._thread.is_alive()


def test_what_is_said_just_before_a_pause_reaches_the_reader_elsewhere(engines):
    """Both pieces are said at once, and then the model is silent: the second waits for no third."""
    store = PieceStore(engines[1])
    channel = Broadcast(store, flush_s=FLUSH_TO_OTHERS_S).open("draft-2")

    channel.emit("text", {"piece": "Dear"})
    channel.emit("text", {"piece": " Amir"})

    wait_until(lambda: [p.data["piece"] for p in store.after("draft-2", 0)] == ["Dear", " Amir"])
