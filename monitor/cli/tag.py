"""`monitor tag`: tags and narratives for a table of posts; every row is taken as a mention of the event."""

import argparse
import csv
from collections.abc import Iterable
from pathlib import Path

import msgspec
import polars as pl

from monitor.cli.outputs import writing
from monitor.cluster.clusters import Clusters
from monitor.errors import SettingsError
from monitor.frames import MENTIONS, TAGS, TIME
from monitor.settings import load_event, packaged_model
from monitor.tag.tagger import TagStage, load_tagger, said_of
from monitor.watched import Event

NAME = "tag"
HELP = "tags posts as claim, denial, celebration, question or other"
EPILOG = """
INPUT needs only the columns id and text; reply_to (an id in the same input) or parent_text say what a post answers.
OUT has all of its columns, then tag, p_claim, p_denial, p_celebration, p_question, p_other and narrative; an input
column of one of these names is kept as input_<name>. The tag need not be the likeliest: tags are weighed, an original
is a claim less readily than an answer, and where none stands out it is other. With --explain there are language and
why too: which words, and what the post answers, pulled it to its tag (a reading per word: slow). The names' endings
say the format: .ndjson, .parquet or .csv.

examples:
  monitor tag posts.ndjson --event config/events/fall.toml --output tagged.parquet
  monitor tag posts.ndjson --event config/events/fall.toml --output tagged.csv --explain
"""
ADDED = ("tag", *(f"p_{tag.value}" for tag in TAGS), "narrative")
EXPLAINED = ("language", "why")
_ROWS = 20_000
_ROWS_EXPLAINED = 500
_DEEPEST = 50
"""Answers above answers up to which a thread is followed to its first post."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command and its options."""
    parser = commands.add_parser(
        NAME, help=HELP, description=HELP, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="NDJSON, Parquet or CSV")
    parser.add_argument("--event", required=True, type=Path, metavar="FILE", help="event file (TOML)")
    parser.add_argument("--output", required=True, type=Path, metavar="OUT", help="NDJSON, Parquet or CSV")
    parser.add_argument("--model", type=Path, metavar="FILE", help="tagger artifact (default: the one that ships)")
    parser.add_argument("--explain", action="store_true", help="adds each post's language and why it got its tag")


def run(arguments: argparse.Namespace) -> int:
    """Tags the input; returns the exit status."""
    event = load_event(arguments.event)
    tagger = load_tagger(arguments.model or packaged_model())
    stage = TagStage(tagger, {event.name: event.proposition}, said=said_of([event]))
    posts = read(arguments.input)
    tagged = tag(posts, event, stage, explain=arguments.explain)
    with writing(arguments.output):
        _write(tagged, arguments.output)
    return 0


def tag(posts: pl.DataFrame, event: Event, stage: TagStage, *, explain: bool = False) -> pl.DataFrame:
    """`posts` (id and text, String) with the columns of ADDED behind them, of EXPLAINED if asked; the same rows."""
    clusters = Clusters([event])
    mentions = _mentions(posts, event)
    found = pl.concat([clusters.assign(stage.tag(part)) for part in mentions.iter_slices(_ROWS)] or [pl.DataFrame()])
    added = (*ADDED, *EXPLAINED) if explain else ADDED
    kept = posts.rename({name: f"input_{name}" for name in posts.columns if name in added})
    if not posts.height:
        return kept
    if explain:
        found = found.drop(EXPLAINED, strict=False).hstack(
            pl.concat([stage.why(part) for part in mentions.iter_slices(_ROWS_EXPLAINED)])
        )
    return kept.hstack(found.select(added))


def read(path: Path) -> pl.DataFrame:
    """The table at `path`; raises SettingsError, by the line to blame, if it cannot be read or has no id and text."""
    try:
        posts = _read(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        where = _where(path) or f"cannot be read ({str(error).strip().splitlines()[0][:200]})"
        raise SettingsError([f"{path}: {where}"]) from error
    missing = [name for name in ("id", "text") if name not in posts.columns]
    if missing:
        raise SettingsError([f"{path}: has no column {' and no column '.join(missing)}"])
    return posts.with_columns(pl.col("id").cast(pl.String), pl.col("text").cast(pl.String))


def _read(path: Path) -> pl.DataFrame:
    if path.suffix == ".parquet":
        return pl.read_parquet(path)
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False)
    if path.suffix in {".ndjson", ".jsonl", ".json"}:
        return pl.read_ndjson(path, infer_schema_length=None)
    raise SettingsError([f"{path}: the name must end in .ndjson, .jsonl, .parquet or .csv"])


def _where(path: Path) -> str:
    """The number of the first line that is no row of the table and why; "" where no line is to blame."""
    if not path.is_file() or path.suffix == ".parquet":
        return ""
    with path.open("rb") as lines:
        if path.suffix != ".csv":
            return _no_object(lines)
        rows = csv.reader((line.decode() for line in lines), strict=True)
        try:
            columns = len(next(rows, []))
            long = next((rows.line_num for row in rows if len(row) > columns), None)
        except (csv.Error, UnicodeDecodeError) as error:
            return f"line {rows.line_num + isinstance(error, UnicodeDecodeError)} cannot be read ({error})"
    return f"line {long} has more than the header's {columns} fields" if long else ""


def _no_object(lines: Iterable[bytes]) -> str:
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                msgspec.json.decode(line, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return f"line {number} is no JSON object ({error})"
    return ""


def _write(tagged: pl.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        tagged.write_parquet(path)
    elif path.suffix == ".csv":
        tagged.write_csv(path)
    elif path.suffix in {".ndjson", ".jsonl", ".json"}:
        tagged.write_ndjson(path)
    else:
        raise SettingsError([f"{path}: the name must end in .ndjson, .jsonl, .parquet or .csv"])


def _mentions(posts: pl.DataFrame, event: Event) -> pl.DataFrame:
    """The rows as MENTIONS: what answers a post of the same input is read with that post's text."""
    blank = pl.lit(None, dtype=pl.String)
    columns = {
        name: pl.col(name) if name in posts.columns else blank
        for name in ("reply_to", "parent_text", "repost_of", "quote_of", "root")
    }
    rows = posts.select("id", "text", **{name: column.cast(pl.String) for name, column in columns.items()})
    texts = rows.select(parent="id", known="text").unique("parent", keep="first")
    target = pl.coalesce("repost_of", "reply_to", "quote_of")
    joined = rows.with_columns(parent=target).join(texts, on="parent", how="left", maintain_order="left")
    begun = _roots(rows).join(
        texts.rename({"parent": "root", "known": "root_text"}), on="root", how="left", maintain_order="left"
    )
    joined = joined.with_columns(root_text=begun["root_text"])
    epoch = pl.lit(0, dtype=pl.Int64).cast(TIME)
    filled = joined.with_columns(
        text=pl.col("text").fill_null(""),
        parent_text=pl.coalesce("parent_text", "known"),
        parent=pl.when(pl.col("known").is_not_null()).then("parent"),
        via=pl.when(pl.col("repost_of").is_not_null())
        .then(pl.lit("repost"))
        .when(pl.col("reply_to").is_not_null())
        .then(pl.lit("reply"))
        .otherwise(pl.lit("term")),
        event=pl.lit(event.name),
        term=pl.lit(event.any[0]),
        source=pl.lit("tag"),
        platform=pl.lit("tag"),
        op=pl.lit("create"),
        posted_at=epoch,
        seen_at=epoch,
        event_time=epoch,
    )
    return filled.select(
        (pl.col(name) if name in filled.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in MENTIONS.items()
    )


def _roots(rows: pl.DataFrame) -> pl.DataFrame:
    """The id of what began each post's thread: as the input has it, else by following reply_to within the input."""
    answered = rows.select(root="id", above="reply_to").unique("root", keep="first")
    found = rows.select(root=pl.coalesce("root", "reply_to"))
    for _ in range(_DEEPEST):
        higher = found.join(answered, on="root", how="left", maintain_order="left")["above"]
        if higher.is_null().all():
            break
        found = found.with_columns(root=pl.coalesce(higher, "root"))
    return found
