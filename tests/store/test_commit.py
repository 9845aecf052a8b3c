from datetime import timedelta

import pytest
from sqlalchemy import event

from monitor.frames import CLUSTERED
from monitor.marks import GapMark, Status, StatusMark
from monitor.records import AlertState
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.mentions import clustered, none


def whole() -> Commit:
    """A batch with something of everything."""
    return Commit(
        mentions=clustered({}, {}),
        resume={"bluesky": "17"},
        state={"judge/n1": b"\x01"},
        alerts=[an_alert()],
        outbox=[a_notification()],
        gaps=[GapMark(source="telegram", begins=AT, ends=AT + timedelta(minutes=1), why="flood wait")],
        statuses=[StatusMark(at=AT, event="fall", narrative="n1", status=Status.DENIED, by="desk", evidence="call")],
    )


def contents(store: Store) -> list[object]:
    return [
        store.recent_mentions(10).rows(),
        store.resume_points(),
        store.load_state(),
        store.alerts(),
        store.due("desk", AT, 10).queued,
        store.gaps(),
        store.statuses(),
    ]


def test_everything_of_a_batch_is_there_after_it_was_committed_and_the_store_was_opened_again(place: str) -> None:
    batch = whole()
    with Store(place) as store:
        store.commit(batch)
    with Store(place) as store:
        assert (
            store.recent_mentions(10)
            .select("id", "text", "seen_at")
            .equals(batch.mentions.select("id", "text", "seen_at"))
        )
        assert store.resume_points() == batch.resume
        assert store.load_state() == batch.state
        assert store.alerts() == batch.alerts
        assert [queued.notification for queued in store.due("desk", AT, 10).queued] == batch.outbox
        assert store.gaps() == batch.gaps
        assert store.statuses() == batch.statuses


@pytest.mark.parametrize("table", ["mentions", "resume_points", "state", "gaps", "statuses", "alerts", "outbox"])
def test_a_batch_interrupted_at_any_table_leaves_nothing(place: str, table: str) -> None:
    class KilledError(Exception):
        pass

    with Store(place) as store:
        before = contents(store)

        def kill(*seen: object) -> None:
            if f"INTO {table}" in str(seen[2]).replace('"', ""):
                raise KilledError

        event.listen(store._engine, "after_cursor_execute", kill)  # noqa: SLF001  the point where a crash is put
        with pytest.raises(KilledError):
            store.commit(whole())
        event.remove(store._engine, "after_cursor_execute", kill)  # noqa: SLF001
        assert contents(store) == before
    with Store(place) as store:
        assert contents(store) == before
        store.commit(whole())
        assert len(store.recent_mentions(10)) == 2


def test_an_empty_state_value_removes_the_row_and_others_stay(place: str) -> None:
    with Store(place) as store:
        store.commit(Commit(none(), state={"a": b"1", "b": b"2"}))
        store.commit(Commit(none(), state={"a": b""}))
        assert store.load_state() == {"b": b"2"}


def test_a_resume_point_is_replaced_and_other_sources_keep_theirs(place: str) -> None:
    with Store(place) as store:
        store.commit(Commit(none(), resume={"a": "1", "b": "1"}))
        store.commit(Commit(none(), resume={"a": "2"}))
        assert store.resume_points() == {"a": "2", "b": "1"}


def test_of_each_alert_the_last_step_is_kept_and_found_by_its_state(place: str) -> None:
    with Store(place) as store:
        store.commit(Commit(none(), alerts=[an_alert(state=AlertState.PENDING), an_alert(), an_alert(id="a2")]))
        store.commit(Commit(none(), alerts=[an_alert(state=AlertState.RESOLVED)]))
        assert [alert.id for alert in store.alerts()] == ["a1", "a2"]
        assert [alert.id for alert in store.alerts(AlertState.RESOLVED)] == ["a1"]
        assert store.alerts(AlertState.PENDING) == []


def test_numbers_that_are_not_finite_do_not_spoil_an_alert(place: str) -> None:
    with Store(place) as store:
        store.commit(Commit(none(), alerts=[an_alert(numbers={"log_e": float("inf"), "p0": float("nan"), "b": 1.0})]))
        (alert,) = store.alerts()
        assert alert.numbers["log_e"] > 1e300
        assert "p0" not in alert.numbers


def test_a_store_in_memory_works_like_one_in_a_file() -> None:
    with Store("sqlite://") as store:
        store.commit(whole())
        assert store.recent_mentions(10).schema == CLUSTERED
        assert len(store.recent_mentions(10)) == 2
