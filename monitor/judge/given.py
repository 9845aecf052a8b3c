"""What a call hands to a judge, taken apart once: all judges of the same counts go by it."""

from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from monitor.judge.epoch import Sides
from monitor.judge.tally import Names, Rows
from monitor.watched import Measure

Ints = npt.NDArray[np.int64]
Heard = list[tuple[str, int, str]]
"""Who spoke (a source, or a voice after VOICE), the begin of the slot, and the source through which."""


class Given:
    """One event's part of what was counted; times are whole seconds."""

    def __init__(self, ticks: pl.DataFrame, heard: Heard, spoken: pl.DataFrame | None) -> None:
        """TICKS, HEARD and SPOKEN."""
        self.ticks, self.heard, self._spoken = ticks, heard, spoken
        self._rows: tuple[Rows, Names] | None = None

    @cached_property
    def whole(self) -> pl.DataFrame:
        """TICKS of the event as a whole."""
        return self.ticks.filter(pl.col("narrative") == "")

    @cached_property
    def whole_ticks(self) -> Ints:
        """The seconds of `whole`."""
        return self.whole["tick"].to_numpy()

    @cached_property
    def _measured(self) -> Ints:
        return self.whole.select([measure.value for measure in Measure]).to_numpy()

    def measured(self, begin: int, end: int) -> tuple[Ints, Ints]:
        """The ticks after `begin` up to `end`, and what each measure counted at them, (ticks, measures)."""
        rows = slice(*np.searchsorted(self.whole_ticks, [begin, end], side="right").tolist())
        return self.whole_ticks[rows], self._measured[rows]

    @cached_property
    def sides(self) -> Sides:
        """The originals of the event as a whole."""
        neither = self.whole.select("celebrations", "questions", "others").to_numpy()
        both = self.whole.select(pl.sum_horizontal("claims", "denials")).to_series().to_numpy()
        return Sides(self.whole["tick"].to_numpy(), neither, neither.sum(axis=1) + both)

    def rows(self, names: Names) -> Rows:
        """TICKS of its narratives, and SPOKEN; `names` learns those of platforms and languages that are new."""
        if self._rows is None:
            self._rows = Rows(self.ticks.filter(pl.col("narrative") != ""), self._spoken, names), names
        rows, known = self._rows
        if known is not names:
            names.platforms[:], names.languages[:] = known.platforms, known.languages
        return rows
