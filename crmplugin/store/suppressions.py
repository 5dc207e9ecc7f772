"""Addresses that nobody may promote to any more, though the person behind them is not on record."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select

from crmplugin.domain.crm import Channel, Consent, Contact, Context
from crmplugin.store.database import insert_into
from crmplugin.store.guard import reading
from crmplugin.store.record_keys import Normalise, addresses_of
from crmplugin.store.record_writes import chunks
from crmplugin.store.tables_access import suppressions

CHANNELS: Mapping[str, tuple[Channel, ...]] = {"email": ("email",), "phone": ("phone", "sms")}
"""Kind of address -> the channels that lead to it."""
SOURCE = "suppression list"
ANY = select(suppressions.c.hash).where(suppressions.c.connection == bindparam("connection")).limit(1)


class Suppressions:
    """`pepper` keeps the hashes from being guessed by whoever has only the database."""

    def __init__(self, engine: Engine, pepper: str, normalise: Normalise) -> None:
        self._engine, self._pepper, self._normalise = engine, pepper.encode(), normalise

    def add_in(self, db: Connection, connection: str, addresses: Iterable[tuple[str, str]], *, at: datetime) -> int:
        """Suppresses normalised addresses (kind, address) within the caller's transaction; gives back how many."""
        rows = [self._key(connection, kind, address) | {"at": at} for kind, address in addresses]
        if rows:
            db.execute(insert_into(db, suppressions).on_conflict_do_nothing(), rows)
        return len(rows)

    def apply(self, context: Context) -> Context:
        """The context, in which every contact with a suppressed address has said no to the channels that lead to it."""
        mine = suppressions.c.connection == context.connection
        with reading(self._engine) as db:
            if db.execute(ANY, {"connection": context.connection}).first() is None:
                return context
            people = (*context.contacts, *context.namesakes, *([context.contact] if context.contact else []))
            keys = {contact.id: self._keys_of(context, contact) for contact in people}
            hashes = {key["hash"] for found in keys.values() for key in found}
            query = select(suppressions.c.hash, suppressions.c.at)
            asked = [query.where(mine, suppressions.c.hash.in_(some)) for some in chunks(hashes)]
            found = {hash_: at for statement in asked for hash_, at in db.execute(statement)}
        said_no = {id_: {k["kind"]: found[k["hash"]] for k in of if k["hash"] in found} for id_, of in keys.items()}
        return replace(
            context,
            contacts=tuple(_silenced(c, said_no[c.id]) for c in context.contacts),
            namesakes=tuple(_silenced(c, said_no[c.id]) for c in context.namesakes),
            contact=_silenced(context.contact, said_no.get(context.contact.id, {})) if context.contact else None,
        )

    def _keys_of(self, context: Context, contact: Contact) -> list[dict[str, Any]]:
        company = context.company.country if context.company and context.company.id == contact.company_id else None
        country = contact.country or company or context.seller.country
        document = {"email": contact.email, "phone": contact.phone}
        found = addresses_of(document, country=country, normalise=self._normalise)
        return [self._key(context.connection, kind, address) for kind, address in found]

    def _key(self, connection: str, kind: str, address: str) -> dict[str, Any]:
        text = f"suppressed\0{connection}\0{kind}\0{address}".encode()
        digest = hmac.new(self._pepper, text, hashlib.sha256).hexdigest()
        return {"connection": connection, "kind": kind, "hash": digest}


def _silenced(contact: Contact, kinds: Mapping[str, datetime]) -> Contact:
    """The contact, who has said no on the channels of these addresses."""
    if not kinds:
        return contact
    pairs = [(channel, at) for kind, at in kinds.items() for channel in CHANNELS[kind]]
    said_no = {channel: Consent(state="withdrawn", at=at, source=SOURCE) for channel, at in pairs}
    return replace(contact, consent={**contact.consent, **said_no})
