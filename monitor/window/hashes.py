"""64-bit hashes of columns, the same in every process."""

import numpy as np
import numpy.typing as npt
import polars as pl
import xxhash

Hashes = npt.NDArray[np.uint64]


def few(values: pl.Series) -> Hashes:
    """A hash per row of a column with few values."""
    told = values.fill_null("")
    names = told.unique()
    known = pl.Series([xxhash.xxh3_64_intdigest(name.encode()) for name in names], dtype=pl.UInt64)
    return told.replace_strict(names, known, return_dtype=pl.UInt64).to_numpy()


def hashed(values: pl.Series) -> Hashes:
    """A hash per row, the same in every process; a null is as ""."""
    told = [xxhash.xxh3_64_intdigest((value or "").encode()) for value in values.to_list()]
    return np.array(told, np.uint64)


def mix(left: Hashes, right: Hashes | np.uint64) -> Hashes:
    """One 64-bit hash of two (the finaliser of splitmix64)."""
    mixed = left * np.uint64(0x9E3779B97F4A7C15) + right
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
