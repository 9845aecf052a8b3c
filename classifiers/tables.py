"""Markdown tables of figures, as evaluation and model card print them."""

from collections.abc import Mapping, Sequence

from classifiers.figures import Confusion, macro_f1, scores
from classifiers.tags import TAGS, Tag

__all__ = ["confusion_table", "score_table", "table"]

_ORDER = (Tag.DENIAL, Tag.CLAIM, Tag.QUESTION, Tag.CELEBRATION, Tag.OTHER)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def score_table(tables: Mapping[str, Confusion]) -> str:
    """Per named confusion: macro-F1, then precision, recall and F1 per tag that occurs in it, denial first."""
    rows = []
    for name, counts in tables.items():
        cells = []
        for tag in _ORDER:
            score = scores(counts, TAGS.index(tag))
            cells.append(f"{score.precision:.2f} / {score.recall:.2f} / **{score.f1:.2f}**" if score.support else "–")
        rows.append([name, f"{int(counts.counts.sum()):,}", f"**{macro_f1(counts):.3f}**", *cells])
    return table(["", "posts", "macro-F1", *(f"{tag} P / R / F1" for tag in _ORDER)], rows)


def confusion_table(counts: Confusion) -> str:
    """Rows true, columns given."""
    rows = [[f"**{tag}**", *(f"{int(each):,}" for each in counts.counts[place])] for place, tag in enumerate(TAGS)]
    return table(["true ↓ given →", *TAGS], rows)
