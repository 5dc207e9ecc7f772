"""Credentials that change by themselves, sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0300_vault"
down_revision = "0100"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault",
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.String(27), nullable=True),
        sa.Column("changed_at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name=op.f("pk_vault")),
    )


def downgrade() -> None:
    op.drop_table("vault")
