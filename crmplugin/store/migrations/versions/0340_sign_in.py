"""Sessions that have names and can be ended by them; sign-ins that failed."""

import sqlalchemy as sa
from alembic import op

revision = "0340_sign_in"
down_revision = "0700_style_sheets"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("id", sa.String(length=32), nullable=True))
    op.add_column("sessions", sa.Column("person", sa.String(length=255), nullable=True))
    op.add_column("sessions", sa.Column("users", sa.JSON(), nullable=True))
    op.create_table(
        "sign_in_failures",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_sign_in_failures")),
    )


def downgrade() -> None:
    op.drop_table("sign_in_failures")
    for name in ("users", "person", "id"):
        op.drop_column("sessions", name)
