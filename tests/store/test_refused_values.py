"""A value that the database does not take is the caller's to mend; the database itself is well."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from crmplugin.errors import UsageError
from crmplugin.store.database import open_engine
from crmplugin.store.guard import writing


@pytest.mark.on_postgresql
def test_text_that_is_too_long_is_a_wrong_use(database_url):
    engine = open_engine(database_url)
    with writing(engine) as db:
        db.execute(text("CREATE TABLE t (a VARCHAR(3), n INTEGER)"))

    for values in ({"a": "abcd", "n": 1}, {"a": "a\x00", "n": 1}, {"a": "a", "n": 10**12}):
        with pytest.raises(UsageError, match="a value cannot be kept"), writing(engine) as db:
            db.execute(text("INSERT INTO t VALUES (:a, :n)"), values)
    engine.dispose()
