"""Mattermost, over an incoming webhook: cards cannot be edited there, so what follows a card is a short update."""

from typing import Any

import msgspec

from monitor.alert.card import Card, fitted, size
from monitor.alert.harmless import harmless
from monitor.alert.receivers.chat import Hook
from monitor.alert.receivers.markdown import actions, escaped, lines

TEXT = 4_000
"""Characters of a text that every version of the server takes."""
_LINE = 300


class MattermostSettings(Hook, tag="mattermost", tag_field="kind", frozen=True, kw_only=True):
    """A Mattermost channel, over an incoming webhook."""


def encoded(card: Card) -> bytes:
    """The message: the claim for notifications, and the card as an attachment."""
    line = harmless(f"{card.status}: {card.claim}", _LINE)

    def attachment(shorter: Card) -> dict[str, Any]:
        text = f"**{escaped(shorter.head)}**\n{lines(shorter)}"
        return {"fallback": escaped(line), "color": "#E69F00", "text": text}

    made = fitted(card, attachment, lambda one: size(one["text"]) <= TEXT)
    acts = [{"fallback": "", "color": made["color"], "text": actions(card)}] if card.actions else []
    return msgspec.json.encode({"text": escaped(line), "attachments": [made, *acts]})
