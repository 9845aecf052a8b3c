"""X over a loopback server, for the files that test its collector."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.polled import Platform, platform
from tests.fakes.x_api import FakeX


@pytest.fixture
def x() -> FakeX:
    return FakeX()


@pytest.fixture
async def server(x: FakeX) -> AsyncIterator[Platform]:
    async with platform(x.answers) as server:
        yield server
        x.hang_up()
