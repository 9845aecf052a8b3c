"""What is said of one panel of a dashboard."""

from collections.abc import Sequence
from typing import NamedTuple


class Panel(NamedTuple):
    """A title, what it shows for whom, and its queries with the legend of each."""

    title: str
    about: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    width: int = 12
    stacked: bool = False
    now: bool = False
    """The last value, large, instead of a line."""
