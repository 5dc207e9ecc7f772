"""Learns from all records of a connection and keeps what was learned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from crmplugin.analysis.fit.population import learn
from crmplugin.ports import Population
from crmplugin.store.records import RecordStore

LEARNED_FROM = frozenset({"companies", "contacts", "deals", "stage_changes", "line_items", "orders"})
"""Collections whose change makes the fit old."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def refresh_fit(connection: str, *, records: RecordStore, clock: Callable[[], datetime] = utc_now) -> Population:
    """Computes the population of a connection anew and saves it. Reads record by record; memory holds counts."""
    population = learn(
        deals=records.iterate(connection, "deals"),
        stage_changes=records.iterate(connection, "stage_changes"),
        line_items=records.iterate(connection, "line_items"),
        companies=records.iterate(connection, "companies"),
        accounts=records.iterate_purchases(connection),
        now=clock(),
    )
    records.save_population(connection, population)
    return population
