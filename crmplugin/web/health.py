"""Is it alive, is it ready, how is it doing: for whoever runs it."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from crmplugin import __version__
from crmplugin.errors import StoreError
from crmplugin.journeys.desk import Desk
from crmplugin.web.auth import desk, who
from crmplugin.web.problems import problem

LEAST_FREE_BYTES = 64 * 1024 * 1024
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok", "version": __version__})


@blueprint.get("/readyz")
def readyz() -> Response:
    """Database, engine and disk are there, so that requests make sense."""
    checks = dict(_checks(desk()))
    failing = {name: text for name, text in checks.items() if text}
    if failing:
        detail = "; ".join(f"{name}: {text}" for name, text in failing.items())
        return problem(503, detail, code="not_ready")
    return jsonify({"status": "ready", "checks": dict.fromkeys(checks, "ok")})


def _checks(here: Desk) -> Iterator[tuple[str, str | None]]:
    """Each check with what is wrong, None when nothing is."""
    try:
        here.ping()
        yield "database", None
    except StoreError as error:
        yield "database", str(error)
    yield "engine", None if here.jobs.healthy() else "the database of the jobs does not answer"
    free = shutil.disk_usage(here.settings.var).free
    low = f"only {free // 2**20} MB free under {here.settings.var}: make room"
    yield "disk", None if free >= LEAST_FREE_BYTES else low


@blueprint.get("/metrics")
def metrics() -> Response:
    """Counts by kind and state for Prometheus; they equal what the lists show."""
    registry = CollectorRegistry()
    registry.register(_Counts(desk(), who().connections))
    # What this process measured speaks of all connections.
    measured = generate_latest(REGISTRY) if who().connections is None else b""
    return Response(generate_latest(registry) + measured, content_type=METRICS_TYPE)


class _Counts:
    """Reads the counts from the store when it is asked."""

    def __init__(self, here: Desk, connections: Collection[str] | None) -> None:
        self._desk, self._connections = here, connections

    def collect(self) -> Iterator[Any]:
        yield _family("events", "Events by type and state.", "type", self._seen(self._desk.events.counts()))
        yield _family("drafts", "Drafts by kind and status.", "kind", self._seen(self._desk.drafts.counts()))
        if self._connections is None:
            yield from self._load()

    def _load(self) -> Iterator[Any]:
        load = self._desk.jobs.load()
        yield _by("jobs", "Jobs that are not at their end.", "state", load.jobs)
        yield _one("oldest_job_seconds", "How long the oldest job has waited for its turn.", load.oldest_s)
        yield _by("leases", "Workers by their lease.", "state", {"held": load.leases, "run_out": load.leases_run_out})
        yield _by("sync_age_seconds", "Since a CRM was last read to its end.", "connection", self._sync_ages())
        free = shutil.disk_usage(self._desk.settings.var).free
        yield _one("disk_free_bytes", "Free under the folder of the files.", free)

    def _sync_ages(self) -> dict[str, float]:
        now = self._desk.clock()
        rows = self._desk.syncs.list()
        return {row.connection: (now - row.finished_at).total_seconds() for row in rows if row.finished_at}

    def _seen(self, counts: dict[tuple[str, str, str], int]) -> dict[tuple[str, str, str], int]:
        """The counts of the connections that the caller may use."""
        return {key: n for key, n in counts.items() if self._connections is None or key[0] in self._connections}


def _family(name: str, text: str, label: str, counts: dict[tuple[str, str, str], int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"crmplugin_{name}", text, labels=["connection", label, "state"])
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"crmplugin_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _one(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"crmplugin_{name}", text, value=value)
