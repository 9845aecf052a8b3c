"""What a scenario file says: strands of posts, each with its course in time, in hours since the scenario begins."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = ("panjshir", "bank-run", "death-hoax", "quiet-week")
"""Every scenario that can be generated."""

Curve = Annotated[tuple[tuple[float, float], ...], Meta(min_length=2)]
"""(hour, level) knots, joined by straight lines."""
Shares = dict[str, Annotated[float, Meta(gt=0)]]
"""Name → weight; weights need not add up to one."""


class Moment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One original at a fixed time by a voice of the story, and how widely it is shared."""

    hour: float
    platform: str
    language: str
    pool: str
    """Where its text is taken from."""
    reach: float = 20.0
    """Expected children, as a multiple of those of an ordinary post."""


class Strand(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Posts that say one kind of thing, with all that answers and repeats them."""

    pool: str
    """Pool of stems; its first word is the tag."""
    share: Annotated[float, Meta(gt=0, lt=1)]
    """Of all posts, children included."""
    curve: Curve
    """Level of originals that nobody else's post set off."""
    story: str | None = None
    """Which assertion; None where nothing is asserted."""
    branching: Annotated[float, Meta(ge=0, lt=0.9)] = 0.55
    """Expected children of a post."""
    daily: bool = False
    """Whether the curve is multiplied by the daily cycle."""
    mention: bool = True
    """Whether the posts are to be matched: they carry a term of the event, or are about it."""
    stirs: bool = False
    """Whether answers take sides although no assertion is made."""
    aside: bool = False
    """Off topic: answers are small talk."""
    languages: Shares = {}
    """Instead of the scenario's."""
    platforms: Shares = {}
    moments: tuple[Moment, ...] = ()


class Burst(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Coordinated copy and paste: few new accounts, one text, minutes."""

    hour: float
    minutes: float
    authors: int
    share: Annotated[float, Meta(gt=0, lt=0.01)]
    pool: str
    story: str
    platform: str
    language: str


class Scenario(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A story from which any number of posts can be generated."""

    name: str
    event: str
    """Name of the event file it belongs to."""
    posts: int
    """How many are generated unless somebody asks for another number; met within a few per cent."""
    begins: datetime
    hours: float
    story: str
    """The assertion that is meant where an answer takes sides under a post that asserts nothing."""
    texts: tuple[str, ...]
    """Books of stems, by the first word of their files."""
    languages: Shares
    platforms: Shares
    doubt: Curve
    """Share of denials among the answers that take a side."""
    daily_peak: float = 14.0
    """Hour of the day (UTC) at which the daily cycle peaks."""
    cheers: bool = True
    """Whether answers congratulate."""
    strands: tuple[Strand, ...]
    bursts: tuple[Burst, ...] = ()

    def at(self, hour: float) -> datetime:
        """The time `hour` hours after the scenario begins, in UTC."""
        return self.begins + timedelta(hours=hour)


def load(name: str) -> Scenario:
    """The scenario of that name; KeyError where there is none."""
    if name not in NAMES:
        why = f"no scenario {name!r}; there are {', '.join(NAMES)}"
        raise KeyError(why)
    return msgspec.toml.decode((SCENARIOS / f"{name}.toml").read_bytes(), type=Scenario)
