"""What is known of each narrative: its label, first post, first denial, voices, platforms and languages."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

import msgspec
import polars as pl

from monitor.frames import Tag
from monitor.records import Cited, Narrative, Quoted

_PREFIX: Final = "cluster/narrative/"
_LABEL: Final = 300
_SPEAKING: Final = ("event", "narrative", "platform", "language", "voice")
_CITED: Final = ("seen_at", "posted_at", "author", "voice")
_MOST: Final = 50
"""Voices, platforms and languages of a narrative that are named."""


class Label(msgspec.Struct, frozen=True, array_like=True):
    """The mention that a narrative is called by."""

    key: str
    slots: list[int]
    """What it asserts."""
    claims: bool

    @property
    def post(self) -> Quoted | None:
        """The post of that mention; None of no label."""
        platform, _, identity = self.key.split("\0", 2) if self.key else ("", "", "")
        return Quoted(platform=platform, id=identity) if self.key else None


NO_LABEL: Final = Label("", [], claims=False)


class _Row(msgspec.Struct, array_like=True):
    """A narrative and the mentions it names."""

    narrative: Narrative
    first: str
    """Key of the first post."""
    label: Label = NO_LABEL
    denial: str = ""
    """Key of the first denial."""


class Records:
    """The narratives of all events, as records; bounded by who adds and drops them."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, _Row]] = {}
        self._labels: dict[tuple[str, str], list[tuple[datetime, Narrative]]] = {}
        """Labels that narratives had until a time, within the last call."""
        self._left: dict[tuple[str, str], Narrative] = {}
        """Narratives that were dropped within the last call: until then they were known."""
        self._changed: dict[str, None] = {}

    def settle(self) -> None:
        """A call begins: labels are now what they are."""
        self._labels.clear()
        self._left.clear()

    def get(self, event: str, narrative: str, at: datetime | None = None) -> Narrative | None:
        """What is known of a narrative of `event`; its label as it stood at a time of the last call or later."""
        row = self._rows.get(event, {}).get(narrative)
        known = row.narrative if row is not None else None
        for until, then in self._labels.get((event, narrative), ()) if at is not None else ():
            if at is not None and at <= until:
                known = known or self._left.get((event, narrative))
                named = {"label": then.label, "label_of": then.label_of}
                return msgspec.structs.replace(known, **named) if known is not None else None
        return known

    def of(self, event: str) -> dict[str, Narrative]:
        """The narratives of an event by id."""
        return {name: row.narrative for name, row in self._rows.get(event, {}).items()}

    def per_event(self) -> dict[str, int]:
        """How many narratives each event has."""
        return {event: len(rows) for event, rows in self._rows.items()}

    def add(self, narrative: Narrative, key: str) -> None:
        """A narrative begins with the mention of this key."""
        self._rows.setdefault(narrative.event, {})[narrative.id] = _Row(narrative, key)
        self._mark(narrative.event, narrative.id)

    def drop(self, event: str, narrative: str, at: datetime) -> None:
        """It is known no more, from a time on."""
        row = self._rows.get(event, {}).pop(narrative, None)
        if row is not None:
            self._labels.setdefault((event, narrative), []).append((at, row.narrative))
            self._left[event, narrative] = row.narrative
            self._changed[f"{_PREFIX}{event}/{narrative}"] = None

    def label(self, event: str, narrative: str) -> Label:
        """What it is called by; a label without slots is none."""
        return self._rows[event][narrative].label

    def call(self, event: str, narrative: str, label: Label, text: str, at: datetime) -> None:
        """Gives it a label: the text of a mention, seen at `at`."""
        row = self._rows[event][narrative]
        row.label = label
        self._relabel(row, " ".join(text.split())[:_LABEL], at)

    def note(self, clustered: pl.DataFrame) -> None:
        """Takes note of who speaks of the narratives: CLUSTERED, in order."""
        told = clustered.select("op", "tag", *_SPEAKING, "id", "seen_at", "posted_at", "author").filter(
            (pl.col("op") == "create") & pl.col("narrative").is_not_null()
        )
        if told.is_empty():
            return
        speaking: dict[tuple[str, str], tuple[dict[str, None], ...]] = {}
        for event, name, *who in told.select(_SPEAKING).unique(maintain_order=True).iter_rows():
            for known, one in zip(speaking.setdefault((event, name), ({}, {}, {})), who, strict=True):
                if one is not None:
                    known[one] = None
        for (event, name), (platforms, languages, voices) in speaking.items():
            row = self._rows.get(event, {}).get(name)
            if row is None:
                continue
            was = row.narrative
            new = (
                _joined(was.platforms, platforms),
                _joined(was.languages, languages),
                _joined(was.voices, voices),
            )
            if new != (was.platforms, was.languages, was.voices):
                row.narrative = msgspec.structs.replace(was, platforms=new[0], languages=new[1], voices=new[2])
                self._mark(event, name)
        denials = told.filter(pl.col("tag") == Tag.DENIAL).sort("posted_at", maintain_order=True)
        denials = denials.unique(["event", "narrative"], keep="first", maintain_order=True)
        self._earliest(told)
        named = ("event", "narrative", "platform", "id", *_CITED)
        for event, name, platform, identity, *cites in denials.select(named).iter_rows():
            row = self._rows.get(event, {}).get(name)
            cited = Cited(platform=platform, id=identity, **dict(zip(_CITED, cites, strict=True)))
            before = row.narrative.first_denial if row is not None else None
            if row is not None and (before is None or posted(cited) < posted(before)):
                row.narrative = msgspec.structs.replace(row.narrative, first_denial=cited)
                row.denial = f"{platform}\0{event}\0{identity}"
                self._mark(event, name)

    def _earliest(self, told: pl.DataFrame) -> None:
        """The first post of a narrative is that which was posted first, whenever it was seen."""
        first = told.sort("posted_at", maintain_order=True).unique(
            ["event", "narrative"], keep="first", maintain_order=True
        )
        for event, name, platform, identity, *cites in first.select(
            "event", "narrative", "platform", "id", *_CITED
        ).iter_rows():
            row = self._rows.get(event, {}).get(name)
            known = row.narrative.first_post if row is not None else None
            cited = Cited(platform=platform, id=identity, **dict(zip(_CITED, cites, strict=True)))
            if row is None or known is None or cited.posted_at is None or cited.posted_at >= posted(known):
                continue
            row.narrative = msgspec.structs.replace(row.narrative, first_post=cited)
            row.first = f"{platform}\0{event}\0{identity}"
            self._mark(event, name)

    def delete(self, event: str, narrative: str, key: str, at: datetime) -> None:
        """A mention was deleted: the narrative quotes it no more, and names its author no more."""
        row = self._rows.get(event, {}).get(narrative)
        if row is None:
            return
        if key == row.label.key:
            row.label = NO_LABEL
            self._relabel(row, "", at)
        for name, of in (("first_post", row.first), ("first_denial", row.denial)):
            cited = getattr(row.narrative, name)
            if key == of and cited is not None:
                nameless = msgspec.structs.replace(cited, author=None)
                row.narrative = msgspec.structs.replace(row.narrative, **{name: nameless})
                self._mark(event, narrative)

    def merge(self, event: str, narrative: str, into: str) -> None:
        """One belongs to another from now on; into "", it is its own again."""
        rows = self._rows[event]
        source = rows[narrative]
        source.narrative = msgspec.structs.replace(source.narrative, merged_into=into)
        self._mark(event, narrative)
        if not into:
            return
        one, two = source.narrative, rows[into].narrative
        both = (rows[into], source)
        posts = [(posted(cited), row.first, cited) for row in both if (cited := row.narrative.first_post)]
        denials = [(posted(cited), row.denial, cited) for row in both if (cited := row.narrative.first_denial)]
        rows[into].first, post = min(posts, key=lambda one: one[0])[1:] if posts else (rows[into].first, None)
        rows[into].denial, denial = min(denials, key=lambda one: one[0])[1:] if denials else ("", None)
        rows[into].narrative = msgspec.structs.replace(
            two,
            first_seen=min(one.first_seen, two.first_seen),
            first_post=post,
            first_denial=denial,
            voices=_joined(two.voices, one.voices),
            platforms=_joined(two.platforms, one.platforms),
            languages=_joined(two.languages, one.languages),
        )
        self._mark(event, into)

    def forget(self, events: Collection[str]) -> None:
        """Drops the narratives of these events."""
        for event in events:
            for name in self._rows.pop(event, {}):
                self._changed[f"{_PREFIX}{event}/{name}"] = None

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call; an empty one is to be deleted."""
        changed, self._changed = self._changed, {}
        rows: dict[str, bytes] = {}
        for key in changed:
            event, _, name = key.removeprefix(_PREFIX).partition("/")
            row = self._rows.get(event, {}).get(name)
            rows[key] = b"" if row is None else msgspec.msgpack.encode(row)
        return rows

    def restore(self, rows: Mapping[str, bytes]) -> None:
        """Goes on where the records that gave all these rows left off."""
        for key in sorted(rows):
            if key.startswith(_PREFIX) and rows[key]:
                row = msgspec.msgpack.decode(rows[key], type=_Row)
                if row.narrative.label and not row.label.key:  # an older version's: called by its first post
                    row.label = Label(row.first, [], claims=False)
                row.narrative = msgspec.structs.replace(row.narrative, label_of=row.label.post)
                self._rows.setdefault(row.narrative.event, {})[row.narrative.id] = row

    def _relabel(self, row: _Row, label: str, at: datetime) -> None:
        event, name = row.narrative.event, row.narrative.id
        self._labels.setdefault((event, name), []).append((at, row.narrative))
        row.narrative = msgspec.structs.replace(row.narrative, label=label, label_of=row.label.post)
        self._mark(event, name)

    def _mark(self, event: str, narrative: str) -> None:
        self._changed[f"{_PREFIX}{event}/{narrative}"] = None


def posted(cited: Cited) -> datetime:
    """When a mention was posted; when it was seen where that was not kept."""
    return cited.posted_at or cited.seen_at


def _joined(known: tuple[str, ...], more: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *more)))[:_MOST]
