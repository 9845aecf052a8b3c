"""What a card says, before any channel's markup: every text in it is harmless, every link a plain web address. Pure.

A channel renders `Card` natively and adds its own escaping. Where it has a limit, `fitted` gives it ever shorter cards,
shortened by meaning: posts go before what the desk must know, and no number ever goes.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import NamedTuple, TypeVar

from monitor.alert import words
from monitor.alert.chart_bars import trend
from monitor.alert.harmless import harmless, post_link
from monitor.alert.lifecycle import on_card
from monitor.alert.phrases import moment, outages, posted, reviewed, status_said, taken_on, told_because, told_first
from monitor.alert.reasons import spaced, what_now, why_fired, worth
from monitor.records import VOICE, Alert, AlertState, Evidence, Offered

_CLAIM = 200
_TEXT = 240
_SHORT = _WORD = 80
_SHORT_WHY = 300
_MOST_EVIDENCE = 5
_MOST_GAPS = 5

Rendered = TypeVar("Rendered")


class Row(NamedTuple):
    """A line of a card."""

    label: str
    """"" where the text speaks for itself."""
    text: str
    link: str | None = None


class Post(NamedTuple):
    """A post that is shown."""

    tag: str
    where: str
    """Platform and time, and the registered voice where it is one's."""
    text: str
    link: str | None
    cues: str = ""
    """The words that gave it its tag."""

    @property
    def said(self) -> str:
        """Text and cues."""
        return f"{self.text} ({words.CUES}: {self.cues})" if self.cues else self.text


class Card(NamedTuple):
    """The parts of a card in the desk's order; a part that is "" is left out."""

    status: str
    state: str
    event: str
    said: str
    """Who set the status, when, on what evidence."""
    claim: str
    watched: str
    """The event's proposition, where it differs from the claim."""
    stands: str
    """Where the narrative stands in its life."""
    source: str
    """The source it is about."""
    first: str
    """Where and when it was said first."""
    first_link: str | None
    since: str
    race: str
    apart: str
    posts: tuple[Post, ...]
    why: str
    blind: tuple[str, ...]
    change: str
    alert: str
    resolved: bool
    repeat: str = ""
    """A warning that this may have been sent before."""
    update: str = ""
    """The alert that this adds to, where it does not stand for itself."""
    update_link: str | None = None
    left_out: str = ""
    voice: str = ""
    """The registered voice it is about."""
    actions: tuple[Offered, ...] = ()
    """What can be done about it from the card; never left out."""
    trend: str = ""
    """Claims and denials per minute, as small bars."""
    told: str = ""
    """Why the desk is told of it now."""
    also: str = ""
    """The other rules that fire."""
    taken: str = ""
    """Who acknowledged it, and who looks after it."""
    lines: tuple[str, ...] = ()
    """One of each card, where it is a digest."""
    now: str = ""
    """What has taken the place of why it fired; how it ended, where it is over."""
    checks: tuple[Row, ...] = ()
    """What fact-checkers say of the event, in their own words."""
    confidence: str = ""
    """What the finding is worth; of the claim it says nothing."""

    @property
    def head(self) -> str:
        """The title: status word, state, event."""
        return f"{self.status} · {self.state} · {self.event}"

    def above(self) -> list[Row]:
        """The lines between the title and the posts."""
        rows = (
            Row("", self.repeat),
            Row(words.UPDATE, self.update, self.update_link),
            *(Row("", one) for one in self.lines),
            Row(words.CLAIM, self.claim),
            Row(words.WATCHED, self.watched),
            Row(words.SOURCE, self.source),
            Row(words.REGISTERED, self.voice),
            Row(words.FIRST, self.first, self.first_link),
            Row(words.AT_END if self.resolved else words.NOW, self.race),
            Row("", self.trend),
            Row("", self.apart),
            Row(words.TOLD, self.told),
            Row("", self.said),
            *self.checks,
            Row(words.STANDS, self.stands),
            Row(words.ALSO, self.also),
            Row(words.TAKEN, self.taken),
        )
        return [row for row in rows if row.text]

    def below(self) -> list[Row]:
        """The lines after the posts."""
        rows = (
            Row("", self.left_out),
            Row(words.WHY_FIRED, self.why),
            Row(words.SINCE, self.since),
            Row(words.ENDED if self.resolved else words.MEANWHILE, self.now),
            Row(words.CONFIDENCE, self.confidence),
            *(Row("", one) for one in self.blind),
            Row(words.CHANGE, self.change),
            Row("", self.alert),
        )
        return [row for row in rows if row.text]


def card(alert: Alert, zone: tzinfo = UTC, *, repeat: bool = False) -> Card:
    """What is said of an alert; times in UTC and, where another is given, in the desk's `zone`.

    `repeat` says on the card that an attempt before this one may have arrived.
    """
    claim = harmless(alert.label, _CLAIM)
    watched = harmless(alert.proposition, _CLAIM)
    first = _first(alert)
    over = on_card(alert) is AlertState.RESOLVED
    return Card(
        status=words.STATUS[alert.status],
        state=words.STATE[on_card(alert)],
        event=harmless(alert.event, _WORD),
        said=status_said(alert.said, zone) if alert.said is not None else "",
        checks=tuple(Row("", *reviewed(one)) for one in alert.checks),
        claim=claim or (words.REMOVED if alert.narrative else "–"),
        watched="" if watched == claim else watched,
        stands=words.NARRATIVE_STATE[alert.narrative_state] if alert.narrative_state is not None else "",
        source="" if alert.subject.startswith(VOICE) else harmless(alert.subject, _WORD),
        voice=harmless(alert.subject.removeprefix(VOICE), _WORD) if alert.subject.startswith(VOICE) else "",
        first=told_first(first, zone) if first is not None else "",
        first_link=_link(first) if first is not None else None,
        since=moment(alert.since, zone),
        race=words.RACE.format(claims=alert.claims, denials=alert.denials, authors=alert.authors),
        apart=words.APART.format(celebrations=alert.celebrations, questions=alert.questions),
        posts=tuple(_post(piece, zone) for piece in alert.evidence[:_MOST_EVIDENCE]),
        why=why_fired(alert),
        now=what_now(alert),
        confidence=worth(alert),
        blind=outages(alert.blind, zone, _MOST_GAPS),
        change="" if over else words.CHANGES.get(alert.rule, words.OTHER_CHANGE),
        alert=f"{words.ALERT} {harmless(alert.id, _WORD)}, {moment(alert.at, zone)}",
        resolved=over,
        told=told_because(alert, zone),
        also=", ".join(words.RULE.get(one, spaced(one)) for one in alert.also),
        taken=taken_on(alert.acknowledged, zone) if alert.acknowledged is not None else "",
        repeat=words.REPEAT if repeat else "",
        trend=trend(alert.series) if alert.series is not None else "",
    )


def plain(shown: Card) -> str:
    """The card as plain text, line by line."""
    posts = [_line(post) for post in shown.posts]
    return "\n".join(
        [
            shown.head,
            *(_joined(row) for row in shown.above()),
            *([f"{words.EVIDENCE}:"] if posts else []),
            *(f"  {post}" for post in posts),
            *(_joined(row) for row in shown.below()),
            *(f"{words.ACTIONS[one.action]}: {one.url}" for one in shown.actions if one.url),
        ]
    )


def update(shown: Card) -> Card:
    """The short card for a channel that cannot edit the one before: where it stands now, linked to one post.

    Where people act by links, the first of their pages shows the alert, and what names it leads there.
    """
    page = next((one.url for one in shown.actions if one.url), None)
    short = shown._replace(watched="", first="", posts=shown.posts[:1], change="", alert="")
    return short._replace(update=shown.alert, update_link=page)


def step(shown: Card) -> str:
    """One line that says what has changed, to stand under the card."""
    why = f"{words.ENDED}: {shown.now}" if shown.resolved and shown.now else f"{words.TOLD}: {shown.told}"
    said = (shown.repeat, shown.head, harmless(why, _SHORT_WHY) if shown.told else "", shown.race)
    return ". ".join(one for one in said if one)


def size(text: str) -> int:
    """Length in UTF-16 code units, which the chats count."""
    return len(text.encode("utf-16-le", "replace")) // 2


def fitted(shown: Card, render: Callable[[Card], Rendered], fits: Callable[[Rendered], bool]) -> Rendered:
    """The longest rendering that fits; the shortest there is if none does."""
    for shorter in _ever_shorter(shown):
        made = render(shorter)
        if fits(made):
            break
    return made


def _ever_shorter(shown: Card) -> Iterator[Card]:
    """The card, then with less in it: posts in brief, fewer posts, fewer blind feeds, then what is said elsewhere."""
    yield shown
    all_lines = len(shown.lines)
    while len(shown.lines) > 1:
        shown = shown._replace(lines=shown.lines[:-1])
        shown = shown._replace(left_out=words.LINES_LEFT_OUT.format(lines=all_lines - len(shown.lines)))
        yield shown
    all_posts = len(shown.posts)
    shown = shown._replace(
        posts=tuple(post._replace(text=harmless(post.text, _SHORT), cues="") for post in shown.posts)
    )
    yield shown
    while shown.posts:
        shown = shown._replace(posts=shown.posts[:-1])
        shown = shown._replace(left_out=words.LEFT_OUT.format(posts=all_posts - len(shown.posts)))
        yield shown
    while len(shown.blind) > 1:
        shown = shown._replace(blind=shown.blind[:-1])
        yield shown
    shown = shown._replace(why=harmless(shown.why, _SHORT_WHY), checks=shown.checks[:1])
    yield shown
    shown = shown._replace(watched="")
    yield shown
    shown = shown._replace(trend="")
    yield shown
    shown = shown._replace(change="", first="", first_link=None, checks=())
    yield shown
    shown = shown._replace(said="")
    yield shown
    yield shown._replace(claim=harmless(shown.claim, _SHORT))


def _joined(row: Row) -> str:
    said = f"{row.label}: {row.text}" if row.label else row.text
    return f"{said} {row.link}" if row.link and not row.label else said


def _line(post: Post) -> str:
    said = f"[{post.tag}] {post.where}: {post.text}"
    said = said if post.link is None else f"{said} {post.link}"
    return f"{said} ({words.CUES}: {post.cues})" if post.cues else said


def _first(alert: Alert) -> Evidence | None:
    claims = [piece for piece in alert.evidence if piece.tag == "claim"]
    return min(claims, key=lambda piece: (piece.posted_at, piece.platform, piece.id), default=None)


def _link(piece: Evidence) -> str | None:
    """Where the post is seen; None of one that is gone."""
    return post_link(piece.url, piece.id if piece.text else "")


def _post(piece: Evidence, zone: tzinfo) -> Post:
    said = harmless(piece.text, _TEXT)
    if not said:
        said = words.REMOVED if piece.author is None and piece.url is None else words.NO_TEXT
    where = posted(piece, zone)
    cues = harmless(piece.cues or "", _WORD) if piece.text else ""
    return Post(words.TAG.get(piece.tag, harmless(piece.tag, _WORD)), where, said, _link(piece), cues)
