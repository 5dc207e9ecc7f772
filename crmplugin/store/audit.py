"""The audit: rows that tell what happened, each chained to the one before by its hash; the end of the chain is signed.

A row is added in the transaction of what it tells of, without waiting for anybody. It is chained within a second, by
whichever process comes first (`seal_chain`). Whoever changes, removes or reorders a chained row breaks the chain; rows
removed from its end are missed at the signed head. Reading of it all needs no key but for the head and personal parts.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, select, update

from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading, reading_one_moment, writing
from crmplugin.store.persons import PersonSeals
from crmplugin.store.statements import change_where, keyed, new_row, renewed
from crmplugin.store.tables_access import audit, audit_head

START = "0" * 64
TOLD = ("at", "kind", "connection", "draft", "by", "body", "key_ids", "sealed_hash")
ERASED, DROPPED = "person.erased", "retention.dropped"
TAKES_OUT = (ERASED, DROPPED)
"""Kinds of rows that say which rows have lost their personal part, as ranges of numbers under `rows`."""
BATCH = 500
PAGE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be told. `body` holds no personal data; `personal` is sealed with the keys of `persons` (contacts)."""

    kind: str
    at: datetime
    by: str | None = None
    connection: str | None = None
    draft: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, Any] | None = None
    persons: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row as it stands. `personal` None: there was none, or it was taken out (`gone` says which)."""

    seq: int | None
    at: datetime
    kind: str
    connection: str | None
    draft: str | None
    by: str | None
    body: Mapping[str, Any]
    personal: Mapping[str, Any] | None
    gone: bool
    hash: str | None
    keys: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at the whole chain found; `head` is worth noting down elsewhere."""

    rows: int
    head: str
    problems: tuple[str, ...]


class AuditLog:
    """The audit of one installation. `signing_key` signs the head."""

    def __init__(self, engine: Engine, seals: PersonSeals, signing_key: str) -> None:
        self._engine, self._seals = engine, seals
        self._key = signing_key.encode()

    def add(self, entry: Entry) -> None:
        """Adds a row in a transaction of its own."""
        with writing(self._engine) as db:
            self.add_in(db, entry)

    def add_in(self, db: Connection, entry: Entry) -> None:
        """Adds a row within the caller's transaction, so that neither is there without the other."""
        sealed, keys = None, list[int]()
        if entry.personal is not None:
            sealed, keys = self._seals.seal(db, entry.connection or "", entry.persons, entry.personal)
        values = {
            "at": entry.at,
            "kind": entry.kind,
            "connection": entry.connection,
            "draft": entry.draft,
            "by": entry.by,
            "body": _canonical(entry.body),
            "sealed": sealed,
            "sealed_hash": None if sealed is None else _sha256(sealed),
            "key_ids": _canonical(keys),
        }
        db.execute(new_row(audit), {**values, "mac": self._mac(_told(**values))})

    def seal_chain(self) -> int:
        """Chains the rows that are not yet; gives back how many. Any number of processes may do it at once."""
        total = 0
        while done := self._seal_batch():
            total += done
        return total

    def _seal_batch(self) -> int:
        with reading(self._engine) as db:
            if db.execute(select(audit.c.id).where(audit.c.seq.is_(None)).limit(1)).first() is None:
                return 0
        with writing(self._engine) as db:
            seq, hash_ = self._lock_head(db)
            rows = db.execute(select(audit).where(audit.c.seq.is_(None)).order_by(audit.c.id).limit(BATCH)).all()
            links = []
            for row in rows:
                # A row that is none of ours is chained as it stands: a look at the chain then finds and names it.
                seq, hash_ = seq + 1, _hash_of(row, seq + 1, hash_)
                links.append(keyed(id=row.id) | renewed(seq=seq, hash=hash_))
            if links:
                db.execute(change_where(audit, ("id",), ("seq", "hash")), links)
            head = {"seq": seq, "hash": hash_, "signature": self._sign(seq, hash_)}
            db.execute(update(audit_head).where(audit_head.c.id == 1).values(**head))
        return len(rows)

    def _lock_head(self, db: Connection) -> tuple[int, str]:
        """Where the chain ends; nobody else may go on from there until this transaction is over."""
        first = {"id": 1, "seq": 0, "hash": START, "signature": self._sign(0, START)}
        db.execute(insert_into(db, audit_head).values(**first).on_conflict_do_nothing())
        row = db.execute(select(audit_head).where(audit_head.c.id == 1).with_for_update()).one()
        return row.seq, row.hash

    def _mac(self, told: str) -> str:
        return hmac.new(self._key, f"audit row\0{told}".encode(), hashlib.sha256).hexdigest()

    def _sign(self, seq: int, hash_: str) -> str:
        return hmac.new(self._key, f"audit head\0{seq}\0{hash_}".encode(), hashlib.sha256).hexdigest()

    def verify(self, noted: str | None = None) -> Verdict:
        """Looks at every row. `noted`: a head (`seq:hash`) that an earlier look gave, which must be in the chain."""
        self.seal_chain()
        with reading_one_moment(self._engine) as db:
            head = db.execute(select(audit_head).where(audit_head.c.id == 1)).first()
            walk = _Walk(self._mac)
            for row in db.execute(select(audit).order_by(audit.c.seq).execution_options(yield_per=PAGE)):
                walk.step(row)
        problems = [*walk.problems, *self._head_problems(head, walk), *_noted_problems(noted, walk)]
        return Verdict(walk.seq, f"{walk.seq}:{walk.hash}", tuple(problems))

    def _head_problems(self, head: Any, walk: _Walk) -> Iterator[str]:
        if head is None:
            if walk.seq:
                yield "the signed head is missing"
            return
        if not hmac.compare_digest(head.signature, self._sign(head.seq, head.hash)):
            yield "the head was not signed with this installation's key (var/signing.key)"
        if (head.seq, head.hash) != (walk.seq, walk.hash):
            yield f"the chain ends at row {walk.seq}, the signed head says row {head.seq}: rows at its end are missing"

    def rows(
        self, *, draft: str | None = None, kinds: Collection[str] = (), connection: str | None = None, newest: int = 0
    ) -> Iterator[AuditRow]:
        """Rows in order, personal parts opened where their keys are there; `newest`: only so many of the last."""
        query = select(audit)
        conditions = [] if draft is None else [audit.c.draft == draft]
        conditions += [] if connection is None else [audit.c.connection == connection]
        conditions += [audit.c.kind.in_(kinds)] if kinds else []
        query = query.where(*conditions).order_by(audit.c.id.desc() if newest else audit.c.id)
        query = query.limit(newest) if newest else query.execution_options(yield_per=PAGE)
        with reading_one_moment(self._engine) as db, db.execute(query) as found:
            for row in reversed(found.all()) if newest else found:
                yield self._opened(db, row)

    def about(self, connection: str, contact_id: str, drafts: Collection[str]) -> Iterator[AuditRow]:
        """Rows that are sealed with a person's key, or tell of these drafts."""
        with reading(self._engine) as db:
            keys = set(self._seals.keys_of(db, connection, contact_id))
        named = set(drafts)
        for row in self.rows(connection=connection):
            if row.draft in named or keys & set(row.keys):
                yield row

    def _opened(self, db: Connection, row: Row[Any]) -> AuditRow:
        keys = json.loads(row.key_ids)
        personal = None if row.sealed is None else self._seals.open(db, row.sealed, keys)
        gone = row.sealed_hash is not None and personal is None
        body = json.loads(row.body)
        what = (row.seq, row.at, row.kind, row.connection, row.draft, row.by, body)
        return AuditRow(*what, personal, gone, row.hash, tuple(keys))

    def forget_person(self, db: Connection, connection: str, contact_id: str, drafts: Collection[str]) -> list[int]:
        """Deletes a person's key and takes the personal parts out that are about them; gives back the rows' numbers.

        `drafts`: those that are about the person or name them.
        """
        gone = set(self._seals.forget(db, connection, contact_id))
        rows = db.execute(
            select(audit.c.id, audit.c.seq, audit.c.draft, audit.c.key_ids).where(
                audit.c.connection == connection, audit.c.sealed.is_not(None)
            )
        ).all()
        named = set(drafts)
        mine = [row for row in rows if row.draft in named or gone & set(json.loads(row.key_ids))]
        for row in mine:
            db.execute(update(audit).where(audit.c.id == row.id).values(sealed=None))
        return sorted(row.seq for row in mine)

    def drop_older(self, kind: str, before: datetime, *, at: datetime, connection: str | None = None) -> int:
        """Takes the personal parts of a kind that are older than a moment out, and says so in the chain."""
        self.seal_chain()
        old = [audit.c.kind == kind, audit.c.at < before, audit.c.sealed.is_not(None), audit.c.seq.is_not(None)]
        old += [] if connection is None else [audit.c.connection == connection]
        with writing(self._engine) as db:
            seqs = list(db.execute(select(audit.c.seq).where(*old)).scalars())
            if seqs:
                db.execute(update(audit).where(audit.c.seq.in_(seqs)).values(sealed=None))
                body = {"of": kind, "before": before.astimezone(UTC).isoformat(), "rows": ranges(seqs)}
                self.add_in(db, Entry(DROPPED, at, connection=connection, body=body))
        return len(seqs)

    def count(self) -> int:
        """How many rows there are."""
        with reading(self._engine) as db:
            return db.execute(select(func.count()).select_from(audit)).scalar_one()


class _Walk:
    """One look at the chain, row by row."""

    def __init__(self, mac: Callable[[str], str]) -> None:
        self._mac = mac
        self.seq, self.hash = 0, START
        self.hashes: dict[int, str] = {}
        self._found: list[str] = []
        self._without: set[int] = set()
        self._accounted: list[tuple[int, int]] = []

    @property
    def problems(self) -> list[str]:
        """What is wrong, personal parts that are missing without a row that says why included."""
        lost = [s for s in sorted(self._without) if not any(a <= s <= b for a, b in self._accounted)]
        return [*self._found, *(f"the personal part of row {seq} is missing, and no row says why" for seq in lost)]

    def step(self, row: Row[Any]) -> None:
        if row.seq is None:
            return
        if row.seq != self.seq + 1:
            self._found.append(f"row {row.seq} follows row {self.seq}: rows between them are missing")
        wanted, ours = _hash_of(row, row.seq, self.hash), hmac.compare_digest(row.mac, self._mac(_told_by(row)))
        if row.hash != wanted or not ours:
            self._found.append(f"row {row.seq} ({row.kind}, {row.at:%Y-%m-%d %H:%M}) is not as it was written")
        if row.sealed is not None and _sha256(row.sealed) != row.sealed_hash:
            self._found.append(f"the personal part of row {row.seq} is not as it was written")
        if row.sealed is None and row.sealed_hash is not None:
            self._without.add(row.seq)
        if row.kind in TAKES_OUT and ours:
            self._accounted += [(first, last) for first, last in json.loads(row.body)["rows"]]
        # Go on from what stands there: one changed row is one problem, not as many as come after it.
        self.seq, self.hash = row.seq, row.hash or wanted
        self.hashes[row.seq] = self.hash


def _noted_problems(noted: str | None, walk: _Walk) -> Iterator[str]:
    if noted is None:
        return
    seq, _, hash_ = noted.partition(":")
    if not seq.isdecimal() or walk.hashes.get(int(seq), START if seq == "0" else None) != hash_:
        yield f"row {seq} with the hash that was noted is not in the chain"


def _hash_of(row: Row[Any], seq: int, before: str) -> str:
    return _sha256(f"{before}\n{seq}\n{row.mac}\n{_told_by(row)}")


def _told_by(row: Row[Any]) -> str:
    return _told(**{name: getattr(row, name) for name in TOLD})


def _told(**values: Any) -> str:
    """What of a row may never change, as one text."""
    at = values["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return _canonical([at, *(values[name] for name in TOLD if name != "at")])


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def ranges(seqs: Sequence[int]) -> list[list[int]]:
    """Numbers as [first, last] ranges."""
    found: list[list[int]] = []
    for seq in sorted(seqs):
        if found and seq == found[-1][1] + 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return found
