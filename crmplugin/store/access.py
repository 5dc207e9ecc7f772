"""Who may ask: API tokens, one-time sign-in links and sessions. Only the SHA-256 of each secret is kept.

Each change is told to the audit in its own transaction. Where somebody signed in from is the row's personal part.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, or_, select, update

from crmplugin.domain.access import Principal as Principal
from crmplugin.errors import NotFound
from crmplugin.store.audit import AuditLog, Entry
from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, writing
from crmplugin.store.tables_work import sessions, sign_in_failures, sign_in_links, tokens

TOKEN_PREFIX = "crmp_"
"""Lets secret scanners find leaked tokens."""
MOST_FAILURES = 20
LOCKED_FOR = timedelta(minutes=10)
"""After so many failed sign-ins from one place it is closed until nothing came from there for this long."""
SHORTEST_ID = 8
TOKEN_MADE, TOKEN_REVOKED, LINK_MADE = "token.made", "token.revoked", "link.made"
SIGNED_IN, SIGNED_OUT, SESSION_ENDED = "sign_in.done", "sign_out.done", "session.ended"
REFUSED, LOCKED = "sign_in.refused", "sign_in.locked"
LOCAL = "local"
"""The connection of whoever names none."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    id: str
    name: str | None
    role: str
    user_id: str | None
    connections: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session without its secret. `who`: the person or CRM user; None for a link without one."""

    id: str
    who: str | None
    role: str
    connections: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime


class AccessStore:
    """Without an audit (in a test) nothing is told."""

    def __init__(self, engine: Engine, audit: AuditLog | None = None) -> None:
        self._engine, self._audit = engine, audit

    def _tell(self, db: Connection, kind: str, at: datetime, by: str | None, **body: Any) -> None:
        """Adds a row to the audit; `source`, where it came from, is sealed."""
        if self._audit is None:
            return
        source = body.pop("source", None)
        personal = {"from": source} if source else None
        self._audit.add_in(db, Entry(kind, at, by, body=body, personal=personal))

    def create_token(
        self,
        role: str,
        *,
        at: datetime,
        name: str | None = None,
        user_id: str | None = None,
        connections: Sequence[str] | None = None,
        expires_at: datetime | None = None,
        by: str | None = None,
    ) -> tuple[str, str]:
        """A new token's id and its secret, which is shown this once."""
        token_id, secret = secrets.token_hex(8), TOKEN_PREFIX + secrets.token_urlsafe(32)
        scope = {"role": role, "user_id": user_id, "connections": _as_list(connections)}
        row = {"id": token_id, "hash": _hash(secret), "name": name, "created_at": at, "expires_at": expires_at}
        with writing(self._engine) as connection:
            connection.execute(tokens.insert().values(**row, **scope))
            self._tell(connection, TOKEN_MADE, at, by, token=token_id, **scope)
        return token_id, secret

    def tokens(self) -> tuple[TokenRow, ...]:
        """All tokens, revoked ones too, oldest first."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at)).all()
        return tuple(_token(r) for r in rows)

    def find_token(self, token_id: str) -> TokenRow | None:
        """One token by its id, without its secret."""
        with reading(self._engine) as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == token_id)).first()
        return _token(row) if row else None

    def revoke_token(self, token_id: str, *, at: datetime, by: str | None = None) -> None:
        """Ends a token at once. Raises NotFound."""
        change = update(tokens).where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None)).values(revoked_at=at)
        with writing(self._engine) as connection:
            if connection.execute(change).rowcount != 1:
                raise NotFound(f"there is no valid token {token_id}; see `crmplugin token list`")
            self._tell(connection, TOKEN_REVOKED, at, by, token=token_id)

    def by_token(self, secret: str, *, now: datetime) -> Principal | None:
        """Who holds this token; None when it is unknown, revoked or expired."""
        with reading(self._engine) as connection:
            row = connection.execute(select(tokens).where(tokens.c.hash == _hash(secret))).first()
        if row is None or row.revoked_at is not None or _over(row.expires_at, now):
            return None
        return Principal(f"token:{row.id}", row.role, row.user_id, _scope(row))

    def create_link(
        self,
        role: str,
        *,
        expires_at: datetime,
        user_id: str | None = None,
        connections: Sequence[str] | None = None,
        by: str | None = None,
        at: datetime | None = None,
    ) -> str:
        """The secret of a sign-in link that works once."""
        secret = secrets.token_urlsafe(32)
        row = {"hash": _hash(secret), "role": role, "user_id": user_id, "connections": _as_list(connections)}
        with writing(self._engine) as connection:
            connection.execute(sign_in_links.insert().values(**row, expires_at=expires_at))
            scope = {name: row[name] for name in ("role", "user_id", "connections")}
            self._tell(connection, LINK_MADE, at or datetime.now(UTC), by, **scope)
        return secret

    def use_link(self, secret: str, *, now: datetime, expires_at: datetime, source: str | None = None) -> str | None:
        """A session's secret for a sign-in link; None when it is unknown, used before or too old."""
        unused = (sign_in_links.c.hash == _hash(secret), sign_in_links.c.used_at.is_(None))
        with writing(self._engine) as connection:
            row = connection.execute(select(sign_in_links).where(*unused)).first()
            if row is None or _over(row.expires_at, now):
                return None
            if connection.execute(update(sign_in_links).where(*unused).values(used_at=now)).rowcount != 1:
                return None
            session = secrets.token_urlsafe(32)
            who = {"role": row.role, "user_id": row.user_id, "connections": row.connections}
            times = {"created_at": now, "expires_at": expires_at}
            values = {"hash": _hash(session), "id": secrets.token_hex(8), **times, **who}
            connection.execute(sessions.insert().values(**values))
            name = _name_of(None, row.user_id, row.role)
            self._tell(connection, SIGNED_IN, now, name, how="link", session=values["id"], **who, source=source)
        return session

    def by_session(self, secret: str, *, now: datetime) -> Principal | None:
        """Who is signed in with this session; None when it is unknown or over."""
        with reading(self._engine) as connection:
            row = connection.execute(select(sessions).where(sessions.c.hash == _hash(secret))).first()
        if row is None or _over(row.expires_at, now):
            return None
        return Principal(
            _name_of(row.person, row.user_id, row.role), row.role, row.user_id, _scope(row), users=row.users
        )

    def open_session(self, who: Principal, *, now: datetime, expires_at: datetime, source: str | None = None) -> str:
        """The secret of a new session of somebody whom a provider has signed in."""
        session = secrets.token_urlsafe(32)
        values = {
            "hash": _hash(session),
            "id": secrets.token_hex(8),
            "role": who.role,
            "person": who.name,
            "users": None if who.users is None else dict(who.users),
            "connections": _as_list(who.connections),
            "created_at": now,
            "expires_at": expires_at,
        }
        told = {name: values[name] for name in ("role", "connections")}
        with writing(self._engine) as connection:
            connection.execute(sessions.insert().values(**values))
            self._tell(
                connection, SIGNED_IN, now, who.name, how="provider", session=values["id"], **told, source=source
            )
        return session

    def sessions(self, *, now: datetime) -> tuple[SessionRow, ...]:
        """Sessions that last, oldest first, without their secrets."""
        query = select(sessions).where(sessions.c.expires_at > now).order_by(sessions.c.created_at)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(_session(row) for row in rows)

    def end_named(self, session_id: str, *, by: str | None = None, at: datetime | None = None) -> None:
        """Ends a session by its id. Raises NotFound."""
        mine = or_(sessions.c.id == session_id, sessions.c.hash.startswith(session_id, autoescape=True))
        if len(session_id) < SHORTEST_ID:
            raise NotFound(f"there is no session {session_id}; see `crmplugin sessions list`")
        with writing(self._engine) as connection:
            if connection.execute(sessions.delete().where(mine)).rowcount == 0:
                raise NotFound(f"there is no session {session_id}; see `crmplugin sessions list`")
            self._tell(connection, SESSION_ENDED, at or datetime.now(UTC), by, session=session_id)

    def end_all(self, *, by: str | None = None, at: datetime | None = None) -> int:
        """Ends every session; gives back how many."""
        with writing(self._engine) as connection:
            n = connection.execute(sessions.delete()).rowcount
            if n:
                self._tell(connection, SESSION_ENDED, at or datetime.now(UTC), by, sessions=n)
        return n

    def note_failure(self, source: str, *, now: datetime, how: str = "link") -> None:
        """Counts a sign-in that failed; the count begins anew when the last one is long ago."""
        with writing(self._engine) as connection:
            connection.execute(sign_in_failures.delete().where(sign_in_failures.c.since < now - LOCKED_FOR))
            row = insert_into(connection, sign_in_failures).values(source=_hash(source), failures=1, since=now)
            more = {"failures": sign_in_failures.c.failures + 1, "since": now}
            counted = row.on_conflict_do_update(index_elements=["source"], set_=more)
            failures = connection.execute(counted.returning(sign_in_failures.c.failures)).scalar_one()
            if how != "token":  # a wrong token is a program's mistake more often than a try: only the lock is told
                self._tell(connection, REFUSED, now, None, how=how, source=source)
            if failures == MOST_FAILURES:
                self._tell(connection, LOCKED, now, None, how=how, source=source)

    def locked_until(self, source: str, *, now: datetime) -> datetime | None:
        """Until when nobody may sign in from there; None when they may."""
        query = select(sign_in_failures).where(sign_in_failures.c.source == _hash(source))
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        ends = row.since + LOCKED_FOR if row is not None and row.failures >= MOST_FAILURES else None
        return ends if ends is not None and ends > now else None

    def end_session(self, secret: str, *, at: datetime | None = None) -> None:
        """Ends a session by its secret: somebody signed out."""
        mine = sessions.c.hash == _hash(secret)
        with writing(self._engine) as connection:
            row = connection.execute(select(sessions).where(mine)).first()
            if row is None:
                return
            connection.execute(sessions.delete().where(mine))
            name = _name_of(row.person, row.user_id, row.role)
            self._tell(connection, SIGNED_OUT, at or datetime.now(UTC), name, session=row.id)

    def forget_expired(self, now: datetime) -> None:
        """Deletes sessions and links that are over."""
        for table in (sessions, sign_in_links):
            self._delete_expired(table, now)

    def _delete_expired(self, table: Table, now: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(table.delete().where(table.c.expires_at < now))


def _name_of(person: str | None, user_id: str | None, role: str) -> str:
    """What somebody with a session is called."""
    return person or (f"user:{user_id}" if user_id else f"console:{role}")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _over(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is not None and expires_at <= now


def _as_list(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)


def _as_tuple(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _scope(row: Row[Any]) -> tuple[str, ...] | None:
    """The connections of a token or session. A rep's user id is one of a single CRM: unnamed, of the local one."""
    if row.connections is None and row.role == "rep" and row.user_id:
        return (LOCAL,)
    return _as_tuple(row.connections)


def _session(row: Row[Any]) -> SessionRow:
    id_, who = row.id or row.hash[:16], row.person or row.user_id
    return SessionRow(id_, who, row.role, _scope(row), row.created_at, row.expires_at)


def _token(row: Row[Any]) -> TokenRow:
    scope = _scope(row)
    return TokenRow(row.id, row.name, row.role, row.user_id, scope, row.created_at, row.expires_at, row.revoked_at)
