"""Writes a generated scenario as a recording: post/1 lines, and the truth in a file of its own."""

from pathlib import Path

import polars as pl

from monitor.demo.scenario import POST, TRUTH

_RFC3339 = "%Y-%m-%dT%H:%M:%S%.6fZ"


def write_ndjson(frame: pl.DataFrame, path: Path, truth: Path | None = None) -> None:
    """Writes the posts of a scenario to `path`, and to `truth`, where given, platform, id and the TRUTH columns."""
    times = [name for name, kind in POST.items() if kind == pl.Datetime("us", "UTC")]
    frame.select(POST.keys()).with_columns(pl.col(times).dt.strftime(_RFC3339)).write_ndjson(path)
    if truth is not None:
        frame.select("platform", "id", *TRUTH).write_ndjson(truth)
