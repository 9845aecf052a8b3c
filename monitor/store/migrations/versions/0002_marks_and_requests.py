"""Silences, exchanges of events, corrections, and answers to requests that may come again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this schema."""
    op.create_table(
        "silences",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False, index=True),
        sa.Column("json", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "exchanges",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
    )
    op.create_table(
        "corrections",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("event", "platform", "id", "tag", "by", "reads")),
    )
    op.create_table(
        "answered",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("digest", sa.Text(), nullable=False, index=True),
        sa.Column("json", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False, index=True),
    )


def downgrade() -> None:
    """Back to 0001."""
    for table in ("answered", "corrections", "exchanges", "silences"):
        op.drop_table(table)
