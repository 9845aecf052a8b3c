from cProfile import Profile
from datetime import timedelta
from typing import Any

from monitor.alert.evidence import EvidenceMemory
from tests.fakes.mentions import START, clustered

HOUR = 3_600


def shown(*rows: dict[str, Any], restarted: bool = False) -> list[str]:
    """The ids that a card shows after rows with the second of each under `at`; one batch per row."""
    memory = EvidenceMemory()
    for number, row in enumerate(rows):
        seen = START + timedelta(seconds=row["at"])
        plain = {"id": str(number), "narrative": "n", "seen_at": seen, "posted_at": seen}
        memory.add(clustered(plain | {name: value for name, value in row.items() if name != "at"}))
        if restarted:
            kept = memory.snapshot()
            memory = EvidenceMemory()
            memory.restore(kept)
    return [piece.id for piece in memory.of("fall", "n", START + timedelta(days=9))]


def test_the_first_claim_of_a_story_stays_while_it_goes_on() -> None:
    assert shown(*({"at": number * 1_800} for number in range(9))) == ["0", "7", "8"]


def test_a_stray_claim_of_the_days_before_is_not_the_first() -> None:
    rows = [{"at": 0}, {"at": 2 * HOUR}, {"at": 2 * HOUR + 60}, {"at": 2 * HOUR + 90}, {"at": 2 * HOUR + 99}]
    assert shown(*rows) == ["1", "3", "4"]
    assert shown(*rows, restarted=True) == ["1", "3", "4"]


def test_a_pause_of_claims_is_none_of_denials() -> None:
    denial: dict[str, Any] = {"tag": "denial", "p_claim": 0.0, "p_denial": 0.9}
    rows = [{"at": 0}, {"at": 0} | denial, {"at": 2_000} | denial, {"at": 5_000} | denial, {"at": 2 * HOUR}]
    assert set(shown(*rows)) == {"1", "2", "3", "4"}


def test_a_post_of_a_registered_voice_says_whose_it_is() -> None:
    memory = EvidenceMemory()
    rows = ({"id": "0", "voice": "Radio Valley"}, {"id": "1", "voice": None})
    memory.add(clustered(*({"narrative": "n", "seen_at": START, "posted_at": START} | row for row in rows)))
    again = EvidenceMemory()
    again.restore(memory.snapshot())
    for one in (memory, again):
        assert [piece.voice for piece in one.of("fall", "n", START + timedelta(days=9))] == ["Radio Valley", None]


def test_what_the_tagger_is_not_sure_of_is_not_shown() -> None:
    assert shown({"at": 0, "p_claim": 0.79}, {"at": 1, "p_claim": 0.8}) == ["1"]


def effort(narratives: int) -> int:
    """How many calls it takes to delete all of as many posts, each a narrative of its own."""
    posts = [{"id": str(number), "narrative": f"n{number}"} for number in range(narratives)]
    memory, profile = EvidenceMemory(), Profile()
    memory.add(clustered(*posts))
    memory.snapshot()
    memory.add(clustered(*({"op": "delete"} | post for post in posts)))
    with profile:
        rows = memory.snapshot()
    assert list(rows.values()) == [b""] * narratives
    return sum(one.callcount for one in profile.getstats())


def test_a_deletion_costs_what_it_deletes_and_not_what_is_held() -> None:
    assert effort(200) < 3 * effort(100)
