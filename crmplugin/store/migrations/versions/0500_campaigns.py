"""Campaigns, their recipients, and the promotional messages that left through them."""

import sqlalchemy as sa
from alembic import op

revision = "0500_campaigns"
down_revision = "0200_leases"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(27), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    op.create_index("ix_campaigns_created_at", "campaigns", ["created_at", "id"])
    op.create_table(
        "campaign_recipients",
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("contact", sa.String(255), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("company", sa.String(255), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("variant", sa.String(8), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("document", sa.JSON()),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.String(27), nullable=False),
        sa.Column("exported_at", sa.String(27)),
        sa.PrimaryKeyConstraint("campaign", "contact", "channel", name=op.f("pk_campaign_recipients")),
    )
    op.create_index("ix_campaign_recipients_state", "campaign_recipients", ["campaign", "state", "lane"])
    op.create_table(
        "campaign_touches",
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("contact", sa.String(255), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.PrimaryKeyConstraint("connection", "address", "campaign", "channel", name=op.f("pk_campaign_touches")),
    )
    op.create_index("ix_campaign_touches_contact", "campaign_touches", ["connection", "contact"])


def downgrade() -> None:
    op.drop_table("campaign_touches")
    op.drop_table("campaign_recipients")
    op.drop_table("campaigns")
