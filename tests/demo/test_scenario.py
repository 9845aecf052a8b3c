from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import msgspec
import polars as pl
import pytest

from monitor.demo import scenario
from monitor.demo.recording import write_ndjson
from monitor.demo.scenario import NAMES, POST, TRUTH, generate
from monitor.demo.story import load

LANGUAGES = {"en", "fa", "ps", "ur", "ar", "fa-Latn", "ur-Latn", "fr", "de", "ru", "tr"}
PLATFORMS = {"twitter", "bluesky", "mastodon", "telegram", "reddit", "youtube", "rss"}
TAGS = {"claim", "denial", "celebration", "question", "other"}
CLAIMED = datetime(2021, 9, 3, 13, 30, tzinfo=UTC)
NIGHT = datetime(2021, 9, 4, tzinfo=UTC)
SEEDS = (1, 2, 3)


@cache
def told(name: str, seed: int) -> pl.DataFrame:
    return generate(name, seed)


@pytest.fixture(scope="module")
def story() -> pl.DataFrame:
    return told("panjshir", 1)


@pytest.fixture(scope="module")
def frames() -> Mapping[str, pl.DataFrame]:
    return {name: told(name, 1) for name in NAMES}


def hourly(posts: pl.DataFrame) -> pl.DataFrame:
    return posts.group_by(pl.col("seen_at").dt.truncate("1h").alias("hour")).len().sort("hour")


def first(posts: pl.DataFrame, **values: str) -> datetime:
    found = posts.filter(*(pl.col(name) == value for name, value in values.items()))["seen_at"].min()
    assert isinstance(found, datetime)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_posts_and_another_seed_others(name: str) -> None:
    assert generate(name, 5, 1500).equals(generate(name, 5, 1500))
    assert not generate(name, 5, 1500).equals(generate(name, 6, 1500))


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_has_about_as_many_posts_as_asked_for(name: str, frames: Mapping[str, pl.DataFrame]) -> None:
    wanted = load(name).posts
    assert abs(frames[name].height - wanted) < 0.1 * wanted
    assert abs(generate(name, 3, 4000).height - 4000) < 800


def test_the_demo_story_has_about_thirty_thousand_posts(story: pl.DataFrame) -> None:
    assert 27_000 < story.height < 33_000


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_stem_makes_up_more_than_one_percent_of_the_posts(name: str, seed: int) -> None:
    posts = told(name, seed)
    assert posts.group_by("stem").len()["len"].to_numpy().max() <= 0.01 * posts.height


@pytest.mark.parametrize("seed", SEEDS)
def test_no_text_makes_up_more_than_one_percent_of_the_posts(seed: int) -> None:
    posts = told("panjshir", seed)
    texts = posts.filter(pl.col("text") != "").group_by("text").len()["len"]
    assert texts.to_numpy().max() <= 0.01 * posts.height


def test_every_language_platform_and_tag_is_there(story: pl.DataFrame) -> None:
    assert set(story["truth_language"]) == LANGUAGES
    assert set(story["platform"]) == PLATFORMS
    assert set(story["truth_tag"]) == TAGS
    assert {"fall", "saleh-fled", "17-killed", "2-killed"} <= set(story["truth_story"].drop_nulls())
    sides = story.filter(truth_kind="original", truth_story="fall").group_by("truth_language", "truth_tag").len()
    for language in LANGUAGES:
        assert {"claim", "denial", "question"} <= set(sides.filter(truth_language=language)["truth_tag"])


@pytest.mark.parametrize("name", NAMES)
def test_posts_are_sorted_and_no_id_comes_twice(name: str, frames: Mapping[str, pl.DataFrame]) -> None:
    posts = frames[name]
    assert posts.equals(posts.sort("seen_at", "platform", "id"))
    assert posts.select("platform", "id").is_unique().all()
    assert (posts["seen_at"] - posts["created_at"]).min() >= timedelta(seconds=1)  # type: ignore[operator]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("link", ["reply_to", "repost_of", "quote_of", "root"])
def test_what_a_post_points_to_is_on_the_same_platform(
    name: str, link: str, frames: Mapping[str, pl.DataFrame]
) -> None:
    posts = frames[name]
    pointing = posts.filter(pl.col(link).is_not_null())
    targets = posts.select("platform", pl.col("id").alias(link))
    assert pointing.height > 0
    assert pointing.join(targets, on=["platform", link], how="anti").is_empty()


@pytest.mark.parametrize("name", NAMES)
def test_the_truth_of_every_post_is_known(name: str, frames: Mapping[str, pl.DataFrame]) -> None:
    posts = frames[name]
    assert posts.columns == [*POST, *TRUTH]
    for column in ("truth_tag", "truth_kind", "truth_language", "truth_mention", "stem", "id", "text", "author"):
        assert posts[column].null_count() == 0
    repeated = pl.col("truth_kind").is_in(["repost", "copy"])
    assert posts.filter(repeated != pl.col("truth_original").is_not_null()).is_empty()
    assert posts.filter(pl.col("truth_tag").is_in(["claim", "denial"]) & pl.col("truth_story").is_null()).is_empty()


@pytest.mark.parametrize("name", NAMES)
def test_reposts_and_copies_keep_tag_story_and_stem_of_their_original(
    name: str, frames: Mapping[str, pl.DataFrame]
) -> None:
    posts = frames[name]
    kept = ["truth_tag", "truth_story", "stem", "truth_mention"]
    originals = posts.select(pl.col("id").alias("truth_original"), *kept)
    repeats = posts.filter(pl.col("truth_original").is_not_null())
    joined = repeats.join(originals, on="truth_original", how="left", suffix="_first")
    for column in kept:
        assert joined.filter(pl.col(column).ne_missing(pl.col(f"{column}_first"))).is_empty()


def test_threads_reach_depth_three_and_no_deeper(story: pl.DataFrame) -> None:
    parents = story.select(pl.col("id").alias("reply_to"), pl.col("reply_to").alias("next"), "platform")
    level = story.filter(pl.col("reply_to").is_not_null()).select("platform", "reply_to")
    sizes = []
    while level.height:
        sizes.append(level.height)
        level = level.join(parents, on=["platform", "reply_to"]).select("platform", pl.col("next").alias("reply_to"))
        level = level.drop_nulls()
    assert len(sizes) == 3


def test_most_answers_do_not_name_the_event(story: pl.DataFrame) -> None:
    answers = story.filter(truth_kind="reply")
    named = answers.filter(pl.col("text").str.to_lowercase().str.contains("panjsh|پنجش|بنجش"))
    assert answers.height > 3000
    assert named.height < 0.4 * answers.height


def test_reposts_come_bare_and_with_text(story: pl.DataFrame) -> None:
    texts = story.filter(truth_kind="repost")["text"]
    assert (texts == "").sum() > 500
    assert texts.str.starts_with("RT @").sum() > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_claims_the_fall_before_the_commander(seed: int) -> None:
    posts = told("panjshir", seed)
    assert first(posts, truth_tag="claim") >= CLAIMED
    assert posts.filter(pl.col("seen_at") < CLAIMED).height > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_the_claim_peaks_after_the_first_denial_and_the_denials_catch_up_over_night(seed: int) -> None:
    posts = told("panjshir", seed).filter(pl.col("truth_story") == "fall")
    third = posts.filter(pl.col("seen_at") < NIGHT - timedelta(hours=4))
    claims, denials = third.filter(truth_tag="claim"), third.filter(truth_tag="denial")
    peak = hourly(claims).sort("len", descending=True)["hour"][0]
    assert first(denials, truth_kind="original") < peak
    assert 16 <= peak.hour <= 19
    assert claims.height > 2 * denials.height
    night = posts.filter(pl.col("seen_at").is_between(NIGHT, NIGHT + timedelta(hours=6)))
    assert night.filter(truth_tag="denial").height > 1.5 * night.filter(truth_tag="claim").height


def test_celebration_follows_the_claim_and_the_side_claims_follow_the_celebration(story: pl.DataFrame) -> None:
    gunfire = first(story, truth_tag="celebration", truth_kind="original")
    assert CLAIMED < gunfire < first(story, truth_story="17-killed") < first(story, truth_story="2-killed")


def test_the_official_claim_of_the_sixth_is_contested(story: pl.DataFrame) -> None:
    begins = datetime(2021, 9, 6, 5, tzinfo=UTC)
    before = story.filter(pl.col("seen_at").is_between(begins - timedelta(hours=2), begins), truth_tag="claim")
    after = story.filter(pl.col("seen_at").is_between(begins, begins + timedelta(hours=2)), truth_tag="claim")
    later = story.filter(pl.col("seen_at") > begins + timedelta(hours=3))
    assert after.height > 4 * before.height
    assert later.filter(truth_tag="denial").height > later.filter(truth_tag="claim").height


@pytest.mark.parametrize("seed", SEEDS)
def test_claims_come_in_bursts_far_from_poisson(seed: int) -> None:
    posts = told("panjshir", seed)
    claims = posts.filter(truth_tag="claim").filter(pl.col("seen_at").is_between(CLAIMED, NIGHT + timedelta(hours=9)))
    counts = claims.group_by(pl.col("seen_at").dt.truncate("5m")).len().sort("seen_at")
    filled = counts.upsample("seen_at", every="5m")["len"].fill_null(0).to_list()
    # von Neumann's form of the index of dispersion: 1 for a Poisson process, and deaf to a slow trend
    index = sum((b - a) ** 2 for a, b in pairwise(filled)) / (2 * sum(filled[1:]))
    assert index > 1.8


def test_a_few_new_accounts_paste_one_text_within_minutes(story: pl.DataFrame) -> None:
    pasted = story.filter(pl.col("stem").str.contains("pasted"))
    opened = pasted["author_created_at"].min()
    assert pasted.height > 100
    assert pasted["author"].n_unique() <= 12
    assert isinstance(opened, datetime)
    assert opened > datetime(2021, 8, 15, tzinfo=UTC)
    on_time = pasted.filter(pl.col("seen_at") - pl.col("created_at") < timedelta(minutes=1))["created_at"]
    assert on_time.max() - on_time.min() < timedelta(minutes=10)  # type: ignore[operator]


def test_clocks_are_noisy(story: pl.DataFrame) -> None:
    lag = story["seen_at"] - story["created_at"]
    assert (lag > timedelta(hours=1)).sum() > 30
    assert (lag > timedelta(minutes=5)).sum() > 300


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_quiet_week_nothing_stands_above_three_times_the_usual_hour(seed: int) -> None:
    posts = told("quiet-week", seed).filter(pl.col("seen_at") < datetime(2021, 8, 30, tzinfo=UTC))
    usual = pl.col("len").median().over(pl.col("hour").dt.hour())
    hours = hourly(posts)
    assert hours.height == 7 * 24
    assert hours.filter(pl.col("len") > 3 * usual).is_empty()
    claims = posts.filter(truth_tag="claim")
    assert 10 < claims.height < 200
    assert hourly(claims)["len"].to_numpy().max() < 10


@pytest.mark.parametrize(("name", "hours"), [("bank-run", 3), ("death-hoax", 4)])
def test_the_other_rumours_run_for_hours_before_they_are_denied(
    name: str, hours: int, frames: Mapping[str, pl.DataFrame]
) -> None:
    posts = frames[name].filter(truth_kind="original")
    lead = first(posts, truth_tag="denial") - first(posts, truth_tag="claim")
    assert timedelta(hours=hours - 1.5) < lead < timedelta(hours=hours + 1)


def test_an_unknown_scenario_is_refused_by_name() -> None:
    with pytest.raises(KeyError, match="no scenario 'nowhere'"):
        generate("nowhere", 1)


def test_a_recording_holds_the_posts_and_the_truth_apart(tmp_path: Path) -> None:
    posts = generate("bank-run", 1, 500)
    write_ndjson(posts, tmp_path / "posts.ndjson", tmp_path / "truth.ndjson")
    lines = [msgspec.json.decode(line) for line in (tmp_path / "posts.ndjson").read_bytes().splitlines()]
    truth = pl.read_ndjson(tmp_path / "truth.ndjson", schema_overrides=scenario.TRUTH)
    assert [line["id"] for line in lines] == posts["id"].to_list()
    assert set(lines[0]) == set(POST)
    assert lines[0]["seen_at"].endswith("Z")
    assert truth.select(TRUTH.keys()).equals(posts.select(TRUTH.keys()))
