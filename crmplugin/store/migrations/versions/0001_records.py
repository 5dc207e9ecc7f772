"""Records, their names and addresses, versions of the owner's rules, imports and fits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(255)
COLLECTION = sa.String(32)
TIME = sa.String(27)

PARTIAL_INDEXES: Sequence[tuple[str, Sequence[str]]] = (
    ("ix_records_company", ("company_id", "collection", "at")),
    ("ix_records_deal", ("deal_id", "collection", "at")),
    ("ix_records_ticket", ("ticket_id",)),
    ("ix_records_product", ("product_id",)),
    ("ix_records_source", ("source",)),
)


def upgrade() -> None:
    _create_records()
    _create_lookups()
    _create_history()
    op.create_table(
        "fits",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("computed_at", TIME, nullable=False),
        sa.Column("doc", sa.Text, nullable=False),
    )


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("collection", COLLECTION, primary_key=True),
        sa.Column("id", ID, primary_key=True),
        sa.Column("doc", sa.Text, nullable=False),
        sa.Column("company_id", ID),
        sa.Column("deal_id", ID),
        sa.Column("ticket_id", ID),
        sa.Column("product_id", ID),
        sa.Column("source", ID),
        sa.Column("at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    for name, columns in PARTIAL_INDEXES:
        filled = sa.column(columns[0]).is_not(None)
        op.create_index(name, "records", ["connection", *columns], sqlite_where=filled, postgresql_where=filled)


def _create_lookups() -> None:
    op.create_table(
        "contact_links",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("contact_id", ID, primary_key=True),
        sa.Column("collection", COLLECTION, primary_key=True),
        sa.Column("id", ID, primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
    )
    op.create_index("ix_contact_links_record", "contact_links", ["connection", "collection", "id"])
    op.create_table(
        "names",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("record_id", ID, primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("owner_id", ID),
        sa.Column("text", sa.String(300), nullable=False),
    )
    op.create_table(
        "addresses",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("normalised", sa.String(320), primary_key=True),
        sa.Column("contact_id", ID, primary_key=True),
    )
    op.create_index("ix_addresses_contact", "addresses", ["connection", "contact_id"])


def _create_history() -> None:
    op.create_table(
        "record_versions",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("collection", COLLECTION, primary_key=True),
        sa.Column("id", ID, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("doc", sa.Text),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_table(
        "record_revisions",
        sa.Column("connection", ID, primary_key=True),
        sa.Column("collection", COLLECTION, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("connection", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("updated", sa.Integer, nullable=False),
        sa.Column("unchanged", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
    )
    op.create_index("ix_imports_connection", "imports", ["connection", "at"])
