"""The fastest narratives of each event, over the last five minutes of seen time."""

from datetime import timedelta

from monitor.app.velocity import FASTEST, MINUTES, Fast, Velocity
from tests.fakes.clock import START
from tests.fakes.mentions import clustered

MINUTE = timedelta(minutes=1)


def test_posts_per_minute_are_those_of_the_last_five_minutes() -> None:
    velocity = Velocity()
    for minute in range(MINUTES):
        velocity.add(clustered(*[{"narrative": "n1", "event": "fall"}] * 10), START + minute * MINUTE)
    assert [*velocity.fastest(["fall"])] == [Fast("fall", "n1", 10.0)]
    velocity.add(clustered(), START + (MINUTES + 1) * MINUTE)
    assert [*velocity.fastest(["fall"])] == [Fast("fall", "n1", 6.0)]
    velocity.add(clustered(), START + 2 * MINUTES * MINUTE)
    assert [*velocity.fastest(["fall"])] == []


def test_a_few_of_each_event_are_told_of_the_fastest_first_and_only_of_events_that_are_watched() -> None:
    velocity = Velocity()
    rows = [{"narrative": f"n{number}", "event": "fall"} for number in range(FASTEST + 3) for _ in range(number + 1)]
    velocity.add(clustered(*rows, {"narrative": "other", "event": "gone"}), START)
    told = [*velocity.fastest(["fall", "quiet"])]
    assert [one.narrative for one in told] == [f"n{number}" for number in range(FASTEST + 2, 2, -1)]
    assert {one.event for one in told} == {"fall"}


def test_what_is_no_new_post_or_has_no_narrative_is_not_counted() -> None:
    velocity = Velocity()
    velocity.add(clustered({"op": "delete", "narrative": "n1"}, {"narrative": None}, {"narrative": ""}), START)
    assert [*velocity.fastest(["fall"])] == []
