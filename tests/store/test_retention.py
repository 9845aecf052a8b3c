"""What is too old goes, a portion at a time, and nothing that is still needed."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Table, func, select

from monitor.marks import AckMark
from monitor.records import AlertState, Answer, Notification
from monitor.store import retention
from monitor.store.schema import METADATA, acknowledgements, alerts, answers, evidence, fired, mentions, outbox
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.mentions import START, clustered, none

RESOLVED: dict[str, Any] = {"state": AlertState.RESOLVED}
LATER = AT + timedelta(days=100)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place, stand_in=lambda: "nobody") as made:
        yield made


def count(store: Store, table: Table) -> int:
    return store.change(lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one())


def shown(store: Store, column: ColumnElement[str]) -> Sequence[str]:
    return store.change(lambda connection: connection.execute(select(column)).scalars().all())


def seen(second: int) -> datetime:
    return START + timedelta(seconds=second)


def strip(store: Store, before: datetime, limit: int = 100) -> int:
    found = store.change(lambda connection: retention.aged(connection, before, limit))
    if found is None:
        return 0
    store.commit(Commit(none(), state={retention.MARK: found.mark}, expired=found.keys))
    return len(found.keys)


def test_texts_go_in_portions_of_the_oldest_and_none_twice(store: Store) -> None:
    store.commit(Commit(clustered({}, {}, {"op": "create"}, {}, {})))
    assert [strip(store, seen(3), 2) for _ in range(3)] == [2, 1, 0]
    left = store.recent_mentions(9)
    assert left["text"].to_list() == ["", "", "", "text 3", "text 4"]
    assert left["author"].to_list() == ["nobody", "nobody", "nobody", "author-3", "author-4"]
    assert left["url"].null_count() == 3
    assert left["tag"].null_count() == 0


def test_what_its_author_deleted_is_passed_over(store: Store) -> None:
    store.commit(Commit(clustered({}, {})))
    store.commit(Commit(clustered({"op": "delete"})))
    assert strip(store, seen(9)) == 1
    assert strip(store, seen(9)) == 0


def test_alerts_and_notifications_lose_the_texts_too_and_nobody_is_told(store: Store) -> None:
    store.commit(Commit(clustered({"id": "0", "platform": "x"}, {"id": "1", "platform": "x"})))
    store.commit(Commit(none(), alerts=[an_alert()], outbox=[note := a_notification()]))
    store.mark_sent(note.key, "the card", AT)
    assert strip(store, seen(1)) == 1
    assert [one.text for one in store.alerts()[0].evidence] == ["", a_piece(1).text]
    frozen, sent = shown(store, fired.c.json), shown(store, outbox.c.body)
    assert all(a_piece(0).text not in text and a_piece(1).text in text for text in (*frozen, *sent))
    assert len([*frozen, *sent]) == 2
    assert store.waiting() == 0


def test_a_digest_calls_no_narrative_by_a_text_that_is_gone(store: Store) -> None:
    store.commit(Commit(clustered({"id": "0", "platform": "x"})))
    said = a_piece(0).text
    held = [an_alert(id=name, narrative=name, label=said) for name in ("a1", "a2")]
    store.commit(Commit(none(), alerts=held, outbox=(notes := [a_notification(alert=one) for one in held])))
    for one in notes:
        store.mark_held(one.key, AT, "quiet_hours", timedelta(days=1))
    assert store.gather("desk", AT)
    assert strip(store, seen(9)) == 1
    bodies = shown(store, outbox.c.body)
    assert len(bodies) == 3
    assert not [body for body in bodies if said in body]


def test_the_rows_of_mentions_go_from_the_oldest_on(store: Store) -> None:
    store.commit(Commit(clustered({}, {}, {}, {})))
    assert remove(store, retention.remove_mentions, seen(3), 2) == 2
    assert remove(store, retention.remove_mentions, seen(3), 2) == 1
    assert remove(store, retention.remove_mentions, seen(3), 2) == 0
    assert store.recent_mentions(9)["id"].to_list() == ["3"]


def test_an_archive_that_was_emptied_is_walked_from_its_begin_again(store: Store) -> None:
    store.commit(Commit(clustered({}, {})))
    assert strip(store, seen(9)) == 2
    assert remove(store, retention.remove_mentions, seen(9)) == 2
    store.commit(Commit(clustered({"id": "new"})))
    assert strip(store, seen(9)) == 1


def test_a_resolved_alert_goes_with_all_that_was_kept_of_it_and_an_open_one_stays(store: Store) -> None:
    store.commit(Commit(clustered({"id": "0", "platform": "x"}, {"id": "1", "platform": "x"})))
    for name in ("over", "open"):
        acknowledged = AckMark(at=AT, alert=name, by="ada", assignee="", comment="")
        store.commit(Commit(none(), alerts=[an_alert(id=name)], acknowledgements=[acknowledged]))
        store.answer(Answer(at=AT, alert=name, useful=True, by="ada", comment=""))
    store.commit(Commit(none(), alerts=[an_alert(id="over", **RESOLVED)]))
    tables = (alerts, fired, answers, acknowledgements)
    assert remove(store, retention.remove_alerts, AT) == 0
    assert [count(store, table) for table in (*tables, evidence)] == [2, 2, 2, 2, 4]
    assert remove(store, retention.remove_alerts, LATER) == 1
    assert [count(store, table) for table in (*tables, evidence)] == [1, 1, 1, 1, 2]
    assert [one.id for one in store.alerts()] == ["open"]


def test_an_alert_of_which_a_notification_waits_stays(store: Store) -> None:
    over = an_alert(**RESOLVED)
    store.commit(Commit(none(), alerts=[over], outbox=[note := a_notification(alert=over)]))
    assert remove(store, retention.remove_alerts, LATER) == 0
    store.mark_sent(note.key, "", AT)
    assert remove(store, retention.remove_alerts, LATER) == 1
    assert count(store, outbox) == 0


def delivered(store: Store, at: timedelta = timedelta(), **fields: Any) -> Notification:  # noqa: ANN401  any field
    step = an_alert(at=AT + at, **fields)
    store.commit(Commit(none(), alerts=[step], outbox=[note := a_notification(alert=step)]))
    store.mark_sent(note.key, f"card {step.id}", AT + at)
    return note


def test_sent_and_dead_notifications_go_and_what_waits_and_the_last_of_an_open_alert_stay(store: Store) -> None:
    delivered(store, id="over")
    delivered(store, timedelta(minutes=1), id="over", **RESOLVED)
    delivered(store, id="open")
    delivered(store, timedelta(minutes=1), id="open", reason="more", change="more")
    dead, waits = (a_notification(name) for name in ("dead", "waits"))
    store.commit(Commit(none(), outbox=[dead, waits]))
    store.mark_dead(dead.key, "refused")
    assert remove(store, retention.remove_deliveries, AT) == 0
    assert remove(store, retention.remove_deliveries, LATER) == 4
    left = store.change(
        lambda connection: connection.execute(select(outbox.c.key, outbox.c.receipt).order_by(outbox.c.number)).all()
    )
    assert [(row.key == waits.key, row.receipt) for row in left] == [(False, "card open"), (True, "")]
    assert [one.id for one in store.standing("desk")] == ["open"]


def test_a_portion_takes_no_more_than_it_may(store: Store) -> None:
    for number in range(3):
        delivered(store, id=f"a{number}", **RESOLVED)
    assert [remove(store, retention.remove_deliveries, LATER, 2) for _ in range(3)] == [2, 1, 0]
    assert [remove(store, retention.remove_alerts, LATER, 2) for _ in range(3)] == [2, 1, 0]


def test_the_hot_insert_has_no_index_for_it() -> None:
    assert [index.name for index in mentions.indexes] == ["ix_mentions_author"]  # for accounts that go: decision 0064
    assert mentions in METADATA.sorted_tables


def remove(store: Store, work: Any, before: datetime, limit: int = 100) -> int:  # noqa: ANN401  one of retention's
    return int(store.change(lambda connection: work(connection, before, limit)))
