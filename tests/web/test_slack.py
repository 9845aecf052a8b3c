"""Buttons in Slack: only what Slack signed, lately and once, acts; whoever pressed is named and told."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from monitor.alert import words
from monitor.web.refused import refuse
from monitor.web.server import Health, serving
from monitor.web.slack import SlackButtons, signature
from tests.fakes.alerts import AT
from tests.fakes.clock import ManualClock, settle
from tests.fakes.desk import FakeDesk

SECRET = b"8f742231b10e8888abcd99yyyzzz85a5"
REPLIES = "https://hooks.slack.com/actions/T0/1/abc"
# As Slack's page "Verifying requests from Slack" has it: secret, time, body and signature.
EXAMPLE = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
EXAMPLE_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def pressed(action: str = "useful", value: str | None = "a1", **fields: Any) -> bytes:  # noqa: ANN401
    """What Slack sends, as its page on `block_actions` payloads has it."""
    button = {
        "type": "button",
        "block_id": "actions",
        "action_id": action,
        "text": {"type": "plain_text", "text": "It was useful", "emoji": False},
        "action_ts": "1630679400.000100",
        **({"value": value} if value is not None else {"url": "https://monitor.example.org/actions/useful/a1"}),
    }
    payload = {
        "type": "block_actions",
        "user": {"id": "U061F7AUR", "username": "nadia", "name": "nadia", "team_id": "T0CAG"},
        "api_app_id": "A0CA5",
        "token": "Nj2rfC2hU8mAfgaJLemZgO7H",
        "container": {"type": "message", "message_ts": "1630679390.000100", "channel_id": "C024BE91L"},
        "trigger_id": "1234567890.123.abc",
        "team": {"id": "T0CAG", "domain": "desk"},
        "channel": {"id": "C024BE91L", "name": "alerts"},
        "message": {"type": "message", "text": "UNCONFIRMED", "ts": "1630679390.000100"},
        "response_url": REPLIES,
        "actions": [button],
        **fields,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


class Slack(NamedTuple):
    """A monitor whose app Slack knows."""

    desk: FakeDesk
    clock: ManualClock
    told: list[tuple[str, str]]
    port: int

    async def send(
        self, body: bytes, *, secret: bytes = SECRET, at: float | None = None, given: Mapping[str, str] | None = None
    ) -> int:
        stamp = str(int(self.clock.now().timestamp() if at is None else at))
        signed = {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(secret, stamp, body),
            **(given or {}),
        }
        url = f"http://127.0.0.1:{self.port}/slack/actions"
        async with ClientSession() as session, session.post(url, data=body, headers=signed) as answer:
            await answer.read()
            return answer.status


@asynccontextmanager
async def slack(secrets: dict[str, bytes] | None = None) -> AsyncIterator[Slack]:
    desk, clock, told = FakeDesk(), ManualClock(AT), list[tuple[str, str]]()
    known = {"desk": SECRET} if secrets is None else secrets

    async def tell(url: str, text: str) -> None:
        told.append((url, text))

    pages = SlackButtons(lambda: known, desk.acts(clock), tell, clock).routes()
    health = Health(ready=True, at=AT)
    async with serving(
        "127.0.0.1", 0, health=lambda: health, registry=CollectorRegistry(), token="of the API", signed=pages
    ) as port:
        yield Slack(desk, clock, told, port)


def test_the_signature_is_the_one_of_slacks_own_example() -> None:
    assert signature(SECRET, "1531420618", EXAMPLE) == EXAMPLE_SIGNATURE


@pytest.mark.parametrize(
    ("action", "done"),
    [
        ("acknowledge", ("acknowledge", "a1", "nadia (U061F7AUR, Slack)", "")),
        ("useful", ("answer", "a1", True, "nadia (U061F7AUR, Slack)")),
        ("not-useful", ("answer", "a1", False, "nadia (U061F7AUR, Slack)")),
    ],
)
async def test_a_button_does_what_it_says_under_the_name_of_who_pressed(action: str, done: tuple[Any, ...]) -> None:
    async with slack() as there:
        assert await there.send(pressed(action)) == 200
        (deed,) = there.desk.done
        assert deed[: len(done)] == done
        assert "a1" in deed[-1]
        assert there.desk.noted == [(action, "slack", "done")]
        ((where, said),) = there.told
        assert where == REPLIES
        assert "nadia" in said


@pytest.mark.parametrize("action", ["confirm", "debunk"])
async def test_a_button_of_an_older_card_sets_no_status_for_it_says_nothing_that_one_could_rest_on(action: str) -> None:
    async with slack() as there:
        assert await there.send(pressed(action)) == 200
        assert there.desk.done == []
        assert there.desk.noted == [(action, "slack", "evidence")]
        ((_, said),) = there.told
        assert said == f"Nothing was changed. {words.PAGE['evidence_needed']}"


async def test_a_silence_is_the_narratives() -> None:
    async with slack() as there:
        await there.send(pressed("silence-2h"))
        ((_, asked),) = there.desk.done
        assert (asked.narrative, asked.expires_at) == ("n1", AT + timedelta(hours=2))


async def test_only_a_signature_under_a_receivers_secret_counts() -> None:
    async with slack({"desk": SECRET, "other": b"another app's"}) as there:
        wrong = {"X-Slack-Signature": "v0=" + "0" * 64}
        assert await there.send(pressed(), secret=b"a guess") == 401
        assert await there.send(pressed(), given=wrong) == 401
        assert await there.send(pressed(), given={"X-Slack-Signature": ""}) == 401
        assert await there.send(pressed(), given={"X-Slack-Request-Timestamp": "soon"}) == 401
        assert there.desk.done == there.desk.noted == []
        assert await there.send(pressed(), secret=b"another app's") == 200
        assert len(there.desk.done) == 1
    async with slack({}) as there:
        assert await there.send(pressed()) == 401


@pytest.mark.parametrize(("apart", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
async def test_a_request_is_at_most_five_minutes_old(apart: int, status: int) -> None:
    async with slack() as there:
        assert await there.send(pressed(), at=AT.timestamp() + apart) == status
        assert len(there.desk.done) == (status == 200)


async def test_a_request_that_comes_again_is_refused() -> None:
    async with slack() as there:
        assert [await there.send(pressed()) for _ in range(2)] == [200, 401]
        stamp = AT.timestamp()
        await there.clock.advance(timedelta(minutes=4, seconds=59))
        assert await there.send(pressed(), at=stamp) == 401
        assert len(there.desk.done) == 1


async def test_slack_is_answered_before_the_change_is_made() -> None:
    async with slack() as there:
        there.desk.open.clear()
        assert await there.send(pressed()) == 200
        assert there.desk.done == there.told == []
        there.desk.open.set()
        await settle()
        assert len(there.desk.done) == len(there.told) == 1


async def test_whoever_pressed_hears_of_a_failure() -> None:
    async with slack() as there:
        there.desk.refusals.append(refuse(503, "store", "the store cannot be written now"))
        assert await there.send(pressed()) == 200
        ((_, said),) = there.told
        assert said == "Nothing was changed. the store cannot be written now"
        assert there.desk.noted == [("useful", "slack", "store")]


@pytest.mark.parametrize(
    "body",
    [
        pressed(value=None),
        pressed(action="delete_everything"),
        pressed(type="view_submission"),
        pressed(actions=[]),
    ],
)
async def test_what_is_no_button_of_ours_is_answered_and_does_nothing(body: bytes) -> None:
    async with slack() as there:
        assert await there.send(body) == 200
        assert there.desk.done == there.told == []


@pytest.mark.parametrize("body", [b"", b"payload=", b"payload=%7B", b"\xff", b"payload=%5B%5D", b"a=1&" * 50])
async def test_what_is_no_payload_is_refused(body: bytes) -> None:
    async with slack() as there:
        assert await there.send(body) == 400


async def test_nobody_else_is_told_what_became_of_it() -> None:
    async with slack() as there:
        await there.send(pressed(response_url="https://hooks.slack.com.evil.test/x"))
        assert len(there.desk.done) == 1
        assert there.told == []


async def test_an_alert_that_is_gone_and_a_hostile_name_are_said_plainly() -> None:
    async with slack() as there:
        user = {"id": "U1<!channel>", "name": "\u202e@all\x1b[2J"}
        assert await there.send(pressed(value="nothing", user=user)) == 200
        assert there.desk.noted == [("useful", "slack", "unknown_alert")]
        assert await there.send(pressed(user=user)) == 200
        (deed,) = there.desk.done
        assert deed[3] == "＠all␛[2J (U1‹!channel›, Slack)"
