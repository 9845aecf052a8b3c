"""Archive, resume points, state rows, alerts, outbox, statuses and gaps."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHOLE = ("author_followers", "author_created_at", "reposts", "likes", "replies", "views")
_CHANCES = ("p_claim", "p_denial", "p_celebration", "p_question", "p_other")
_MENTION = (
    *("source", "platform", "id", "text", "posted_at", "seen_at", "author", "author_followers", "author_created_at"),
    *("author_verified", "lang", "reply_to", "repost_of", "quote_of", "root", "parent_text", "reposts", "likes"),
    *("replies", "views", "url", "media", "event", "via", "term", "event_time", "parent", "tag", *_CHANCES),
    *("narrative", "copy_of"),
)


def upgrade() -> None:
    """To this schema."""
    _archive()
    _restart()
    _alerts()
    _marks()


def downgrade() -> None:
    """Back to an empty store."""
    for table in ("gaps", "statuses", "outbox", "evidence", "alerts", "state", "resume_points", "mentions"):
        op.drop_table(table)


def _archive() -> None:
    op.create_table(
        "mentions",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("key", sa.BigInteger(), nullable=False, unique=True),
        *(sa.Column(name, _type(name)) for name in _MENTION),
        sa.Column("deleted", sa.Boolean(), nullable=False),
    )


def _type(name: str) -> sa.BigInteger | sa.Boolean | sa.Float[float] | sa.Text:
    if name in {*_WHOLE, "posted_at", "seen_at", "event_time"}:
        return sa.BigInteger()
    if name in _CHANCES:
        return sa.Float()
    return sa.Boolean() if name == "author_verified" else sa.Text()


def _restart() -> None:
    op.create_table(
        "resume_points",
        sa.Column("source", sa.Text(), primary_key=True),
        sa.Column("cursor", sa.Text(), nullable=False),
    )
    op.create_table(
        "state",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("fingerprint", sa.Text(), nullable=False, index=True),
        sa.Column("state", sa.Text(), nullable=False, index=True),
        sa.Column("json", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "evidence",
        sa.Column("mention", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("alert_id", sa.Text(), primary_key=True),
    )
    op.create_table(
        "outbox",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False, unique=True),
        sa.Column("receiver", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False, index=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, index=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=False),
    )


def _marks() -> None:
    op.create_table(
        "statuses",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("event", "narrative", "status", "by", "evidence")),
    )
    op.create_table(
        "gaps",
        sa.Column("number", _NUMBER, primary_key=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("begins", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
    )
