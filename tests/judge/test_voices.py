from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from monitor.frames import CLUSTERED
from monitor.judge.status import Statuses
from monitor.judge.voices import spoken
from monitor.marks import Status, StatusMark
from monitor.watched import Event, Voice, VoiceKind

AT = datetime(2021, 9, 3, 12, tzinfo=UTC)
EVENT = Event(
    name="fall",
    proposition="Bazarak has fallen",
    any=("bazarak",),
    voices=(
        *(Voice(name=kind.value, kind=kind, accounts=(f"x:{kind.value}",)) for kind in VoiceKind),
        Voice(name="quiet", kind=VoiceKind.WIRE, accounts=("x:quiet",), settles=False),
    ),
)


def said(**row: object) -> list[StatusMark]:
    plain: dict[str, Any] = {"event": "fall", "narrative": "n", "op": "create", "tag": "claim", "seen_at": AT}
    plain |= {"p_claim": 0.9, "p_denial": 0.05, "attributed": False, "platform": "x", "id": "7", "voice": "wire"}
    rows = [{name: (plain | row).get(name) for name in CLUSTERED}]
    return spoken(pl.DataFrame(rows, schema=CLUSTERED), {"fall": EVENT})


def mark(by: str, status: Status, minutes: int, *, voice: bool) -> StatusMark:
    at = AT + timedelta(minutes=minutes)
    return StatusMark(at=at, event="fall", narrative="n", status=status, by=by, voice=voice)


@pytest.mark.parametrize(
    ("voice", "tag", "status"),
    [
        ("wire", "claim", Status.CONFIRMED),
        ("wire", "denial", Status.DENIED),
        ("official", "claim", Status.CONFIRMED),
        ("official", "denial", Status.DENIED),
        ("fact-checker", "denial", Status.DEBUNKED),
    ],
)
def test_a_voice_that_is_no_party_settles_a_narrative(voice: str, tag: str, status: Status) -> None:
    marks = said(voice=voice, tag=tag, p_claim=0.9 * (tag == "claim"), p_denial=0.9 * (tag == "denial"))
    assert [(one.status, one.by, one.evidence, one.voice) for one in marks] == [(status, voice, "x:7", True)]


@pytest.mark.parametrize("tag", ["claim", "denial"])
def test_a_party_settles_nothing(tag: str) -> None:
    assert said(voice="party", tag=tag, p_denial=0.9) == []


@pytest.mark.parametrize(
    "row",
    [
        {"attributed": True},
        {"p_claim": 0.8},
        {"repost_of": "6"},
        {"narrative": None},
        {"tag": "question"},
        {"tag": "other"},
        {"op": "update"},
        {"voice": "quiet"},
        {"voice": "somebody the event file no longer knows"},
        {"voice": None},
    ],
    ids=str,
)
def test_only_a_voices_own_word_settles(row: dict[str, Any]) -> None:
    assert said(**row) == []


def test_a_voice_settles_at_the_tick_of_its_post() -> None:
    (found,) = said(seen_at=AT + timedelta(milliseconds=250), url="https://wire.example.org/1")
    assert (found.at, found.evidence) == (AT + timedelta(seconds=1), "https://wire.example.org/1")


def test_later_evidence_overturns_but_no_voice_overturns_an_editor() -> None:
    statuses = Statuses()
    steps = [
        (mark("wire", Status.DENIED, 0, voice=True), Status.DENIED),
        (mark("official", Status.CONFIRMED, 1, voice=True), Status.CONFIRMED),
        (mark("desk", Status.DEBUNKED, 2, voice=False), Status.DEBUNKED),
        (mark("wire", Status.CONFIRMED, 3, voice=True), Status.DEBUNKED),
        (mark("desk", Status.UNCONFIRMED, 4, voice=False), Status.UNCONFIRMED),
        (mark("wire", Status.CONFIRMED, 5, voice=True), Status.CONFIRMED),
    ]
    for number, (one, expected) in enumerate(steps):
        assert statuses.set(one) == (number != 3)
        assert statuses.of("fall", "n") is expected
