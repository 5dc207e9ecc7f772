"""Erasing a person everywhere: in the store, in the inbox and in what the jobs remember, and saying so in the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crmplugin.journeys.desk import Desk
from crmplugin.store.record_keys import LOOSE_CONTACT


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done. `known`: whether the person was on record at all; counts by table, `jobs` among them."""

    connection: str
    known: bool
    counts: Mapping[str, int]


def erase_person(
    desk: Desk, connection: str, contact_id: str, *, by: str, despite_hold: bool = False, tidy: bool = True
) -> Erased:
    """Erases a person of a connection. Doing it again changes nothing more. Raises StateConflict under legal hold.

    `tidy`: also overwrites what deleted rows left in the files, which takes as long as the database is large.
    """
    desk.intake.settle(SETTLE_S)
    done = desk.eraser.erase(connection, contact_id, by=by, at=desk.clock(), despite_hold=despite_hold)
    fits = desk.fits.forget(connection, LOOSE_CONTACT + contact_id)
    jobs = desk.jobs.forget(done.drafts, done.marks.out_of, done.marks.texts)
    if tidy:
        _tidy(desk)
    return Erased(
        connection, done.known, {**done.rows, **{name: n for name, n in (("account_fits", fits), ("jobs", jobs)) if n}}
    )


def keep_no_longer(desk: Desk, connection: str) -> Mapping[str, int]:
    """Takes out what is older than the owner keeps it, also of what the jobs remember; gives back counts by table."""
    done = desk.keeper.apply(connection, at=desk.clock())
    if done.drafts:
        desk.jobs.forget(done.drafts, lambda text: text, ())
    if done.counts:
        _tidy(desk)
    return done.counts


def _tidy(desk: Desk) -> None:
    """Overwrites what deleted rows left in the files."""
    desk.eraser.tidy()
    desk.jobs.tidy()
    desk.intake.tidy()


SETTLE_S = 10.0
"""How long an erasure waits for events that are on their way into the store."""
