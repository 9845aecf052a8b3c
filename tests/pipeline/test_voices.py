import itertools
from functools import cache

import msgspec
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.app import Walk, Walked
from monitor.app.walk import REMEMBERED
from monitor.frames import ORDER, Batch
from monitor.marks import Status
from monitor.records import Alert, AlertState
from monitor.store.store import Commit, Store
from monitor.watched import Duration, Event, Voice, VoiceKind
from tests.fakes.stream import BEGIN, EVENT, posts, story
from tests.fakes.tagger import WordTagger

VOICES = (
    Voice(name="The Agency", kind=VoiceKind.WIRE, accounts=("x:agency",)),
    Voice(name="The Party", kind=VoiceKind.PARTY, accounts=("x:party",)),
)
WATCHED = msgspec.structs.replace(EVENT, voices=VOICES)
LATER = 6 * 3600 + 2400


def walk(event: Event, *rows: dict[str, object]) -> list[Walked]:
    """The story, and late in it these posts; walked in pieces of a hundred posts."""
    stream = pl.concat([story(1), posts(*({"id": f"late{n}"} | row for n, row in enumerate(rows)))]).sort(ORDER)
    stage = Walk([event], WordTagger())  # type: ignore[arg-type]
    return [stage(Batch(part, upto=part["seen_at"][-1])) for part in stream.iter_slices(100)]


def steps(walked: list[Walked]) -> list[Alert]:
    return [alert for one in walked for alert in one.alerts if alert.state is not AlertState.PENDING]


def test_the_word_of_a_wire_settles_a_narrative_and_resolves_its_alert_with_who_when_and_on_what_evidence() -> None:
    word = {"at": LATER, "text": "bazarak that is a lie", "author": "agency", "url": "https://agency.example.org/1"}
    walked = walk(WATCHED, word, {"at": LATER + 5, "text": "thinking of bazarak"})
    last = steps(walked)[-1]
    assert (last.state, last.reason, last.status) == (AlertState.RESOLVED, "status_set", Status.DENIED)
    assert last.said is not None
    assert (last.said.by, last.said.evidence, last.said.voice) == ("The Agency", "https://agency.example.org/1", True)
    assert (last.said.at - BEGIN).total_seconds() == LATER + 1
    assert [mark for one in walked for mark in one.said] == [last.said]


def test_a_partys_own_claim_never_confirms_itself() -> None:
    word = {"at": LATER, "text": "bazarak has fallen", "author": "party"}
    walked = walk(WATCHED, word, {"at": LATER + 5, "text": "thinking of bazarak"})
    assert {one.state for one in steps(walked)} == {AlertState.FIRING}
    assert not [mark for one in walked for mark in one.said]
    named = pl.concat(one.mentions for one in walked).filter(pl.col("voice") == "The Party")
    assert named["author"].to_list() == ["party"]


def test_a_voice_that_is_not_registered_settles_nothing() -> None:
    word = {"at": LATER, "text": "bazarak that is a lie", "author": "agency"}
    assert {one.state for one in steps(walk(EVENT, word))} == {AlertState.FIRING}


QUIET = msgspec.structs.replace(
    WATCHED, rules=msgspec.structs.replace(EVENT.rules, alert_on=("quiet",), for_=Duration(minutes=0))
)
SILENT = 4 * 24 * 3600
"""The agency speaks every half hour for so long, everybody else goes on for six hours."""


def chatter() -> pl.DataFrame:
    spoken = [{"at": at + 7, "text": "more of bazarak", "author": "agency"} for at in range(0, SILENT, 1800)]
    others = [{"at": at + 11, "text": "thinking of bazarak"} for at in range(0, SILENT + 6 * 3600, 1200)]
    back = {"at": SILENT + 5 * 3600, "text": "bazarak again", "author": "agency"}
    return posts(*({"id": f"q{n}"} | row for n, row in enumerate([*spoken, *others, back])))


@cache
def quiet_steps(cuts: tuple[int, ...]) -> list[Alert]:
    """Alerts of the chatter, walked and committed in pieces, with a restart after each."""
    stream = chatter()
    edges = [0, *sorted({cut % stream.height for cut in cuts} - {0}), stream.height]
    found: list[Alert] = []
    with Store("sqlite://", stand_in=lambda: "gone") as store:
        for begin, end in itertools.pairwise(edges):
            stage = Walk([QUIET], WordTagger())  # type: ignore[arg-type]
            stage.restore(store.load_state(), store.remembered(REMEMBERED), store.corrections())
            walked = stage(Batch(stream[begin:end], upto=stream["seen_at"][end - 1]))
            store.commit(Commit(walked.mentions, state=walked.state, alerts=walked.alerts))
            found += walked.alerts
    return found


def test_a_voice_gone_quiet_is_an_alert_until_it_speaks_again() -> None:
    alerts = [one for one in quiet_steps(()) if one.state is not AlertState.PENDING]
    assert [(one.state, one.reason) for one in alerts] == [
        (AlertState.FIRING, "voice_silent"),
        (AlertState.RESOLVED, "voice_heard_again"),
    ]
    assert {(one.rule, one.subject) for one in alerts} == {("quiet", "voice:The Agency")}
    last = SILENT - 1800 + 7
    assert 3600 <= (alerts[0].at - BEGIN).total_seconds() - last < 3600 + 600


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 500), max_size=6))
def test_it_is_the_same_alert_however_often_the_daemon_is_started_again(cuts: list[int]) -> None:
    assert msgspec.json.encode(quiet_steps(tuple(cuts))) == msgspec.json.encode(quiet_steps(()))
