"""Texts of posts are hostile: what is shown of them must not act on a terminal, in a chat, or on the words around."""

import re
import unicodedata
from urllib.parse import quote, urlsplit

_MOST_MARKS = 4
"""Combining marks in a row: more of them paint over the lines above and below."""
_ZWNJ = "\u200c"
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_ACTING = str.maketrans({"@": "＠", "<": "‹", ">": "›", "`": "'"})
"""Mentions, markup and code of the chats, as look-alikes that do nothing."""
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")
_EMOJI = range(0x1F000, 0x1FB00)  # new ones are unknown to an older Python
_LONGEST_LINK = 500

_BLUESKY = re.compile(r"at://(did:[a-z]+:[A-Za-z0-9._%-]+)/app\.bsky\.feed\.post/([A-Za-z0-9._~-]+)")


def harmless(text: str, limit: int) -> str:
    """One line of at most `limit` characters in which nothing acts; a longer text ends at a word, with ….

    White space becomes a space, a control character � (escape ␛); bidi marks, zero-width and other unseen characters
    go, but for the non-joiner between two Arabic letters, which spells Persian words; `@`, `<`, `>` and a link's `](`
    are broken. What comes out goes through unchanged a second time.
    """
    seen: list[str] = []
    marks = 0
    for place, char in enumerate(text):
        before = seen[-1] if seen else " "
        shown = _shown(char, before, text[place + 1 : place + 2])
        marks = marks + 1 if _is_mark(shown) else 0
        if marks > _MOST_MARKS or (marks and before == " ") or (shown == " " == before):
            continue
        seen.extend(shown)
    return _trim("".join(seen).translate(_ACTING).replace("](", "] (").strip(), limit)


def harmless_link(url: str | None) -> str | None:
    """A web address that can be shown and followed, all but plain characters escaped; None if it is anything else."""
    if not url or len(url) > _LONGEST_LINK or any(char.isspace() or not char.isprintable() for char in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        return None
    return quote(url, safe="%/:?#&=+,;~!$*'._-")


def post_link(url: str | None, post: str) -> str | None:
    """Where a post is seen, as a link that can be shown: its own, or what Bluesky makes of the id that it names."""
    link = harmless_link(url)
    named = _BLUESKY.fullmatch(post) if link is None else None
    return link if named is None else f"https://bsky.app/profile/{named[1]}/post/{named[2]}"


def _shown(char: str, before: str, after: str) -> str:
    """What stands for one character; "" if nothing does."""
    if char.isspace():
        return " "
    kind = unicodedata.category(char)
    if kind == "Cf" or char in _INVISIBLE or _is_selector(char):
        return char if char == _ZWNJ and _is_arabic(before) and _is_arabic(after) else ""
    if kind in {"Cc", "Cs", "Co"} or (kind == "Cn" and ord(char) not in _EMOJI):
        return "␛" if char == "\x1b" else "�"
    return char


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\u180b" <= char <= "\u180f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_arabic(char: str) -> bool:
    return bool(_ARABIC.match(char)) and unicodedata.category(char)[0] in "LM"


def _is_mark(char: str) -> bool:
    return bool(char) and unicodedata.category(char)[0] == "M"


def _trim(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    space = text.rfind(" ", 0, end + 1)
    if space >= end // 3 > 0:
        end = space
    while end > 0 and _joins(text, end):
        end -= 1
    return text[:end].rstrip(" " + _ZWNJ) + "…"


def _joins(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the one before, as the reader sees it."""
    char = text[place]
    if _is_mark(char) or "\U0001f3fb" <= char <= "\U0001f3ff":
        return True
    flags = 0  # two regional letters make a flag
    while flags < place and _is_regional(text[place - 1 - flags]):
        flags += 1
    return _is_regional(char) and flags % 2 == 1


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
