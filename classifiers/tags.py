"""The five tags of the codebook, in the order every frame, artifact and table uses."""

from enum import StrEnum


class Tag(StrEnum):
    """What a post does with respect to the watched event."""

    CLAIM = "claim"
    DENIAL = "denial"
    CELEBRATION = "celebration"
    QUESTION = "question"
    OTHER = "other"


TAGS: tuple[Tag, ...] = tuple(Tag)
