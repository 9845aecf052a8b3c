"""Merges of narratives that mean nothing."""

from pathlib import Path

from tests.fakes.live import live, mention
from tests.web.test_api import two_narratives


async def test_a_merge_that_would_change_nothing_is_refused(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        main, other = await two_narratives(daemon)
        text = "31 killed by shelling in the market of bazarak this morning"
        await daemon.post(*(mention(80 + number, f"{text}, source {number}") for number in range(2)))
        rows = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"]
        third = next(row["id"] for row in rows if row["id"] not in {main, other})

        async def merge(one: str, two: str) -> tuple[int, str]:
            answer = await daemon.ask("POST", "/events/fall/merges", {"narrative": one, "into": two, "by": "desk"})
            return answer.status, answer.body.get("error", "")

        assert await merge(main, other) == (400, "main")
        assert await merge(other, third) == (201, "")
        assert await merge(third, other) == (400, "one_already")
        assert await merge(other, third) == (201, "")
        assert len((await daemon.ask("GET", "/rulings")).body["merges"]) == 2


async def test_a_status_of_a_merged_narrative_is_that_of_the_one_it_belongs_to(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        main, other = await two_narratives(daemon)
        merged = await daemon.ask("POST", "/events/fall/merges", {"narrative": other, "into": main, "by": "desk"})
        assert merged.status == 201
        asked = {"status": "denied", "by": "desk", "evidence": "governor, by phone"}
        answer = await daemon.ask("PUT", f"/events/fall/narratives/{other}/status", asked)
        assert (answer.status, answer.body["narrative"]) == (200, main)
        row = (await daemon.ask("GET", f"/events/fall/narratives/{other}")).body
        assert (row["id"], row["status"]) == (main, "denied")
