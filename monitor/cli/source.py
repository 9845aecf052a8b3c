"""`monitor source`: the sources that are configured, a dry run of one, what each kind can tell, recordings played."""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
from prometheus_client import CollectorRegistry

from monitor.app.build import collector
from monitor.app.version import installed_version
from monitor.arrivals import Payload
from monitor.cli import options, shown
from monitor.cli.api_client import ApiClient
from monitor.cli.catalogue import catalogue
from monitor.clock import SystemClock
from monitor.collect.collector import Collector, Sampled
from monitor.collect.ingest import IngestSource
from monitor.collect.mqtt import MqttSource
from monitor.collect.record import recorded
from monitor.errors import SettingsError, SourceRefusedError, SourceUnavailableError, StoreError
from monitor.marks import GapMark
from monitor.metrics import Metrics
from monitor.settings import Settings, Source, load
from monitor.watched import Duration
from monitor.web.bodies import SourceList

NAME = "source"
HELP = "lists sources, tries one, says what each kind can tell"
EPILOG = """
exit status:
  0  done
  1  the source does not answer, or brought nothing
  2  the configuration is wrong, or has no source of this name

examples:
  monitor source list
  monitor source test sky
  monitor source catalogue
  monitor source replay sky var/recorded/sky.*.ndjson > posts.ndjson
  monitor replay posts.ndjson --event config/events/fall.toml
"""
ENOUGH = 10
PATIENCE = Duration(seconds=30)


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = options.command(commands, NAME, HELP, EPILOG)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    example = "\nexamples:\n  monitor source list\n"
    listing = options.command(actions, "list", "what is configured, and how it is doing if the daemon runs", example)
    example = """
Fetches and parses, and prints ten posts; nothing is stored, acknowledged or recorded.
From X it buys a page of ten posts and says so: the budget, which the daemon keeps, does not count them.
"""
    testing = options.command(actions, "test", "a dry run of one source", example)
    testing.add_argument("name", metavar="NAME", help="the source's name in monitor.toml")
    testing.add_argument(
        "--for", dest="lasts", type=options.duration, default=PATIENCE, metavar="TIME", help="ends after (default: 30s)"
    )
    example = "\nexamples:\n  monitor source catalogue > docs/sources.md\n"
    options.command(actions, "catalogue", "what every kind of source asks for, and can and cannot tell", example)
    example = "\nPrints the posts of recorded payloads as post/1 lines, for `monitor replay` and `monitor tag`.\n"
    playing = options.command(actions, "replay", "recorded payloads through the source's own reading", example)
    playing.add_argument("name", metavar="NAME", help="the source that was recorded")
    playing.add_argument("files", metavar="FILE", nargs="+", type=Path, help="what `record` wrote, in order")
    for one in (listing, testing, playing):
        options.config(one)
    options.as_json(listing)


def run(arguments: argparse.Namespace) -> int:
    """Does it; returns the exit status."""
    if arguments.action == "catalogue":
        sys.stdout.write(catalogue())
        return 0
    settings = load(arguments.config)
    if arguments.action == "list":
        return _list(settings, arguments)
    source = next((one for one in settings.monitor.sources if one.name == arguments.name), None)
    if source is None:
        names = ", ".join(one.name for one in settings.monitor.sources) or "none"
        path = arguments.config / "monitor.toml"
        raise SettingsError([f"{path}: $.source: there is no source {arguments.name!r}; there is {names}"])
    if arguments.action == "replay":
        return _replay(_built(settings, source), arguments.files)
    if isinstance(source, IngestSource):
        raise SettingsError(
            [f"{source.name}: others push to it; send a post to /ingest/v1/posts/{source.name} instead"]
        )
    return asyncio.run(_test(_built(settings, _apart(source)), arguments.lasts))


def _list(settings: Settings, arguments: argparse.Namespace) -> int:
    try:
        found = ApiClient(arguments.config).ask("GET", "sources", wanted=SourceList)
    except StoreError as error:
        found = SourceList(sources=())
        print(f"monitor: {error}", file=sys.stderr)
    known = {one.name: one for one in found.sources}
    if arguments.json:
        shown.as_json(found)
        return 0
    rows = []
    for one in settings.monitor.sources:
        health = known.get(one.name)
        kind = one.__struct_config__.tag
        rows.append((one.name, kind, health.state if health else "–", health.last_post_at if health else None))
    shown.table(("source", "kind", "state", "last post"), rows, "monitor.toml has no [[source]]")
    return 0


def _built(settings: Settings, source: Source) -> Collector:
    metrics = Metrics(CollectorRegistry(), version=installed_version())
    secret = settings.source_secrets.get(source.name)
    return collector(source, secret, SystemClock(), metrics, lambda: settings.events)


def _apart(source: Source) -> Source:
    """The source as somebody else: a dry run must not throw the daemon off its broker, nor take its messages."""
    if not isinstance(source, MqttSource):
        return source
    client = f"{source.client_id_used}-test"
    return msgspec.structs.replace(source, client_id=client, share=None, session_expiry=Duration(0))


async def _test(one: Collector, lasts: timedelta) -> int:
    """Prints ten posts, or as many as there are, or come in time."""
    posts = 0
    some = one.sample() if isinstance(one, Sampled) else one.payloads(None)
    try:
        async with asyncio.timeout(lasts.total_seconds()), aclosing(some) as arrivals:  # type: ignore[type-var]
            if isinstance(one, Sampled):
                print(f"{one.name}: {one.sample_costs}")
            print(f"{one.name}: connecting …")
            async for arrival in arrivals:
                if isinstance(arrival, GapMark):
                    print(f"gap: {shown.cell(arrival.why)}")
                elif isinstance(arrival, Payload):
                    posts += _shown(one, arrival, ENOUGH - posts)
                elif arrival.rests:
                    print(f"{one.name}: {posts} posts, and no more for now")
                    break
                if posts >= ENOUGH:
                    break
    except TimeoutError:
        print(f"{one.name}: {posts} posts in {lasts.total_seconds():g} s")
    except (SourceUnavailableError, SourceRefusedError) as error:
        why = f"source {one.name}: {error}"
        raise StoreError(why) from error
    return 0 if posts else 1


def _shown(one: Collector, payload: Payload, most: int) -> int:
    """Prints what a payload holds; how many posts that were."""
    parsed = one.parse([payload.body], SystemClock().now())
    for reason, count in sorted(parsed.rejected[0].items()):
        print(f"rejected: {count} {reason}")
    rows = parsed.posts.head(most).select("op", "platform", "posted_at", "author", "text", "id").rows()
    for op, platform, posted_at, author, text, name in rows:
        print(f"{op} {platform} {shown.cell(posted_at)} {shown.cell(author)}: {shown.cell(text or name)}")
    for review in parsed.reviews[:most]:
        print(f"review by {shown.cell(review.by)}: {shown.cell(review.rating)}: {shown.cell(review.claim)}")
    return len(rows) + len(parsed.reviews[:most])


def _replay(one: Collector, files: list[Path]) -> int:
    for line in recorded(files, _torn):
        parsed = one.parse([line.body], line.at)
        for document in _documents(parsed.posts):
            sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    return 0


def _torn(path: Path, size: int) -> None:
    print(f"monitor: {path}: its last line ends after {size} bytes, in the middle; left out", file=sys.stderr)


def _documents(posts: pl.DataFrame) -> Iterator[dict[str, object]]:
    """Posts as post/1 documents."""
    for row in posts.rename({"posted_at": "created_at"}).drop("source").iter_rows(named=True):
        document = {name: value for name, value in row.items() if value is not None}
        if (media := document.get("media")) is not None:
            document["media"] = msgspec.json.decode(media)
        yield document
