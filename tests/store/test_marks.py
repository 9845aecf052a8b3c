"""Marks of the stream and answers to requests, as rows; the migration that brought them, both ways."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Connection, inspect

from monitor.arrivals import Answered, Request, Settled
from monitor.marks import Correction, GapMark, MergeMark, Ruling, Silence, SplitMark, Status, StatusMark
from monitor.store import dialect, marks, migrate
from monitor.store.store import Commit, Store
from monitor.watched import Duration, Event, Exchange, Rules
from tests.fakes.mentions import START, none

HOUR = timedelta(hours=1)


@pytest.fixture
def connection(place: str) -> Iterator[Connection]:
    engine = dialect.open_engine(place)
    migrate.upgrade(engine)
    with engine.begin() as opened:
        yield opened
    engine.dispose()


def gap(begins: int, ends: int, source: str = "posts", why: str = "lost") -> GapMark:
    return GapMark(source=source, begins=START + HOUR * begins, ends=START + HOUR * ends, why=why)


def silence(name: str, expires: int, comment: str = "known") -> Silence:
    return Silence(
        id=name, event="fall", owner="desk", comment=comment, begins_at=START, expires_at=START + HOUR * expires
    )


def answered(key: str, posts: int, hours: float = 0, source: str = "door") -> Answered:
    return Answered(source, Request(key, "d" + key), Settled(posts, {"bad_time": 1}), START + HOUR * hours)


def test_pieces_of_one_outage_are_one_gap(connection: Connection) -> None:
    marks.put_gaps(connection, [gap(0, 1)])
    marks.put_gaps(connection, [gap(1, 2), gap(2, 3)])
    assert marks.read_gaps(connection) == [gap(0, 3)]


def test_parts_of_a_source_that_are_blind_at_once_are_a_gap_each(connection: Connection) -> None:
    marks.put_gaps(connection, [gap(0, 1, source="feeds: a"), gap(0, 1, source="feeds: b")])
    marks.put_gaps(
        connection, [gap(0, 2, source="feeds: a"), gap(0, 3, source="feeds: b"), gap(0, 4, source="feeds: a")]
    )
    assert marks.read_gaps(connection) == [gap(0, 4, source="feeds: a"), gap(0, 3, source="feeds: b")]


@pytest.mark.parametrize(
    "other", [gap(1, 2, source="other"), gap(1, 2, why="full"), gap(2, 3)], ids=lambda one: one.why
)
def test_gaps_of_another_source_reason_or_time_stay_apart(connection: Connection, other: GapMark) -> None:
    marks.put_gaps(connection, [gap(0, 1), other])
    assert marks.read_gaps(connection) == [gap(0, 1), other]


def test_statuses_are_kept_in_their_order(connection: Connection) -> None:
    set_ = [
        StatusMark(at=START, event="fall", narrative="n", status=status, by="desk", evidence="https://example.org")
        for status in (Status.DENIED, Status.UNCONFIRMED, Status.DEBUNKED)
    ]
    marks.put_statuses(connection, set_)
    assert marks.read_statuses(connection) == set_


def test_of_a_silence_the_last_form_counts_and_every_form_is_kept(connection: Connection) -> None:
    made = [silence("a", 1), silence("b", 9), silence("a", 5, "longer")]
    marks.put_silences(connection, made[:1])
    marks.put_silences(connection, made[1:])
    assert marks.read_silences(connection, START) == [silence("a", 5, "longer"), silence("b", 9)]
    assert marks.read_silences(connection, START + HOUR * 5) == [silence("b", 9)]
    assert marks.read_silence(connection, "a") == silence("a", 5, "longer")
    assert marks.read_every_silence(connection) == made


def test_a_silence_that_was_cut_short_is_over(connection: Connection) -> None:
    marks.put_silences(connection, [silence("a", 9), silence("a", 1)])
    assert marks.read_silences(connection, START + HOUR * 2) == []


def test_every_exchange_of_events_is_kept_as_it_was(connection: Connection) -> None:
    quick = Rules(for_=Duration(milliseconds=1), quiet=Duration(days=1_000_000), warm_up=Duration(microseconds=1))
    full = Event(
        name="b", proposition='It has "fallen"', any=("b",), people={"x": ("y",)}, starts_at=START, rules=quick
    )
    made = [
        Exchange(at=START, events=(Event(name="a", proposition="It has fallen", any=("a",)), full)),
        Exchange(at=START + HOUR, events=()),
    ]
    marks.put_exchanges(connection, made)
    assert marks.read_exchanges(connection) == made


def test_every_correction_is_kept(connection: Connection) -> None:
    made = [
        Correction(at=START, event="fall", platform="x", id="1", tag=tag, by="desk", reads="0" * 16)
        for tag in ("denial", "claim", "denial")
    ]
    marks.put_corrections(connection, made)
    assert marks.read_corrections(connection) == made


def test_the_first_answer_to_a_request_stands(connection: Connection) -> None:
    marks.put_answered(connection, [answered("k", 3), answered("k", 3, source="other")])
    marks.put_answered(connection, [answered("k", 0, 1), answered("l", 5, 1)])
    assert marks.read_answered(connection) == [answered("k", 3), answered("k", 3, source="other"), answered("l", 5, 1)]


def test_a_request_that_comes_again_after_a_day_is_a_new_one(connection: Connection) -> None:
    marks.put_answered(connection, [answered("k", 3)])
    marks.put_answered(connection, [answered("k", 4, 24.5)])
    assert marks.read_answered(connection) == [answered("k", 4, 24.5)]


def test_a_commit_writes_all_marks_or_none(place: str) -> None:
    correction = Correction(at=START, event="fall", platform="x", id="1", tag="denial", by="desk")
    with Store(place) as store:
        store.commit(
            Commit(
                none(),
                gaps=[gap(0, 1)],
                silences=[silence("a", 1)],
                corrections=[correction],
                answered=[answered("k", 3)],
            )
        )
        with pytest.raises(AttributeError):
            store.commit(Commit(none(), gaps=[gap(4, 5)], answered=[None]))  # type: ignore[list-item]
        assert store.gaps() == [gap(0, 1)]
        assert store.silences(START) == [silence("a", 1)]
        assert store.corrections() == [correction]
        assert store.answered() == [answered("k", 3)]


def test_the_tables_of_marks_go_and_come_and_the_others_stay(place: str) -> None:
    engine = dialect.open_engine(place)
    migrate.upgrade(engine)
    mine = {"silences", "exchanges", "corrections", "answered"}
    with engine.begin() as connection:
        marks.put_gaps(connection, [gap(0, 1)])
        marks.put_silences(connection, [silence("a", 1)])
    migrate.downgrade(engine, "0001")
    assert not mine & set(inspect(engine).get_table_names())
    migrate.upgrade(engine)
    with engine.begin() as connection:
        assert mine <= set(inspect(connection).get_table_names())
        assert marks.read_gaps(connection) == [gap(0, 1)]
        assert marks.read_silences(connection, START) == []
    engine.dispose()


def test_merges_and_splits_come_back_in_their_order(place: str) -> None:
    made: list[Ruling] = [
        MergeMark(at=START, event="fall", narrative="a", into="b", by="desk"),
        SplitMark(at=START, event="fall", narrative="a", by="desk"),
        SplitMark(at=START, event="fall", narrative="b", by="desk", platform="x", id="1", says=(3, 7000)),
    ]
    with Store(place) as store:
        store.commit(Commit(none(), rulings=made))
        assert store.rulings() == made
