"""What people see of a message, read from its markup as the chat reads it; markup that is no part of a card fails."""

from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any, NamedTuple


class Seen(NamedTuple):
    """Text as it is shown, and where its links lead."""

    text: str
    links: tuple[str, ...]


def of_slack(message: dict[str, Any]) -> Seen:
    """Blocks of a message: plain text, rich text of texts and links, nothing else."""
    header, body, *acts = message["blocks"]
    assert header["type"] == "header"
    assert header["text"]["type"] == "plain_text"
    assert header["text"]["emoji"] is False
    texts, links = [header["text"]["text"], "\n"], []
    for section in _sections(body["elements"]):
        for element in section:
            assert element["type"] in {"text", "link"}
            assert element["text"]
            texts.append(element["text"])
            links += [element["url"]] if element["type"] == "link" else []
        texts.append("\n")
    links += [button["url"] for block in acts for button in block["elements"] if "url" in button]
    return Seen("".join(texts), tuple(links))


def _sections(elements: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    for element in elements:
        if element["type"] == "rich_text_list":
            yield from _sections(element["elements"])
        else:
            assert element["type"] == "rich_text_section"
            yield element["elements"]


def of_teams(message: dict[str, Any]) -> Seen:
    """Runs of text, which Teams shows as they are, and the addresses that they open."""
    (attachment,) = message["attachments"]
    lines, links = [], []
    for block in attachment["content"]["body"]:
        if block["type"] == "ActionSet":
            links += [action["url"] for action in block["actions"]]
            continue
        lines.append("".join(run["text"] for run in block["inlines"]))
        links += [run["selectAction"]["url"] for run in block["inlines"] if "selectAction" in run]
    return Seen("\n".join(lines), tuple(links))


def of_markdown(text: str) -> Seen:
    """Markdown in which only bold, bullets and links to `<addresses>` stand; all else is escaped."""
    shown: list[str] = []
    links: list[str] = []
    bold = False
    rest = "\n" + text
    while rest:
        if rest[0] == "\\" and len(rest) > 1:
            shown.append(rest[1])
            rest = rest[2:]
        elif rest.startswith("**"):
            bold, rest = not bold, rest[2:]
        elif rest.startswith("\n- "):
            shown.append("\n")
            rest = rest[3:]
        elif rest[0] == "[":
            rest = rest[1:]
        elif rest.startswith("](<"):
            address, _, rest = rest[3:].partition(">)")
            links.append(address)
        else:
            assert rest[0] not in "*_~|#[]()<>`@", f"markup: {rest[:40]}"
            assert rest[0] != "\n" or not bold, "bold goes on over a line's end"
            shown.append(rest[0])
            rest = rest[1:]
    return Seen("".join(shown).strip(), tuple(links))


def of_html(text: str, tags: frozenset[str]) -> Seen:
    """HTML of these tags, each closed where it must be."""
    reader = _Reader(tags)
    reader.feed(text)
    reader.close()
    assert not reader.open
    return Seen("".join(reader.texts), tuple(reader.links))


class _Reader(HTMLParser):
    def __init__(self, tags: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = tags
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.tags
        assert [name for name, _ in attrs] == (["href"] if tag == "a" else [])
        self.links += [value or "" for _, value in attrs]
        if tag == "br":
            self.texts.append("\n")
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.texts += ["\n"] if tag in {"h4", "p", "li", "ul"} else []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)
