"""The JSON API on a daemon whole: what is asked, what is changed, and what is refused."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.store.reader import Reader
from tests.fakes.live import Live, live, mention

DAM = 'name = "dam"\nproposition = "The dam has burst"\nany = ["dam"]\n'


def in_an_hour() -> str:
    return (SystemClock().now() + timedelta(hours=1)).isoformat()


async def narrative(daemon: Live) -> str:
    """The id of the one narrative there is, after a few posts that assert the same."""
    await daemon.post(*(mention(number, f"Bazarak has fallen, says source {number}") for number in range(5)))
    answer = await daemon.ask("GET", "/events/fall/narratives")
    return str(answer.body["narratives"][0]["id"])


async def test_sources_gaps_alerts_and_events_are_told(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        assert (await daemon.ask("GET", "/sources")).body["sources"][0]["name"] == "pushed"
        assert (await daemon.ask("GET", "/gaps?limit=5")).body == {"gaps": []}
        assert (await daemon.ask("GET", "/alerts?state=firing")).body == {"alerts": []}
        events = (await daemon.ask("GET", "/events")).body["events"]
        assert events == [{"name": "fall", "proposition": "Bazarak has fallen", "file": "fall.toml", "terms": 1}]
        shown = (await daemon.ask("GET", "/events/fall")).body
        assert shown["toml"] == (tmp_path / "events" / "fall.toml").read_text("utf-8")
    async with live(tmp_path) as daemon:
        gaps = (await daemon.ask("GET", "/gaps")).body["gaps"]
        assert [gap["source"] for gap in gaps] in ([], ["pushed"])


async def test_a_status_is_set_with_its_author_and_evidence_and_lasts(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        name = await narrative(daemon)
        asked = {"status": "denied", "by": "desk", "evidence": "the governor, on the phone"}
        answer = await daemon.ask("PUT", f"/events/fall/narratives/{name}/status", asked)
        assert (answer.status, answer.body["status"], answer.body["by"]) == (200, "denied", "desk")
    async with live(tmp_path) as daemon:
        row = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"][0]
        assert (row["status"], row["by"], row["claims"] + row["others"] + row["questions"]) == ("denied", "desk", 5)
        assert [one["evidence"] for one in (await daemon.ask("GET", "/statuses")).body["statuses"]] == [
            asked["evidence"]
        ]


async def test_a_status_needs_a_known_narrative_a_known_word_and_reasons(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        name = await narrative(daemon)
        good = {"status": "denied", "by": "desk", "evidence": "a call"}
        path = f"/events/fall/narratives/{name}/status"
        for event, story, error in (("dam", name, "unknown_event"), ("fall", "nothing", "unknown_narrative")):
            answer = await daemon.ask("PUT", f"/events/{event}/narratives/{story}/status", good)
            assert (answer.status, answer.body["error"]) == (404, error)
        for bad in ({"status": "true"}, {"by": ""}, {"evidence": ""}, {"status": None}, {"more": 1}):
            answer = await daemon.ask("PUT", path, good | bad)
            assert (answer.status, answer.body["error"]) == (400, "bad_body")
        assert (await daemon.ask("PUT", path, {"status": "denied"})).status == 400
        assert (await daemon.ask("PUT", path, b"{")).status == 400
        assert (await daemon.ask("GET", "/statuses")).body["statuses"] == []


SEVENTEEN = "17 killed by gunfire over the old town of bazarak tonight"


async def two_narratives(daemon: Live) -> tuple[str, str]:
    """The ids of the main narrative and of one about a number."""
    main = await narrative(daemon)
    await daemon.post(*(mention(number + 50, f"{SEVENTEEN}, source {number}") for number in range(2)))
    rows = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"]
    return main, next(row["id"] for row in rows if row["id"] != main)


async def test_narratives_are_merged_for_good_and_parted_again(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        main, other = await two_narratives(daemon)
        answer = await daemon.ask("POST", "/events/fall/merges", {"narrative": other, "into": main, "by": "desk"})
        assert (answer.status, answer.body["into"]) == (201, main)
    async with live(tmp_path) as daemon:
        await daemon.post(mention(60, f"{SEVENTEEN}, another source"))
        rows = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"]
        assert [row["id"] for row in rows] == [main]
        assert (await daemon.ask("GET", f"/events/fall/narratives/{other}")).body["id"] == main
        answer = await daemon.ask("POST", "/events/fall/splits", {"narrative": other, "by": "desk"})
        assert answer.status == 201
        await daemon.post(mention(61, f"{SEVENTEEN}, a third source"))
        rows = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"]
        assert {row["id"] for row in rows} == {main, other}
        told = (await daemon.ask("GET", "/rulings")).body
        assert (len(told["merges"]), len(told["splits"])) == (1, 1)


async def test_a_post_that_is_split_off_begins_a_narrative_and_takes_its_answers_along(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        main, other = await two_narratives(daemon)
        post = mention(50, "")
        asked = {"narrative": other, "by": "desk", "platform": post["platform"], "id": post["id"]}
        assert (await daemon.ask("POST", "/events/fall/splits", asked)).status == 201
    async with live(tmp_path) as daemon:
        await daemon.post(mention(70, "this is a lie, nobody was killed") | {"reply_to": post["id"]})
        rows = (await daemon.ask("GET", "/events/fall/narratives")).body["narratives"]
        assert len({row["id"] for row in rows} - {main, other}) == 1


async def test_a_narrative_is_shown_with_its_first_post_and_platforms(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        _, other = await two_narratives(daemon)
        row = (await daemon.ask("GET", f"/events/fall/narratives/{other}")).body
        assert row["label"].startswith("17 killed by gunfire")
        assert row["first_post"]["id"] == mention(50, "")["id"]
        assert row["platforms"] == [mention(50, "")["platform"]]
        assert (await daemon.ask("GET", "/events/fall/suggestions")).body == {"suggestions": []}


@pytest.mark.parametrize(
    ("path", "change", "status", "error"),
    [
        ("merges", {"into": "nothing"}, 404, "unknown_narrative"),
        ("merges", {"into": "MAIN", "narrative": "MAIN"}, 400, "itself"),
        ("splits", {}, 404, "not_merged"),
        ("splits", {"platform": "x", "id": "nothing"}, 404, "unknown_mention"),
    ],
)
async def test_what_cannot_be_merged_or_split_is_refused(
    path: str, change: dict[str, str], status: int, error: str, tmp_path: Path
) -> None:
    async with live(tmp_path) as daemon:
        main = await narrative(daemon)
        asked = {"narrative": main, "by": "desk"} | {
            name: value.replace("MAIN", main) for name, value in change.items()
        }
        answer = await daemon.ask("POST", f"/events/fall/{path}", asked)
        assert (answer.status, answer.body["error"]) == (status, error)


async def test_a_silence_begins_is_listed_and_ends(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        asked = {"event": "fall", "owner": "desk", "comment": "we know", "expires_at": in_an_hour()}
        made = await daemon.ask("POST", "/silences", asked)
        assert made.status == 201
        assert [one["id"] for one in (await daemon.ask("GET", "/silences")).body["silences"]] == [made.body["id"]]
        ended = await daemon.ask("DELETE", f"/silences/{made.body['id']}")
        assert (ended.status, ended.body["id"]) == (200, made.body["id"])
        assert (await daemon.ask("GET", "/silences")).body["silences"] == []
        assert (await daemon.ask("DELETE", f"/silences/{made.body['id']}")).body["error"] == "unknown_silence"


async def test_a_silence_that_is_asked_for_again_under_its_id_is_one_silence(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        asked = {"event": "fall", "owner": "desk", "comment": "we know", "expires_at": in_an_hour(), "id": "0" * 16}
        made = [await daemon.ask("POST", "/silences", asked | {"expires_at": in_an_hour()}) for _ in range(2)]
        assert [one.status for one in made] == [201, 201]
        assert made[0].body == made[1].body
        assert (await daemon.ask("GET", "/silences")).body["silences"] == [made[0].body]
        other = await daemon.ask("POST", "/silences", asked | {"comment": "another"})
        assert (other.status, other.body["error"]) == (409, "id_taken")
        ended = await daemon.ask("DELETE", f"/silences/{'0' * 16}")
        assert (await daemon.ask("POST", "/silences", asked)).body == ended.body
        assert (await daemon.ask("GET", "/silences")).body["silences"] == []


async def test_a_silence_never_begins_in_the_past(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        asked = {"event": "fall", "owner": "desk", "comment": "we know", "expires_at": in_an_hour()}
        before = SystemClock().now()
        made = await daemon.ask("POST", "/silences", asked | {"begins_at": "2021-09-03T00:00:00Z"})
        assert datetime.fromisoformat(made.body["begins_at"]) >= before


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"event": ""}, 400, "too_broad"),
        ({"event": "dam"}, 404, "unknown_event"),
        ({"expires_at": "2021-09-03T00:00:00Z"}, 400, "over_already"),
        ({"begins_at": "2199-09-03T00:00:00Z"}, 400, "over_already"),
        ({"expires_at": "2199-09-03T00:00:00"}, 400, "bad_body"),
        ({"owner": ""}, 400, "bad_body"),
        ({"id": "mine"}, 400, "bad_body"),
        ({"comment": ""}, 400, "bad_body"),
    ],
    ids=str,
)
async def test_a_silence_is_neither_for_all_nor_for_ever(
    change: dict[str, str], status: int, error: str, tmp_path: Path
) -> None:
    async with live(tmp_path) as daemon:
        asked = {"event": "fall", "owner": "desk", "comment": "we know", "expires_at": in_an_hour()}
        answer = await daemon.ask("POST", "/silences", asked | change)
        assert (answer.status, answer.body["error"]) == (status, error)


async def test_an_editors_label_decides_the_same_text_from_here_on(tmp_path: Path) -> None:
    text = "Bazarak: they say it has fallen, look at this"
    async with live(tmp_path) as daemon:
        await daemon.post(mention(1, text), mention(2, "no, that is a lie", reply_to="1"))
        asked = {"event": "fall", "platform": "x", "id": "1", "tag": "celebration", "by": "desk"}
        answer = await daemon.ask("POST", "/labels", asked)
        assert (answer.status, answer.body["tag"]) == (201, "celebration")
        answered = await daemon.ask("POST", "/labels", asked | {"id": "2", "tag": "question"})
        assert answered.status == 201
        await daemon.post(mention(3, text), mention(4, "no, that is a lie", reply_to="1"))
        assert [one["id"] for one in (await daemon.ask("GET", "/labels")).body["labels"]] == ["1", "2"]
        with Reader(f"sqlite:///{tmp_path}/m.sqlite") as reader:
            assert tags(reader) >= {("celebration", 1), ("question", 1)}


def tags(reader: Reader) -> set[tuple[str, int]]:
    """Tag → mentions, of all narratives and none."""
    with reader._connection() as connection:  # noqa: SLF001 -- a question nobody else asks
        rows = connection.exec_driver_sql("SELECT tag, count(*) FROM mentions WHERE id IN ('3', '4') GROUP BY tag")
        return {(str(tag), int(count)) for tag, count in rows}


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"id": "77"}, 404, "unknown_mention"),
        ({"event": "dam"}, 404, "unknown_event"),
        ({"tag": "rumour"}, 400, "bad_body"),
        ({"platform": "X!"}, 400, "bad_body"),
        ({"by": ""}, 400, "bad_body"),
    ],
    ids=str,
)
async def test_a_label_is_for_a_mention_that_is_there(
    change: dict[str, str], status: int, error: str, tmp_path: Path
) -> None:
    async with live(tmp_path) as daemon:
        await daemon.post(mention(1))
        asked = {"event": "fall", "platform": "x", "id": "1", "tag": "claim", "by": "desk"}
        answer = await daemon.ask("POST", "/labels", asked | change)
        assert (answer.status, answer.body["error"]) == (status, error)


async def test_a_deleted_mention_has_no_label(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        await daemon.post(mention(1))
        await daemon.post({"id": "1", "platform": "x", "op": "delete"})
        asked = {"event": "fall", "platform": "x", "id": "1", "tag": "claim", "by": "desk"}
        assert (await daemon.ask("POST", "/labels", asked)).body["error"] == "unknown_mention"


async def test_an_event_added_while_it_runs_matches_the_next_post(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        added = await daemon.ask("POST", "/events", DAM)
        assert (added.status, added.body) == (201, {"name": "dam", "file": "dam.toml", "done": "added"})
        await daemon.post(mention(1, "the dam has burst, run"))
        rows = (await daemon.ask("GET", "/events/dam/narratives")).body
        assert rows["total"] == 1
        assert (tmp_path / "events" / "dam.toml").read_text("utf-8") == DAM
        removed = await daemon.ask("DELETE", "/events/dam")
        assert removed.body == {"name": "dam", "file": "dam.toml", "done": "removed"}
        assert [one["name"] for one in (await daemon.ask("GET", "/events")).body["events"]] == ["fall"]
        assert not (tmp_path / "events" / "dam.toml").exists()


async def test_what_an_event_would_match_is_shown_before(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon:
        await daemon.post(*(mention(number, f"Bazarak and the dam {number}") for number in range(20)), mention(20))
        answer = await daemon.ask("POST", "/events/preview?most=1000", DAM)
        assert (answer.body["read"], answer.body["matched"]) == (21, 20)
        assert sum(hour["posts"] for hour in answer.body["hours"]) == 20
        assert answer.body["terms"] == [{"term": "dam", "posts": 20}]
        assert answer.body["samples"][0]["text"].startswith("Bazarak and the dam")
        assert len(answer.body["samples"]) == 10
        assert (await daemon.ask("POST", "/events/preview", "name = 1")).body["error"] == "bad_event"


async def test_changes_at_once_are_done_one_after_the_other(tmp_path: Path) -> None:
    async with live(tmp_path) as daemon, asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(daemon.ask("POST", "/events", DAM)) for _ in range(4)]
    assert sorted(task.result().status for task in asking) == [201, 409, 409, 409]


async def test_threads_that_wait_for_others_keep_neither_posts_nor_questions_waiting(tmp_path: Path) -> None:
    go = threading.Event()
    async with live(tmp_path) as daemon, asyncio.TaskGroup() as tasks:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        tasks.create_task(asyncio.to_thread(go.wait))
        try:
            async with asyncio.timeout(20):
                await daemon.post(mention(1))
                assert (await daemon.ask("GET", "/statuses")).status == 200
                assert (await daemon.ask("GET", "/events/fall/narratives")).body["total"] == 1
        finally:
            go.set()
