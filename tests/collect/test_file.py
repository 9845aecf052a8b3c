"""The file as a source: what the supervisor gets to see of it."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.arrivals import Contact, Payload
from monitor.collect import rotated
from monitor.collect.file import POLL, FileCollector, FileSource
from monitor.collect.rotated import Place
from monitor.collect.tail import TOO_LONG
from monitor.errors import SourceRefusedError, SourceUnavailableError
from monitor.marks import GapMark
from tests.fakes.clock import START, ManualClock
from tests.fakes.log_writer import LogWriter

NOBODY = 65534
SEEN = datetime(2021, 9, 3, 14, tzinfo=UTC)


def collector(path: Path, clock: ManualClock | None = None, *, follow: bool = True) -> FileCollector:
    return FileCollector(FileSource(name="posts", path=str(path), follow=follow), clock or ManualClock())


async def first(path: Path, since: str | None = None, *, follow: bool = True) -> Payload | GapMark | Contact:
    arrivals = collector(path, follow=follow).payloads(since)
    try:
        return await anext(arrivals)
    finally:
        await closed(arrivals)


async def closed(arrivals: AsyncIterator[Payload | GapMark | Contact]) -> None:
    await arrivals.aclose()  # type: ignore[attr-defined]


class OneByOne(ManualClock):
    """Wakes sleepers at once, having moved on."""

    async def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration)
        await self.advance(duration)


async def test_a_file_that_is_not_followed_ends_with_its_last_line_whole_or_not(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b"1\n2")
    arrivals = [arrival async for arrival in collector(path, follow=False).payloads(None)]
    assert [(one.body, one.posts) for one in arrivals if isinstance(one, Payload)] == [(b"1\n", 1), (b"2", 1)]
    assert len(arrivals) == 2
    assert isinstance(arrivals[-1], Payload)
    assert [one async for one in collector(path, follow=False).payloads(arrivals[-1].resume)] == []


async def test_a_file_that_is_not_followed_is_read_anew_where_it_is_another(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b"1\n2\n")
    payload = await first(path, follow=False)
    path.write_bytes(b"3\n4\n")
    assert isinstance(payload, Payload)
    again = await first(path, payload.resume, follow=False)
    assert isinstance(again, Payload)
    assert again.body == b"3\n4\n"


async def test_a_followed_file_is_in_contact_while_it_rests_and_is_looked_at_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b'{"id": "1"}\n{"id": ')
    clock = OneByOne()
    arrivals = collector(path, clock).payloads(None)
    one = await anext(arrivals)
    assert isinstance(one, Payload)
    assert (one.body, one.posts) == (b'{"id": "1"}\n', 1)
    assert await anext(arrivals) == Contact(rests=True)
    assert await anext(arrivals) == Contact(rests=True)
    with path.open("ab") as file:
        file.write(b'"2"}\n')
    two = await anext(arrivals)
    assert isinstance(two, Payload)
    assert two.body == b'{"id": "2"}\n'
    assert Place.read(two.resume or "").offset == path.stat().st_size
    assert clock.slept == [POLL, POLL]
    await closed(arrivals)


async def test_a_loss_is_a_gap_since_the_last_look_that_left_nothing_unread(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    writer.append(5)
    clock = OneByOne()
    arrivals = collector(writer.path, clock).payloads(None)
    await anext(arrivals)
    assert await anext(arrivals) == Contact(rests=True)
    os.truncate(writer.path, 0)
    gap = await anext(arrivals)
    assert gap == GapMark(source="posts", begins=START, ends=START + POLL, why=rotated.TRUNCATED)
    await closed(arrivals)
    writer.close()


async def test_after_a_restart_the_gap_begins_when_the_file_had_last_been_written_to(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path)
    writer.append(5)
    payload = await first(writer.path)
    assert isinstance(payload, Payload)
    written = datetime.fromtimestamp(writer.path.stat().st_mtime, UTC)
    os.truncate(writer.path, 0)
    assert await first(writer.path, payload.resume) == GapMark(
        source="posts", begins=written, ends=START, why=rotated.TRUNCATED
    )
    writer.close()


async def test_a_resume_point_that_is_not_understood_is_said_and_the_file_read_from_its_begin(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b"1\n")
    payload = await first(path, "2021-09-03T12:00:00Z")
    assert isinstance(payload, Payload)
    assert payload.body == b"1\n"
    assert "not understood" in caplog.text


@pytest.mark.parametrize("follow", [True, False])
async def test_a_missing_file_may_come_yet_and_is_looked_for_soon(tmp_path: Path, follow: bool) -> None:  # noqa: FBT001
    with pytest.raises(SourceUnavailableError, match="no such file") as raised:
        await first(tmp_path / "none.ndjson", follow=follow)
    assert raised.value.within is not None


async def test_a_file_whose_reading_is_not_allowed_may_be_allowed_yet(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(b"1\n")
    path.chmod(0)
    me = os.geteuid()
    try:
        if me == 0:
            os.seteuid(NOBODY)
        with pytest.raises(SourceUnavailableError, match="permission denied; give the monitor's user the right"):
            await first(path)
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
async def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "posts.ndjson")
    with pytest.raises(SourceRefusedError, match="no regular file"):
        await first(tmp_path / "posts.ndjson")


async def test_links_in_a_circle_are_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.symlink_to(path)
    with pytest.raises(SourceUnavailableError):
        await first(path, Place(5, 1, 1, "0", 1).text())


async def test_binary_junk_is_counted_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson"
    path.write_bytes(bytes(range(256)) * 40 + b"\n")
    payload = await first(path)
    assert isinstance(payload, Payload)
    assert payload.posts == 41
    parsed = collector(path).parse([payload.body], SEEN)
    assert (parsed.posts.height, dict(parsed.rejected[0])) == (0, {"not_json": 41})


def test_the_stand_in_of_a_line_that_is_too_long_is_counted_as_over_size(tmp_path: Path) -> None:
    parsed = collector(tmp_path).parse([TOO_LONG], SEEN)
    assert (parsed.posts.height, dict(parsed.rejected[0])) == (0, {"over_size": 1})
