"""Every kind of source and receiver has a server that can be tried, with the settings it comes with."""

from typing import get_args

import msgspec
import pytest

from monitor.app.reach import Server, server_of
from monitor.settings import Source

SERVERS: dict[str, tuple[dict[str, object], Server | None]] = {
    "bluesky": ({}, Server("jetstream.us-east.bsky.network", 443, encrypted=True)),
    "factcheck": ({}, Server("factchecktools.googleapis.com", 443, encrypted=True)),
    "file": ({"path": "posts.ndjson"}, None),
    "gdelt": ({}, Server("api.gdeltproject.org", 443, encrypted=True)),
    "ingest": ({}, None),
    "mastodon": ({"instance": "https://mastodon.example:8443"}, Server("mastodon.example", 8443, encrypted=True)),
    "mqtt": (
        {"host": "broker.example", "tls": True, "topics": ["posts"]},
        Server("broker.example", 8883, encrypted=True),
    ),
    "reddit": ({"client_id": "abc"}, Server("oauth.reddit.com", 443, encrypted=True)),
    "rss": ({"feeds": ["https://news.example/feed"]}, None),
    "telegram": ({"channels": ["harbour_news"]}, None),
    "x": ({"budget": 1.0}, Server("api.x.com", 443, encrypted=True)),
    "youtube": ({}, Server("www.googleapis.com", 443, encrypted=True)),
}


def test_no_kind_of_source_is_forgotten() -> None:
    assert set(SERVERS) == {str(kind.__struct_config__.tag) for kind in get_args(Source)}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_source_is_tried_where_it_would_connect(kind: str) -> None:
    more, server = SERVERS[kind]
    source = msgspec.convert({"kind": kind, "name": "one", **more}, Source)
    assert server_of(source, "a secret") == server
    assert server is None or str(server) == f"{server.host}:{server.port}"
