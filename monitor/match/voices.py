"""Recognises the registered voices of events among the authors of mentions, before anybody hashes an author.

By account – the author as the source names it – or by the address under which a voice publishes. Pure.
"""

from collections.abc import Sequence

import polars as pl

from monitor.watched import Event

_CLIMBS = r"(?i)/(\.|%2e){1,2}([/?#\\]|$)|\\"
"""In an address that leads elsewhere than it begins."""


class Voices:
    """The voices of all events."""

    def __init__(self, events: Sequence[Event]) -> None:
        accounts = [
            (event.name, *account.split(":", 1), voice.name)
            for event in events
            for voice in event.voices
            for account in voice.accounts
        ]
        self._accounts = pl.DataFrame(
            accounts, schema=dict.fromkeys(("event", "platform", "author", "by_account"), pl.String), orient="row"
        )
        self._links = [
            pl.when(
                pl.col("event") == event.name, pl.col("url").str.starts_with(link), ~pl.col("url").str.contains(_CLIMBS)
            ).then(pl.lit(voice.name))
            for event in events
            for voice in event.voices
            for link in voice.links
        ]

    def recognise(self, mentions: pl.DataFrame) -> pl.DataFrame:
        """MENTIONS with `voice` filled where a voice wrote the post; a repost is the word of who reposts."""
        if self._accounts.is_empty() and not self._links:
            return mentions
        known = mentions.join(
            self._accounts, on=["event", "platform", "author"], how="left", maintain_order="left"
        ).with_columns(pl.coalesce([pl.col("by_account"), *self._links]).alias("voice"))
        return known.select(mentions.columns)
