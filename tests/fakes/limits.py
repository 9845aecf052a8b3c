"""What the chats refuse: Slack by its own models, the others by their published limits. "" where nothing is wrong."""

from typing import Any

import msgspec
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from monitor.alert.card import size

_OPENS = {"type", "title", "url"}


def broken_slack(message: dict[str, Any]) -> str:
    """Blocks through slack_sdk's models, which answer None for what they do not know; and what they do not check."""
    blocks = message["blocks"]
    parsed = Block.parse_all(blocks)
    if len(blocks) > 50 or len(parsed) != len(blocks) or any(block is None for block in parsed):
        return "blocks that are none, or too many"
    try:
        for block in parsed:
            block.validate_json()
    except SlackObjectFormationError as error:
        return str(error)
    if not message["text"] or len(message["text"]) > 4_000:
        return "no fallback text, or a long one"
    return ""


def broken_discord(message: dict[str, Any]) -> str:
    """Content 2,000, ten embeds, title 256, description 4,096, 6,000 in all embeds; nobody may be mentioned."""
    embeds = message["embeds"]
    sizes = [(size(embed.get("title", "–")), size(embed["description"])) for embed in embeds]
    if not 0 < len(embeds) <= 10 or not 0 < size(message["content"]) <= 2_000:
        return "content or embeds"
    if any(not 0 < title <= 256 or not 0 < description <= 4_096 for title, description in sizes):
        return "title or description"
    if sum(map(sum, sizes)) > 6_000:
        return "embeds together"
    return "" if message["allowed_mentions"] == {"parse": []} else "mentions"


def broken_teams(message: dict[str, Any]) -> str:
    """28 KB, elements of the schema that a card uses, and no mention."""
    if len(msgspec.json.encode(message)) > 28 * 1024 or message["type"] != "message":
        return "too large, or no message"
    (attachment,) = message["attachments"]
    card = attachment["content"]
    if attachment["contentType"] != "application/vnd.microsoft.card.adaptive" or card["type"] != "AdaptiveCard":
        return "no card"
    if set(card) != {"$schema", "type", "version", "fallbackText", "body"}:
        return "parts that a card of ours does not have"
    return next(filter(None, map(_broken_block, card["body"])), "")


def _broken_block(block: dict[str, Any]) -> str:
    if block["type"] == "ActionSet":
        whole = 0 < len(block["actions"]) <= 6 and all(set(one) == _OPENS for one in block["actions"])
        return "" if whole else "actions that are none, or too many"
    if block["type"] != "RichTextBlock" or not block["inlines"]:
        return "an element without text"
    if any(run["type"] != "TextRun" or not run["text"] for run in block["inlines"]):
        return "a run without text"
    return ""
