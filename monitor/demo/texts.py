"""Books of stems: data files under `texts/`, one line a stem, written for the scenarios and never used for training.

A file is `<book>.<language>[.<part>].txt`; `[pool]` lines name the pool of the stems that follow. The language `zxx`
holds what has no language (emoji, handles). Slots stand in braces and are filled from the pool `slot/<name>`.
"""

from collections.abc import Sequence
from pathlib import Path

TEXTS = Path(__file__).parent / "texts"
ANY_LANGUAGE = "zxx"


class Book:
    """Stems by language and pool."""

    def __init__(self, pools: dict[tuple[str, str], tuple[str, ...]]) -> None:
        self._pools = pools

    def stems(self, language: str, pool: str) -> tuple[str, ...]:
        """The stems of a pool in a language, else those without language; empty where there are none."""
        return self._pools.get((language, pool)) or self._pools.get((ANY_LANGUAGE, pool), ())

    def items(self) -> Sequence[tuple[str, str, tuple[str, ...]]]:
        """Every (language, pool, stems)."""
        return [(language, pool, stems) for (language, pool), stems in self._pools.items()]


def load(books: Sequence[str]) -> Book:
    """Reads the books of these names as one; ValueError for a stem outside any pool."""
    pools: dict[tuple[str, str], list[str]] = {}
    for name in books:
        for path in sorted(TEXTS.glob(f"{name}.*.txt")):
            language = path.name.split(".")[1]
            for pool, stem in _lines(path):
                pools.setdefault((language, pool), []).append(stem)
    return Book({key: tuple(dict.fromkeys(stems)) for key, stems in pools.items()})


def _lines(path: Path) -> list[tuple[str, str]]:
    pool = ""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            pool = line[1:-1]
        elif line.strip():
            if not pool:
                why = f"{path.name}: a stem before the first [pool]: {line!r}"
                raise ValueError(why)
            found.append((pool, line.strip()))
    return found
