"""A row of the approval table: which drafts, who may approve them, and what happens while nobody does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

Wheres = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ApprovalCase:
    """What the table looks at in a draft or campaign. `amounts`: of its deal by currency; `discount_pct`: the highest.

    `fields`: connection, kind, type, audience and channel. `recipients`: how many a campaign would reach, over all its
    channels.
    """

    fields: Mapping[str, str | None]
    amounts: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    discount_pct: Decimal | None = None
    recipients: int = 1


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """Own rows come before the defaults; the first that fits decides.

    where: each key must be one of its values. above, currency: the deal's amount is more than this; a deal whose amount
    is not known in this currency fits too, so that a missing figure never lets something out. four_eyes: whoever asked
    for a draft or edited it may not approve it. Hours count from when the draft last changed.
    """

    roles: frozenset[str]
    where: Wheres = field(default_factory=lambda: MappingProxyType({}))
    above: Decimal | None = None
    currency: str | None = None
    discount_above: Decimal | None = None
    recipients_above: int | None = None
    four_eyes: bool = False
    remind_hours: int | None = None
    escalate_hours: int | None = None
    escalate_to: frozenset[str] = frozenset()

    def fits(self, case: ApprovalCase) -> bool:
        """Whether this row is about a draft."""
        if any(case.fields.get(key) not in allowed for key, allowed in self.where.items()):
            return False
        if self.above is not None and case.amounts.get(self.currency or "", self.above + 1) <= self.above:
            return False
        if self.recipients_above is not None and case.recipients <= self.recipients_above:
            return False
        return self.discount_above is None or (case.discount_pct or Decimal(0)) > self.discount_above
