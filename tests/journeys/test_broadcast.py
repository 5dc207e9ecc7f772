"""Pieces of a draft on their way to the store."""

from __future__ import annotations

import threading

from crmplugin.journeys.broadcast import Channel
from crmplugin.store.database import migrate, open_engine
from crmplugin.store.guard import writing
from crmplugin.store.pieces import PieceStore
from tests.work.servers import wait_until


def test_who_brings_an_answer_does_not_wait_for_others_to_write(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/crmplugin.sqlite")
    migrate(engine)
    store = PieceStore(engine)
    channel = Channel("d-1", store, flush_s=0.0)
    bringing = threading.Thread(target=channel.emit, args=("text", {"text": "The deal is worth 900 GBP."}))

    with writing(engine):
        bringing.start()
        bringing.join(5)
        waited = bringing.is_alive()

    assert not waited
    assert wait_until(lambda: [piece.event for piece in store.after("d-1", 0)] == ["text"])
    channel.close()
    engine.dispose()
