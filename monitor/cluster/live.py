"""A live narrative: what its originals hold, and how it is kept."""

import msgspec
import numpy as np

from monitor.cluster.asserted import Floats, Ints


class Saved(msgspec.Struct, array_like=True):
    """For the next run."""

    column: int
    originals: int
    last: int
    slots: list[int]
    counts: list[int]
    norm: float
    number: float
    long: bool = True

    def live(self) -> "Live":
        """As it was."""
        counts = dict(zip(self.slots, self.counts, strict=True))
        return Live(self.column, self.originals, self.last, counts, self.norm, self.number, self.long)


class Live(msgspec.Struct):
    """What the originals of a narrative hold."""

    column: int
    originals: int
    last: int
    """The event's original that joined last."""
    counts: dict[int, int]
    """Slot → how many of its originals hold it."""
    norm: float
    """Length of its vector when it was joined last."""
    number: float
    """The largest share of a number."""
    long: bool = False
    """One of its originals is long enough for others to be near it."""

    def saved(self) -> Saved:
        """As it is kept."""
        slots, counts = list(self.counts), list(self.counts.values())
        return Saved(self.column, self.originals, self.last, slots, counts, self.norm, self.number, self.long)

    def shares(self) -> tuple[Ints, Floats]:
        """Its slots, and the share of its originals that hold each."""
        slots = np.fromiter(self.counts, np.int64, len(self.counts))
        return slots, np.fromiter(self.counts.values(), np.float64, len(self.counts)) / max(self.originals, 1)
