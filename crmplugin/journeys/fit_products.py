"""Learns from all purchase histories of a connection what each account may buy next, and keeps it.

The whole fit belongs into the night; after new orders only the accounts that have some are ranked again, with what was
learned before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from crmplugin.analysis.churn import Buyer, buyer_of, fit_bgnbd, may_fit
from crmplugin.analysis.fit.population import purchase_days
from crmplugin.analysis.fit.rankings import Days, Histories, gather_histories, learn_rankings, rank_again
from crmplugin.analysis.fit.recommender import Recommender
from crmplugin.analysis.fit.saved import read_recommender, recommender_document
from crmplugin.analysis.rfm import Habit, Rfm, classify, read_habit
from crmplugin.domain.crm import Order
from crmplugin.ports import Learned, Ranking
from crmplugin.store.account_fits import AccountFit, Fit, FitStore
from crmplugin.store.records import RecordStore

Churn = tuple[float, float, float, float] | None
"""r, alpha, a and b of BG/NBD, in weeks."""
FULL_AFTER = timedelta(hours=48)
"""How old the whole fit may become before it is learned anew by day too, once orders have changed."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FitReport:
    """What was done: everything learned anew, some accounts ranked again, or nothing; and by which methods."""

    done: str
    accounts: int
    repeat_method: str | None = None
    new_method: str | None = None


def keep_fit_fresh(
    connection: str, *, records: RecordStore, fits: FitStore, clock: Callable[[], datetime] = utc_now
) -> FitReport:
    """Learns what is missing: all when there is no fit or it is two days old, else the accounts with new orders."""
    kept, revision = fits.read(connection), fits.orders_revision(connection)
    if kept is not None and kept.revision == revision:
        return FitReport("nothing", 0)
    known = read_recommender(kept.model) if kept else None
    if kept is None or known is None or clock() - kept.fitted_at >= FULL_AFTER:
        return learn_products(connection, records=records, fits=fits, clock=clock)
    return _rank_changed(connection, kept, known, fits=fits, clock=clock)


def learn_if_changed(
    connection: str, *, records: RecordStore, fits: FitStore, clock: Callable[[], datetime] = utc_now
) -> FitReport:
    """Learns everything anew, unless no order has changed since that was done."""
    kept = fits.read(connection)
    if kept is not None and kept.learned_revision == fits.orders_revision(connection):
        return FitReport("nothing", 0)
    return learn_products(connection, records=records, fits=fits, clock=clock)


def learn_products(
    connection: str, *, records: RecordStore, fits: FitStore, clock: Callable[[], datetime] = utc_now
) -> FitReport:
    """Learns everything anew and replaces what was kept."""
    revision, now = fits.orders_revision(connection), clock()
    here = now.astimezone(ZoneInfo(records.seller(connection).timezone or "UTC"))
    read = read_histories(records.iterate_dealings(connection), now=here)
    known = gather_histories(read.days, today=here.date().toordinal())
    recommender = learn_rankings(known)
    churn = read.churn(here)
    fit = Fit(now, now, revision, revision, recommender_document(recommender), churn)
    # All is computed before the transaction begins: others must not wait for it.
    rows = _rows(recommender, known, read.days, at=now, classes=read.classes(here), churn=churn)
    n = fits.save_all(connection, fit, rows)
    return FitReport("learned", n, recommender.repeat.method, recommender.new.method)


def _rank_changed(
    connection: str, kept: Fit, recommender: Recommender, *, fits: FitStore, clock: Callable[[], datetime]
) -> FitReport:
    revision, now = fits.orders_revision(connection), clock()
    days: dict[str, Days] = dict(fits.histories(connection))
    fresh = read_histories(fits.changed_orders(connection, since=kept.at), now=now).days
    days |= fresh
    known = gather_histories(days, today=now.date().toordinal())
    classes = {account: fits.read_account(connection, account).rfm_class for account in fresh}
    rows = _rows(recommender, known, fresh, at=now, classes=classes, churn=kept.churn)
    n = fits.save_some(connection, replace(kept, at=now, revision=revision), rows)
    return FitReport("ranked again", n, recommender.repeat.method, recommender.new.method)


@dataclass(frozen=True)
class Read:
    """What was read of all accounts: days with products, and habits."""

    days: Mapping[str, Days]
    habits: Mapping[str, Habit]

    def classes(self, now: datetime) -> dict[str, str | None]:
        found: dict[str, Rfm] = classify(list(self.habits.values()), today=now.date())
        return {account: rfm.label for account, rfm in found.items()}

    def churn(self, now: datetime) -> Churn:
        """The parameters of BG/NBD in weeks, where enough accounts bought again."""
        buyers: list[Buyer] = [
            buyer_of([datetime.fromordinal(day).date() for day in days], today=now.date())
            for days in self.days.values()
            if days
        ]
        if not may_fit(buyers):
            return None
        model = fit_bgnbd(buyers)
        return model.r, model.alpha, model.a, model.b


def read_histories(accounts: Iterable[tuple[str, list[Order]]], *, now: datetime) -> Read:
    """Each account's purchases up to `now` by day, and its habit; it is taken one account after the other."""
    days: dict[str, Days] = {}
    habits: dict[str, Habit] = {}
    for account, orders in accounts:
        by_day: dict[int, list[str]] = {}
        for product_id, bought in purchase_days(orders, now=now).items():
            for day in bought:
                by_day.setdefault(day.toordinal(), []).append(product_id)
        days[account] = {day: sorted(ids) for day, ids in sorted(by_day.items())}
        if habit := read_habit(account, orders, now=now):
            habits[account] = habit
    return Read(days, habits)


def _rows(
    recommender: Recommender, known: Histories, days: Mapping[str, Days], *, at: datetime,
    classes: Mapping[str, str | None], churn: Churn,
) -> list[tuple[str, AccountFit]]:  # fmt: skip
    rankings: dict[str, Ranking] = dict(rank_again(recommender, known, at=at, accounts=days))
    found = []
    for account, bought in days.items():
        plain = {day: tuple(ids) for day, ids in bought.items()}
        learned = Learned(rankings.get(account), classes.get(account), churn)
        found.append((account, AccountFit(plain, learned)))
    return found
