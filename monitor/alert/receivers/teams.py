"""Microsoft Teams, over a Workflows address: Adaptive Cards, which cannot be edited, so what follows is a short update.

Texts stand in `TextRun`s, in which Teams reads no Markdown; only our own links can be opened.
"""

from typing import Any

import msgspec

from monitor.alert import words
from monitor.alert.card import Card, Post, Row, fitted
from monitor.alert.receivers.chat import Hook, PerMinute

BYTES = 24_000
"""Of a message: Teams takes 28 KB, and the flow that passes it on adds to it."""
ACTIONS = 5
"""Buttons of a set: Teams shows six."""
_CARD = "application/vnd.microsoft.card.adaptive"


class TeamsSettings(Hook, tag="teams", tag_field="kind", frozen=True, kw_only=True):
    """A Microsoft Teams channel or chat, over the address of a flow."""

    per_minute: PerMinute = 60
    """Messages a minute, evenly spread; a flow takes four in a second from all who post to it."""


def encoded(card: Card) -> bytes:
    """The message, with the card as its one attachment."""
    return fitted(card, _encoded, lambda made: len(made) <= BYTES)


def _encoded(card: Card) -> bytes:
    title = _block([_run(card.head, weight="bolder", size="medium")])
    body = [title, *(_row(row) for row in card.above())]
    if card.posts:
        body += [_row(Row(words.EVIDENCE, "")), *(_post(post) for post in card.posts)]
    body += [*(_row(row) for row in card.below()), *_actions(card)]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": f"{card.status}: {card.claim}",
        "body": body,
    }
    attachment = {"contentType": _CARD, "contentUrl": None, "content": content}
    return msgspec.json.encode({"type": "message", "attachments": [attachment]})


def _actions(card: Card) -> list[dict[str, Any]]:
    """Buttons, in sets of at most `ACTIONS`."""
    buttons = [{"type": "Action.OpenUrl", "title": words.ACTIONS[one.action], "url": one.url} for one in card.actions]
    return [
        {"type": "ActionSet", "actions": buttons[begin : begin + ACTIONS]} for begin in range(0, len(buttons), ACTIONS)
    ]


def _row(row: Row) -> dict[str, Any]:
    runs = [_run(f"{row.label}: ", weight="bolder")] if row.label else []
    return _block([*runs, _linked(row.text, row.link)] if row.text else runs)


def _post(post: Post) -> dict[str, Any]:
    return _block([_run(f"[{post.tag}] ", weight="bolder"), _linked(post.where, post.link), _run(f": {post.said}")])


def _linked(text: str, link: str | None) -> dict[str, Any]:
    return _run(text) if link is None else _run(text, selectAction={"type": "Action.OpenUrl", "url": link})


def _run(text: str, **look: Any) -> dict[str, Any]:  # noqa: ANN401 -- as the schema has it
    return {"type": "TextRun", "text": text, **look}


def _block(runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": "small", "inlines": runs}
