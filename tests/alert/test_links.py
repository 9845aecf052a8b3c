"""Links say what they allow, hold for a while, and cannot be made or changed without the key."""

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.card import card
from monitor.alert.links import Action, Link, Links, offered, over
from monitor.marks import AckMark
from monitor.records import AlertState
from monitor.watched import Duration
from tests.fakes.alerts import AT, an_alert
from tests.fakes.desk import KEY, LINKS


def test_a_link_names_action_alert_narrative_receiver_and_end_and_is_signed() -> None:
    first = LINKS.of(an_alert(), "desk")[0]
    address = urlsplit(first.url)
    asked = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://monitor.example.org/actions/acknowledge/a1"
    expires = str(int((AT + timedelta(days=2)).timestamp()))
    assert (asked["n"], asked["r"], asked["e"]) == ("n1", "desk", expires)
    signed = json.dumps(["link/1", "acknowledge", "a1", "n1", "desk", expires], separators=(",", ":")).encode()
    assert asked["s"] == urlsafe_b64encode(hmac.new(KEY, signed, sha256).digest()).rstrip(b"=").decode()


def test_equal_alerts_have_equal_links_so_that_an_edit_sent_again_is_the_same() -> None:
    assert LINKS.of(an_alert(), "desk") == LINKS.of(an_alert(), "desk")
    assert len({one.url for one in (*LINKS.of(an_alert(), "desk"), *LINKS.of(an_alert(), "phone"))}) == 14


FIELDS = st.text(max_size=20)


@given(st.tuples(FIELDS, FIELDS, FIELDS, FIELDS, st.integers(0, 10**10)), st.data())
def test_no_other_link_has_its_signature(fields: tuple[str, str, str, str, int], data: st.DataObject) -> None:
    link = Link(*fields)
    signature = link.signature(KEY)
    assert link.signed(KEY, signature)
    assert not link.signed(b"another key", signature)
    other = Link(*data.draw(st.tuples(FIELDS, FIELDS, FIELDS, FIELDS, st.integers(0, 10**10))))
    assert other.signed(KEY, signature) == (other == link)
    moved = Link(link.action + link.alert[:1], link.alert[1:], *fields[2:])
    assert moved.signed(KEY, signature) == (moved == link)


def test_a_link_is_over_when_its_time_has_come() -> None:
    assert not over(int(AT.timestamp()) + 1, AT)
    assert over(int(AT.timestamp()), AT)


def test_a_card_offers_what_can_still_be_done() -> None:
    assert offered(an_alert()) == list(Action)
    acknowledged = offered(an_alert(state=AlertState.ACKNOWLEDGED))
    assert acknowledged == [one for one in Action if one is not Action.ACKNOWLEDGE]
    over_already = offered(an_alert(state=AlertState.RESOLVED))
    assert over_already == [Action.CONFIRM, Action.DEBUNK, Action.USEFUL, Action.NOT_USEFUL]
    of_an_event = offered(an_alert(narrative=""))
    assert Action.CONFIRM not in of_an_event
    assert Action.SILENCE_2H in of_an_event


def test_even_the_longest_links_leave_room_for_a_card() -> None:
    longest = Links("https://" + "m" * 92, KEY, Duration(days=2)).of(
        an_alert(id="f" * 16, narrative="n" * 16), "r" * 64
    )
    assert max(len(one.url) for one in longest) <= 290


def test_a_card_on_which_another_rule_fires_on_offers_what_can_still_be_done() -> None:
    goes_on = an_alert(state=AlertState.RESOLVED, also=("volume",), change="denials_overtook")
    assert offered(goes_on) == list(Action)
    taken = replace(goes_on, acknowledged=AckMark(at=AT, alert="a1", by="ada"))
    assert offered(taken) == [one for one in Action if one is not Action.ACKNOWLEDGE]
    assert [card(one).state for one in (goes_on, taken)] == [
        words.STATE[AlertState.FIRING],
        words.STATE[AlertState.ACKNOWLEDGED],
    ]
