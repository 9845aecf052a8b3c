"""State rows that cannot be read back end the start with one line that says what to do, whichever stage they are of."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import cycle
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from monitor.__main__ import main
from monitor.app.deletions import Deletions
from monitor.app.pseudonyms import Pseudonyms
from monitor.app.restored import restored
from monitor.app.walk import REMEMBERED
from monitor.errors import StoreError
from monitor.frames import Batch
from monitor.records import AlertState
from monitor.store.left import Left, left
from monitor.store.store import Commit, Store
from tests.cli.test_doctor import configured
from tests.fakes.alerts import an_alert
from tests.fakes.mentions import clustered
from tests.fakes.stream import BEGIN, feed
from tests.pipeline.test_recovery import mark_times, new_walk

ROOT = Path(__file__).parents[2]
SEED = 3
UPTO = BEGIN + timedelta(hours=5, seconds=1)
WRONG = (b"\xc1\xc1", msgspec.msgpack.encode({"another": ["build", 1]}))
"""No msgpack, and msgpack of another shape."""
NOTHING = clustered().clear()
SAYS = r"state rows of [a-z ]+ cannot be read back .*`monitor db restore FILE`"


@cache
def walked() -> Left:
    """What a walk leaves that saw most kinds of marks."""
    walk, marks = new_walk(), tuple(mark for _, mark in mark_times(SEED))
    with Store("sqlite://") as store:
        for batch in (Batch(feed(SEED), UPTO - timedelta(seconds=1)), Batch(feed(SEED).clear(), UPTO, marks)):
            done = walk(batch)
            store.commit(Commit(done.mentions, state=done.state))
        return store.change(lambda connection: left(connection, REMEMBERED))


def kinds() -> Iterator[str]:
    """One key of each kind of row."""
    seen = set()
    for key in sorted(walked().state):
        stage, _, rest = key.partition("/")
        kind = (stage, rest.split("/")[0], rest.count("/") + ("races" in rest))
        if kind not in seen:
            seen.add(kind)
            yield key


def test_a_row_of_any_stage_that_cannot_be_read_is_named_and_so_is_the_way_out() -> None:
    assert restored(new_walk(), walked()) == UPTO
    stages = set()
    for key, wrong in zip(kinds(), cycle(WRONG), strict=False):
        damaged = walked()._replace(state={**walked().state, key: wrong})
        with pytest.raises(StoreError, match=SAYS) as told:
            restored(new_walk(), damaged)
        assert "\n" not in str(told.value)
        assert not told.value.passes
        stages.add(str(told.value).split("state rows of ")[1].split(" cannot")[0])
    assert stages == {"match", "cluster", "window", "judge", "alert", "the walk"}


def test_rows_beside_the_walk_that_cannot_be_read_are_no_traceback() -> None:
    damaged = walked()._replace(state={**walked().state, "local/far/1": WRONG[0]})
    with Store("sqlite://") as store:
        deletions = Deletions(store, Pseudonyms(None))
        with pytest.raises(StoreError, match=SAYS):
            restored(new_walk(), damaged, lambda rows: deletions.restore(rows, {"far"}))


def test_a_start_on_such_rows_ends_with_one_line_of_the_log_and_doctor_says_it_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = configured(tmp_path, '[log]\nformat = "json"\n')
    with Store(f"sqlite:///{tmp_path}/m.sqlite") as store:
        state = {"walk/upto": UPTO.isoformat().encode(), "judge/pending": WRONG[1]}
        store.commit(Commit(NOTHING, state=state))
    command = [sys.executable, "-m", "monitor", "run", "--config", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603
    lines = ran.stderr.splitlines()
    assert ran.returncode == 1
    assert [line for line in lines if "Traceback" in line] == []
    said = msgspec.json.decode(lines[-1])
    assert said["level"] == "critical"
    assert said["message"].startswith("the store's state rows of judge cannot be read back")
    assert main(["doctor", "--config", str(config)]) == 1
    assert "state rows of judge" in " ".join(capsys.readouterr().out.split())


def test_a_document_that_cannot_be_read_is_a_store_to_be_restored(place: str) -> None:
    with Store(place) as store:
        store.commit(Commit(NOTHING, alerts=[an_alert()]))
        assert len(store.alerts(AlertState.FIRING)) == 1
        store.change(lambda connection: connection.execute(text("UPDATE alerts SET json = '{}'")))
        with pytest.raises(StoreError, match=r"another build, or is damaged; .*`monitor db restore FILE`") as told:
            store.alerts()
        assert not told.value.passes
