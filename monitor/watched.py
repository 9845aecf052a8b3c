"""What an operator has watched: events, and the rules by which their alerts fire."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
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


class Lifetime(Duration):
    """How long something is kept, as an operator writes it: `180d`, or `forever`."""

    FOREVER = "forever"
    _ENDLESS = 999_999_999

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `180d` or `forever`; raises ValueError that says what is expected."""
        return cls(days=cls._ENDLESS) if text.strip() == cls.FOREVER else super().parse(text)

    @property
    def endless(self) -> bool:
        """Whether it was written as `forever`."""
        return self.days == self._ENDLESS

    def before(self, now: datetime) -> datetime | None:
        """The time before which nothing is kept at `now`; None where that is before all time."""
        return None if self >= now - datetime.min.replace(tzinfo=UTC) else now - self


class Preset(StrEnum):
    """How readily an event's alerts fire, in one word."""

    FEWER = "fewer"
    BALANCED = "balanced"
    MORE = "more"


class Measure(StrEnum):
    """A count of an event that has a normal level, and spikes above it."""

    POSTS = "posts"
    ORIGINALS = "originals"
    AUTHORS = "authors"
    REPOSTS = "reposts"
    CLAIMS = "claims"
    DENIALS = "denials"
    CELEBRATIONS = "celebrations"
    QUESTIONS = "questions"


class Rules(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an event's alerts fire; every number is a setting under `[rules]` of the event file.

    The defaults here are those of the preset `balanced`; a file that names another one has that one's (`PRESETS`).
    """

    preset: Preset = Preset.BALANCED
    """How readily alerts fire: `fewer`, `balanced` or `more`; it sets what is not set here (docs/rules.md)."""
    alert_on: tuple[str, ...] = ("race", "volume", "celebration")
    """Which findings become alerts: `race`, `spike`, `volume`, `celebration`, `quiet`."""
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    """The chance per event and rolling 30 days that a race alert fires although claims do not outrun denials."""
    minimum_originals: Annotated[int, Meta(ge=2)] = 10
    """A race needs this many original claims (an author counts once)."""
    minimum_authors: Annotated[int, Meta(ge=1)] = 8
    """… by this many distinct authors,"""
    minimum_platforms: Annotated[int, Meta(ge=1)] = 1
    """… on this many platforms."""
    false_alarms_per_day: Annotated[float, Meta(gt=0, le=24)] = 0.1
    """Announced per event and measure: a spike begins at most so often a day, on average, though nothing happened."""
    spike_on: tuple[Measure, ...] = (Measure.POSTS,)
    """Counts one of which has to spike for the finding `spike`."""
    warm_up: Duration = Duration(hours=3)
    """History an event needs before its baseline counts; until then: warming up, no spike."""
    spike_ratio: Annotated[float, Meta(gt=1)] = 2.0
    """A spike stands at least this many times above its baseline, whatever is announced,"""
    spike_score: Annotated[float, Meta(gt=0)] = 4.0
    """… and is in the first two weeks, in which its own past says too little, this improbable (−log10 of the tail)."""
    volume: Annotated[int, Meta(ge=2)] = 20
    """Original claims of one narrative (an author counts once) within `volume_span` that make the finding `volume`."""
    volume_posts: Annotated[int, Meta(ge=0)] = 0
    """Posts of the whole event within `volume_span` that make it too; 0: no number of them does."""
    volume_span: Duration = Duration(hours=1)
    """The time in which `volume` and `volume_posts` are counted, in whole minutes."""
    minimum_celebrations: Annotated[int, Meta(ge=2)] = 5
    """Reports of celebration (an author counts once) in ten minutes without which they are no finding."""
    silent_times: Annotated[float, Meta(gt=1)] = 2.0
    """A source or voice is quiet when it says nothing for so many times its longest silence of the last seven days,"""
    silent_least: Duration = Duration(hours=1)
    """… and at least this long."""
    for_: Duration = msgspec.field(name="for", default=Duration(minutes=2))
    """A finding must hold this long before its alert fires."""
    keep_firing: Duration = Duration(minutes=30)
    """A firing alert resolves only after its finding was gone this long."""
    repeat_least: Duration = Duration(minutes=15)
    """Of an alert that goes on firing the desk is told again, when something changed, no sooner than this,"""
    repeat_interval: Duration = Duration(days=1)
    """… and this long after it was told last it is reminded, unless somebody acknowledged; each time twice as late."""
    quiet: Duration = Duration(hours=6)
    """A race ends when the event showed no spike for this long."""


PRESETS: Mapping[Preset, Mapping[str, object]] = MappingProxyType(
    {
        Preset.FEWER: MappingProxyType(
            {"alert_on": ["race", "volume"], "alpha": 0.01, "false_alarms_per_day": 0.02, "volume": 50, "for": "5m"}
        ),
        Preset.BALANCED: MappingProxyType({}),
        Preset.MORE: MappingProxyType(
            {
                "alert_on": ["race", "spike", "volume", "celebration", "quiet"],
                "alpha": 0.1,
                "false_alarms_per_day": 0.5,
                "spike_on": ["posts", "questions"],
                "volume": 10,
            }
        ),
    }
)
"""Preset → the settings under `[rules]`, as in a file, that it has unlike the defaults."""


def with_preset(event: Mapping[str, object]) -> Mapping[str, object]:
    """An event file's document with what its preset says wherever the file itself says nothing."""
    rules = event.get("rules")
    if not isinstance(rules, Mapping) or rules.get("preset") not in set(Preset):
        return event
    return {**event, "rules": {**PRESETS[Preset(rules["preset"])], **rules}}


def alerting_counts(rules: Rules) -> int:
    """How many counts of an event alert by their spikes."""
    spiking = set(rules.spike_on) if "spike" in rules.alert_on else set()
    return len(spiking | ({Measure.CELEBRATIONS} if "celebration" in rules.alert_on else set()))


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


def with_board_rate(events: Sequence[Event], per_day: float | None) -> list[Event]:
    """The events, none of whose counts is falsely alarming more often than its share of a rate for all of them.

    The share of each count that alerts is equal; a count's own announced rate holds where it is lower.
    """
    counts = sum(alerting_counts(event.rules) for event in events)
    if per_day is None or not counts:
        return list(events)
    share = per_day / counts
    rates = [min(event.rules.false_alarms_per_day, share) for event in events]
    return [
        msgspec.structs.replace(event, rules=msgspec.structs.replace(event.rules, false_alarms_per_day=rate))
        for event, rate in zip(events, rates, strict=True)
    ]
