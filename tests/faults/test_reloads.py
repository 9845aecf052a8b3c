"""The configuration is read again two hundred times under a live feed, every other time with a mistake in it."""

import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.clock import SystemClock
from tests.fakes.postgres import server_proved
from tests.faults.test_live import EVENTS, kept, said
from tests.rig.live import ROUNDS, Live, live
from tests.rig.story import event_file

TIMES = ROUNDS * 10
BAD = Path("tests/settings/bad")
PATIENCE = 30.0
MORE = '[[receiver]]\nkind = "file"\nname = "cards"\npath = "{folder}/cards.ndjson"\n'


class Change(NamedTuple):
    """What an operator does to a file."""

    file: str
    text: str
    good: bool


def good(rig: Live, number: int) -> Change:
    """An event more, other rules, an event less, another receiver, or a source's other settings, in turn."""
    written = rig.rig.config / "monitor.toml"
    match number % 5:
        case 0:
            more = event_file(900).replace("volume = 5", f"volume = {3 + number % 7}")
            return Change("events/extra.toml", more, good=True)
        case 1:
            rules = event_file(0).replace("volume = 5", f"volume = {5 + number % 7}")
            return Change("events/000.toml", rules, good=True)
        case 2:
            return Change("events/extra.toml", "", good=True)
        case 3:
            text = written.read_text("utf-8")
            more = MORE.format(folder=rig.rig.folder)
            return Change("monitor.toml", text.replace(more, "") if more in text else text + more, good=True)
        case _:
            text = written.read_text("utf-8")
            few, many = "receive_maximum = 400", "receive_maximum = 500"
            return Change(
                "monitor.toml", text.replace(few, many) if few in text else text.replace(many, few), good=True
            )


def bad(number: int) -> Change:
    """One of the mistakes that the settings' own tests know."""
    files = sorted(BAD.glob("event/*.toml"))
    if number % 5:
        return Change("events/wrong.toml", files[number % len(files)].read_text("utf-8", "surrogateescape"), good=False)
    return Change("monitor.toml", "[pipeline]\nbatch_posts = 0\n", good=False)


def put(file: Path, text: str) -> None:
    """Whole, or not there."""
    if not text:
        file.unlink(missing_ok=True)
        return
    new = file.with_suffix(".new")
    new.write_text(text, "utf-8", "surrogateescape")
    new.rename(file)


async def reloaded(rig: Live, before: Counter[str]) -> Counter[str]:
    """SIGHUP, and waits until it is applied or refused; how often each has happened by then."""
    clock = SystemClock()
    rig.rig.daemon.send(signal.SIGHUP)
    until = clock.monotonic() + PATIENCE
    while True:
        found = await rig.rig.daemon.metrics()
        named = {name: found.get(f'monitor_reloads_total{{outcome="{name}"}}', 0) for name in ("applied", "refused")}
        now = Counter({name: int(count) for name, count in named.items()})
        if now.total() > before.total():
            return now
        assert clock.monotonic() < until, "a reload does not end"
        await clock.sleep(timedelta(milliseconds=20))


async def changed(rig: Live, times: int) -> tuple[int, int]:
    """Good and bad configurations in turn; how many bad ones were applied, and good ones refused."""
    taken, accepted, refused = Counter[str](), 0, 0
    for number in range(times):
        change = bad(number // 2) if number % 2 else good(rig, number // 2)
        file = rig.rig.config / change.file
        former = file.read_text("utf-8") if file.exists() else ""
        put(file, change.text)
        now = await reloaded(rig, taken)
        applied = now["applied"] > taken["applied"]
        accepted += applied and not change.good
        refused += change.good and not applied
        taken = now
        if not change.good:
            put(file, former)
        await rig.rest(0.1)
    return accepted, refused


@server_proved
async def test_no_reload_costs_a_post_and_no_mistake_gets_in(tmp_path: Path, place: str) -> None:
    async with live(tmp_path, store=place, events=3) as rig:
        counts: list[tuple[int, int]] = []

        async def deed() -> None:
            counts.append(await changed(rig, 6))

        kept(await rig.suffer(deed), alerts=False)
    assert counts == [(0, 0)]


@pytest.mark.prove
async def test_two_hundred_reloads(tmp_path: Path, place: str) -> None:
    async with live(tmp_path, store=place, events=EVENTS) as rig:
        counts: list[tuple[int, int]] = []

        async def deed() -> None:
            counts.append(await changed(rig, TIMES))
            await rig.rest(5.0)

        books = await rig.suffer(deed)
    accepted, refused = counts[0]
    said(f"{TIMES} reloads, half of them of a bad configuration", place, books)
    sys.stdout.write(f"bad configurations accepted {accepted}, good ones refused {refused}   target 0, 0\n")
    assert (accepted, refused) == (0, 0)
    kept(books)
