"""A page of Telegram's web preview → its messages as post/1 documents. Pure.

The page is made for people and may change any day: `there` counts messages without reading them, so that a page whose
messages are not understood any more is told from one that has none.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from monitor.collect.html import text_of, too_deep
from monitor.collect.news import Document, Found
from monitor.errors import PostRejectedError

PLATFORM = "telegram"
_THERE = re.compile(rb"""\bdata-post\s*=""")
_NAMED = re.compile(r"[A-Za-z0-9_]{1,64}/\d{1,18}")
_NUMBER = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([KMB]?)\s*$")
_LONGEST = 1 << 21
_TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
_PICTURE = re.compile(r"""background-image:\s*url\(['"]?(https://[^'")\s]+)""")


def there(body: bytes) -> int:
    """How many messages a page has, whether they can be read or not."""
    return len(_THERE.findall(body))


def messages(body: bytes, channel: str) -> Iterator[Found]:  # noqa: ARG001 -- the page names its channel itself
    """The messages of a page, the oldest first; raises PostRejectedError for one that would take too long to read."""
    text = body.decode("utf-8", "replace")
    if len(text) > _LONGEST or too_deep(text):
        reason = "over_size"
        raise PostRejectedError(reason, "no page of Telegram's")
    page = LexborHTMLParser(text)
    followers = _followers(page)
    for message in page.css("div.tgme_widget_message[data-post]"):
        document = _message(message)
        yield document if document is None or followers is None else document | {"author_followers": followers}


def number(name: str) -> int:
    """The number of a message in its channel, of the id that it has here."""
    return int(name.rpartition("/")[2])


def _message(message: LexborNode) -> Document:
    name = message.attributes.get("data-post") or ""
    said = _text(message)
    found = _NAMED.fullmatch(name)
    if not found:
        return {"id": "", "platform": PLATFORM, "text": said}
    time = message.css_first("a.tgme_widget_message_date time[datetime]") or message.css_first("time[datetime]")
    reply = message.css_first("a.tgme_widget_message_reply[href]")
    answers = _linked(reply)
    return {
        "id": name,
        "platform": PLATFORM,
        "text": said,
        "created_at": time.attributes.get("datetime") if time is not None else None,
        "author": name.partition("/")[0],
        "reply_to": answers,
        "parent_text": _inner(reply, ".tgme_widget_message_metatext") if answers else None,
        "repost_of": _linked(message.css_first(".tgme_widget_message_forwarded_from_name[href]")),
        "views": count(_inner(message, ".tgme_widget_message_views") or ""),
        "likes": sum(filter(None, (count(_plain(one)) for one in message.css(".tgme_reaction")))) or None,
        "url": f"https://t.me/{name}",
        "media": _pictures(message) or None,
    }


def _text(message: LexborNode) -> str:
    """What the message says, without what it quotes of the one it answers."""
    for text in message.css(".tgme_widget_message_text"):
        if not _within(text, message, "tgme_widget_message_reply"):
            return text_of(text.html or "")
    return _inner(message, ".tgme_widget_message_poll_question") or ""


def _within(node: LexborNode, top: LexborNode, name: str) -> bool:
    above = node.parent
    while above is not None and above != top:
        if name in (above.attributes.get("class") or "").split():
            return True
        above = above.parent
    return False


def _inner(node: LexborNode | None, selector: str) -> str | None:
    found = node.css_first(selector) if node is not None else None
    return _plain(found) if found is not None else None


def _plain(node: LexborNode) -> str:
    return text_of(node.html or "")


def _linked(link: LexborNode | None) -> str | None:
    """`https://t.me/channel/123` → `channel/123`; None for any other address."""
    try:
        path = urlsplit((link.attributes.get("href") or "") if link is not None else "").path.strip("/")
    except ValueError:
        return None
    return path if _NAMED.fullmatch(path) else None


def count(text: str) -> int | None:
    """`12.3K` → 12300; None where there is no number."""
    found = _NUMBER.search(text.strip())
    return round(float(found[1].replace(",", ".")) * _TIMES[found[2]]) if found else None


def _followers(page: LexborHTMLParser) -> int | None:
    for counter in page.css(".tgme_channel_info_counter"):
        if "subscriber" in (_inner(counter, ".counter_type") or ""):
            return count(_inner(counter, ".counter_value") or "")
    return None


def _pictures(message: LexborNode) -> list[dict[str, str]]:
    styles = (one.attributes.get("style") or "" for one in message.css("a.tgme_widget_message_photo_wrap"))
    return [{"url": found[1], "kind": "image"} for found in map(_PICTURE.search, styles) if found]
