"""A fact: one statement from the CRM with its source. Everything a text may say is one of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

FactKind = Literal[
    "money", "date", "datetime", "count", "percent", "duration", "quantity", "person", "org", "product", "doc_id",
    "quote_text", "text", "status", "link", "claim", "slot", "policy",
]  # fmt: skip
BasisType = Literal["observed", "computed", "estimated", "stated_by_customer", "stated_by_rep", "approved_copy"]
Visibility = Literal["customer", "internal"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value stands in the CRM: collection (`quotes`), record id, field (`lines[1].quantity` for a part)."""

    object: str
    id: str
    field: str
    at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """How we know. `interval` is a 95 % interval as decimal strings; `n` the number of cases behind an estimate."""

    type: BasisType = "observed"
    formula: str | None = None
    inputs: tuple[str, ...] = ()
    method: str | None = None
    n: int | None = None
    interval: tuple[str, str] | None = None
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the brief.

    id: stable, from the source, `<record id>.<field>` (`Q-118.valid_until`, `A-31.question1`).
    value: canonical string: plain decimal (`26505.00`), ISO date, RFC 3339 time, exact name; a range is `6..8`.
    unit: ISO 4217 for money, `day`, `week`, `month`, `year`, `hour`, `minute` for a duration, else a unit or None.
    label, display: in the output language, as the text writes them.
    contact_scope: ids of the contacts it may be told to; empty means every contact of the subject's own account.
    conflicts_with: ids of facts that say otherwise; such a fact never stands in customer text.
    """

    id: str
    kind: FactKind
    label: str
    value: str
    display: str
    unit: str | None = None
    basis: Basis = field(default_factory=Basis)
    visibility: Visibility = "customer"
    trust: Literal["trusted", "untrusted"] = "trusted"
    contact_scope: tuple[str, ...] = ()
    as_of: datetime | None = None
    valid_until: date | None = None
    conflicts_with: tuple[str, ...] = ()
    source: tuple[Source, ...] = ()

    @property
    def tellable(self) -> bool:
        """Whether customer text may use it."""
        return self.visibility == "customer" and not self.conflicts_with
