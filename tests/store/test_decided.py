"""Decisions and gaps go when they are too old, and what is still gone by stays."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from monitor.marks import Correction, FactCheck, GapMark, MergeMark, Silence, Status, StatusMark
from monitor.store import marks
from monitor.store.decided import remove_decisions, remove_gaps
from monitor.store.store import Commit, Store
from monitor.watched import Event, Exchange
from tests.fakes.mentions import START, none

DAY = timedelta(days=1)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as made:
        yield made


def at(day: int) -> datetime:
    return START + day * DAY


def status(day: int, narrative: str = "n") -> StatusMark:
    return StatusMark(at=at(day), event="fall", narrative=narrative, status=Status.DENIED, by="an editor")


def silence(name: str, day: int) -> Silence:
    return Silence(id=name, event="fall", owner="an editor", comment="known", begins_at=at(0), expires_at=at(day))


def correction(day: int) -> Correction:
    told = {"event": "fall", "platform": "x", "id": str(day), "tag": "denial", "reads": f"r{day}"}
    return Correction(at=at(day), by="an editor", **told)


def decide(store: Store) -> None:
    """Something of everything on each of three days."""
    for day in range(3):
        store.commit(
            Commit(
                none(),
                statuses=[status(day)],
                silences=[silence(f"s{day}", day)],
                rulings=[MergeMark(at=at(day), event="fall", narrative="a", into="b", by="an editor")],
                checks=[FactCheck(at=at(day), event="fall", claim="it fell", by="checkers", rating="no")],
                corrections=[correction(day)],
            )
        )


def remove(store: Store, work: Callable[..., int], before: datetime, limit: int = 100) -> int:
    return store.change(lambda connection: work(connection, before, limit))


def test_decisions_of_before_go_and_later_ones_stay(store: Store) -> None:
    decide(store)
    assert remove(store, remove_decisions, at(2)) == 5 * 2
    assert store.statuses() == [status(2)]
    assert [one.id for one in store.silences(at(-1))] == ["s2"]
    assert [one.at for one in store.rulings()] == [at(2)]
    assert [one.at for one in store.change(marks.read_checks)] == [at(2)]
    assert remove(store, remove_decisions, at(2)) == 0


def test_the_last_status_of_a_narrative_stays_for_cards_go_by_it(store: Store) -> None:
    store.commit(Commit(none(), statuses=[status(0), status(1), status(0, "other")]))
    assert remove(store, remove_decisions, at(9)) == 1
    assert store.statuses() == [status(1), status(0, "other")]


def test_a_silence_that_was_made_longer_stays_in_all_its_forms(store: Store) -> None:
    store.commit(Commit(none(), silences=[silence("s", 1), silence("s", 9)]))
    assert remove(store, remove_decisions, at(5)) == 0
    assert remove(store, remove_decisions, at(10)) == 2


def test_a_correction_stays_without_the_name_of_who_made_it_for_the_tagger_goes_by_it(store: Store) -> None:
    store.commit(Commit(none(), corrections=[correction(0), correction(1)]))
    assert remove(store, remove_decisions, at(1)) == 1
    assert [(one.reads, one.tag, one.by) for one in store.corrections()] == [
        ("r0", "denial", ""),
        ("r1", "denial", "an editor"),
    ]


def test_gaps_go_with_the_mentions_of_their_time_and_of_exchanges_the_last_before_it_stays(store: Store) -> None:
    for day in range(4):
        gap = GapMark(source="s", begins=at(10 * day), ends=at(10 * day + 1), why="lost")
        exchange = Exchange(at=at(10 * day), events=(Event(name=f"e{day}", proposition="It has fallen", any=("it",)),))
        store.commit(Commit(none(), gaps=[gap], exchanges=[exchange]))
    assert remove(store, remove_gaps, at(25)) == 5
    assert [gap.ends for gap in store.gaps()] == [at(31)]
    assert [one.events[0].name for one in store.exchanges()] == ["e2", "e3"]


def test_a_portion_takes_no_more_than_it_may(store: Store) -> None:
    decide(store)
    for day in range(9):
        store.commit(Commit(none(), gaps=[GapMark(source=str(day), begins=at(0), ends=at(day), why="lost")]))
    assert [remove(store, remove_decisions, at(50), 4) for _ in range(5)] == [4, 4, 4, 2, 0]
    assert [remove(store, remove_gaps, at(50), 4) for _ in range(4)] == [4, 4, 1, 0]
