"""Which processes are at work, and how often others may be called."""

import sqlalchemy as sa
from alembic import op

revision = "0200_leases"
down_revision = "0300_vault"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("executor", sa.String(255), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("executor", name=op.f("pk_leases")),
    )
    # Each call takes a token, and a server that restarts may forget them: no log is written for this table.
    unlogged = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "limits",
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("full_at", sa.Float(), nullable=False),
        sa.Column("held_until", sa.Float(), nullable=False),
        sa.Column("turn_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_limits")),
        prefixes=unlogged,
    )


def downgrade() -> None:
    op.drop_table("limits")
    op.drop_table("leases")
