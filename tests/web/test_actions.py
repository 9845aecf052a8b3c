"""Links on cards: a look changes nothing, a press does once what the link says, and nothing else gets in."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from monitor.alert.links import Action, Link
from monitor.web.actions import Actions
from monitor.web.refused import refuse
from monitor.web.server import Health, serving
from tests.fakes.alerts import AT, an_alert
from tests.fakes.clock import ManualClock
from tests.fakes.corpus import hostile
from tests.fakes.desk import KEY, LINKS, FakeDesk

NAME = {"who": "Nadia"}


class Page(NamedTuple):
    status: int
    text: str
    headers: dict[str, str]

    @property
    def form(self) -> str:
        found = re.search(r'name="form" value="([^"]*)"', self.text)
        return found[1] if found else ""


class Door(NamedTuple):
    """A monitor that answers links, as a browser sees it."""

    desk: FakeDesk
    clock: ManualClock
    port: int

    async def ask(self, method: str, path: str, data: object = None, **headers: str) -> Page:
        url = f"http://127.0.0.1:{self.port}{path}"
        async with ClientSession() as session, session.request(method, url, data=data, headers=headers) as answer:
            return Page(answer.status, await answer.text(), dict(answer.headers))

    async def press(self, path: str, typed: dict[str, str], **headers: str) -> Page:
        """Opens the link and sends its form, filled in."""
        page = await self.ask("GET", path)
        return await self.ask("POST", path, {"form": page.form, **typed}, **headers)


@asynccontextmanager
async def door(*, open_: bool = False) -> AsyncIterator[Door]:
    desk, clock = FakeDesk(), ManualClock(AT)
    pages = Actions(KEY, desk.acts(clock), clock).routes()
    health = Health(ready=True, at=AT)
    async with serving(
        "127.0.0.1",
        0,
        health=lambda: health,
        registry=CollectorRegistry(),
        token=None if open_ else "of the API",
        signed=pages,
    ) as port:
        yield Door(desk, clock, port)


def link(action: Action) -> str:
    """Path and query of a link."""
    found = next(one.url for one in LINKS.of(an_alert(), "desk") if one.action == action)
    address = urlsplit(found)
    return f"{address.path}?{address.query}"


async def test_looking_at_a_link_changes_nothing_and_leaves_no_trace() -> None:
    async with door() as there:
        for method in ("GET", "HEAD", "GET"):
            page = await there.ask(method, link(Action.DEBUNK))
            assert page.status == 200
        assert "the valley has fallen" in page.text
        assert there.desk.done == there.desk.noted == []
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert "noindex" in page.headers["X-Robots-Tag"]
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "form-action 'self'; frame-ancestors 'none'" in policy
        assert "<script" not in page.text


@pytest.mark.parametrize(
    ("action", "typed", "done"),
    [
        (Action.ACKNOWLEDGE, {}, ("acknowledge", "a1", "Nadia", "", "")),
        (Action.ACKNOWLEDGE, {"assignee": "Omid", "said": "mine"}, ("acknowledge", "a1", "Nadia", "Omid", "mine")),
        (Action.CONFIRM, {"evidence": "the governor"}, ("status", "fall", "n1", "confirmed", "Nadia", "the governor")),
        (Action.DEBUNK, {"evidence": "a film"}, ("status", "fall", "n1", "debunked", "Nadia", "a film")),
        (Action.USEFUL, {}, ("answer", "a1", True, "Nadia", "")),
        (Action.NOT_USEFUL, {"said": "old news"}, ("answer", "a1", False, "Nadia", "old news")),
    ],
)
async def test_a_press_does_what_the_link_says_under_the_name_of_who_pressed(
    action: Action, typed: dict[str, str], done: tuple[str, ...]
) -> None:
    async with door() as there:
        page = await there.press(link(action), NAME | typed)
        assert (page.status, there.desk.done) == (200, [done])
        assert "Nadia" in page.text
        assert there.desk.noted == [(action.value, "link", "done")]


@pytest.mark.parametrize(("action", "minutes"), [(Action.SILENCE_30M, 30), (Action.SILENCE_2H, 120)])
async def test_a_silence_is_the_narratives_from_the_press_on(action: Action, minutes: int) -> None:
    async with door() as there:
        await there.press(link(action), NAME)
        ((_, asked),) = there.desk.done
        assert (asked.event, asked.narrative, asked.rule, asked.owner) == ("fall", "n1", "", "Nadia")
        assert asked.expires_at == AT + timedelta(minutes=minutes)
        assert "a1" in asked.comment


@pytest.mark.parametrize("typed", [{}, {"who": " "}, {"who": "x" * 201}, {"who": "a\0b"}])
async def test_nothing_is_done_for_nobody(typed: dict[str, str]) -> None:
    async with door() as there:
        page = await there.press(link(Action.USEFUL), typed)
        assert (page.status, there.desk.done) == (400, [])


async def test_a_status_needs_what_it_rests_on() -> None:
    async with door() as there:
        page = await there.press(link(Action.CONFIRM), NAME)
        assert (page.status, there.desk.done) == (400, [])


async def test_a_form_counts_once_unless_it_came_to_nothing() -> None:
    async with door() as there:
        path = link(Action.ACKNOWLEDGE)
        form = {"form": (await there.ask("GET", path)).form, **NAME}
        there.desk.refusals.append(refuse(503, "store", "not now"))
        assert [(await there.ask("POST", path, form)).status for _ in range(3)] == [503, 200, 409]
        assert len(there.desk.done) == 1
        assert [note[2] for note in there.desk.noted] == ["store", "done"]


async def test_a_form_belongs_to_its_link_and_its_hour() -> None:
    async with door() as there:
        page = await there.ask("GET", link(Action.USEFUL))
        other = await there.ask("POST", link(Action.DEBUNK), {"form": page.form, "evidence": "x", **NAME})
        bare = await there.ask("POST", link(Action.USEFUL), NAME)
        ahead = await there.ask("POST", link(Action.USEFUL), {"form": f"9{page.form}", **NAME})
        await there.clock.advance(timedelta(hours=1))
        late = await there.ask("POST", link(Action.USEFUL), {"form": page.form, **NAME})
        assert [one.status for one in (other, bare, ahead, late)] == [403, 403, 403, 410]
        assert there.desk.done == []


async def test_a_link_that_is_forged_changed_or_over_opens_nothing() -> None:
    async with door() as there:
        path = link(Action.USEFUL)
        forged = (
            path.replace("useful", "debunk"),
            path.replace("/a1", "/a2"),
            path.replace("n=n1", "n=n2"),
            path.replace("r=desk", "r=phone"),
            re.sub(r"e=\d+", "e=99999999999", path),
            re.sub(r"e=\d+", "e=١", path),
            path[:-1],
            path.partition("&s=")[0],
            path.partition("?")[0],
        )
        for one in forged:
            assert (await there.ask("GET", one)).status == 403, one
            assert (await there.ask("POST", one, NAME)).status == 403, one
        await there.clock.advance(timedelta(days=2))
        assert [(await there.ask(method, path)).status for method in ("GET", "POST")] == [410, 410]
        assert there.desk.done == there.desk.noted == []


async def test_another_sites_page_cannot_press() -> None:
    async with door() as there:
        page = await there.press(link(Action.USEFUL), NAME, **{"Sec-Fetch-Site": "cross-site"})
        assert (page.status, there.desk.done) == (403, [])


async def test_a_browser_needs_the_link_and_no_token_and_the_rest_still_needs_it() -> None:
    async with door() as there:
        assert (await there.press(link(Action.USEFUL), NAME, Host="monitor.example.org", Origin="null")).status == 200
        assert (await there.ask("GET", "/metrics")).status == 401
    async with door(open_=True) as there:
        page = await there.ask("GET", link(Action.USEFUL), Host="monitor.example.org")
        assert page.status == 200
        assert (await there.ask("GET", "/metrics", Host="monitor.example.org")).status == 403


async def test_an_alert_that_is_gone_and_a_body_that_is_no_form_are_refused_on_a_page() -> None:
    async with door() as there:
        path = link(Action.USEFUL)
        for body in (b"\xff", b"a=1&" * 20):
            page = await there.ask("POST", path, body)
            assert page.status in {400, 403}
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        there.desk.alerts.clear()
        assert (await there.ask("GET", path)).status == 404
        assert there.desk.done == []


async def test_hostile_text_is_only_text_on_a_page() -> None:
    async with door() as there:
        for text in hostile():
            there.desk.alerts["a1"] = an_alert(label=text, event=text)
            page = (await there.ask("GET", link(Action.USEFUL))).text
            body = page.partition("<body>")[2]
            assert set(re.findall(r"</?(\w+)", body)) <= {
                "h1", "p", "strong", "bdi", "form", "label", "input", "textarea", "button", "body", "html",
            }, text  # fmt: skip
            assert not re.search("[\u202a-\u202e\u2066-\u2069\x1b]", page), text


async def test_names_do_not_act_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with door() as there:
        await there.press(link(Action.USEFUL), {"who": "Na\r\nERROR\x1b[31m forged"})
        (line,) = [one.getMessage() for one in caplog.records if "useful" in one.getMessage()]
        assert line.startswith("alert a1: useful by Na ERROR␛[31m forged, from a card at desk")
        assert Link("useful", "a1", "n1", "desk", 0).signature(KEY)[:8] not in caplog.text


async def test_a_refusal_is_counted_by_its_word() -> None:
    async with door() as there:
        there.desk.refusals.append(refuse(409, "not_firing", "the alert is resolved"))
        page = await there.press(link(Action.ACKNOWLEDGE), NAME)
        assert page.status == 409
        assert "the alert is resolved" in page.text
        assert there.desk.noted == [("acknowledge", "link", "not_firing")]
