"""A card as Slack blocks.

Texts stand in `rich_text` and `plain_text` elements, in which Slack reads no markup at all: nothing there can mention,
link or format. Only the fallback text, which notifications show, is read as markup, and is escaped.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.alert import words
from monitor.alert.card import Card, Post, Row, fitted, size
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import no_emoji_names
from monitor.records import Offered

HEADER = 150
TEXTS = 3_000
"""Characters of all rich text together: what one text of a block may hold."""
FALLBACK = 300
ACTS = "actions"
"""The block of the buttons."""
Element = dict[str, Any]


def message(shown: Card) -> dict[str, Any]:
    """What `chat.postMessage` and incoming webhooks take: blocks, fallback text, and no unfurling.

    A button opens its link, or where it has none sends its value to the app.
    """
    return {
        "text": fallback(f"{shown.head}: {shown.claim}"),
        "blocks": [*fitted(shown, _blocks, _fits), *_buttons(shown)],
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
    }


def fallback(text: str) -> str:
    """Text that Slack reads as markup, escaped."""
    short = no_emoji_names(harmless(text, FALLBACK))
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _blocks(shown: Card) -> list[Element]:
    title = {"type": "plain_text", "text": harmless(shown.head, HEADER), "emoji": False}
    elements: list[Element] = [_section(shown.above())]
    if shown.posts:
        elements.append(_section([Row(words.EVIDENCE, "")]))
        elements.append({"type": "rich_text_list", "style": "bullet", "elements": [_item(p) for p in shown.posts]})
    elements.append(_section(shown.below()))
    return [{"type": "header", "text": title}, {"type": "rich_text", "elements": elements}]


def _buttons(shown: Card) -> list[Element]:
    if not shown.actions:
        return []
    return [{"type": "actions", "block_id": ACTS, "elements": [_button(one) for one in shown.actions]}]


def _button(one: Offered) -> Element:
    label = {"type": "plain_text", "text": words.ACTIONS[one.action], "emoji": False}
    button: Element = {"type": "button", "action_id": one.action, "text": label}
    if one.url:
        return button | {"url": one.url}
    return button | {"value": one.value}


def _section(rows: list[Row]) -> Element:
    elements: list[Element] = []
    for row in rows:
        if elements:
            elements.append(_text("\n"))
        if row.label:
            elements.append(_text(f"{row.label}: ", bold=True))
        if row.link is not None:
            elements.append(_link(row.link, row.text))
        elif row.text:
            elements.append(_text(row.text))
    return {"type": "rich_text_section", "elements": elements}


def _item(post: Post) -> Element:
    where = _text(post.where) if post.link is None else _link(post.link, post.where)
    return {
        "type": "rich_text_section",
        "elements": [_text(f"[{post.tag}] ", bold=True), where, _text(f": {post.said}")],
    }


def _text(text: str, *, bold: bool = False) -> Element:
    plain: Element = {"type": "text", "text": text}
    return plain | {"style": {"bold": True}} if bold else plain


def _link(url: str, text: str) -> Element:
    return {"type": "link", "url": url, "text": text}


def _fits(blocks: list[Element]) -> bool:
    return sum(map(size, _texts(blocks))) <= TEXTS


def _texts(part: object) -> Iterator[str]:
    """Every text and address in it."""
    if isinstance(part, dict):
        for name, value in part.items():
            if isinstance(value, str) and name in {"text", "url"}:
                yield value
            else:
                yield from _texts(value)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)


def encoded(document: dict[str, Any]) -> bytes:
    """As JSON."""
    return msgspec.json.encode(document)
