"""Mentions are found by their author, whose account may go."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """To this schema."""
    op.create_index("ix_mentions_author", "mentions", ["author"])


def downgrade() -> None:
    """Back to 0003."""
    op.drop_index("ix_mentions_author", "mentions")
