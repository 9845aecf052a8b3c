"""Voices, languages and attribution of mentions; whether alerts were useful, and whether they may have arrived."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "rulings",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("json", sa.Text(), nullable=False),
    )
    op.create_table(
        "fact_checks",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False, index=True),
        sa.Column("json", sa.Text(), nullable=False),
    )
    with op.batch_alter_table("mentions") as mentions:
        mentions.add_column(sa.Column("voice", sa.Text()))
        mentions.add_column(sa.Column("language", sa.Text()))
        mentions.add_column(sa.Column("attributed", sa.Boolean()))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "answers",
        sa.Column("number", number, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("alert", sa.Text(), nullable=False, index=True),
        sa.Column("useful", sa.Boolean(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
    )
    with op.batch_alter_table("statuses") as statuses:
        statuses.add_column(sa.Column("voice", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("uncertain", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Back to 0002."""
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("uncertain")
    op.drop_table("answers")
    op.drop_table("rulings")
    op.drop_table("fact_checks")
    with op.batch_alter_table("statuses") as statuses:
        statuses.drop_column("voice")
    with op.batch_alter_table("mentions") as mentions:
        for column in ("attributed", "language", "voice"):
            mentions.drop_column(column)
