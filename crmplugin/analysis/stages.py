"""How long a deal has been in its stage, held against deals that were won (sales-craft §1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Literal
from zoneinfo import ZoneInfo

from crmplugin.domain.crm import Deal, StageChange
from crmplugin.ports import Population

ENOUGH_WON_DEALS = 8
StageState = Literal["normal", "watch", "slow", "stalled"]
_STATES: tuple[tuple[Decimal, StageState], ...] = (
    (Decimal(1), "normal"),
    (Decimal("1.5"), "watch"),
    (Decimal("2.5"), "slow"),
)


@dataclass(frozen=True, slots=True)
class StageAge:
    """Days in the stage, the ratio to the median of won deals, and the number of won deals of the pipeline behind it.

    ratio and state are None when no won deal ever passed the stage.
    """

    since: datetime
    days: int
    ratio: Decimal | None = None
    n: int = 0
    state: StageState | None = None


def is_open(deal: Deal, now: datetime) -> bool:
    """Whether the deal is open at `now`: reopened after its loss counts as open, closed later than `now` too."""
    reopened, closed = _past(deal.reopened_at, now), _past(deal.closed_at, now)
    if reopened and (closed is None or reopened > closed):
        return deal.status != "won" or closed is not None
    if deal.closed_at and closed is None:
        return True
    return deal.status == "open" or (deal.status is None and deal.stage_kind not in ("won", "lost"))


def entered_stage(deal: Deal, changes: Iterable[StageChange], *, now: datetime) -> datetime | None:
    """The last entry into the present stage; reopening the deal is one. Without changes on record, its creation."""
    mine = [c for c in changes if c.deal_id == deal.id and c.at and c.at <= now]
    into = [c.at for c in mine if c.at and c.to == deal.stage]
    created = None if mine else _past(deal.created_at, now)
    times = [t for t in (*into, created, _past(deal.reopened_at, now)) if t]
    return max(times, default=_past(deal.created_at, now))


def stage_age(
    deal: Deal, changes: Iterable[StageChange], population: Population, *, now: datetime, zone: str
) -> StageAge | None:
    """The age of an open deal's stage in calendar days of `zone`; None when its beginning is not recorded."""
    since = entered_stage(deal, changes, now=now)
    if since is None or not is_open(deal, now):
        return None
    tz = ZoneInfo(zone)
    days = (now.astimezone(tz).date() - since.astimezone(tz).date()).days
    usual, n = usual_days(deal, population)
    ratio = Decimal(days) / usual if usual else None
    return StageAge(since, days, ratio, n, None if ratio is None else state_of(ratio))


def usual_days(deal: Deal, population: Population) -> tuple[Decimal | None, int]:
    """Median days that won deals spent in the stage, and how many of the same pipeline are behind it.

    From eight won deals of the pipeline on it is their median; below, (n·m_pipeline + 8·m_all) / (n + 8), where m_all
    is the median of that stage over all pipelines. None when no won deal ever passed it.
    """
    if deal.stage is None:
        return None, 0
    own = population.stage_days.get((deal.pipeline or "", deal.stage), ())
    everyone = [d for (_, stage), days in population.stage_days.items() if stage == deal.stage for d in days]
    if not everyone:
        return None, 0
    n, m_all = len(own), median(everyone)
    if n >= ENOUGH_WON_DEALS:
        return median(own), n
    m_own = median(own) if own else Decimal(0)
    return (n * m_own + ENOUGH_WON_DEALS * m_all) / (n + ENOUGH_WON_DEALS), n


def state_of(ratio: Decimal) -> StageState:
    """Up to 1 normal, up to 1.5 watch, up to 2.5 slow, above stalled."""
    return next((state for limit, state in _STATES if ratio <= limit), "stalled")


def _past(instant: datetime | None, now: datetime) -> datetime | None:
    return instant if instant and instant <= now else None
