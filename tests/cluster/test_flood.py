import random

import polars as pl

from monitor.cluster import begun
from monitor.cluster.clusters import Clusters
from tests.cluster.test_clusters import tagged
from tests.cluster.test_narratives import DAM


def test_a_flood_of_assertions_is_bounded_and_the_rest_has_no_narrative() -> None:
    clusters = Clusters([DAM])
    chance = random.Random(7)
    size = begun.MOST_BEGUN + 500
    posts = [{"text": " ".join("".join(chance.choices("bcdfgkmp", k=9)) for _ in range(9))} for _ in range(size)]
    told = [clusters.assign(tagged(*posts[at : at + 3500]))["narrative"] for at in range(0, size, 3500)]
    forgotten, refused = clusters.bounds()
    assert pl.concat(told).null_count() == refused > 400
    assert clusters.narratives()["fall"] <= 500
    assert forgotten > begun.MOST_BEGUN - 600
