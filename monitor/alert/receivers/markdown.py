"""Cards in the Markdown of Discord and Mattermost, in which hostile text is only text."""

import re

from monitor.alert import words
from monitor.alert.card import Card, Post, Row
from monitor.alert.receivers.chat import no_emoji_names

_MARKUP = re.compile(r"([\\*_~|#\[\]()!+\-])")


def escaped(text: str) -> str:
    """The text as Markdown that shows it; what `harmless` has broken already is left as it is."""
    return _MARKUP.sub(r"\\\1", no_emoji_names(text))


def lines(shown: Card) -> str:
    """The card below its title."""
    rows = [_row(row) for row in shown.above()]
    if shown.posts:
        rows.append(f"**{words.EVIDENCE}:**")
        rows += [f"- {_post(post)}" for post in shown.posts]
    return "\n".join([*rows, *(_row(row) for row in shown.below())])


def actions(shown: Card) -> str:
    """The card's links to act by, on one line."""
    return " · ".join(_linked(words.ACTIONS[one.action], one.url) for one in shown.actions)


def _row(row: Row) -> str:
    said = _linked(row.text, row.link)
    return f"**{escaped(row.label)}:** {said}" if row.label else said


def _post(post: Post) -> str:
    return f"**{escaped(f'[{post.tag}]')}** {_linked(post.where, post.link)}: {escaped(post.said)}"


def _linked(text: str, link: str | None) -> str:
    return escaped(text) if link is None else f"[{escaped(text)}](<{link}>)"
