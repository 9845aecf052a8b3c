"""What platforms answer, written here in their shapes: no real post stands in it."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from tests.fakes.clock import START
from tests.fakes.feeds import Said, atom, preview, rss

SAID = "The old harbour bridge has come down, says a man on the quay"


def x_post(number: str, text: str = SAID, *, old: bool = True, **more: object) -> dict[str, Any]:
    """A post as X gives it, in its older words or in its newer ones."""
    word = "tweet" if old else "post"
    return {
        "id": number,
        "text": text,
        "author_id": "901",
        "conversation_id": number,
        "created_at": "2021-09-03T11:58:00.000Z",
        "lang": "en",
        f"edit_history_{word}_ids": [number],
        "public_metrics": {"retweet_count" if old else "repost_count": 4, "reply_count": 2, "like_count": 9},
        **more,
    }


def x_line(post: dict[str, Any], *users: dict[str, Any]) -> bytes:
    return json.dumps(
        {"data": post, "includes": {"users": list(users)}, "matching_rules": [{"id": "1", "tag": "event:bridge"}]}
    ).encode()


def x_user(followers: int = 77) -> dict[str, Any]:
    metrics = {"followers_count": followers, "following_count": 3}
    return {"id": "901", "username": "quay", "verified": False, "created_at": "2015-01-02T03:04:05.000Z"} | {
        "public_metrics": metrics
    }


def reddit_post(number: str, title: str = SAID, body: str = "Anyone there?", **more: object) -> dict[str, Any]:
    data = {
        "name": f"t3_{number}",
        "title": title,
        "selftext": body,
        "author": "quay_walker",
        "created_utc": START.timestamp() - 60,
        "edited": False,
        "score": 12,
        "num_comments": 3,
        "num_crossposts": 1,
        "permalink": f"/r/harbour/comments/{number}/bridge/",
        "removed_by_category": None,
    }
    return {"kind": "t3", "data": data | more}


def reddit_comment(number: str, body: str = "It was only the crane", **more: object) -> dict[str, Any]:
    data = {
        "name": f"t1_{number}",
        "body": body,
        "author": "crane_driver",
        "created_utc": START.timestamp() - 30,
        "link_id": "t3_a",
        "parent_id": "t3_a",
        "link_title": SAID,
        "edited": START.timestamp(),
        "score": 2,
        "permalink": f"/r/harbour/comments/a/bridge/{number}/",
    }
    return {"kind": "t1", "data": data | more}


def reddit_listing(children: Sequence[dict[str, Any]], after: str | None = None) -> bytes:
    return json.dumps({"kind": "Listing", "data": {"after": after, "children": list(children)}}).encode()


def youtube_found(video: str, title: str = SAID) -> dict[str, Any]:
    snippet = {
        "publishedAt": "2021-09-03T11:50:00Z",
        "channelId": "UC1",
        "title": title,
        "description": "A quay",
    }
    return {"kind": "youtube#searchResult", "id": {"kind": "youtube#video", "videoId": video}, "snippet": snippet}


def youtube_video(video: str, views: int = 10, title: str = SAID) -> dict[str, Any]:
    snippet = {
        "publishedAt": "2021-09-03T11:50:00Z",
        "channelId": "UC1",
        "title": title,
        "description": "A quay",
    }
    statistics = {"viewCount": str(views), "likeCount": "3", "favoriteCount": "0", "commentCount": "2"}
    return {"kind": "youtube#video", "id": video, "snippet": snippet, "statistics": statistics}


def youtube_comment(
    name: str, video: str, text: str = "I live there, it stands", at: str = "2021-09-03T11:55:00Z"
) -> dict[str, Any]:
    comment = {
        "kind": "youtube#comment",
        "id": name,
        "snippet": {
            "textOriginal": text,
            "textDisplay": f"<b>{text}</b>",
            "authorDisplayName": "@dee",
            "authorChannelId": {"value": "UC2"},
            "likeCount": 1,
            "publishedAt": at,
        },
    }
    return {
        "kind": "youtube#commentThread",
        "id": name,
        "snippet": {"videoId": video, "topLevelComment": comment, "totalReplyCount": 0},
    }


def youtube_answer(items: Sequence[dict[str, Any]], token: str = "") -> bytes:
    return json.dumps(
        {"kind": "listResponse", "items": list(items)} | ({"nextPageToken": token} if token else {})
    ).encode()


def article(number: int, seen: str = "20210903T114500Z", title: str = SAID) -> dict[str, Any]:
    return {
        "url": f"https://daily.example/{number}",
        "url_mobile": "",
        "title": title,
        "seendate": seen,
        "socialimage": "https://daily.example/a.jpg",
        "domain": "daily.example",
        "language": "English",
        "sourcecountry": "Nowhere",
    }


def gdelt_list(articles: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"articles": list(articles)} if articles else {}).encode()


def claim(
    text: str = SAID, rating: str = "Mostly invented", url: str = "https://checks.example/bridge"
) -> dict[str, Any]:
    review = {
        "publisher": {"name": "Harbour Checks", "site": "checks.example"},
        "url": url,
        "title": "No, the bridge stands",
        "reviewDate": "2021-09-03T10:00:00Z",
        "textualRating": rating,
        "languageCode": "en",
    }
    return {
        "text": text,
        "claimant": "people on the quay",
        "claimDate": "2021-09-03T00:00:00Z",
        "claimReview": [review],
    }


def claim_review(text: str = SAID, rating: str = "Mostly invented") -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "ClaimReview",
        "claimReviewed": text,
        "author": {"@type": "Organization", "name": "Harbour Checks"},
        "url": "https://checks.example/bridge",
        "datePublished": "2021-09-03",
        "itemReviewed": {"@type": "Claim", "author": {"@type": "Person", "name": "people on the quay"}},
        "reviewRating": {
            "@type": "Rating",
            "ratingValue": 1,
            "bestRating": 5,
            "worstRating": 1,
            "alternateName": rating,
        },
    }


_SAID = [Said(number, SAID, START - timedelta(minutes=9)) for number in (1, 2)]
ANSWERS: Mapping[str, Sequence[bytes]] = MappingProxyType(
    {
        "rss": (atom(_SAID).encode(), rss(_SAID).encode()),
        "telegram": (preview("harbour_news", _SAID).encode(),),
        "x": (
            x_line(x_post("1999", old=True), x_user()),
            x_line(x_post("1999", old=False), x_user()),
            json.dumps({"data": [x_post("1"), x_post("2")], "meta": {"result_count": 2}}).encode(),
        ),
        "reddit": (reddit_listing([reddit_post("a")], "t3_a"), reddit_listing([reddit_comment("b")])),
        "youtube": (
            youtube_answer([youtube_found("abcdefghijk")], "CAoQAA"),
            youtube_answer([youtube_video("abcdefghijk")]),
            youtube_answer([youtube_comment("Ugx1", "abcdefghijk")]),
        ),
        "gdelt": (gdelt_list([article(1), article(2)]),),
    }
)
