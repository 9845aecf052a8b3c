"""HTML of posts and feeds → the text that people read."""

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser

_HIDDEN = "script, style, template, noscript, head, title, span.invisible, .quote-inline"
_BLOCKS = "p, div, li, ul, ol, blockquote, pre, h1, h2, h3, h4, h5, h6, tr, table, section, article, header, footer, hr"
_LINE = "\x1e"
"""Stands for a line break until the white space of the source is folded; a text has none of its own."""
_LONGEST = 1 << 16
"""Characters that are read: a text has 20,000 at most, and markup nested without end takes the square of its length."""
_DEEPEST = 500
_MARKUP = re.compile(r"<[^<>]*>?")
_CLOSE_THEMSELVES = re.compile(r"<(?:br|img|hr|meta|link|input|p|li|wbr|source|option|td|tr)\b", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(rf" ?{_LINE}[{_LINE} ]*")


def text_of(html: str) -> str:
    """The text, one line to a paragraph or `<br>`; what browsers do not show is left out. Takes any text."""
    html = html[:_LONGEST]
    if "<" not in html and "&" not in html:
        return _folded(html.replace(_LINE, " "))
    if too_deep(html):
        return _folded(unescape(_MARKUP.sub(_LINE, html.replace(_LINE, " "))))
    tree = LexborHTMLParser(html.replace(_LINE, " "))
    for node in tree.css(_HIDDEN):
        node.decompose()
    for node in tree.css("br"):
        node.replace_with(_LINE)
    for node in tree.css(_BLOCKS):
        node.insert_before(_LINE)
        node.insert_after(_LINE)
    root = tree.root
    return _folded(root.text() if root is not None else "")


def too_deep(html: str) -> bool:
    """Whether more elements are open at once than anybody writes: a parser would take the square of their number."""
    depth = 0
    for found in _MARKUP.finditer(html):
        tag = found[0]
        if tag[1:2] == "/":
            depth = max(0, depth - 1)
        elif tag[1:2].isalpha() and not tag.endswith("/>") and not _CLOSE_THEMSELVES.match(tag):
            depth += 1
            if depth > _DEEPEST:
                return True
    return False


def _folded(text: str) -> str:
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()
