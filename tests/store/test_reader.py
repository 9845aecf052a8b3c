"""What is read beside the daemon: mentions with their parents' texts, counts of narratives, answers to requests."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from monitor.arrivals import Answered, Request, Settled
from monitor.errors import StoreError
from monitor.frames import MENTIONS
from monitor.marks import Correction, GapMark, Status, StatusMark
from monitor.records import AlertState
from monitor.store.marks import REQUESTS_KEPT
from monitor.store.reader import Reader
from monitor.store.store import Commit, Store
from tests.fakes.alerts import an_alert
from tests.fakes.mentions import START, clustered, none

DAY = timedelta(days=1)


@pytest.fixture
def url(place: str) -> str:
    return place


def written(url: str, *rows: dict[str, object]) -> None:
    with Store(url) as store:
        store.commit(Commit(mentions=clustered(*rows)))


def test_a_mention_comes_with_its_parents_text_or_the_one_it_was_given(url: str) -> None:
    written(
        url,
        {"id": "1", "event": "fall", "platform": "x", "text": "the claim"},
        {"id": "2", "event": "fall", "platform": "x", "text": "no", "parent": "1", "parent_text": "the claim"},
        {"id": "3", "event": "fall", "platform": "x", "text": "no", "parent_text": "elsewhere"},
    )
    with Reader(url) as reader:
        found = [reader.mention("fall", "x", name) for name in "123"]
    assert [frame["parent_text"].item() for frame in found] == [None, "the claim", "elsewhere"]
    assert all(frame.schema == MENTIONS for frame in found)
    assert [frame["seen_at"].item() for frame in found] == [START + timedelta(seconds=n) for n in range(3)]


@pytest.mark.parametrize("of", [("fall", "x", "9"), ("dam", "x", "1"), ("fall", "y", "1")])
def test_a_mention_that_is_not_there_is_none(of: tuple[str, str, str], url: str) -> None:
    written(url, {"id": "1", "event": "fall", "platform": "x"})
    with Reader(url) as reader:
        assert reader.mention(*of).is_empty()


def test_narratives_are_counted_by_tag_with_their_first_and_last_times(url: str) -> None:
    rows: list[dict[str, object]] = [
        {"id": str(n), "event": "fall", "narrative": "a" if n < 3 else "b", "tag": "claim" if n else "denial"}
        for n in range(5)
    ]
    written(url, *rows, {"id": "9", "event": "fall", "narrative": None}, {"id": "8", "event": "dam", "narrative": "a"})
    with Reader(url) as reader:
        found = {(one.narrative, one.tag): one for one in reader.narratives("fall")}
        assert {key: one.mentions for key, one in found.items()} == {
            ("a", "claim"): 2,
            ("a", "denial"): 1,
            ("b", "claim"): 2,
        }
        claims = found["a", "claim"]
        assert (claims.first_seen, claims.last_seen) == (START + timedelta(seconds=1), START + timedelta(seconds=2))
        assert [(one.narrative, one.mentions) for one in reader.narratives("fall", most=4)] == [("b", 2)]
        assert reader.has_narrative("fall", "b")
        assert not reader.has_narrative("dam", "b")


def test_the_newest_alerts_are_read_in_their_order(url: str) -> None:
    made = [an_alert(id=str(n), state=AlertState.FIRING if n % 2 else AlertState.RESOLVED) for n in range(6)]
    with Store(url) as store, Reader(url) as reader:
        store.commit(Commit(none(), alerts=made))
        assert [alert.id for alert in reader.alerts(None, 3)] == ["3", "4", "5"]
        assert [alert.id for alert in reader.alerts(AlertState.FIRING, 2)] == ["3", "5"]


def test_the_newest_marks_are_read_in_their_order(url: str) -> None:
    times = [START + timedelta(hours=2 * n) for n in range(4)]
    gaps = [GapMark(source="a", begins=at, ends=at + timedelta(hours=1), why="lost") for at in times]
    statuses = [
        StatusMark(at=at, event="fall" if n % 2 else "dam", narrative="n", status=Status.DENIED, by="desk", evidence="")
        for n, at in enumerate(times)
    ]
    labels = [
        Correction(at=at, event="fall", platform="x", id="1", tag="claim", by="desk", reads=str(n))
        for n, at in enumerate(times)
    ]
    with Store(url) as store, Reader(url) as reader:
        store.commit(Commit(none(), gaps=gaps, statuses=statuses, corrections=labels))
        assert (reader.gaps(2), reader.statuses(3), reader.corrections(1)) == (gaps[2:], statuses[1:], labels[3:])
        assert reader.statuses_of("fall") == statuses[1::2]
        assert reader.silence("s") is None


def answered(key: str, digest: str, after: timedelta = timedelta()) -> Answered:
    return Answered("pushed", Request(key, digest), Settled(len(key), {"bad_id": 1}), START + after)


def test_answers_are_found_by_key_and_by_body_for_a_day(url: str) -> None:
    with Store(url) as store, Reader(url) as reader:
        store.commit(Commit(none(), answered=[answered("a", "1"), answered("bb", "2")]))
        same = reader.answered("pushed", Request("a", "1"), START - DAY)
        assert same == [answered("a", "1")]
        both = reader.answered("pushed", Request("a", "2"), START - DAY)
        assert sorted(one.request.key for one in both) == ["a", "bb"]
        assert reader.answered("other", Request("a", "1"), START - DAY) == []
        assert reader.answered("pushed", Request("a", "1"), START + timedelta(seconds=1)) == []


def test_a_key_may_be_used_again_after_a_day(url: str) -> None:
    with Store(url) as store, Reader(url) as reader:
        store.commit(Commit(none(), answered=[answered("a", "1")]))
        later = answered("a", "2", REQUESTS_KEPT + timedelta(seconds=1))
        store.commit(Commit(none(), answered=[later]))
        assert reader.answered("pushed", Request("a", "2"), START) == [later]


def test_a_store_in_memory_cannot_be_read_beside_its_writer() -> None:
    with pytest.raises(StoreError, match="cannot be read by others; name a file"):
        Reader("sqlite://")


def test_a_url_that_is_none_is_said_without_showing_it() -> None:
    with pytest.raises(StoreError, match="the store's URL is not understood"):
        Reader("hunter2")


async def test_questions_neither_wait_for_one_another_nor_for_other_threads(url: str) -> None:
    go = threading.Event()
    with Store(url) as store, Reader(url) as reader:
        store.commit(Commit(none(), answered=[answered("a", "1")]))
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        async with asyncio.TaskGroup() as tasks:
            try:
                tasks.create_task(asyncio.to_thread(go.wait))
                scans = [tasks.create_task(reader.scan(go.wait)) for _ in range(2)]
                assert await reader.ask(lambda: reader.gaps(1)) == []
                for _ in range(2):
                    tasks.create_task(reader.ask(go.wait))
                found = await reader.recall("pushed", Request("a", "1"), START - DAY)
                assert found == [answered("a", "1")]
                assert not any(scan.done() for scan in scans)
            finally:
                go.set()


async def test_one_scan_at_a_time_in_the_order_asked(url: str) -> None:
    done: list[int] = []
    began, go = threading.Event(), threading.Event()

    def first() -> None:
        began.set()
        go.wait()
        done.append(1)

    with Reader(url) as reader:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(reader.scan(first))
            tasks.create_task(reader.scan(lambda: done.append(2)))
            await asyncio.to_thread(began.wait)
            assert not done
            go.set()
    assert done == [1, 2]


def test_a_reader_that_is_closed_has_no_threads(url: str) -> None:
    with Store(url), Reader(url) as reader:
        asyncio.run(reader.ask(lambda: None))
    assert not [one for one in threading.enumerate() if one.name.startswith("question")]
