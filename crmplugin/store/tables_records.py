"""Tables of records: the local CRM, the mirror of others, and what is learned from them. Rows are scoped by connection.

Times are text in UTC, `2026-03-10T14:05:00.000000Z`: it sorts like the instant on every database.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from crmplugin.store.database import metadata

ID = String(255)
TIME = String(27)
NAME_LENGTH = 300
ADDRESS_LENGTH = 320
"""RFC 3696: 64 for the name, an @, 255 for the host."""

records = Table(
    "records",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("collection", String(32), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("doc", Text, nullable=False),
    Column("company_id", ID),
    Column("deal_id", ID),
    Column("ticket_id", ID),
    Column("product_id", ID),
    Column("source", ID),
    Column("at", TIME, nullable=False),
    Column("changed_at", TIME, nullable=False),
)
"""One row a record. `doc` is the document of `domain/records.py`; the other columns repeat what queries look for.

A company's own row has itself as `company_id`; `product_id` is filled for prices, `source` for activities; `at` is
when it happened (empty when the CRM does not say), `changed_at` when we last wrote it. Seller, policy and voice are
rows whose id is the name of their collection.
"""


def _where_filled(name: str, *columns: str) -> Index:
    # Most rows have no value here; a partial index keeps them out of it, on both databases.
    filled = records.c[columns[0]].is_not(None)
    return Index(
        name,
        records.c.connection,
        *(records.c[column] for column in columns),
        sqlite_where=filled,
        postgresql_where=filled,
    )


BY_COMPANY = _where_filled("ix_records_company", "company_id", "collection", "at")
BY_DEAL = _where_filled("ix_records_deal", "deal_id", "collection", "at")
BY_TICKET = _where_filled("ix_records_ticket", "ticket_id")
BY_PRODUCT = _where_filled("ix_records_product", "product_id")
BY_SOURCE = _where_filled("ix_records_source", "source")

contact_links = Table(
    "contact_links",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("contact_id", ID, primary_key=True),
    Column("collection", String(32), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("place", Integer, nullable=False),
    Index("ix_contact_links_record", "connection", "collection", "id"),
)
"""Which records name a contact; `place` 0 is the one that comes first (a deal's primary contact)."""

names = Table(
    "names",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("record_id", ID, primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("owner_id", ID),
    Column("text", String(NAME_LENGTH), nullable=False),
)
"""Every name of a connection that a foreign text must not hold."""

addresses = Table(
    "addresses",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("normalised", String(ADDRESS_LENGTH), primary_key=True),
    Column("contact_id", ID, primary_key=True),
    Index("ix_addresses_contact", "connection", "contact_id"),
)
"""Normalised addresses and numbers of contacts, to find two contacts that are one mailbox."""

record_versions = Table(
    "record_versions",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("collection", String(32), primary_key=True),
    Column("id", ID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("doc", Text),
    Column("changed_at", TIME, nullable=False),
)
"""Every state of what the owner decides (policy, claims, prices, product costs, …), from 1; a null doc is a removal."""

record_revisions = Table(
    "record_revisions",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("collection", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("changed_at", TIME, nullable=False),
)
"""Counts the changes of a collection, so that caches know. The row with an empty collection is the writers' lock."""

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("connection", ID, nullable=False),
    Column("at", TIME, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Index("ix_imports_connection", "connection", "at"),
)
"""One row an import: how old the data are, and what came in."""

fits = Table(
    "fits",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("computed_at", TIME, nullable=False),
    Column("doc", Text, nullable=False),
)
"""What was learned over all accounts of a connection, as JSON, by name."""

account_fits = Table(
    "account_fits",
    metadata,
    Column("connection", ID, primary_key=True),
    Column("account", String(NAME_LENGTH), primary_key=True),
    Column("computed_at", TIME, nullable=False),
    Column("days", Text, nullable=False),
    Column("doc", Text, nullable=False),
)
"""Of each account with orders: what it bought on which day, and what the fit over all histories says of it. The account
is a company's id, or `contact:` and the id of a contact without company."""
