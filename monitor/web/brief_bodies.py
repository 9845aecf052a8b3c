"""What is asked of briefs."""

from msgspec import Struct


class WithAuthors(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a brief names authors."""

    authors: bool = False
