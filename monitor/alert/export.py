"""A brief of an alert for the file: what fired, on what evidence, as it stood then and as it stands now. Pure.

Without authors unless asked for: denials from inside are evidence about people at risk. Then a post is named by its
number in the brief and by the hash of what its source sent, its link by its host alone, and texts name no account;
nor is said which voice or colleague set a status, who took the alert on, or whom a fact-checker reviewed.
"""

import re
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from monitor.alert.harmless import harmless_link
from monitor.marks import AckMark, FactCheck, StatusMark
from monitor.records import VOICE, Alert, Evidence

_HANDLE = re.compile(
    r"(?<![^\W_])[@＠][\w.:\-]*\w(?:[@＠][\w.\-]*\w)?"  # @name, @name@server
    r"|[\w.+\-]+[@＠][\w\-]+(?:\.[\w\-]+)+"  # an address of mail
    r"|(?<![\w/])/?u(?:ser)?/[\w\-]+"  # an account of Reddit
    r"|at://[\w.:%/~\-]+|(?<!\w)did:[a-z]+:[\w.:%\-]+"  # a post or an account of Bluesky
)
_PROFILE = re.compile(r"(?:https?://|(?<![\w.@＠/])(?:[a-z0-9\-]+\.)+[a-z]{2,}/)[^\s<>\"]+", re.IGNORECASE)
"""Links, also those without a scheme, as t.me/NAME."""
_ENDS = re.compile(r"[)\].,;:!?'»”]+$")
"""What ends a sentence and not the link in it."""
_SOMEBODY = "@…"
_UNNAMED = "…"


class Exhibit(Struct, frozen=True, kw_only=True):
    """A post of a brief."""

    number: int
    """In the brief, from 1."""
    frozen: bool
    """It was shown when the alert fired first; else by a later step."""
    deleted: bool
    """Its author deleted it since, or it is too old to keep: what was said is gone, that something was said is not."""
    post: Evidence


class Brief(Struct, frozen=True, kw_only=True):
    """What `monitor alerts export` writes."""

    made_at: datetime
    authors: bool
    """Whether authors, links and names of accounts are in it."""
    alert: Alert
    """As it stands now, without posts."""
    fired: Alert | None
    """As it stood when it fired first, without posts; None where it never did, or did before this was kept."""
    exhibits: tuple[Exhibit, ...]


def brief(last: Alert, fired: Alert | None, made_at: datetime, *, authors: bool) -> Brief:
    """The brief of an alert from its last step and the one at which it fired first."""
    then = () if fired is None else fired.evidence
    known = {(one.platform, one.id) for one in then}
    posts = [*((one, True) for one in then), *((one, False) for one in last.evidence if _post(one) not in known)]
    exhibits = tuple(
        Exhibit(
            number=number,
            frozen=frozen,
            deleted=not post.text and post.author is None and post.url is None,
            post=post if authors else _redacted(post),
        )
        for number, (post, frozen) in enumerate(posts, 1)
    )
    return Brief(
        made_at=made_at,
        authors=authors,
        alert=_without_posts(last, authors=authors),
        fired=None if fired is None else _without_posts(fired, authors=authors),
        exhibits=exhibits,
    )


def _post(one: Evidence) -> tuple[str, str]:
    return one.platform, one.id


def _without_posts(alert: Alert, *, authors: bool) -> Alert:
    if authors:
        return replace(alert, evidence=())
    return replace(
        alert,
        evidence=(),
        label=_nobody(alert.label),
        label_of=None,
        subject=f"{VOICE}{_UNNAMED}" if alert.subject.startswith(VOICE) else alert.subject,
        said=_set(alert.said),
        acknowledged=_taken(alert.acknowledged),
        checks=tuple(_check(one) for one in alert.checks),
    )


def _set(mark: StatusMark | None) -> StatusMark | None:
    if mark is None:
        return None
    platform, named, _ = mark.evidence.partition(":")
    post = named and harmless_link(mark.evidence) is None and not any(map(str.isspace, mark.evidence))
    return replace(mark, by=_UNNAMED, evidence=f"{platform}:{_UNNAMED}" if post else _nobody(mark.evidence))


def _taken(ack: AckMark | None) -> AckMark | None:
    return ack and replace(ack, by=_UNNAMED, assignee="", comment=_nobody(ack.comment))


def _check(check: FactCheck) -> FactCheck:
    claim, title, rating = (_nobody(one) for one in (check.claim, check.title, check.rating))
    return replace(check, claim=claim, title=title, rating=rating, claimant="")


def _redacted(post: Evidence) -> Evidence:
    return replace(post, id="", author=None, voice=None, url=_host(post.url), text=_nobody(post.text))


def _host(url: str | None) -> str | None:
    """A link's host: what stands behind it names the account, or leads to it."""
    link = harmless_link(url)
    return None if link is None else f"{urlsplit(link).scheme}://{urlsplit(link).hostname}/"


def _nobody(text: str) -> str:
    """The text without names of accounts, also those in its links."""
    return _HANDLE.sub(_SOMEBODY, _PROFILE.sub(_leads_to, text))


def _leads_to(found: re.Match[str]) -> str:
    link = _ENDS.sub("", found[0])
    host = _host(link if "://" in link else f"https://{link}") or ""
    return (host if "://" in link else host.removeprefix("https://")) + found[0][len(link) :]
