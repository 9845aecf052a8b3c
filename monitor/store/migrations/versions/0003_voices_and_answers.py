"""Voices, languages and attribution of mentions; notifications of which nobody knows whether they arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """To this schema."""
    with op.batch_alter_table("mentions") as mentions:
        mentions.add_column(sa.Column("voice", sa.Text()))
        mentions.add_column(sa.Column("language", sa.Text()))
        mentions.add_column(sa.Column("attributed", sa.Boolean()))
    with op.batch_alter_table("statuses") as statuses:
        statuses.add_column(sa.Column("voice", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("uncertain", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back to 0002."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("uncertain")
    with op.batch_alter_table("statuses") as statuses:
        statuses.drop_column("voice")
    with op.batch_alter_table("mentions") as mentions:
        for column in ("attributed", "language", "voice"):
            mentions.drop_column(column)
