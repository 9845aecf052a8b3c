"""Counts the words of our written posts: `python -m tests.ordinary > monitor/cluster/ordinary.tsv`."""

import sys
from collections import Counter
from pathlib import Path

import polars as pl

from classifiers.text import fold, without_links, words

WRITTEN = Path("classifiers/written")
SHARE = 0.001
"""Words that this share of posts hold are ordinary."""


def main() -> None:
    """Prints a word and the share of posts that hold it per line, the most frequent first."""
    texts = pl.concat(
        [
            pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False).select("text")
            for path in sorted(WRITTEN.glob("*.tsv"))
        ]
    )["text"].fill_null("")
    held = Counter(word for text in words(without_links(fold(texts))).to_list() for word in set(text))
    for word, count in sorted(held.items(), key=lambda pair: (-pair[1], pair[0])):
        if count >= SHARE * len(texts):
            sys.stdout.write(f"{word}\t{count / len(texts):.4f}\n")


if __name__ == "__main__":
    main()
