"""A deletion reaches what was frozen when an alert fired, and everybody who was shown the post."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from monitor.records import EVIDENCE_DELETED, Alert, AlertState, Notification, Quoted
from monitor.store import fired
from monitor.store.alerts import left_of, shown_by
from monitor.store.store import Commit, Store
from monitor.store.withdrawn import Attempted
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
        assert (note.alert.change, note.earlier, note.deadline) == (EVIDENCE_DELETED, "the card", deadline)
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
    (note,) = (one for one in waiting(store) if one.alert.change == EVIDENCE_DELETED)
    assert (note.earlier, note.alert.claims, shown(note.alert)[0]) == ("the card", 99, "")


def test_a_deletion_that_was_held_back_leaves_as_itself(store: Store) -> None:
    sent(store, an_alert(), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (queued,) = store.due("desk", AT, 9).queued
    store.mark_held(queued.notification.key, AT + NIGHT, "quiet_hours", NIGHT)
    hold(store, an_alert(id="a2"), an_alert(id="a3"))
    digest, deletion = at_dawn(store)
    assert (deletion.alert.change, len(digest.digest)) == (EVIDENCE_DELETED, 2)


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
    assert names == ["", "another one"]


def called_by(identity: str, **fields: Any) -> Alert:  # noqa: ANN401  any field of the record
    return an_alert(label="what that post said", label_of=Quoted(platform="x", id=identity), **fields)


def test_an_alert_that_a_post_names_loses_the_name_with_it_though_it_does_not_show_the_post(store: Store) -> None:
    sent(store, called_by("0", evidence=(a_piece(1),)), "desk")
    sent(store, called_by("1", id="a2", evidence=(a_piece(1),)), "desk")
    waits = called_by("0", id="a3", evidence=())
    store.commit(Commit(none(), alerts=[waits], outbox=[a_notification("night", waits)]))
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (edit,) = due(store)
    (waiting_,) = due(store, "night")
    assert (edit.label, edit.label_of) == (a_piece(1).text, Quoted(platform="x", id="1"))
    assert (waiting_.label, waiting_.label_of) == ("", None)
    assert [one.label for one in store.alerts()] == [a_piece(1).text, "what that post said", ""]
    with store._transaction() as connection:  # noqa: SLF001 -- readers have files
        kept = fired.read(connection, "a3")
    assert kept is not None
    assert [one.label for one in kept if one is not None] == ["", ""]


def test_a_name_goes_out_of_a_digest_with_its_post(store: Store) -> None:
    hold(store, called_by("0", evidence=()), an_alert(id="a2", label="another one"))
    at_dawn(store)
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    (queued,) = store.due("desk", AT + NIGHT, 9).queued
    assert [line.alert.label for line in queued.notification.digest] == ["", "another one"]


def test_the_name_of_an_alert_goes_where_its_post_is_deleted_before_it(store: Store) -> None:
    store.commit(Commit(clustered(DELETED)))
    sent(store, called_by("0", evidence=()), "desk")
    assert [one.label for one in store.alerts()] == [""]


def test_an_alert_of_an_earlier_version_is_not_called_by_a_post_that_is_gone(store: Store) -> None:
    sent(store, an_alert(label=a_piece(0).text[:20]), "desk")
    sent(store, an_alert(id="a2", label="another one"), "desk")
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    assert [one.label for one in due(store)] == ["", "another one"]
    assert [one.label for one in store.alerts()] == ["", "another one"]


@pytest.mark.parametrize("how", ["sent", "failed", "dead"])
def test_what_is_deleted_while_a_card_is_under_way_is_taken_off_it(store: Store, how: str) -> None:
    sent(store, an_alert(at=AT - timedelta(minutes=9), evidence=()), "desk")
    alert = called_by("0")
    note = a_notification("desk", alert)
    store.commit(Commit(none(), alerts=[alert], outbox=[note]))
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    under_way = Attempted(alert, AT)
    if how == "sent":
        store.mark_sent(note.key, "the card", AT, under_way)
    elif how == "failed":
        store.mark_failed(note.key, AT, "timeout", unknown=True, attempted=under_way)
        store.mark_sent(note.key, "the card", AT, Attempted(due(store)[0], AT))
    else:
        store.mark_dead(note.key, "expired", unknown=True, attempted=under_way)
    (edit,) = store.due("desk", AT, 9).queued
    told = edit.notification
    assert (told.alert.change, told.earlier) == (EVIDENCE_DELETED, "the card")
    assert (shown(told.alert), told.alert.label) == (["", a_piece(1).text], "")
    assert told.deadline > AT


@pytest.mark.parametrize("fate", ["refused", "never arrived", "nothing deleted"])
def test_no_edit_follows_where_no_card_shows_what_is_gone(store: Store, fate: str) -> None:
    note = a_notification("desk", an_alert())
    store.commit(Commit(none(), alerts=[an_alert()], outbox=[note]))
    under_way = Attempted(an_alert(), AT)
    if fate == "nothing deleted":
        store.mark_sent(note.key, "the card", AT, under_way)
    else:
        store.commit(Commit(clustered(DELETED), until=UNTIL))
        store.mark_dead(note.key, "refused", unknown=fate == "never arrived", attempted=under_way)
    assert due(store) == []


def test_a_try_whose_end_nobody_knows_is_followed_by_an_edit(store: Store) -> None:
    note = a_notification("desk", an_alert())
    store.commit(Commit(none(), alerts=[an_alert()], outbox=[note]))
    store.mark_failed(note.key, AT, "timeout", unknown=True, attempted=Attempted(an_alert(), AT))
    store.commit(Commit(clustered(DELETED), until=UNTIL))
    store.mark_sent(note.key, "the card", AT, Attempted(due(store)[0], AT))
    (edit,) = due(store)
    assert (edit.change, shown(edit)) == (EVIDENCE_DELETED, ["", a_piece(1).text])


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


def test_a_deleted_post_names_no_voice_any_more() -> None:
    alert = an_alert(evidence=(a_piece(0, voice="Radio Valley"), a_piece(1, voice="Radio Hill")))
    (gone,) = shown_by(replace(alert, evidence=alert.evidence[:1], label_of=None))
    assert [one.voice for one in left_of(alert, {gone}).evidence] == [None, "Radio Hill"]
