"""Every card in every chat: within its limits, nothing in it acts, and its links lead where ours lead."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.card import Card, card, plain, size, update
from monitor.alert.links import Links
from monitor.alert.receivers import apprise, discord, mattermost, teams
from monitor.alert.receivers.alertmanager import posted
from monitor.alert.receivers.document import Document, document
from monitor.alert.receivers.html_card import card_html
from monitor.alert.receivers.matrix import content
from monitor.alert.receivers.slack_blocks import message
from monitor.alert.receivers.telegram import keyboard, rendered
from monitor.marks import AckMark, Status, StatusMark
from monitor.records import Alert, Notification
from monitor.watched import Duration
from tests.fakes.adaptive import complaints
from tests.fakes.alerts import AT, a_notification, a_piece, an_alert
from tests.fakes.chats import MATRIX_TAGS
from tests.fakes.corpus import a_check, alerts, hostile
from tests.fakes.desk import KEY
from tests.fakes.limits import broken_discord, broken_slack, broken_teams
from tests.fakes.seen import Seen, of_html, of_markdown, of_slack, of_teams

PINGS = re.compile(r"@(everyone|here|channel|all|room)\b|<[!@#]|<at>|<a?:\w+:", re.IGNORECASE)
LONGEST = Links(f"https://{'m' * 92}", KEY, Duration(days=2))
RECEIVER = "r" * 64
KABUL = ZoneInfo("Asia/Kabul")


class Shown(NamedTuple):
    """A card in a chat."""

    seen: Seen
    texts: tuple[str, ...]
    """Every text of the message that the chat reads as markup, or shows."""
    broken: str
    """What the chat would refuse."""


def slack(shown: Card) -> Shown:
    made = message(shown)
    assert not re.search(r":[\w+'-]+:", made["text"])
    assert not re.search(r"&(?!amp;|lt;|gt;)", made["text"])
    return Shown(of_slack(made), (made["text"],), broken_slack(made))


def in_discord(shown: Card) -> Shown:
    made = msgspec.json.decode(discord.encoded(shown, Status.UNCONFIRMED))
    embed, *acts = made["embeds"]
    of_markdown(made["content"])
    seen = linked(of_markdown(f"{embed['title']}\n{embed['description']}"), *(one["description"] for one in acts))
    return Shown(seen, (made["content"], embed["title"], embed["description"]), broken_discord(made))


def in_mattermost(shown: Card) -> Shown:
    made = msgspec.json.decode(mattermost.encoded(shown))
    attachment, *acts = made["attachments"]
    texts = (made["text"], attachment["fallback"], attachment["text"])
    for text in texts:
        assert not re.search(r":[\w+'-]+:", text)
        of_markdown(text)
    more = [one["text"] for one in acts]
    seen = linked(of_markdown(attachment["text"]), *more)
    return Shown(seen, texts, "long" if max(map(size, (*texts, *more))) > 4_000 else "")


def linked(seen: Seen, *more: str) -> Seen:
    """With the links in more texts of Markdown."""
    return seen._replace(links=(*seen.links, *(link for text in more for link in of_markdown(text).links)))


def telegram(shown: Card) -> Shown:
    html = rendered(shown).html
    seen = of_html(html, frozenset({"b", "a"}))
    buttons = [button for row in keyboard(shown.actions)["inline_keyboard"] for button in row]
    seen = seen._replace(links=(*seen.links, *(button["url"] for button in buttons)))
    assert not re.search(r"(^|[\s(\[])/\w", seen.text)
    return Shown(seen, (html,), "" if 0 < size(seen.text) <= 4_096 else "length")


def matrix(shown: Card) -> Shown:
    made = content(shown)
    assert made["m.mentions"] == {}
    seen = of_html(made["formatted_body"], MATRIX_TAGS)
    whole = len(msgspec.json.encode(made))
    return Shown(seen, (made["body"], seen.text), "" if whole * 2 + 2_000 <= 65_536 else "size")


def in_teams(shown: Card) -> Shown:
    made = msgspec.json.decode(teams.encoded(shown))
    text = made["attachments"][0]["content"]["fallbackText"]
    return Shown(of_teams(made), (text,), broken_teams(made))


def email(shown: Card) -> Shown:
    """The HTML part; the other one is plain text."""
    seen = of_html(card_html(shown), MATRIX_TAGS)
    return Shown(seen, (plain(shown),), "")


CHATS: dict[str, Callable[[Card], Shown]] = {
    "slack": slack,
    "discord": in_discord,
    "mattermost": in_mattermost,
    "telegram": telegram,
    "matrix": matrix,
    "teams": in_teams,
    "email": email,
}
chats = pytest.mark.parametrize("chat", CHATS.values(), ids=CHATS.keys())


def ours(alert: Alert) -> set[str]:
    """The links that a card may have."""
    made = card(alert)
    mine = {link for link in (made.first_link, *(post.link for post in made.posts)) if link is not None}
    return mine | {one.url for one in LONGEST.of(alert, RECEIVER)}


@pytest.fixture(scope="module")
def cards() -> list[tuple[Alert, Card]]:
    """Five hundred, every third of them a short update."""
    made = [(alert, card(alert, KABUL, repeat=True)) for alert in alerts(500, seed=6)]
    made = [(alert, one._replace(actions=LONGEST.of(alert, RECEIVER))) for alert, one in made]
    return [(alert, one if number % 3 else update(one)) for number, (alert, one) in enumerate(made)]


@pytest.fixture(scope="module")
def acting() -> list[tuple[Alert, Card]]:
    made = [(alert, card(alert)) for alert in map(acted_on, hostile())]
    return [(alert, one._replace(actions=LONGEST.of(alert, RECEIVER))) for alert, one in made]


@chats
def test_five_hundred_alerts_in_all_scripts_are_taken_everywhere(
    chat: Callable[[Card], Shown], cards: list[tuple[Alert, Card]]
) -> None:
    for alert, made in cards:
        shown = chat(made)
        assert shown.broken == "", alert.id
        assert shown.seen.text.startswith(alert.status.value.upper())
        assert f"{alert.claims} claims against 3 denials" in shown.seen.text
        assert "Celebration reports: 17. Questions: 5." in shown.seen.text
        assert words.REPEAT in shown.seen.text
        assert set(shown.seen.links) <= ours(alert)
        assert {one.url for one in made.actions} <= set(shown.seen.links)


@pytest.mark.parametrize("room", [1_600, 4_096, 32_768])
def test_five_hundred_alerts_are_taken_by_apprise(cards: list[tuple[Alert, Card]], room: int) -> None:
    for alert, made in cards:
        said = apprise.text(made._replace(actions=()), room)
        assert 0 < size(said) <= room, alert.id
        assert f"{alert.claims} claims against 3 denials" in said


def test_five_hundred_alerts_are_taken_where_programs_read(cards: list[tuple[Alert, Card]]) -> None:
    """The webhook, MQTT, the file, and Alertmanager."""
    for alert, _ in cards:
        wire = document(a_notification(alert=alert))
        assert b"\n" not in wire
        told = msgspec.json.decode(wire, type=Document)
        assert f"{alert.claims} claims against 3 denials" in told.text
        assert (told.alert.id, told.alert.claims, len(told.alert.checks)) == (alert.id, alert.claims, len(alert.checks))
        sent = msgspec.json.decode(msgspec.json.encode(posted(alert, "monitor", AT, AT)))
        assert sent["startsAt"] <= sent["endsAt"]
        assert all(isinstance(one, str) and one for one in (*sent["labels"].values(), *sent["annotations"].values()))
        assert f"{alert.claims} claims against 3 denials" in sent["annotations"]["description"]


def test_the_hostile_strings_are_many() -> None:
    assert len(set(hostile())) >= 300


@chats
def test_nothing_hostile_pings_breaks_a_card_or_spoofs_a_link(
    chat: Callable[[Card], Shown], acting: list[tuple[Alert, Card]]
) -> None:
    for alert, made in acting:
        text = alert.label
        shown = chat(made)
        assert shown.broken == "", text
        assert set(shown.seen.links) == {"https://example.org/0", *(one.url for one in made.actions)}, text
        assert shown.seen.text.startswith("UNCONFIRMED · firing"), text
        for said in (*shown.texts, shown.seen.text):
            assert not PINGS.search(said), text
            assert all(char.isprintable() or char in "\n\u200c" for char in said), text


def test_nothing_hostile_acts_where_cards_are_plain_text(acting: list[tuple[Alert, Card]]) -> None:
    """Terminal, file, MQTT, the webhook's `text`, Alertmanager's annotations, Apprise."""
    lines = len(plain(card(acted_on("harmless"))).splitlines())
    for alert, made in acting:
        without = made._replace(actions=())
        for said in (plain(without), document(notified(alert)).decode(), *annotations(alert)):
            assert not PINGS.search(said), alert.label
            assert all(char.isprintable() or char in "\n\u200c" for char in said), alert.label
        assert len(plain(without).splitlines()) == lines, alert.label


def notified(alert: Alert) -> Notification:
    """For programs, which get words of bounded sets as they are: no stranger's text can stand there."""
    pieces = tuple(replace(piece, platform="x") for piece in alert.evidence)
    return a_notification(alert=replace(alert, reason="quiet", numbers={}, evidence=pieces))


def annotations(alert: Alert) -> list[str]:
    return [str(said) for said in posted(alert, "monitor", AT, AT)["annotations"].values()]


def test_microsofts_own_library_finds_nothing_wrong_with_any_card(
    cards: list[tuple[Alert, Card]], acting: list[tuple[Alert, Card]]
) -> None:
    made = [msgspec.json.decode(teams.encoded(one))["attachments"][0]["content"] for _, one in (*cards, *acting)]
    found = complaints(made)
    assert len(found) == len(made) >= 800
    assert [said for said in found if said] == []


def test_microsofts_own_library_finds_what_is_wrong() -> None:
    good = msgspec.json.decode(teams.encoded(card(an_alert())._replace(actions=LONGEST.of(an_alert(), RECEIVER))))
    content = good["attachments"][0]["content"]
    unknown = {**content, "body": [{"type": "RichTextBox"}]}
    nowhere = {**content, "body": [{"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "x"}]}]}
    assert [bool(said) for said in complaints([content, unknown, nowhere])] == [False, True, True]


def acted_on(text: str) -> Alert:
    """An alert with a string wherever a stranger's text can stand; one post has a good address."""
    fields: dict[str, Any] = {"label": text, "proposition": f"p {text}", "reason": text, "numbers": {text: 1.0}}
    pieces = (
        a_piece(0, text=text, cues=text, voice=text[:40]),
        a_piece(1, text=text, url=text if "://" not in text else None, platform=text[:40]),
    )
    said = StatusMark(at=AT, event="fall", narrative="n1", status=Status.UNCONFIRMED, by=text, evidence=text)
    taken = AckMark(at=AT, alert="a1", by=text, assignee=text, comment=text)
    checks = (a_check(text, text if "://" not in text else ""),)
    return an_alert(**fields, evidence=pieces, blind=(), said=said, acknowledged=taken, checks=checks)
