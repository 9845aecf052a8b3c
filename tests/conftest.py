"""What every test shares: servers that stand for a session, places for stores, and Hypothesis.

Hypothesis repeats the same examples everywhere and never judges by the machine's speed.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.fakes.postgres import Postgres, running

settings.register_profile("house", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server; tests have schemas of their own there."""
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Answers URLs of empty stores: every test that asks for it, or for `place`, runs on both databases.

    `tests.fakes.postgres.server_proved` leaves the server of a long test to `make prove`.
    """
    if request.param == "sqlite":
        names = count(1)
        return lambda: f"sqlite:///{tmp_path}/m{next(names)}.sqlite"
    server: Postgres = request.getfixturevalue("postgres")
    return server.place


@pytest.fixture
def place(places: Callable[[], str]) -> str:
    """The URL of an empty store."""
    return places()
