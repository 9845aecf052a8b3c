"""What platforms say of their rates is read as each spells it; what we keep to by ourselves holds whoever counts."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from monitor.collect.http_rates import (
    Budget,
    Limit,
    Rate,
    ReadRate,
    epoch_rate,
    iso_rate,
    no_rate,
    ratelimit_rate,
    retry_after,
    seconds_rate,
)
from tests.fakes.clock import START, ManualClock

IN_A_MINUTE = START + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("read", "remaining", "reset", "rate"),
    [
        (epoch_rate, "17", str(int(IN_A_MINUTE.timestamp())), Rate(17, IN_A_MINUTE)),
        (seconds_rate, "598.0", "60", Rate(598, IN_A_MINUTE)),
        (seconds_rate, "-1", "60.0", Rate(0, IN_A_MINUTE)),
        (iso_rate, "287", "2021-09-03T12:01:00.000000Z", Rate(287, IN_A_MINUTE)),
        (iso_rate, "287", "2021-09-03T14:01:00+02:00", Rate(287, IN_A_MINUTE)),
        (iso_rate, "3", "soon", Rate(3, None)),
        (epoch_rate, "3", "99999999999999", Rate(3, None)),
        (seconds_rate, "3", "-5", Rate(3, START)),
        (epoch_rate, "nan", "1", None),
        (epoch_rate, "", "1", None),
    ],
)
def test_each_platforms_spelling_is_read(read: ReadRate, remaining: str, reset: str, rate: Rate | None) -> None:
    headers = CIMultiDict({"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset})
    assert read(headers, START) == rate


def test_blueskys_spelling_lacks_the_x() -> None:
    headers = CIMultiDict({"ratelimit-remaining": "17", "ratelimit-reset": str(int(IN_A_MINUTE.timestamp()))})
    assert ratelimit_rate(headers, START) == Rate(17, IN_A_MINUTE)


@given(
    headers=st.dictionaries(
        st.sampled_from(["X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"]), st.text(max_size=30)
    )
)
def test_nonsense_in_headers_is_no_crash(headers: Mapping[str, str]) -> None:
    for read in (epoch_rate, seconds_rate, iso_rate, no_rate):
        rate = read(headers, START)
        assert rate is None or rate.remaining >= 0
    wait = retry_after(headers, START)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    ("said", "wait"),
    [("120", 120), ("1.5", 1.5), ("Fri, 03 Sep 2021 12:02:00 GMT", 120), ("", None), ("soon", None), ("-3", None)],
)
def test_retry_after_is_a_number_or_a_date(said: str, wait: float | None) -> None:
    assert retry_after({"Retry-After": said}, datetime(2021, 9, 3, 12, tzinfo=UTC)) == wait


async def test_no_span_ever_holds_more_requests_than_the_limit() -> None:
    clock = ManualClock()
    limit = Limit(5, timedelta(seconds=60))
    budget = Budget(limit, clock)
    begun: list[float] = []

    async def asks(pause: float) -> None:
        for _ in range(30):
            async with budget.slot():
                begun.append(clock.monotonic())
                await clock.sleep(timedelta(seconds=pause))

    running = [asyncio.ensure_future(asks(pause)) for pause in (0.1, 3, 7)]
    for _ in range(3000):
        await clock.advance(timedelta(seconds=1))
        if all(task.done() for task in running):
            break
    await asyncio.gather(*running)
    assert len(begun) == 90
    for first, sixth in zip(begun, begun[limit.requests :], strict=False):
        assert sixth - first >= 60
    assert budget.left() <= 5
