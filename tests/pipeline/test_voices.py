import msgspec
import polars as pl

from monitor.app import Walk, Walked
from monitor.frames import ORDER, Batch
from monitor.marks import Status
from monitor.records import Alert, AlertState
from monitor.watched import Event, Voice, VoiceKind
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
    assert [one.state for one in steps(walked)] == [AlertState.FIRING]
    assert not [mark for one in walked for mark in one.said]
    named = pl.concat(one.mentions for one in walked).filter(pl.col("voice") == "The Party")
    assert named["author"].to_list() == ["party"]


def test_a_voice_that_is_not_registered_settles_nothing() -> None:
    word = {"at": LATER, "text": "bazarak that is a lie", "author": "agency"}
    assert [one.state for one in steps(walk(EVENT, word))] == [AlertState.FIRING]
