from collections.abc import Iterator
from datetime import timedelta

import pytest

from monitor.records import AlertState
from monitor.store.store import Commit, Store
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.mentions import none

SOON = AT + timedelta(seconds=30)


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as opened:
        yield opened


def keys(store: Store, receiver: str = "desk", at: object = AT, limit: int = 10) -> list[str]:
    assert at in {AT, SOON}
    return [queued.notification.key for queued in store.due(receiver, AT if at == AT else SOON, limit).queued]


def test_what_was_sent_is_never_due_again_even_if_its_batch_comes_again(store: Store) -> None:
    note = a_notification()
    store.commit(Commit(none(), outbox=[note, note]))
    assert keys(store) == [note.key]
    store.mark_sent(note.key, "receipt")
    store.commit(Commit(none(), outbox=[note]))
    store.mark_failed(note.key, AT)
    assert keys(store) == []


def test_a_failed_notification_is_due_again_when_its_time_has_come(store: Store) -> None:
    note = a_notification()
    store.commit(Commit(none(), outbox=[note]))
    store.mark_failed(note.key, SOON, "timeout", "10 s")
    assert store.due("desk", AT, 10) == ((), SOON)
    (queued,) = store.due("desk", SOON, 10).queued
    assert queued == (note, 1)


def test_the_steps_of_one_alert_wait_for_each_other_and_other_alerts_do_not(store: Store) -> None:
    firing, resolved = a_notification(), a_notification(alert=an_alert(state=AlertState.RESOLVED))
    other = a_notification(alert=an_alert(id="a2"))
    store.commit(Commit(none(), outbox=[firing, resolved, other]))
    store.mark_failed(firing.key, SOON)
    assert keys(store) == [other.key]
    store.mark_dead(firing.key, "refused")
    assert keys(store) == [resolved.key, other.key]


def test_a_notification_comes_with_what_is_known_of_earlier_ones_and_of_earlier_attempts(store: Store) -> None:
    first, second, third = (a_notification(alert=an_alert(at=AT + timedelta(seconds=n))) for n in range(3))
    store.commit(Commit(none(), outbox=[first, second, third]))
    store.mark_begun(first.key)
    assert [(q.notification.repeat, q.notification.earlier) for q in store.due("desk", AT, 9).queued] == [(True, "")]
    store.mark_failed(first.key, AT, "refused", "", unknown=False)
    assert not store.due("desk", AT, 9).queued[0].notification.repeat
    store.mark_sent(first.key, "the card")
    assert store.due("desk", AT, 9).queued[0].notification.earlier == "the card"
    store.mark_dead(second.key, "expired")
    store.mark_sent(third.key, "another card")
    store.requeue(second.key, SOON)
    assert store.due("desk", AT, 9).queued[0].notification.earlier == ""


def test_what_a_receiver_has_that_has_not_ended_stands(store: Store) -> None:
    firing, resolved = an_alert(), an_alert(state=AlertState.RESOLVED, at=AT + timedelta(seconds=1))
    other, unsent = an_alert(id="a2", claims=7), an_alert(id="a3")
    begun, ended, elsewhere = (a_notification(alert=one) for one in (firing, resolved, other))
    store.commit(Commit(none(), outbox=[begun, ended, elsewhere, a_notification(alert=unsent)]))
    for key in (begun.key, elsewhere.key):
        store.mark_sent(key)
    assert store.standing("desk") == [firing, other]
    store.mark_sent(ended.key)
    assert store.standing("desk") == [other]
    assert store.standing("phone") == []


def test_a_receiver_is_given_only_its_own_at_most_as_many_as_asked(store: Store) -> None:
    mine = [a_notification(alert=an_alert(id=f"a{n}")) for n in range(3)]
    store.commit(Commit(none(), outbox=[*mine, a_notification("phone")]))
    assert keys(store, limit=2) == [note.key for note in mine[:2]]
    assert store.due("desk", AT, 2).next_at is not None
    assert store.due("desk", AT, 3).next_at is None
    assert len(keys(store, "phone")) == 1


def test_a_dead_letter_keeps_its_reason_and_can_be_queued_anew(store: Store) -> None:
    note = a_notification()
    store.commit(Commit(none(), outbox=[note]))
    store.mark_dead(note.key, "refused", "HTTP 404")
    (letter,) = store.dead_letters()
    assert (letter.notification.key, letter.reason, letter.detail) == (note.key, "refused", "HTTP 404")
    assert store.requeue(note.key, SOON)
    assert store.dead_letters() == []
    assert store.due("desk", AT, 1).queued[0].notification.deadline == SOON
    assert not store.requeue(note.key, SOON)


def test_notifications_to_a_receiver_that_no_longer_exists_are_found(store: Store) -> None:
    mine, lost = a_notification("desk"), a_notification("gone")
    store.commit(Commit(none(), outbox=[mine, lost]))
    assert store.unclaimed(["desk"]) == [lost]


def test_what_is_over_does_not_stand_although_its_end_never_arrived(store: Store) -> None:
    firing, resolved = an_alert(), an_alert(state=AlertState.RESOLVED, at=SOON)
    begun, ended = a_notification(alert=firing), a_notification(alert=resolved)
    store.commit(Commit(none(), alerts=[firing], outbox=[begun]))
    store.mark_sent(begun.key)
    assert store.standing("desk") == [firing]
    store.commit(Commit(none(), alerts=[resolved], outbox=[ended]))
    store.mark_dead(ended.key, "expired")
    assert store.standing("desk") == []
