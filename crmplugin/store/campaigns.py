"""Campaigns in the database: their moves, their recipients one by one, and the touches that caps count.

A campaign moves by one UPDATE that names its old status and version. A recipient leaves `waiting` once, whoever works
on it, so a crash or a second worker can neither lose nor double one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, bindparam, func, select, text, update

from crmplugin.domain.campaign import MOVES
from crmplugin.errors import NotFound, StateConflict
from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.paging import Page, after, page_of
from crmplugin.store.tables_campaigns import campaign_recipients as recipients
from crmplugin.store.tables_campaigns import campaign_touches as touches
from crmplugin.store.tables_campaigns import campaigns

WhyNot = Callable[[tuple[datetime, ...], datetime], str | None]
"""Why a message may not follow promotions at these moments (oldest first) at a moment; None when it may."""
EXPORT_LOCK = 7_204_113
"""Number of the PostgreSQL advisory lock under which exports of one database follow each other."""


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as stored; `document` is the whole of it but these columns."""

    id: str
    connection: str
    status: str
    version: int
    run: int
    created_at: datetime
    updated_at: datetime
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One recipient on one channel. `document`: the message with its facts, once there is one."""

    campaign: str
    contact: str
    channel: str
    company: str
    language: str
    variant: str
    lane: int
    state: str
    updated_at: datetime
    reason: str | None = None
    document: Mapping[str, Any] | None = None
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    exported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """A promotional message that left; `address` is the hash of the normalised address."""

    connection: str
    address: str
    campaign: str
    channel: str
    contact: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Leaving:
    """A message about to leave: what is counted, and the moments of promotion that the CRM knows of this person."""

    row: RecipientRow
    touch: Touch
    crm_times: tuple[datetime, ...] = ()


class CampaignStore:
    """All reading and writing of campaigns. Every method is one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create(self, row: CampaignRow) -> bool:
        """Adds a campaign; False when its id is there already."""
        values = {name: getattr(row, name) for name in CampaignRow.__slots__}
        with writing(self._engine) as connection:
            new = insert_into(connection, campaigns).values(**values).on_conflict_do_nothing().returning(campaigns.c.id)
            return connection.execute(new).first() is not None

    def get(self, campaign_id: str) -> CampaignRow:
        """One campaign. Raises NotFound."""
        with reading(self._engine) as connection:
            return _read(connection, campaign_id)

    def list(
        self, *, limit: int = 50, cursor: str | None = None, connections: Collection[str] | None = None
    ) -> Page[CampaignRow]:
        """Campaigns, newest first."""
        scope = [] if connections is None else [campaigns.c.connection.in_(connections)]
        query = select(campaigns).where(*scope, *after(cursor, campaigns.c.created_at, campaigns.c.id))
        query = query.order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc()).limit(limit + 1)
        with reading(self._engine) as connection:
            rows = [CampaignRow(**r._mapping) for r in connection.execute(query)]
        return page_of(rows, limit, lambda r: (r.created_at, r.id))

    def move(
        self,
        campaign_id: str,
        new: str,
        *,
        at: datetime,
        document: Mapping[str, Any] | None = None,
        again: bool = False,
        members: Sequence[RecipientRow] = (),
        version: int | None = None,
    ) -> CampaignRow:
        """Moves a campaign to `new` if the table allows it; `again` begins another run; `members` are added first.

        `version`: only as it was read then. Raises StateConflict naming the present status, or NotFound.
        """
        with writing(self._engine) as connection:
            before = _read(connection, campaign_id)
            if new not in MOVES[before.status]:
                raise StateConflict(f"campaign {campaign_id} is {before.status} and cannot become {new}")
            if version not in (None, before.version):
                raise StateConflict(f"campaign {campaign_id} changed meanwhile: read it again, then decide")
            if members:
                _add(connection, members)
            values: dict[str, Any] = {"status": new, "updated_at": at, "version": before.version + 1}
            if document is not None:
                values["document"] = dict(document)
            if again:
                values["run"] = before.run + 1
            _update(connection, before, values)
            return _read(connection, campaign_id)

    def edit(self, campaign_id: str, document: Mapping[str, Any], *, version: int, at: datetime) -> CampaignRow:
        """Keeps other words or wishes; an approved one must be approved again. Raises StateConflict once it runs."""
        with writing(self._engine) as connection:
            before = _read(connection, campaign_id)
            if before.status not in ("created", "approved") or before.version != version:
                where = f"{before.status}, version {before.version}"
                raise StateConflict(f"campaign {campaign_id} is {where}: read it again, then decide")
            values = {"status": "created", "updated_at": at, "version": version + 1, "document": dict(document)}
            _update(connection, before, values)
            return _read(connection, campaign_id)

    def running(self, *, before: datetime) -> tuple[CampaignRow, ...]:
        """Campaigns that run since before a moment: what a sweep looks after."""
        query = select(campaigns).where(campaigns.c.status == "running", campaigns.c.updated_at < before)
        with reading(self._engine) as connection:
            return tuple(CampaignRow(**r._mapping) for r in connection.execute(query))

    def unapproved(self, *, before: datetime) -> tuple[CampaignRow, ...]:
        """Campaigns that nobody has approved, unchanged since before a moment."""
        query = select(campaigns).where(campaigns.c.status == "created", campaigns.c.updated_at < before)
        with reading(self._engine) as connection:
            return tuple(CampaignRow(**r._mapping) for r in connection.execute(query))

    def waiting(self, campaign_id: str, *, lane: int, limit: int) -> tuple[RecipientRow, ...]:
        """The next recipients of a lane that have no message yet."""
        query = select(recipients).where(
            recipients.c.campaign == campaign_id, recipients.c.state == "waiting", recipients.c.lane == lane
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(recipients.c.contact, recipients.c.channel).limit(limit)).all()
        return tuple(_recipient(r) for r in rows)

    def settle(self, settled: Iterable[RecipientRow]) -> int:
        """Keeps what became of recipients that were waiting; one settled by somebody else stays. Gives back how many.

        All in one transaction.
        """
        done = 0
        with writing(self._engine) as connection:
            for row in settled:
                names = ("state", "reason", "document", "calls", "input_tokens", "output_tokens")
                values = {name: getattr(row, name) for name in names}
                change = update(recipients).where(*_key(row), recipients.c.state == "waiting")
                done += connection.execute(change.values(**values, updated_at=row.updated_at)).rowcount
        return done

    def counts(self, campaign_id: str) -> dict[str, int]:
        """Recipients by state."""
        query = select(recipients.c.state, func.count()).where(recipients.c.campaign == campaign_id)
        with reading(self._engine) as connection:
            return {r[0]: r[1] for r in connection.execute(query.group_by(recipients.c.state))}

    def used(self, campaign_id: str) -> dict[str, int]:
        """Model calls and tokens of the recipients' messages so far."""
        names = ("calls", "input_tokens", "output_tokens")
        query = select(*(func.coalesce(func.sum(recipients.c[n]), 0) for n in names))
        with reading(self._engine) as connection:
            row = connection.execute(query.where(recipients.c.campaign == campaign_id)).one()
        return dict(zip(names, map(int, row), strict=True))

    def reasons(self, campaign_id: str) -> dict[str, int]:
        """Recipients without a message by reason."""
        query = select(recipients.c.reason, func.count()).where(
            recipients.c.campaign == campaign_id, recipients.c.reason.is_not(None)
        )
        with reading(self._engine) as connection:
            return {r[0]: r[1] for r in connection.execute(query.group_by(recipients.c.reason))}

    def recipients(
        self, campaign_id: str, *, limit: int = 100, cursor: str | None = None, state: str | None = None
    ) -> tuple[tuple[RecipientRow, ...], str | None]:
        """Recipients by contact and channel, and the cursor for those after them."""
        conditions = [recipients.c.campaign == campaign_id]
        if state:
            conditions.append(recipients.c.state == state)
        place = recipients.c.contact + "\x1f" + recipients.c.channel
        if cursor:
            conditions.append(place > cursor)
        query = select(recipients).where(*conditions).order_by(place).limit(limit + 1)
        with reading(self._engine) as connection:
            rows = tuple(_recipient(r) for r in connection.execute(query))
        shown = rows[:limit]
        return shown, f"{shown[-1].contact}\x1f{shown[-1].channel}" if len(rows) > limit else None

    def leave(self, leaving: Sequence[Leaving], why_not: WhyNot) -> int:
        """Lets messages out and counts them, but those that `why_not` (moments of promotion, now) gives a reason for.

        Looking and counting are one transaction that no other export can come between. Gives back how many left.
        """
        left = 0
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": EXPORT_LOCK})
            for one in leaving:
                reason = why_not(_moments(connection, one), one.touch.at)
                values: dict[str, Any] = {"state": "blocked", "reason": reason}
                if reason is None:
                    values = {"state": "exported", "exported_at": one.touch.at, "reason": None}
                    entry = {name: getattr(one.touch, name) for name in Touch.__slots__}
                    connection.execute(insert_into(connection, touches).values(**entry).on_conflict_do_nothing())
                change = update(recipients).where(*_key(one.row), recipients.c.state == "drafted")
                changed = connection.execute(change.values(**values, updated_at=one.touch.at)).rowcount
                left += changed if reason is None else 0
        return left

    def block(self, row: RecipientRow, reason: str, *, at: datetime) -> None:
        """Holds back a message that a gate forbids now."""
        change = update(recipients).where(*_key(row), recipients.c.state == "drafted")
        with writing(self._engine) as connection:
            connection.execute(change.values(state="blocked", reason=reason, updated_at=at))

    def touches_of(self, connection_name: str, addresses: Collection[str]) -> tuple[Touch, ...]:
        """What left to these addresses (hashes), oldest first."""
        if not addresses:
            return ()
        with reading(self._engine) as connection:
            return _touches(connection, connection_name, addresses)


def _moments(connection: Connection, one: Leaving) -> tuple[datetime, ...]:
    """When this person was promoted to, as the CRM and we know it, oldest first."""
    known = _touches(connection, one.touch.connection, [one.touch.address])
    return tuple(sorted({*one.crm_times, *(t.at for t in known)}))


_TOUCHES = (
    select(touches)
    .where(touches.c.connection == bindparam("of"), touches.c.address.in_(bindparam("to", expanding=True)))
    .order_by(touches.c.at)
)


def _touches(connection: Connection, name: str, addresses: Collection[str]) -> tuple[Touch, ...]:
    asked = {"of": name, "to": list(addresses)}
    return tuple(Touch(**r._mapping) for r in connection.execute(_TOUCHES, asked))


def _read(connection: Connection, campaign_id: str) -> CampaignRow:
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).first()
    if row is None:
        raise NotFound(f"there is no campaign {campaign_id}; list them with GET /api/v1/campaigns")
    return CampaignRow(**row._mapping)


def _update(connection: Connection, before: CampaignRow, values: Mapping[str, Any]) -> None:
    same = (campaigns.c.id == before.id, campaigns.c.status == before.status, campaigns.c.version == before.version)
    if connection.execute(update(campaigns).where(*same).values(**values)).rowcount != 1:
        raise StateConflict(f"campaign {before.id} changed meanwhile: read it again, then decide")


def _add(connection: Connection, members: Sequence[RecipientRow]) -> None:
    rows = [{name: getattr(row, name) for name in RecipientRow.__slots__} for row in members]
    for start in range(0, len(rows), 500):
        part = insert_into(connection, recipients).on_conflict_do_nothing()
        connection.execute(part, rows[start : start + 500])


def _key(row: RecipientRow) -> tuple[Any, ...]:
    return (
        recipients.c.campaign == row.campaign,
        recipients.c.contact == row.contact,
        recipients.c.channel == row.channel,
    )


def _recipient(row: Row[Any]) -> RecipientRow:
    return RecipientRow(**row._mapping)
