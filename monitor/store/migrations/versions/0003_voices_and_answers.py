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
        "acknowledgements",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("alert", "by", "assignee", "comment")),
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
        mentions.add_column(sa.Column("payload_sha256", sa.Text()))
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
    op.create_table(
        "fired",
        sa.Column("alert_id", sa.Text(), primary_key=True),
        sa.Column("json", sa.Text(), nullable=False),
    )
    with op.batch_alter_table("statuses") as statuses:
        statuses.add_column(sa.Column("voice", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("outbox") as outbox:
        outbox.add_column(sa.Column("uncertain", sa.Boolean(), nullable=False, server_default=sa.false()))
        outbox.add_column(sa.Column("card", sa.Text(), nullable=False, server_default=""))
        outbox.add_column(sa.Column("sent_at", sa.BigInteger()))
    op.execute("UPDATE outbox SET card = alert_id")
    op.create_index("ix_outbox_card", "outbox", ["card"])
    op.create_index("ix_outbox_sent_at", "outbox", ["sent_at"])


def downgrade() -> None:
    """Back to 0002."""
    op.drop_index("ix_outbox_sent_at", "outbox")
    op.drop_index("ix_outbox_card", "outbox")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("sent_at")
        outbox.drop_column("card")
        outbox.drop_column("uncertain")
    op.drop_table("fired")
    op.drop_table("answers")
    op.drop_table("acknowledgements")
    op.drop_table("rulings")
    op.drop_table("fact_checks")
    with op.batch_alter_table("statuses") as statuses:
        statuses.drop_column("voice")
    with op.batch_alter_table("mentions") as mentions:
        for column in ("payload_sha256", "attributed", "language", "voice"):
            mentions.drop_column(column)
