"""Keeps what was learned over all accounts of a connection, as JSON, and gives it back as a Population."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, select

from crmplugin.ports import Population
from crmplugin.store.database import replace_into
from crmplugin.store.record_keys import sortable
from crmplugin.store.tables_records import fits

POPULATION = "population"
FITTED_AT = select(fits.c.computed_at).where(fits.c.connection == bindparam("connection"), fits.c.name == POPULATION)
DECIMALS_OF_A_DEAL = ("amount", "discount_pct")


def save_population(db: Connection, connection: str, population: Population, *, now: datetime) -> None:
    """Replaces the saved fit of a connection."""
    row = {
        "connection": connection,
        "name": POPULATION,
        "computed_at": sortable(population.computed_at or now),
        "doc": json.dumps(encode_population(population), ensure_ascii=False, separators=(",", ":")),
    }
    db.execute(replace_into(db, fits), row)


def fitted_at(db: Connection, connection: str) -> str | None:
    """When the saved fit was computed, as sortable text; None when there is none."""
    found: str | None = db.execute(FITTED_AT, {"connection": connection}).scalar()
    return found


def load_population(db: Connection, connection: str) -> Population:
    """The saved fit; an empty one when there is none."""
    statement = select(fits.c.doc).where(fits.c.connection == connection, fits.c.name == POPULATION)
    doc = db.execute(statement).scalar()
    return Population() if doc is None else decode_population(json.loads(doc))


def encode_population(population: Population) -> dict[str, Any]:
    return {
        "computed_at": population.computed_at.isoformat() if population.computed_at else None,
        "stage_days": [[*key, [str(d) for d in days]] for key, days in population.stage_days.items()],
        "stage_outcomes": [[*key, *counts] for key, counts in population.stage_outcomes.items()],
        "product_gap_days": {id_: [str(gap), n] for id_, (gap, n) in population.product_gap_days.items()},
        "product_repeat": {id_: list(counts) for id_, counts in population.product_repeat.items()},
        "repeat_share": None if population.repeat_share is None else str(population.repeat_share),
        "closed_deals": [_encode_deal(deal) for deal in population.closed_deals],
        "bought_with": {id_: dict(others) for id_, others in population.bought_with.items()},
        "bought_by": dict(population.bought_by),
        "accounts": population.accounts,
        "account_gap_n": population.account_gap_n,
        "bought_alike": {key: [n, dict(counts)] for key, (n, counts) in population.bought_alike.items()},
    }


def decode_population(doc: Mapping[str, Any]) -> Population:
    share = doc["repeat_share"]
    return Population(
        computed_at=datetime.fromisoformat(doc["computed_at"]) if doc["computed_at"] else None,
        stage_days={(pipeline, stage): tuple(map(Decimal, days)) for pipeline, stage, days in doc["stage_days"]},
        stage_outcomes={
            (pipeline, stage): (won, lost, won_slow, lost_slow)
            for pipeline, stage, won, lost, won_slow, lost_slow in doc.get("stage_outcomes", ())
        },
        product_gap_days={id_: (Decimal(gap), n) for id_, (gap, n) in doc["product_gap_days"].items()},
        product_repeat={id_: (twice, ever) for id_, (twice, ever) in doc["product_repeat"].items()},
        repeat_share=None if share is None else Decimal(share),
        closed_deals=tuple(_decode_deal(deal) for deal in doc["closed_deals"]),
        bought_with=doc["bought_with"],
        bought_by=doc["bought_by"],
        accounts=doc["accounts"],
        account_gap_n=doc["account_gap_n"],
        bought_alike={key: (n, counts) for key, (n, counts) in doc.get("bought_alike", {}).items()},
    )


def _encode_deal(deal: Mapping[str, Any]) -> dict[str, Any]:
    row = {**deal, "product_ids": list(deal["product_ids"]), "closed_at": _iso(deal["closed_at"])}
    row.update({key: None if deal[key] is None else str(deal[key]) for key in DECIMALS_OF_A_DEAL})
    return row


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _decode_deal(row: Mapping[str, Any]) -> dict[str, Any]:
    closed_at = row["closed_at"]
    deal = {**row, "product_ids": tuple(row["product_ids"])}
    deal["closed_at"] = None if closed_at is None else datetime.fromisoformat(closed_at)
    deal.update({key: None if row[key] is None else Decimal(row[key]) for key in DECIMALS_OF_A_DEAL})
    return deal
