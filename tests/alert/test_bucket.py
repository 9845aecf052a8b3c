from hypothesis import given
from hypothesis import strategies as st

from monitor.alert.bucket import Bucket, Pace


def test_after_one_message_the_next_waits_until_its_turn() -> None:
    bucket = Bucket(Pace(per_minute=20), 0.0)
    assert [bucket.take(at) for at in (0.0, 1.0, 3.0, 4.0)] == [0.0, 2.0, 0.0, 2.0]


def test_a_rest_allows_a_burst_and_no_more() -> None:
    bucket = Bucket(Pace(per_minute=60, burst=3), 0.0)
    assert [bucket.take(100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 1.0]


@given(st.lists(st.floats(0, 5), max_size=60), st.integers(1, 600), st.integers(1, 5))
def test_no_minute_holds_more_than_the_pace_and_one_burst(pauses: list[float], per_minute: int, burst: int) -> None:
    bucket, now, sent = Bucket(Pace(per_minute, burst), 0.0), 0.0, list[float]()
    for pause in pauses:
        now += pause
        if not bucket.take(now):
            sent.append(now)
    for begin in sent:
        assert sum(begin <= at < begin + 60 for at in sent) <= per_minute + burst
