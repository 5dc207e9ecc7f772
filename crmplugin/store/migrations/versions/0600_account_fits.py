"""What the fit over all histories says of each account."""

import sqlalchemy as sa
from alembic import op

revision = "0600_account_fits"
down_revision = "0500_campaigns"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_fits",
        sa.Column("connection", sa.String(length=255), nullable=False),
        sa.Column("account", sa.String(length=300), nullable=False),
        sa.Column("computed_at", sa.String(27), nullable=False),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "account", name=op.f("pk_account_fits")),
    )


def downgrade() -> None:
    op.drop_table("account_fits")
