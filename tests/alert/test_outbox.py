from datetime import timedelta

from monitor.alert.outbox import idempotency_key, notifications
from monitor.records import AlertState
from tests.fakes.alerts import AT, an_alert

ALERT = an_alert()


def test_each_chosen_receiver_gets_one_notification_with_its_own_deadline() -> None:
    made = notifications(ALERT, {"desk": timedelta(hours=1), "phone": timedelta(minutes=5)}, AT)
    assert [(note.receiver, note.deadline - AT) for note in made] == [
        ("desk", timedelta(hours=1)),
        ("phone", timedelta(minutes=5)),
    ]
    assert all(note.alert == ALERT for note in made)


def test_the_key_is_the_same_in_every_run_and_whenever_it_is_made() -> None:
    later = notifications(ALERT, {"desk": timedelta(hours=2)}, AT + timedelta(days=1))
    assert later[0].key == idempotency_key(ALERT, "desk") == "db187826e57b349c776c8d26f852a261"


def test_every_step_of_every_alert_at_every_receiver_has_a_key_of_its_own() -> None:
    steps = [
        ALERT,
        an_alert(id="a2"),
        an_alert(state=AlertState.RESOLVED),
        an_alert(at=AT + timedelta(seconds=1)),
    ]
    keys = {idempotency_key(step, receiver) for step in steps for receiver in ("desk", "phone")}
    assert len(keys) == 8


def test_what_does_not_tell_steps_apart_does_not_change_the_key() -> None:
    assert idempotency_key(an_alert(claims=99, evidence=()), "desk") == idempotency_key(ALERT, "desk")
