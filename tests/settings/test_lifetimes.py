"""How long something is kept, as operators write it."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.settings.sentences import written
from monitor.watched import Lifetime


@pytest.mark.parametrize("text", ["forever", "180d", "36h"])
def test_a_lifetime_is_written_as_it_is_read(text: str) -> None:
    assert written(Lifetime.parse(text)) == text


def test_a_lifetime_longer_than_all_time_ends_nothing() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert Lifetime.parse("30d").before(now) == now - timedelta(days=30)
    assert Lifetime.parse("999999d").before(now) is None
    assert Lifetime.parse("forever").before(now) is None
