"""What the chats refuse: Slack by its own models, the others by their published limits. "" where nothing is wrong."""

from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from monitor.alert.card import size


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
    sizes = [(size(embed["title"]), size(embed["description"])) for embed in embeds]
    if not 0 < len(embeds) <= 10 or not 0 < size(message["content"]) <= 2_000:
        return "content or embeds"
    if any(not 0 < title <= 256 or not 0 < description <= 4_096 for title, description in sizes):
        return "title or description"
    if sum(map(sum, sizes)) > 6_000:
        return "embeds together"
    return "" if message["allowed_mentions"] == {"parse": []} else "mentions"
