"""The narratives that have begun: what they assert, what is known of them, and what editors said of them."""

from collections.abc import Collection, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.cluster.asserted import Said, ordinary_shares
from monitor.cluster.known import Label, Records
from monitor.cluster.mentions import Mentions
from monitor.cluster.similar import Near, Similar
from monitor.frames import Tag
from monitor.marks import MergeMark, Ruling, SplitMark
from monitor.records import Cited, Narrative

BLOCK: Final = 200_000
MOST_BEGUN: Final = 10_000
"""Narratives of an event that begin within so many mentions; what would begin one more has none."""
_SIMILAR: Final = "cluster/similar/"
_RULED: Final = "cluster/ruled/"
_BEGAN: Final = "cluster/began/"
_ANY_POST: Final = 0.01
"""A word that this share of ordinary posts holds asserts nothing."""
_BETTER: Final = 0.02
"""How much more central an original must be to take the label's place."""

Post = tuple[str, str, pl.DataFrame, int, int]
"""Key and tag of a mention, the frame and the row in which it stands, its number."""


class Gone(NamedTuple):
    """A narrative that is known no more."""

    at: datetime
    event: str
    narrative: str


class _Ruled(msgspec.Struct, array_like=True):
    """What editors said of an event's narratives."""

    merged: dict[str, str]
    """Narrative → what it belongs to."""
    moved: dict[str, str]
    """Key of a mention → the narrative that began when it left another."""
    apart: list[tuple[str, str]]
    """Narratives that are not to be suggested as one."""


class _Began(msgspec.Struct, array_like=True):
    """How many narratives of an event began within a block of mentions."""

    block: int
    begun: int


class Begun:
    """Bounded: the live narratives of each event, and those that an editor merged into one of them."""

    def __init__(self) -> None:
        self.records = Records()
        self.forgotten = 0
        """Narratives that made room for others,"""
        self.left: list[Gone] = []
        """… and those that did lately, until somebody takes them,"""
        self.refused = 0
        """… and originals for which there was none."""
        self._similar: dict[str, Similar] = {}
        self._main: dict[str, str] = {}
        self._proposed: dict[str, list[Said]] = {}
        self._common: dict[str, npt.NDArray[np.bool_]] = {}
        """(SLOTS,) what the propositions assert, and what any post may."""
        self._ordinary = ordinary_shares() >= _ANY_POST
        self._ruled: dict[str, _Ruled] = {}
        self._began: dict[str, _Began] = {}
        self._changed: dict[str, bytes] = {}

    def follow(self, event: str, main: str, proposed: list[Said]) -> None:
        """An event is watched, whose main narrative asserts what its proposition and wordings do."""
        self._main[event], self._proposed[event] = main, proposed
        self._common[event] = common = self._ordinary.copy()
        for said in proposed:
            common[said.slots] = True

    def main(self, event: str) -> str:
        """The event's main narrative."""
        return self._main[event]

    def asserts_nothing_else(self, event: str, said: Said) -> bool:
        """Whether a text asserts nothing beyond the proposition."""
        return bool(self._common[event][said.slots].all())

    def learn(self, event: str, said: Said) -> None:
        """Takes note of an original's words."""
        self._alike(event).learn(said)

    def _alike(self, event: str) -> Similar:
        """The event's live narratives; the main one is there from the start."""
        if event not in self._similar:
            self._similar[event] = similar = Similar()
            similar.begin(self._main[event])
            for one in self._proposed[event]:
                similar.join(self._main[event], one)
        return self._similar[event]

    def nearest(self, event: str, said: Said, at_least: float, *, long: bool = True) -> Near | None:
        """The nearest live narrative; None where none is as near as `at_least`."""
        return self._similar[event].nearest(said, at_least=at_least, long=long)

    def resolved(self, event: str, narrative: str | None) -> str | None:
        """What a narrative belongs to."""
        ruled = self._ruled.get(event)
        return narrative if ruled is None or narrative is None else ruled.merged.get(narrative, narrative)

    def merged(self, event: str) -> dict[str, str]:
        """Merged narratives → what they belong to."""
        ruled = self._ruled.get(event)
        return dict(ruled.merged) if ruled is not None else {}

    def suggested(self, event: str, at_least: float) -> list[tuple[str, str, float]]:
        """Pairs of live narratives as alike as that, but for those that an editor parted."""
        similar, ruled = self._similar.get(event), self._ruled.get(event)
        apart = {(one, two) for one, two in ruled.apart} if ruled is not None else set()
        pairs = similar.alike(at_least) if similar is not None else []
        return [pair for pair in pairs if (pair[0], pair[1]) not in apart]

    def join(
        self, event: str, narrative: str, said: Said, post: Post, *, learns: bool = True, long: bool = True
    ) -> str | None:
        """An original joins a narrative, which begins with it where it is new; None where no more may begin.

        `learns`: what joins later is compared with it, too; where it is not `long`, only to find what repeats it.
        """
        name = self.resolved(event, narrative) or narrative
        similar = self._similar[event]
        if self.records.get(event, name) is None and not self._begin(event, name, post):
            return None
        if name not in similar:  # an older version left a record alone
            self._room(event, name, post[2]["seen_at"][post[3]])
        if learns:
            similar.join(name, said, long=long)
        if name != self._main[event]:
            self._label(event, name, said, post)
        return name

    def _begin(self, event: str, name: str, post: Post) -> bool:
        key, _, frame, row, number = post
        began = self._began.setdefault(event, _Began(0, 0))
        if number // BLOCK != began.block:
            began.block, began.begun = number // BLOCK, 0
        if name != self._main[event]:
            if began.begun >= MOST_BEGUN:
                self.refused += 1
                return False
            began.begun += 1
        names = ("platform", "id", "seen_at", "posted_at", "author", "voice")
        platform, identity, seen_at, posted_at, author, voice = (frame[one][row] for one in names)
        self._room(event, name, seen_at)
        cited = Cited(platform=platform, id=identity, seen_at=seen_at, posted_at=posted_at, author=author, voice=voice)
        self.records.add(Narrative(id=name, event=event, label="", first_seen=seen_at, first_post=cited), key)
        return True

    def _room(self, event: str, name: str, at: datetime, *lasting: str) -> None:
        similar = self._alike(event)
        if name not in similar:
            gone = similar.begin(name, frozenset({self._main[event], *lasting}))
            if gone is not None:
                self.forgotten += 1
                self.left.append(Gone(at, event, gone))
                self.records.drop(event, gone, at)

    def _label(self, event: str, name: str, said: Said, post: Post) -> None:
        """The more central of the label so far and this post becomes the label; one that claims before others."""
        key, tag, frame, row, _ = post
        known, claims = self.records.label(event, name), tag == Tag.CLAIM
        if known.slots and claims == known.claims:
            similar = self._similar[event]
            before = similar.central(name, Said(np.array(known.slots, np.int64), 0))
            if similar.central(name, said) < before + _BETTER:
                return
        elif known.slots and known.claims:
            return
        label = Label(key, said.slots.tolist(), claims=claims)
        self.records.call(event, name, label, frame["text"][row] or "", frame["seen_at"][row])

    def rule(self, mark: Ruling, mentions: Mentions) -> None:
        """An editor merges or splits; a ruling on what is not known changes nothing."""
        ruled = self._ruled.setdefault(mark.event, _Ruled({}, {}, []))
        if isinstance(mark, MergeMark):
            self._merge(mark, ruled)
        elif mark.id:
            self._part(mark, ruled, mentions)
        elif mark.narrative in ruled.merged:
            self._undo(mark, ruled)
        self._changed[f"{_RULED}{mark.event}"] = msgspec.msgpack.encode(ruled)

    def _merge(self, mark: MergeMark, ruled: _Ruled) -> None:
        event, one = mark.event, ruled.merged.get(mark.narrative, mark.narrative)
        into = ruled.merged.get(mark.into, mark.into)
        known = [self.records.get(event, name) for name in (one, into)]
        if one == into or one == self._main[event] or None in known:
            return
        ruled.merged = {name: into if of == one else of for name, of in ruled.merged.items()} | {one: into}
        similar = self._alike(event)
        if one in similar:
            self._room(event, into, mark.at, one)
            similar.fold(one, into)
        self.records.merge(event, one, into)

    def _undo(self, mark: SplitMark, ruled: _Ruled) -> None:
        event, name = mark.event, mark.narrative
        into = ruled.merged.pop(name)
        ruled.apart.append((min(name, into), max(name, into)))
        slots = self.records.label(event, name).slots
        self._room(event, name, mark.at)
        if slots:
            self._similar[event].join(name, Said(np.array(slots, np.int64), 0))
        self.records.merge(event, name, "")

    def _part(self, mark: SplitMark, ruled: _Ruled, mentions: Mentions) -> None:
        event, key = mark.event, f"{mark.platform}\0{mark.event}\0{mark.id}"
        left = ruled.merged.get(mark.narrative, mark.narrative)
        name = parted_id(event, key)
        if self.records.get(event, left) is None or self.records.get(event, name) is not None:
            return
        said = Said(np.array(mark.says, np.int64), 0)
        similar = self._alike(event)
        if left in similar and left != self._main[event]:
            similar.join(left, said, times=-1)
        self._room(event, name, mark.at)
        similar.join(name, said)
        cited = Cited(platform=mark.platform, id=mark.id, seen_at=mark.at)
        self.records.add(Narrative(id=name, event=event, label="", first_seen=mark.at, first_post=cited), key)
        if mentions.move(key, name):
            ruled.moved[key] = name
        ruled.apart.append((min(name, left), max(name, left)))

    def forget(self, events: Collection[str]) -> None:
        """Drops what is known of these events."""
        self.records.forget(events)
        for event in events:
            for known in (self._main, self._proposed, self._common):
                known.pop(event, None)
            similar = self._similar.pop(event, None)
            for name in (*similar.names(), "words") if similar is not None else ():
                self._changed[f"{_SIMILAR}{event}/{name}"] = b""
            if self._ruled.pop(event, None) is not None:
                self._changed[f"{_RULED}{event}"] = b""
            if self._began.pop(event, None) is not None:
                self._changed[f"{_BEGAN}{event}"] = b""

    def snapshot(self) -> dict[str, bytes]:
        """The rows that changed since the last call; an empty one is to be deleted."""
        rows, self._changed = self._changed, {}
        for event, similar in self._similar.items():
            changed = similar.snapshot()
            rows |= {f"{_SIMILAR}{event}/{name}": row for name, row in changed.items()}
            if changed and event in self._began:
                rows[f"{_BEGAN}{event}"] = msgspec.msgpack.encode(self._began[event])
        return rows | self.records.snapshot()

    def restore(self, rows: Mapping[str, bytes], mentions: Mentions) -> None:
        """Goes on where the one that gave all these rows left off; `mentions` are refilled already."""
        self.records.restore(rows)
        own: dict[str, dict[str, bytes]] = {}
        for key, row in rows.items():
            if key.startswith(_SIMILAR) and row:
                event, _, name = key.removeprefix(_SIMILAR).partition("/")
                own.setdefault(event, {})[name] = row
            elif key.startswith(_BEGAN) and row:
                self._began[key.removeprefix(_BEGAN)] = msgspec.msgpack.decode(row, type=_Began)
            elif key.startswith(_RULED) and row:
                ruled = msgspec.msgpack.decode(row, type=_Ruled)
                self._ruled[key.removeprefix(_RULED)] = ruled
                for mention, narrative in ruled.moved.items():
                    mentions.move(mention, narrative)
        for event, parts in own.items():
            self._similar[event] = Similar()
            self._similar[event].restore(parts)


def parted_id(event: str, key: str) -> str:
    """The id of the narrative that begins with a mention that an editor took out of another: 16 hex digits."""
    return blake2b(f"{event}\0split\0{key}".encode(), digest_size=8).hexdigest()
