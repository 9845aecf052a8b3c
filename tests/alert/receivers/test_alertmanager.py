"""Alerts in a real Alertmanager: they fire, resolve, are posted again, and come back through its own webhook."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from monitor.alert.receivers.alertmanager import Alertmanager, AlertmanagerSettings, posted
from monitor.alert.receivers.receiver import Reason
from monitor.clock import SystemClock
from monitor.errors import DeliveryError
from monitor.records import Alert, AlertState
from monitor.watched import Duration
from tests.fakes.alertmanager import Running, alertmanager
from tests.fakes.alerts import AT, a_notification, an_alert
from tests.fakes.clock import ManualClock
from tests.fakes.mosquitto import PATIENCE
from tests.fakes.webhook_sink import webhook_sink

RESOLVED = an_alert(state=AlertState.RESOLVED)


async def nothing(_: str) -> list[Alert]:
    return []


def receiver(there: Running, session: ClientSession, again: Duration = Duration(minutes=1)) -> Alertmanager:  # noqa: B008
    return Alertmanager(AlertmanagerSettings(name="am", url=there.url, again=again), None, session, SystemClock())


async def test_an_alert_fires_there_and_resolves_and_tells_its_own_receivers(tmp_path: Path) -> None:
    async with webhook_sink() as sink, alertmanager(tmp_path, sink.url) as there, ClientSession() as session:
        sink.answers += [web.Response() for _ in range(20)]
        one = receiver(there, session)
        await one.send(a_notification())
        await one.send(a_notification(alert=an_alert(claims=50)))
        (alert,) = await there.until(1)
        assert alert["labels"] == {
            "alertname": "ViralClaim", "monitor": "am", "event": "fall", "rule": "race", "fingerprint": "f1",
        }  # fmt: skip
        assert alert["annotations"]["summary"] == "UNCONFIRMED: the valley has fallen"
        assert "50 claims against 3 denials" in alert["annotations"]["description"]
        async with asyncio.timeout(PATIENCE):
            while b'"status":"firing"' not in b"".join(sink.bodies):
                await SystemClock().sleep(timedelta(milliseconds=20))
        await one.send(a_notification(alert=RESOLVED))
        await there.until(0)
        async with asyncio.timeout(PATIENCE):
            while b'"status":"resolved"' not in b"".join(sink.bodies):
                await SystemClock().sleep(timedelta(milliseconds=20))


async def test_what_fires_is_posted_again_so_that_it_outlives_a_restart_there(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with alertmanager(tmp_path) as there, ClientSession() as session, asyncio.TaskGroup() as tasks:
        one = receiver(there, session, Duration(milliseconds=100))

        async def before(_: str) -> list[Alert]:
            return [an_alert(id="a0", fingerprint="f0")]

        tasks.create_task(one.run(stop, before))
        await one.send(a_notification())
        await there.until(2)
        await SystemClock().sleep(timedelta(seconds=1))
        assert len(await there.alerts()) == 2
        await one.send(a_notification(alert=RESOLVED))
        (left,) = await there.until(1)
        assert left["labels"]["fingerprint"] == "f0"
        stop.set()
        await there.until(0)


async def test_what_resolved_before_the_store_was_asked_stays_resolved(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with alertmanager(tmp_path) as there, ClientSession() as session, asyncio.TaskGroup() as tasks:
        one = receiver(there, session, Duration(milliseconds=50))
        await one.send(a_notification(alert=RESOLVED))

        async def before(_: str) -> list[Alert]:
            return [an_alert(), an_alert(id="a0", fingerprint="f0")]

        tasks.create_task(one.run(stop, before))
        (left,) = await there.until(1)
        assert left["labels"]["fingerprint"] == "f0"
        stop.set()


async def test_while_it_is_away_the_others_go_on_and_it_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    clock, stop = ManualClock(AT), asyncio.Event()
    async with ClientSession() as session:
        settings = AlertmanagerSettings(name="am", url="http://127.0.0.1:9")
        one = Alertmanager(settings, None, session, clock)
        with pytest.raises(DeliveryError) as failed:
            await one.send(a_notification())
        assert (failed.value.reason, failed.value.retry) == (Reason.UNREACHABLE, True)

        async def before(_: str) -> list[Alert]:
            return [an_alert()]

        task = asyncio.create_task(one.run(stop, before))
        async with asyncio.timeout(PATIENCE):
            for asked in (1, 2):
                while len(clock.slept) < asked:
                    await SystemClock().sleep(timedelta(milliseconds=5))
                await clock.advance(timedelta(minutes=1))
        stop.set()
        await task
    assert sum("could not be posted again" in record.message for record in caplog.records) == 1


def test_an_alert_begins_no_later_than_it_ends() -> None:
    early = AT - timedelta(days=1)
    body = posted(an_alert(state=AlertState.RESOLVED), "am", early, early + timedelta(minutes=5))
    assert body["startsAt"] <= body["endsAt"]


def test_labels_are_the_same_in_every_step() -> None:
    steps = [an_alert(), an_alert(claims=90, label="said otherwise", at=AT + timedelta(hours=1)), RESOLVED]
    assert len({str(posted(one, "am", AT, AT)["labels"]) for one in steps}) == 1
