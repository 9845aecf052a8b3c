"""Generates a scenario: a stream of invented posts about a watched event, with the truth about each beside it.

Time and descent come from `cascades`, roles from `roles`, words from `wording`; here they become one frame.
"""

from collections.abc import Sequence
from random import Random

import numpy as np
import polars as pl
from numpy.typing import NDArray

from monitor.demo import authors, cascades, coordinated, roles, story
from monitor.demo.cascades import Ints, Tree
from monitor.demo.coordinated import Plot
from monitor.demo.platforms import PLATFORMS, WIRE, Kind, identity, permalink
from monitor.demo.roles import ANSWERS, TAGS, Names, Roles, origins
from monitor.demo.stamps import stamp
from monitor.demo.story import NAMES, Scenario
from monitor.demo.texts import Book, load
from monitor.demo.wording import Dress, Wording

__all__ = ["NAMES", "POST", "TRUTH", "Scenario", "generate"]

_TIME = pl.Datetime("us", "UTC")
POST: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.String,
    "platform": pl.String,
    "op": pl.String,
    "text": pl.String,
    "created_at": _TIME,
    "seen_at": _TIME,
    "author": pl.String,
    "author_followers": pl.Int64,
    "author_created_at": _TIME,
    "author_verified": pl.Boolean,
    "lang": pl.String,
    "reply_to": pl.String,
    "repost_of": pl.String,
    "quote_of": pl.String,
    "root": pl.String,
    "reposts": pl.Int64,
    "likes": pl.Int64,
    "url": pl.String,
}
"""The columns of post/1 that a scenario fills."""
TRUTH: dict[str, pl.DataType | type[pl.DataType]] = {
    "truth_tag": pl.String,
    "truth_story": pl.String,  # which assertion; null where none is spoken of
    "truth_original": pl.String,  # id of the original a repost or copy repeats
    "truth_mention": pl.Boolean,  # whether it is to be matched
    "truth_kind": pl.String,  # original, reword, copy, repost, reply, quote
    "truth_language": pl.String,  # with -Latn where transliterated
    "stem": pl.String,
}
"""The columns beside it that only a scenario knows."""
STEM_CAP = 0.0085
"""A stem is used for at most this share of the posts."""
FAMILY_CAP = 0.003
"""An original is reposted and copied at most by this share of the posts."""


def generate(name: str, seed: int, posts: int | None = None) -> pl.DataFrame:
    """About `posts` posts of a scenario as POST | TRUTH columns, sorted by (seen_at, platform, id).

    The same seed gives the same frame. KeyError for an unknown name.
    """
    scenario = story.load(name)
    wanted = scenario.posts if posts is None else posts
    rng = np.random.default_rng([seed, *name.encode()])
    book = load(scenario.texts)
    plot = _plot(rng, scenario, book, wanted)
    wording = Wording(book, Random(f"{name}/{seed}"), max(2, int(wanted * STEM_CAP)))
    texts, stems = _words(wording, scenario, plot, Random(f"{seed}/{name}"))
    described = _described(rng, scenario, plot)
    frame = described.with_columns(pl.Series("text", texts, dtype=pl.String), pl.Series("stem", stems, dtype=pl.String))
    return frame.select((POST | TRUTH).keys()).sort("seen_at", "platform", "id")


def _plot(rng: np.random.Generator, scenario: Scenario, book: Book, posts: int) -> Plot:
    tree = cascades.forest(rng, scenario, posts)
    cast = roles.Cast(rng, scenario, tree, book)
    played = cast.play()
    roles.thin(tree, played, max(4, int(posts * FAMILY_CAP)), cast.pools)
    plot = Plot(tree, played, cast.names, np.full(len(tree.hour), -1))
    return coordinated.join(rng, scenario, plot, posts)


def _words(wording: Wording, scenario: Scenario, plot: Plot, random: Random) -> tuple[list[str], list[str]]:
    """Text and stem of every post; an original is written before what repeats it."""
    played = plot.roles
    origin = origins(plot.tree, played)
    uses = np.bincount(origin, minlength=len(origin))
    dresses = _dresses(scenario, plot)
    texts, stems = [""] * len(origin), [""] * len(origin)
    columns = (played.kind, played.anchor, played.platform, played.language, played.pool, played.tag)
    rows = [column.tolist() for column in (*columns, origin, uses)]
    for row in np.argsort(plot.tree.generation, kind="stable").tolist():
        kind, anchor, platform, language, pool, tag, first, times = (column[row] for column in rows)
        spoken, habits = plot.names.languages[language], PLATFORMS[platform]
        if first == row:
            name = plot.names.pools[pool]
            texts[row], stems[row] = wording.write(spoken, name, TAGS[tag], times, dresses[row])
            continue
        stems[row] = stems[first]
        if kind == Kind.COPY:
            texts[row] = wording.retouch(texts[anchor], spoken, dresses[row])
        else:
            bare = random.random() < habits.bare
            texts[row] = wording.repost(texts[anchor], bare=bare, forward=habits.name == "telegram")
    return texts, stems


def _dresses(scenario: Scenario, plot: Plot) -> list[Dress]:
    aside = np.array([strand.aside for strand in scenario.strands])[plot.tree.strand]
    answer = plot.roles.pool < len(ANSWERS)
    wire = plot.roles.platform == WIRE
    code = np.select([wire, answer, aside], [0, 1, 2], 3)
    return [(Dress.HEADLINE, Dress.ANSWER, Dress.ASIDE, Dress.POST)[number] for number in code.tolist()]


def _described(rng: np.random.Generator, scenario: Scenario, plot: Plot) -> pl.DataFrame:
    """Every column but text and stem."""
    tree, played, names, crew = plot
    moment = np.where(tree.moment >= 0, tree.strand * 100 + tree.moment, -1)
    account = authors.choose(rng, played.platform, played.language, moment, crew)
    stamps = stamp(rng, tree.hour, played.platform)
    begins = pl.lit(scenario.begins).cast(_TIME)
    ids = _ids(scenario, tree, played)
    frame = pl.DataFrame(
        {
            "id": ids,
            "platform": [PLATFORMS[code].name for code in played.platform],
            "created": stamps.created,
            "seen": stamps.seen,
            "author": account.key,
            "followers": account.followers,
            "age": account.age_days,
            "author_verified": account.verified,
            "lang": _stated(rng, played, names),
            "likes": rng.poisson(0.3, len(ids)),
            "url": [permalink(code, post) for code, post in zip(played.platform.tolist(), ids, strict=True)],
        }
        | _links(played, ids)
        | _truth(scenario, plot, ids),
        strict=False,
    )
    return frame.with_columns(
        created_at=begins + pl.duration(microseconds="created"),
        seen_at=begins + pl.duration(microseconds="seen"),
        author_created_at=begins - pl.duration(seconds=(pl.col("age") * 86_400).cast(pl.Int64)),
        author_followers=pl.when(pl.col("followers") >= 0).then("followers"),
        op=pl.lit("create"),
        reposts=pl.lit(0, dtype=pl.Int64),
    )


def _ids(scenario: Scenario, tree: Tree, played: Roles) -> list[str]:
    start = int(scenario.begins.timestamp() * 1000)
    when = (start + tree.hour * 3_600_000).astype(np.int64).tolist()
    rank = np.empty(len(when), dtype=np.int64)
    rank[np.argsort(tree.hour, kind="stable")] = np.arange(len(when))
    return [identity(*row) for row in zip(played.platform.tolist(), rank.tolist(), when, strict=True)]


def _links(played: Roles, ids: list[str]) -> dict[str, pl.Series]:
    """The ids a post points to; a thread's root only where it is another post."""
    reply = played.kind == Kind.REPLY
    return {
        "reply_to": _some(ids, played.anchor, reply),
        "repost_of": _some(ids, played.anchor, played.kind == Kind.REPOST),
        "quote_of": _some(ids, played.anchor, played.kind == Kind.QUOTE),
        "root": _some(ids, played.root, reply),
    }


def _some(names: Sequence[str | None], index: Ints, where: NDArray[np.bool_] | None = None) -> pl.Series:
    """names[index], null but `where`."""
    kept = np.ones(len(index), dtype=bool) if where is None else where
    chosen = [names[at] if keep else None for at, keep in zip(index.tolist(), kept.tolist(), strict=True)]
    return pl.Series(chosen, dtype=pl.String)


def _stated(rng: np.random.Generator, played: Roles, names: Names) -> list[str | None]:
    """The language the platform says; a tenth are wrong or undetermined, transliterations nearly always."""
    latin = np.array([name.endswith("-Latn") for name in names.languages])[played.language]
    says = np.array([platform.languages for platform in PLATFORMS])[played.platform]
    wrong = rng.random(len(says)) < np.where(latin, 0.9, 0.1)
    other = rng.choice(["und", "en", "fa", "ur", "id"], len(says))
    plain = np.array([name.split("-")[0] for name in names.languages])[played.language]
    return [str(word) if known else None for word, known in zip(np.where(wrong, other, plain), says, strict=True)]


def _truth(scenario: Scenario, plot: Plot, ids: list[str]) -> dict[str, pl.Series]:
    tree, played, names, _ = plot
    origin = origins(tree, played)
    mention = np.array([strand.mention for strand in scenario.strands])[tree.strand]
    stories = [strand.story for strand in scenario.strands]
    sides = np.isin(played.tag, (TAGS.index("claim"), TAGS.index("denial")))
    unsaid = np.array([story is None for story in stories])[tree.strand]
    about = np.where(sides & unsaid, len(stories), tree.strand)
    return {
        "truth_tag": _some(TAGS, played.tag),
        "truth_story": _some([*stories, scenario.story], about),
        "truth_original": _some(ids, origin, origin != np.arange(len(origin))),
        "truth_kind": _some([kind.name.lower() for kind in Kind], played.kind),
        "truth_language": _some(names.languages, played.language),
        "truth_mention": pl.Series(mention),
    }
