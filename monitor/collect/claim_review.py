"""What fact-checkers publish of claims → reviews: answers of Google's Fact Check Tools, and ClaimReview on pages. Pure.

Pages carry ClaimReview (schema.org) as JSON-LD, by itself, in lists or in a graph. A rating is in the fact-checker's
own words, in any language, and is handed on as it stands: nothing here knows what true and false are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from monitor.collect.html import text_of
from monitor.errors import PostRejectedError

_WRONG = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_LONGEST = 500
_LONGEST_LINK = 2_000
_MOST_NODES = 10_000
"""Of a page's JSON-LD that are looked at."""


class Review(NamedTuple):
    """One fact-checker's review of one claim; "" where it does not say."""

    claim: str
    claimant: str
    by: str
    """Who reviewed it: the publisher's name, or its site."""
    title: str
    rating: str
    """In the fact-checker's own words."""
    url: str
    reviewed_at: datetime | None
    language: str

    @property
    def key(self) -> str:
        """What tells it from others: the page, and the claim on it."""
        return f"{self.url} {self.claim}"


def reviews(body: bytes) -> Iterator[Review]:
    """The reviews in an answer or a page; those without claim, rating or publisher are none.

    Raises PostRejectedError for what begins as JSON and is none.
    """
    if body.lstrip()[:1] in {b"{", b"["}:
        try:
            found = list(_of_json(msgspec.json.decode(body)))
        except _WRONG as error:
            reason = "not_json"
            raise PostRejectedError(reason, str(error)) from error
    else:
        found = list(_of_page(body))
    yield from (one for one in found if one.claim and one.rating and one.by)


def next_page(body: bytes) -> str:
    """Where an answer goes on; "" at its end."""
    try:
        return _text(_of(msgspec.json.decode(body), "nextPageToken"))
    except _WRONG:
        return ""


def _of_json(document: Any) -> Iterator[Review]:  # noqa: ANN401 -- any JSON
    claims = document.get("claims") if isinstance(document, dict) else None
    if not isinstance(claims, list):
        yield from map(_of_node, _nodes(document))
        return
    for claim in claims:
        for review in _list(_of(claim, "claimReview")):
            publisher = _of(review, "publisher")
            yield Review(
                claim=_text(_of(claim, "text")),
                claimant=_text(_of(claim, "claimant")),
                by=_text(_of(publisher, "name")) or _text(_of(publisher, "site")),
                title=_text(_of(review, "title")),
                rating=_text(_of(review, "textualRating")),
                url=_link(_of(review, "url")),
                reviewed_at=_time(_of(review, "reviewDate")),
                language=_text(_of(review, "languageCode"))[:20],
            )


def _of_page(body: bytes) -> Iterator[Review]:
    for script in _scripts(body):
        try:
            document = msgspec.json.decode(script.strip())
        except _WRONG:
            continue
        yield from map(_of_node, _nodes(document))


def _scripts(page: bytes) -> Iterator[bytes]:
    """The JSON-LD in a page: what stands between the tags as it is, so no parser of HTML is needed."""
    lower, at = page.lower(), 0
    while (begins := lower.find(b"<script", at)) >= 0:
        opened, ends = lower.find(b">", begins), lower.find(b"</script", begins)
        if opened < 0 or ends < 0:
            return
        if opened < ends and b"application/ld+json" in lower[begins:opened]:
            yield page[opened + 1 : ends]
        at = ends + 1


def _nodes(document: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 -- any JSON
    """Every ClaimReview in a document, wherever it stands."""
    waiting, looked = [document], 0
    while waiting and looked < _MOST_NODES:
        node = waiting.pop(0)
        looked += 1
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            if "ClaimReview" in [_text(kind).rpartition("/")[2] for kind in _list(node.get("@type"))]:
                yield node
            waiting += [value for value in node.values() if isinstance(value, dict | list)]


def _of_node(node: dict[str, Any]) -> Review:
    author, reviewed = _first(node.get("author")) or _first(node.get("publisher")), _first(node.get("itemReviewed"))
    return Review(
        claim=_text(node.get("claimReviewed")) or _text(_of(reviewed, "name")),
        claimant=_text(_of(_first(_of(reviewed, "author")), "name")),
        by=_text(_of(author, "name")) or _text(_of(author, "url")),
        title=_text(node.get("headline")) or _text(node.get("name")),
        rating=_rating(_first(node.get("reviewRating"))),
        url=_link(node.get("url")),
        reviewed_at=_time(node.get("datePublished")),
        language=_text(node.get("inLanguage"))[:20],
    )


def _rating(rating: Any) -> str:  # noqa: ANN401 -- any JSON
    """Its words; a number where there are none, with the scale that it stands on."""
    if said := _text(_of(rating, "alternateName")) or _text(_of(rating, "name")):
        return said
    value, worst, best = (_text(_of(rating, name)) for name in ("ratingValue", "worstRating", "bestRating"))
    return f"{value} (worst {worst or '?'}, best {best or '?'})" if value else ""


def _of(node: Any, name: str) -> Any:  # noqa: ANN401 -- any JSON
    return node.get(name) if isinstance(node, dict) else None


def _list(value: Any) -> list[Any]:  # noqa: ANN401 -- any JSON
    return value if isinstance(value, list) else [] if value is None else [value]


def _first(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    return next(iter(_list(value)), None)


def _text(value: Any) -> str:  # noqa: ANN401 -- any JSON
    """One line without markup; numbers as they are written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(text_of(str(value)[: 4 * _LONGEST]).replace("\0", "").split())[:_LONGEST]


def _link(value: Any) -> str:  # noqa: ANN401 -- any JSON
    """A web address; "" for anything else."""
    link = value.strip() if isinstance(value, str) else ""
    fits = link.startswith(("https://", "http://")) and link.isprintable() and " " not in link
    return link if fits and len(link) <= _LONGEST_LINK else ""


def _time(value: Any) -> datetime | None:  # noqa: ANN401 -- any JSON
    """A time or a day, UTC where it does not say."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if at is None else at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
