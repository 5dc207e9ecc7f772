"""How many connections a process takes from PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from crmplugin.store.database import open_engine
from crmplugin.store.guard import reading


def test_many_threads_share_twenty_connections(postgres_url):
    engine = open_engine(postgres_url)
    query = text("SELECT pg_sleep(0.02), (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'crmplugin')")

    def look(_: int) -> int:
        with reading(engine) as db:
            return db.execute(query).one()[1]

    with ThreadPoolExecutor(60) as pool:
        counts = list(pool.map(look, range(300)))
    engine.dispose()

    assert max(counts) <= 20
