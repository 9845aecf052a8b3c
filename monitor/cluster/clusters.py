"""Tagged mentions → clustered: each with the original it copies and the narrative it belongs to."""

from collections.abc import Sequence

import polars as pl

from classifiers.text import fold, without_links, words
from monitor.cluster.copies import Copies
from monitor.cluster.narratives import Narratives
from monitor.frames import CLUSTERED
from monitor.records import Event, Narrative


class Clusters:
    """The cluster stage and its bounded memory."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._copies = Copies()
        self._narratives = Narratives(events)

    def assign(self, tagged: pl.DataFrame) -> pl.DataFrame:
        """TAGGED → CLUSTERED, rows in the same order."""
        carried = pl.col("repost_of").is_not_null() & pl.col("parent").is_not_null()
        read = pl.when(~carried & (pl.col("op") == "create")).then("text").fill_null("")
        token = words(without_links(fold(tagged.select(read).to_series())))
        original = self._originals(tagged, token)
        narrative = self._narratives.assign(tagged, token, original)
        return tagged.with_columns(
            pl.Series("narrative", narrative, dtype=pl.String), pl.Series("copy_of", original, dtype=pl.String)
        ).select(CLUSTERED.keys())

    def narrative(self, event: str, identity: str) -> Narrative | None:
        """What is known of a narrative."""
        return self._narratives.get(event, identity)

    def remember(self, clustered: pl.DataFrame) -> None:
        """Refills the memory of narratives from archived mentions, in order."""
        self._narratives.remember(clustered)

    def narratives(self) -> dict[str, int]:
        """How many narratives each event has."""
        return self._narratives.per_event()

    def _originals(self, tagged: pl.DataFrame, token: pl.Series) -> list[str | None]:
        """A repost copies what it reposts; the rest is compared by words."""
        own = ((pl.col("op") == "create") & pl.col("repost_of").is_null()).alias("own")
        compared = tagged.select("event", "id", own).with_columns(token.alias("words")).filter("own")
        found = iter(self._copies.originals(compared["event"], compared["words"], compared["id"].to_list()))
        return [
            next(found) if mine else repost
            for mine, repost in zip(tagged.select(own).to_series(), tagged["repost_of"], strict=True)
        ]
