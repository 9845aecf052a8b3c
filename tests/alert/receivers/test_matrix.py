"""Cards in a room of a real Synapse, as somebody else there reads them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import ClientSession, web
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.card import card
from monitor.alert.chart import picture
from monitor.alert.deliver import Deliverer
from monitor.alert.receivers.matrix import BYTES, Matrix, MatrixSettings, content
from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.records import AlertState
from monitor.store.store import Commit, Store
from monitor.store.withdrawn import Attempted
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.chats import line
from tests.fakes.clock import ManualClock
from tests.fakes.mentions import none
from tests.fakes.mosquitto import PATIENCE
from tests.fakes.outbox import DirectOutbox
from tests.fakes.pictures import charted
from tests.fakes.synapse import Synapse, synapse, words_of

SECOND = timedelta(seconds=1)
DECADES = timedelta(days=20_000)
together = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synapse]:
    async with synapse(tmp_path_factory.mktemp("synapse")) as running:
        yield running


def receiver(there: Synapse, session: ClientSession, **fields: Any) -> Matrix:  # noqa: ANN401 -- any setting
    settings = MatrixSettings(name="desk", homeserver=there.url, room=there.room, **fields)
    return Matrix(settings, there.token, session, SystemClock())


@together
async def test_a_card_is_sent_once_edited_in_place_and_its_thread_says_what_changed(server: Synapse) -> None:
    async with ClientSession() as session:
        one = receiver(server, session)
        note = a_notification()
        receipt = await one.send(note)
        assert await one.send(note) == receipt
        (event,) = await server.events()
        card_id = event["event_id"]
        assert receipt == f"{card_id} {server.room}"
        assert event["content"]["body"].startswith("UNCONFIRMED · firing")
        assert "41 claims against 3 denials" in words_of(event["content"]["formatted_body"])

        resolved = an_alert(
            state=AlertState.RESOLVED, denials=80, at=AT + timedelta(hours=1), reason="denials_overtook"
        )
        later = replace(a_notification(alert=resolved), earlier=receipt or "")
        assert await one.send(later) == receipt
        assert await one.send(later) == receipt
        shown = await server.ask("GET", f"rooms/{server.room}/event/{card_id}", server.reader)
        newest = shown["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"]
        assert "41 claims against 80 denials" in newest["body"]
        assert len(await server.events()) == 3  # the card, its edit, the line in its thread
        (said,) = await server.thread(card_id)
        assert said.startswith("UNCONFIRMED · resolved")
        assert "41 claims against 80 denials" in said

        again = receiver(server, session, thread=False)
        await again.send(replace(a_notification(alert=an_alert(at=AT + timedelta(hours=2))), earlier=receipt or ""))
        assert len(await server.thread(card_id)) == 1

        with pytest.raises(DeliveryError, match="refused: HTTP 401") as failed:
            await Matrix(one_settings(server), "made up", session, SystemClock()).send(note)
        assert not failed.value.retry


@together
async def test_the_chart_hangs_in_the_thread_of_the_card_and_is_sent_once(server: Synapse) -> None:
    async with ClientSession() as session:
        note = a_notification(alert=charted(id="a7", fingerprint="f7"))
        one = receiver(server, session)
        receipt = await one.send(note)
        assert await one.send(note) == receipt
        card_id = (receipt or "").partition(" ")[0]
        assert await server.thread(card_id) == [words.CHART]
        (image,) = [event["content"] for event in await server.events() if event["content"]["msgtype"] == "m.image"]
        where = image["url"].removeprefix("mxc://")
        headers = {"Authorization": f"Bearer {server.reader}"}
        async with session.get(f"{server.url}/_matrix/client/v1/media/download/{where}", headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, "image/png")
            assert await answer.read() == picture(note.alert)


@together
async def test_a_crash_between_send_and_mark_shows_nobody_anything_twice(server: Synapse) -> None:
    steps = [an_alert(id="a9", fingerprint="f9"), an_alert(id="a9", fingerprint="f9", claims=77, at=AT + SECOND)]
    before = len(await server.events())

    class Dying(DirectOutbox):
        async def sent(self, key: str, receipt: str, attempted: Attempted) -> None:
            raise KeyError(key, receipt, attempted.at)

    async with ClientSession() as session:
        with Store("sqlite://") as store:
            store.commit(Commit(none(), outbox=[a_notification(alert=step, lasts=DECADES) for step in steps]))
            one = receiver(server, session, per_minute=600)
            with pytest.RaisesGroup(KeyError):
                await Deliverer(Dying(store), [one], ManualClock(AT), Random(1)).run(asyncio.Event())
            await deliver_all(store, one)
    new = (await server.events())[before:]
    cards = [event for event in new if "m.relates_to" not in event["content"]]
    assert len(cards) == 1
    assert len(new) == 3  # the card, its edit, the line in its thread


async def deliver_all(store: Store, one: Matrix) -> None:
    """Until nothing waits."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(PATIENCE):
        tasks.create_task(Deliverer(DirectOutbox(store), [one], SystemClock(), Random(1)).run(stop))
        while store.waiting():
            await SystemClock().sleep(timedelta(milliseconds=20))
        stop.set()


def one_settings(there: Synapse) -> MatrixSettings:
    return MatrixSettings(name="desk", homeserver=there.url, room=there.room)


async def test_a_server_that_limits_says_when_to_come_again() -> None:
    async with line("matrix") as (chat, one):
        said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 2500}
        chat.answers.append(web.json_response(said, status=429))
        with pytest.raises(DeliveryError) as failed:
            await one.send(a_notification())
        assert (failed.value.reason, failed.value.retry, failed.value.retry_after) == ("busy", True, 2.5)


def test_a_card_stays_within_what_an_event_holds_twice() -> None:
    pieces = tuple(a_piece(n, text="خبر سقوط دره " * 400, url="https://example.org/" + "x" * 400) for n in range(5))
    made = content(card(an_alert(evidence=pieces, label="خبر" * 900)))
    assert len(msgspec.json.encode(made)) <= BYTES
