"""What the JSON API takes and answers of narratives that are one, or are not."""

from typing import Annotated

from msgspec import Meta, Struct

from monitor.marks import MergeMark, SplitMark
from monitor.web.bodies import NO_NUL, By, Word

Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=NO_NUL, description="a narrative's id")]


class Suggestion(Struct, frozen=True, kw_only=True):
    """Two narratives that may be one."""

    narrative: str
    into: str
    likeness: float
    """Cosine of what they assert, up to 1."""
    label: str
    into_label: str


class SuggestionList(Struct, frozen=True, kw_only=True):
    """Narratives of an event that may be one, the most alike first."""

    suggestions: tuple[Suggestion, ...]


class MergeAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two narratives are one: from here on, what belongs to the first belongs to the other."""

    narrative: Id
    into: Id
    by: By


class SplitAsked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merged narrative is its own again; or an archived mention leaves its narrative and begins one of its own."""

    narrative: Id
    by: By
    platform: Word = ""
    id: Annotated[str, Meta(max_length=256, pattern=NO_NUL)] = ""
    """The mention that leaves, with its platform; left out where a merge is undone."""


class RulingList(Struct, frozen=True, kw_only=True):
    """What editors merged and split, the newest last."""

    merges: tuple[MergeMark, ...]
    splits: tuple[SplitMark, ...]
