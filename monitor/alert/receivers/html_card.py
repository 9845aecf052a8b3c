"""A card as the plain HTML that Matrix and e-mail show: no styles, no images, only our own links."""

from html import escape

from monitor.alert import words
from monitor.alert.card import Card, Post, Row


def card_html(card: Card) -> str:
    """The card as what stands in a body."""
    actions = " · ".join(_linked(words.ACTIONS[one.action], one.url) for one in card.actions)
    posts = "".join(f"<li>{_post(post)}</li>" for post in card.posts)
    return "".join(
        [
            f"<h4>{escape(card.head)}</h4>",
            "<br>".join(_row(row) for row in card.above()),
            f"<p><strong>{escape(words.EVIDENCE)}:</strong></p><ul>{posts}</ul>" if posts else "<br>",
            "<br>".join(_row(row) for row in card.below()),
            f"<p>{actions}</p>" if actions else "",
        ]
    )


def _row(row: Row) -> str:
    said = _linked(row.text, row.link)
    return f"<strong>{escape(row.label)}:</strong> {said}" if row.label else said


def _post(post: Post) -> str:
    return f"<strong>{escape(f'[{post.tag}]')}</strong> {_linked(post.where, post.link)}: {escape(post.said)}"


def _linked(text: str, link: str | None) -> str:
    return escape(text) if link is None else f'<a href="{escape(link)}">{escape(text)}</a>'
