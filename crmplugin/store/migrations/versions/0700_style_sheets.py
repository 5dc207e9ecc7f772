"""Style sheets of reps."""

import sqlalchemy as sa
from alembic import op

revision = "0700_style_sheets"
down_revision = "0330_approvals"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "style_sheets",
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "user_id", "kind", "language", name=op.f("pk_style_sheets")),
    )


def downgrade() -> None:
    op.drop_table("style_sheets")
