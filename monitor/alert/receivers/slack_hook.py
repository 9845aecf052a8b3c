"""Slack, over an incoming webhook: cards cannot be edited there, so what follows a card is a short update."""

from monitor.alert.card import Card
from monitor.alert.receivers import slack_blocks as blocks
from monitor.alert.receivers.chat import Hook


class SlackHookSettings(Hook, tag="slack-webhook", tag_field="kind", frozen=True, kw_only=True):
    """A Slack channel, over an incoming webhook."""


def encoded(card: Card) -> bytes:
    """The message: the card in Slack's blocks."""
    return blocks.encoded(blocks.message(card))
