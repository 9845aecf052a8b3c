"""How well narratives are told apart: `python -m tests.stories DATA`, part of `make evaluate DATA=…`.

Three figures of the cluster stage as it ships, on posts of which nothing is kept:

* B-cubed F1 (Bagga and Baldwin 1998) and purity of the narratives of the source posts in DATA/pheme9.parquet against
  their hand-made stories, each event replayed from a file that takes every post; the threshold as it ships, and chosen
  on one event and scored on the other;
* near-copy families kept whole: reworked copies of written and of public posts, all in one narrative, original and
  copies of eight words or more (shorter ones are not joined by nearness, by design);
* wrong merges per 1,000 short texts: written claims about different things in one narrative.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from classifiers.text import fold, without_links, words
from monitor.cli.tag import tag
from monitor.cluster.clusters import Clusters
from monitor.cluster.narratives import JOINS, LONG_ENOUGH, narrative_id
from monitor.frames import TAGGED, TIME
from monitor.settings import packaged_model
from monitor.tag.tagger import TagStage, load_tagger
from monitor.watched import Event

PROPOSITIONS = {
    "charliehebdo": "Gunmen attacked the offices of Charlie Hebdo in Paris",
    "germanwings-crash": "A Germanwings plane crashed in the French Alps",
}
GRID = (0.13, 0.15, 0.17, 0.19, 0.21, 0.23, 0.25)
WRITTEN = Path("classifiers/written")
FAMILIES, COPIES, SHORT = 400, 6, 500
SEEDS = range(5)


class Agreement(NamedTuple):
    """How found narratives agree with stories."""

    f1: float
    precision: float
    recall: float
    purity: float


def main(data: Path) -> None:
    """Prints the tables."""
    out = sys.stdout
    sources = pl.read_parquet(data / "pheme9.parquet").filter(pl.col("reply_to").is_null()).sort("created_at", "id")
    told = {name: sources.filter((pl.col("event") == name) & pl.col("story").is_not_null()) for name in PROPOSITIONS}
    out.write(
        "| event | posts | stories | narratives | B-cubed F1 | precision | recall | purity |\n" + "|---" * 8 + "|\n"
    )
    for name, posts in told.items():
        found = replayed(name, posts)
        good = agreement(found, posts["story"].to_list())
        sizes = f"{posts.height} | {posts['story'].n_unique()} | {len(set(found))}"
        out.write(
            f"| {name} | {sizes} | {good.f1:.3f} | {good.precision:.2f} | {good.recall:.2f} | {good.purity:.2f} |\n"
        )
    chosen(told)
    seeds = written()
    public = sources.filter(pl.col("event").is_in(["ferguson", "sydneysiege"]))["text"].drop_nulls()
    for name, texts in (
        ("written", seeds.filter(_long(seeds["text"]))["text"]),
        ("public", public.filter(_long(public))),
    ):
        kept = [families(texts, seed) for seed in SEEDS]
        out.write(f"near-copy families kept whole, {name}: worst {min(kept):.2%} of {FAMILIES}, {len(kept)} seeds\n")
    for column, other in (("parent", "proposition or post"), ("event_kind", "kind of event")):
        wrong = [wrong_merges(seeds, seed, column) for seed in SEEDS]
        out.write(
            f"per 1,000 short texts, in one narrative with a text about another {other}: worst {max(wrong):.1f}\n"
        )


def chosen(told: dict[str, pl.DataFrame]) -> None:
    """Prints the figures at each threshold, and at the one that is best on the other event."""
    stage = TagStage(load_tagger(packaged_model()), PROPOSITIONS)
    tagged = {name: tag(posts.select("id", "text"), event_of(name), stage) for name, posts in told.items()}
    score = {
        (name, joins): agreement(_clustered(name, frame, joins), told[name]["story"].to_list()).f1
        for name, frame in tagged.items()
        for joins in GRID
    }
    for name in told:
        sys.stdout.write(f"{name}: " + ", ".join(f"{joins:.2f} {score[name, joins]:.3f}" for joins in GRID) + "\n")
        [other] = told.keys() - {name}
        best = max(GRID, key=lambda joins: score[other, joins])
        sys.stdout.write(f"{name}: F1 {score[name, best]:.3f} at {best:.2f}, which is best on {other}; ships {JOINS}\n")


def event_of(name: str) -> Event:
    """An event that takes every post."""
    return Event(name=name, proposition=PROPOSITIONS[name], any=("*",))


def replayed(name: str, posts: pl.DataFrame) -> list[str]:
    """The narrative of each post after `monitor replay`; a post without one stands alone."""
    with tempfile.TemporaryDirectory() as folder:
        recording, event, tagged = (Path(folder) / part for part in ("posts.parquet", "event.toml", "tagged.parquet"))
        posts.drop("story").write_parquet(recording)
        event.write_text(f'name = "{name}"\nproposition = {json.dumps(PROPOSITIONS[name])}\nany = ["*"]\n', "utf-8")
        command = [sys.executable, "-m", "monitor", "replay", str(recording), "--event", str(event), "--no-store"]
        subprocess.run([*command, f"--tagged={tagged}"], check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own
        found = posts.select("id").join(pl.read_parquet(tagged).select("id", "narrative"), on="id", how="left")
    return found.select(pl.coalesce("narrative", "id"))["narrative"].to_list()


def agreement(found: Sequence[str], stories: Sequence[str]) -> Agreement:
    """B-cubed F1, precision and recall, and purity."""
    both, sizes, truth = Counter(zip(found, stories, strict=True)), Counter(found), Counter(stories)
    total = len(stories)
    precision = sum(count**2 / sizes[one] for (one, _), count in both.items()) / total
    recall = sum(count**2 / truth[two] for (_, two), count in both.items()) / total
    largest = Counter[str]()
    for (one, _), count in both.items():
        largest[one] = max(largest[one], count)
    f1 = 2 * precision * recall / (precision + recall)
    return Agreement(f1, precision, recall, largest.total() / total)


def families(texts: pl.Series, seed: int) -> float:
    """The share of near-copy families that are one narrative, all posts in one stream."""
    chance = random.Random(seed)
    some = chance.sample(texts.unique(maintain_order=True).to_list(), FAMILIES)
    posts = [(family, text) for family, text in enumerate(some)]
    posts += [(family, reworked(text, chance)) for family, text in enumerate(some) for _ in range(COPIES)]
    chance.shuffle(posts)
    found = _clustered("families", _claims([text for _, text in posts]), JOINS)
    narratives = [
        {told for (of, _), told in zip(posts, found, strict=True) if of == family} for family in range(FAMILIES)
    ]
    return sum(len(told) == 1 for told in narratives) / FAMILIES


def reworked(text: str, chance: random.Random) -> str:
    """A near-copy: one or two of what people and bots do to a text they pass on, of eight words at least."""
    for _ in range(chance.randint(1, 2)):
        before = text
        parts = text.split()
        at = chance.randrange(len(parts))
        text = chance.choice(
            [
                f"BREAKING: {text}",
                f"RT @desk{chance.randrange(99)}: {text}",
                f"{text} https://example.org/{chance.randrange(10**6):x}",
                f"{text} #breaking #news",
                text.upper(),
                f"{text} (via @some{chance.randrange(99)})",
                f"{text} \U0001f6a8\U0001f6a8",
                " ".join([*parts[:at], parts[at][::-1], *parts[at + 1 :]]) if parts[at].isalpha() else text,
                " ".join([*parts[:at], *parts[at + 1 :]]) if parts[at].isalpha() else text,
                text.replace(",", "").rstrip(".!"),
            ]
        )
        if len(words(without_links(fold(pl.Series([text])))).item()) < LONG_ENOUGH:
            text = before
    return text


def wrong_merges(seeds: pl.DataFrame, seed: int, column: str) -> float:
    """Short claims that share a narrative with one about something else, as `column` says, per 1,000."""
    short = seeds.filter(~_long(seeds["text"]) & (pl.col("tag") == "claim")).unique("text", maintain_order=True)
    some = short.sample(SHORT, seed=seed, shuffle=True)
    found = _clustered("short", _claims(some["text"].to_list()), JOINS)
    about: dict[str, set[str]] = {}
    for narrative, proposition in zip(found, some[column], strict=True):
        about.setdefault(narrative, set()).add(proposition)
    main = narrative_id("short", "")
    merged = sum(1 for narrative in found if narrative != main and len(about[narrative]) > 1)
    return 1000 * merged / some.height


def written() -> pl.DataFrame:
    """Our own posts: kind of event, tag, text and the proposition or post they are read against."""
    read = [
        pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False) for path in sorted(WRITTEN.glob("*.tsv"))
    ]
    return pl.concat([frame.select("event_kind", "tag", "text", "parent") for frame in read]).drop_nulls()


def _long(texts: pl.Series) -> pl.Series:
    return words(without_links(fold(texts))).list.len() >= LONG_ENOUGH


def _claims(texts: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"id": [str(number) for number in range(len(texts))], "text": texts}).with_columns(
        tag=pl.lit("claim")
    )


def _clustered(name: str, tagged: pl.DataFrame, joins: float) -> list[str]:
    """The narrative of each row of id, text and tag, in order; a post without one stands alone."""
    event = Event(name=name, proposition=PROPOSITIONS.get(name, "Something has happened somewhere"), any=("*",))
    epoch = pl.lit(0, dtype=pl.Int64).cast(TIME)
    whole = tagged.select("id", "text", "tag").with_columns(
        *(
            pl.lit(value).alias(column)
            for column, value in {"event": name, "via": "term", "term": "*", "op": "create"}.items()
        ),
        *(pl.lit("x").alias(column) for column in ("source", "platform")),
        *(epoch.alias(column) for column in ("posted_at", "seen_at", "event_time")),
    )
    frame = whole.select(
        (pl.col(column) if column in whole.columns else pl.lit(None)).cast(dtype).alias(column)
        for column, dtype in TAGGED.items()
    )
    found = Clusters([event], joins=joins).assign(frame)
    return found.select(pl.coalesce("narrative", "id"))["narrative"].to_list()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
