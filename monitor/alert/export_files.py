"""A brief as Markdown for people, JSON for programs, CSV for spreadsheets. Pure; texts of posts act in none of them.

JSON has the texts as they are. In Markdown and CSV they are harmless, links in them cannot be followed, and no cell
begins with what a spreadsheet takes for a formula.
"""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from monitor.alert import words
from monitor.alert.card import Row, card
from monitor.alert.export import Brief, Exhibit
from monitor.alert.harmless import harmless, harmless_link
from monitor.alert.receivers.markdown import escaped

COLUMNS = ("number", "platform", "id", "tag", "posted_at", "text", "url", "author", "sha256", "frozen", "deleted")
_TEXT = 5_000
_WORD = 500
_FORMULAS = ("=", "+", "-", "@", "＠", "\t", "\r", "|", "%")


def as_json(brief: Brief) -> bytes:
    """Everything in it."""
    return msgspec.json.format(msgspec.json.encode(brief), indent=2) + b"\n"


def as_csv(brief: Brief) -> bytes:
    """A line per post, UTF-8 with a byte order mark, for which spreadsheets ask."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in brief.exhibits:
        post = one.post
        cells = (post.platform, post.id, post.tag, _time(post.posted_at), _said(one), post.url or "", post.author or "")
        flags = ("yes" if one.frozen else "no", "yes" if one.deleted else "no")
        writer.writerow([one.number, *(_cell(cell) for cell in (*cells, post.payload_sha256 or "", *flags))])
    return sheet.getvalue().encode("utf-8-sig")


def as_markdown(brief: Brief, *, chart: str | None = None) -> bytes:
    """For people; `chart` is the name of the picture beside it, where there is one."""
    parts = list(_head(brief))
    if chart is not None:
        parts += ["", f"![{words.CHART}]({chart})"]
    parts += ["", f"## {words.EVIDENCE}", ""]
    for one in brief.exhibits:
        parts += [*_exhibit(one), ""]
    notes = [words.BRIEF_WITH_AUTHORS if brief.authors else words.BRIEF_REDACTED, words.BRIEF_HASHES]
    made = words.BRIEF_MADE.format(at=_time(brief.made_at))
    return "\n".join([*parts, *(f"* {note}" for note in notes), "", made, ""]).encode()


def _head(brief: Brief) -> Iterator[str]:
    """What the card says, as it stands, and how it stood when the alert fired."""
    shown = card(msgspec.structs.replace(brief.alert, series=None))
    yield f"# {escaped(shown.head)}"
    yield ""
    for row in (*shown.above(), *shown.below()):
        yield f"* {_row(row)}"
    if brief.fired is not None:
        then = card(msgspec.structs.replace(brief.fired, series=None))
        yield from ("", f"## {words.BRIEF_FIRED.format(at=_time(brief.fired.at))}", "")
        for text in (then.race, then.apart, f"{words.WHY_FIRED}: {then.why}"):
            yield f"* {escaped(text)}"


def _row(row: Row) -> str:
    text = f"**{escaped(row.label)}:** {escaped(row.text)}" if row.label else escaped(row.text)
    return _unlinked(text)


def _exhibit(one: Exhibit) -> Iterator[str]:
    post = one.post
    when = "" if one.frozen else f", {words.BRIEF_LATER}"
    where = harmless(f"{post.platform} {post.id}", _WORD)
    yield f"{one.number}. **{escaped(harmless(post.tag, _WORD))}** · {escaped(where)} · {_time(post.posted_at)}{when}"
    yield ""
    link = harmless_link(post.url)
    said = (
        _unlinked(escaped(harmless(_said(one), _TEXT))),
        escaped(harmless(post.author or "", _WORD)),
        f"<{link}>" if link else "",
        f"SHA-256 {harmless(post.payload_sha256, _WORD)}" if post.payload_sha256 else "",
    )
    yield "  \n".join(f"   > {each}" for each in said if each)


def _said(one: Exhibit) -> str:
    return words.REMOVED if one.deleted else one.post.text or words.NO_TEXT


def _unlinked(text: str) -> str:
    """A link that is no link, as analysts write them."""
    return text.replace("://", "[:]//").replace("www.", "www[.]")


def _cell(text: str) -> str:
    """One line that a spreadsheet takes for text."""
    plain = harmless(text, _TEXT)
    return f"'{plain}" if plain.startswith(_FORMULAS) else plain


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
