"""A deletion reaches what was frozen when an alert fired, and everybody who was shown the post."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from monitor.records import EVIDENCE_DELETED, Alert, AlertState, Notification
from monitor.store import fired
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.mentions import clustered, none

UNTIL = {"desk": AT + timedelta(hours=6), "night": AT + timedelta(hours=2)}
NIGHT = timedelta(hours=8)
DELETED: dict[str, Any] = {"op": "delete", "id": "0", "platform": "x", "event": "fall"}


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as made:
        made.commit(Commit(clustered({"id": "0", "platform": "x"}, {"id": "1", "platform": "x"})))
        yield made


def shown(alert: Alert) -> list[str]:
    return [one.text for one in alert.evidence]


def due(store: Store, receiver: str = "desk") -> list[Alert]:
    return [one.notification.alert for one in store.due(receiver, AT, 9).queued]


def sent(store: Store, alert: Alert, *receivers: str) -> None:
    notes = [a_notification(receiver, alert) for receiver in receivers]
    store.commit(Commit(none(), alerts=[alert], outbox=notes))
    for note in notes:
        store.mark_sent(note.key, "the card")


def test_who_has_the_post_is_told_once_and_by_name(store: Store) -> None:
    sent(store, an_alert(), "desk", "night", "gone")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    for receiver, deadline in UNTIL.items():
        (queued,) = store.due(receiver, AT, 9).queued
        note = queued.notification
        assert (note.alert.reason, note.earlier, note.deadline) == (EVIDENCE_DELETED, "the card", deadline)
        assert shown(note.alert) == ["", a_piece(1).text]
        assert (note.alert.evidence[0].url, note.alert.evidence[0].author) == (None, None)
    assert not store.due("gone", AT, 9).queued
    assert store.alerts()[0].reason == an_alert().reason


def test_a_second_post_is_told_by_itself(store: Store) -> None:
    sent(store, an_alert(), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    store.mark_sent(store.due("desk", AT, 9).queued[0].notification.key, "the card")
    store.commit(Commit(clustered(DELETED | {"id": "1"}), until=UNTIL))
    (last,) = due(store)
    assert shown(last) == ["", ""]


def test_what_waits_loses_the_text_and_nothing_is_added(store: Store) -> None:
    alert = an_alert()
    sent(store, alert, "desk")
    later = replace(alert, at=AT + timedelta(minutes=9), claims=99)
    store.commit(Commit(none(), alerts=[later], outbox=[a_notification("desk", later)]))
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (only,) = due(store)
    assert (only.claims, shown(only)[0]) == (99, "")


def hold(store: Store, *alerts: Alert) -> None:
    notes = [a_notification("desk", alert) for alert in alerts]
    store.commit(Commit(none(), alerts=alerts, outbox=notes))
    for note in notes:
        store.mark_held(note.key, AT + NIGHT, "quiet_hours", NIGHT)


def at_dawn(store: Store) -> list[Notification]:
    assert store.gather("desk", AT + NIGHT)
    return waiting(store)


def waiting(store: Store) -> list[Notification]:
    return [one.notification for one in store.due("desk", AT + NIGHT, 9).queued]


@pytest.mark.parametrize("told", [False, True], ids=["held", "told by a digest"])
def test_a_step_in_a_digest_takes_nothing_off_the_card(store: Store, *, told: bool) -> None:
    alert = an_alert()
    sent(store, alert, "desk")
    hold(store, replace(alert, at=AT + timedelta(minutes=9), claims=99), an_alert(id="a2"))
    if told:
        at_dawn(store)
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    if not told:
        at_dawn(store)
    (note,) = (one for one in waiting(store) if one.alert.reason == EVIDENCE_DELETED)
    assert (note.earlier, note.alert.claims, shown(note.alert)[0]) == ("the card", 99, "")


def test_a_deletion_that_was_held_back_leaves_as_itself(store: Store) -> None:
    sent(store, an_alert(), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (queued,) = store.due("desk", AT, 9).queued
    store.mark_held(queued.notification.key, AT + NIGHT, "quiet_hours", NIGHT)
    hold(store, an_alert(id="a2"), an_alert(id="a3"))
    deletion, digest = at_dawn(store)
    assert (deletion.alert.reason, len(digest.digest)) == (EVIDENCE_DELETED, 2)


def test_a_card_that_alerts_share_ends_as_its_last_step_was(store: Store) -> None:
    card = {"group": "g"}
    sent(store, an_alert(**card), "desk")
    sent(store, an_alert(id="a2", **card), "desk")
    sent(store, an_alert(at=AT + timedelta(minutes=9), claims=99, **card), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    claims = []
    while notes := waiting(store):
        claims.append(notes[0].alert.claims)
        store.mark_sent(notes[0].key, "the card")
    assert claims == [41, 99]


def test_a_digest_does_not_go_on_naming_an_alert_by_the_post(store: Store) -> None:
    hold(store, an_alert(label=a_piece(0).text[:20]), an_alert(id="a2", label="another one"))
    at_dawn(store)
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (queued,) = store.due("desk", AT + NIGHT, 9).queued
    names = [line.alert.label for line in queued.notification.digest]
    assert names == [an_alert().proposition, "another one"]


def test_an_alert_that_is_called_by_the_post_is_called_by_the_proposition(store: Store) -> None:
    sent(store, an_alert(label=a_piece(0).text[:20]), "desk")
    sent(store, an_alert(id="a2", label="another one"), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    assert [one.label for one in due(store)] == [an_alert().proposition, "another one"]
    assert [one.label for one in store.alerts()] == [an_alert().proposition, "another one"]


@pytest.mark.parametrize(
    "alert", [an_alert(evidence=(a_piece(1),)), an_alert(at=AT - timedelta(days=40))], ids=["not shown", "long ago"]
)
def test_nobody_is_told_of_what_no_card_shows_or_nobody_can_edit(store: Store, alert: Alert) -> None:
    sent(store, alert, "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    assert due(store) == []


def test_the_evidence_is_frozen_when_an_alert_fires_first(store: Store) -> None:
    pending = an_alert(state=AlertState.PENDING, evidence=())
    first = an_alert(evidence=(a_piece(0),), claims=10)
    last = an_alert(state=AlertState.RESOLVED, evidence=(a_piece(1),), claims=90)
    for step in (pending, first, replace(first, claims=50, evidence=(a_piece(1),)), last):
        store.commit(Commit(none(), alerts=[step]))
    with store._transaction() as connection:  # noqa: SLF001 -- readers have files
        assert fired.read(connection, "a1") == (last, first)
        assert fired.read(connection, "a2") is None
    store.commit(Commit(clustered(DELETED)))
    with store._transaction() as connection:  # noqa: SLF001
        kept = fired.read(connection, "a1")
    assert kept is not None
    assert kept[1] is not None
    assert (shown(kept[1]), kept[1].claims) == ([""], 10)
