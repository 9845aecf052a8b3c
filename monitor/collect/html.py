"""HTML of posts and feeds → the text that people read."""

import re

from selectolax.lexbor import LexborHTMLParser

_HIDDEN = "script, style, template, noscript, head, title, span.invisible, .quote-inline"
_BLOCKS = "p, div, li, ul, ol, blockquote, pre, h1, h2, h3, h4, h5, h6, tr, table, section, article, header, footer, hr"
_LINE = "\x1e"
"""Stands for a line break until the white space of the source is folded; a text has none of its own."""
_LONGEST = 1 << 16
"""Characters that are read: a text has 20,000 at most, and markup nested without end takes the square of its length."""
_SPACE = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(rf" ?{_LINE}[{_LINE} ]*")


def text_of(html: str) -> str:
    """The text, one line to a paragraph or `<br>`; what browsers do not show is left out. Takes any text."""
    html = html[:_LONGEST]
    if "<" not in html and "&" not in html:
        return _folded(html.replace(_LINE, " "))
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


def _folded(text: str) -> str:
    return _LINES.sub("\n", _SPACE.sub(" ", text)).strip()
