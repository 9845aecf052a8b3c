"""What an operator has watched: events, and the rules by which their alerts fire."""

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self

import msgspec
from msgspec import Meta, Struct

# `$` of Python stands before a last line break too: no pattern of ours does, in JSON Schema neither
Name = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$(?!\n)", description="lower-case words joined by hyphens")
]
Term = Annotated[str, Meta(min_length=1, max_length=200)]
Terms = tuple[Term, ...]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$(?!\n)", description="an ISO 639 code, as in `en` or `fa`")]


class Duration(timedelta):
    """A length of time as an operator writes it: `90s`, `15m`, `3h`, `7d`."""

    _UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}  # noqa: RUF012

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `15m`; raises ValueError that says what is expected."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)", text.strip())
        if not found:
            why = f"{text!r} is no length of time; write a number and a unit, as in 90s, 15m, 3h or 7d"
            raise ValueError(why)
        return cls(**{cls._UNITS[found[2]]: float(found[1])})


class Rules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an event's alerts fire; every number is a setting under `[rules]` of the event file."""

    alert_on: tuple[str, ...] = ("race",)
    """Which findings become alerts: `race`, `spike`."""
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    """The chance per event and rolling 30 days that a race alert fires although claims do not outrun denials."""
    minimum_originals: Annotated[int, Meta(ge=2)] = 10
    """A race needs this many original claims (an author counts once)."""
    minimum_authors: Annotated[int, Meta(ge=1)] = 8
    """… by this many distinct authors,"""
    minimum_platforms: Annotated[int, Meta(ge=1)] = 1
    """… on this many platforms."""
    warm_up: Duration = Duration(hours=3)
    """History an event needs before its baseline counts; until then: warming up, no alarm."""
    spike_ratio: Annotated[float, Meta(gt=1)] = 3.0
    """A spike stands at least this many times above its baseline,"""
    spike_score: Annotated[float, Meta(gt=0)] = 4.0
    """… and is this improbable under it (−log10 of the tail probability)."""
    for_: Duration = msgspec.field(name="for", default=Duration(minutes=2))
    """A finding must hold this long before its alert fires."""
    keep_firing: Duration = Duration(minutes=30)
    """A firing alert resolves only after its finding was gone this long."""
    quiet: Duration = Duration(hours=6)
    """A race ends when the event showed no spike for this long."""


Account = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9_-]{1,32}:\S.{0,255}$(?!\n)", description="a platform, a colon, the author, as in `x:ada`"),
]
Link = Annotated[
    str,
    Meta(
        pattern=r"^https://[^\s/?#]+/([^\s?#]*/)?$(?!\n)",
        description="the begin of addresses, as in `https://example.org/ada/`",
    ),
]


class VoiceKind(StrEnum):
    """What a voice is to the event."""

    PARTY = "party"
    OFFICIAL = "official"
    WIRE = "wire"
    FACT_CHECKER = "fact-checker"


class Voice(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A registered source of an event: one `[[voices]]` of the event file."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    """As cards show it."""
    kind: VoiceKind
    """`party`: takes part in the event; `official`: an authority on it; `wire`: a news agency; `fact-checker`."""
    accounts: tuple[Account, ...] = ()
    """Its accounts: platform, colon, author as the source names it."""
    links: tuple[Link, ...] = ()
    """Or the begin of the addresses under which it publishes, ending with a slash."""
    settles: bool = True
    """Its own word settles a narrative's status; never that of a party, whatever stands here."""


class Event(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A watched happening in the world: one file under `config/events/`."""

    name: Name
    proposition: Annotated[str, Meta(min_length=3, max_length=500)]
    """The assertion that is being watched, in one sentence."""
    any: Annotated[Terms, Meta(min_length=1)]
    """Terms or phrases one of which makes a post a mention; `["*"]` takes every post."""
    all: Terms = ()
    """Terms that must all occur as well."""
    none: Terms = ()
    """Terms that rule a post out."""
    wordings: Terms = ()
    """The proposition in other words and languages."""
    languages: tuple[Language, ...] = ()
    """Languages (ISO 639) whose attached prefixes and suffixes the terms may carry."""
    people: dict[Term, Terms] = {}
    """People of the event: a name, and its spellings."""
    places: dict[Term, Terms] = {}
    """Places of the event; a post that names a place and a person matches without an `any` term."""
    voices: tuple[Voice, ...] = ()
    """Registered sources: who is party to the event, and whose word settles what is claimed of it."""
    starts_at: datetime | None = None
    """Posts with an earlier event time are no mentions."""
    ends_at: datetime | None = None
    """Posts with an event time at or after this are no mentions."""
    receivers: tuple[Name, ...] = ()
    """Receivers that are told of this event's alerts; none named means all."""
    rules: Rules = Rules()
    """When its alerts fire."""


class Exchange(Struct, frozen=True, kw_only=True):
    """From the batch that was closed at a time on, these events are watched and no others."""

    at: datetime
    events: tuple[Event, ...]
