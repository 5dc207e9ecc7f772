"""How far each CRM was read, and when to read it again."""

import sqlalchemy as sa
from alembic import op

revision = "0210_syncs"
down_revision = "0310_audit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "syncs",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("up_to", sa.String(27), nullable=True),
        sa.Column("since", sa.String(27), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.String(27), nullable=True),
        sa.Column("finished_at", sa.String(27), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("held_by", sa.String(64), nullable=True),
        sa.Column("held_until", sa.String(27), nullable=True),
        sa.Column("renew_at", sa.String(27), nullable=True),
        sa.Column("mirrored_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_syncs")),
    )
    op.create_index("ix_events_at", "events", ["connection", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_events_at", table_name="events")
    op.drop_table("syncs")
