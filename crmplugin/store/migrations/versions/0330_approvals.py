"""What was said about approvals that wait, and what models cost."""

import sqlalchemy as sa
from alembic import op

revision = "0330_approvals"
down_revision = "0320_suppressions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "approval_waits",
        sa.Column("draft", sa.String(length=64), nullable=False),
        sa.Column("reminded_at", sa.String(27), nullable=True),
        sa.Column("escalated_at", sa.String(27), nullable=True),
        sa.PrimaryKeyConstraint("draft", name=op.f("pk_approval_waits")),
    )
    op.create_table(
        "spending",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "connection", "person", "kind", name=op.f("pk_spending")),
    )


def downgrade() -> None:
    op.drop_table("spending")
    op.drop_table("approval_waits")
