import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor.alert.deliver import Attempt, Outcome
from monitor.app import observe
from monitor.metrics import Metrics
from monitor.settings import load
from tests.pipeline.test_daemon import EVENT


def test_a_possible_repeat_is_counted_and_an_ordinary_message_is_not() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry, version="1")
    for repeat in (False, True, False):
        observe.attempt(metrics, Attempt("desk", Outcome.SENT, "", timedelta(seconds=1), repeat))
    assert registry.get_sample_value("monitor_possible_repeats_total", {"receiver": "desk"}) == 1
    sent = {"receiver": "desk", "outcome": "sent", "reason": ""}
    assert registry.get_sample_value("monitor_notifications_total", sent) == 3


@pytest.mark.parametrize("store", ["sqlite:///{}/kept/m.sqlite", "postgresql://nobody@127.0.0.1:1/m"])
def test_the_room_on_the_disk_that_is_written_to_is_shown_whatever_the_store(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (tmp_path / "monitor.toml").write_text(
        f'[store]\nurl = "{store.format(tmp_path)}"\n[pipeline]\nin_hand = "{tmp_path}/spool/in-hand"\n', "utf-8"
    )
    looked: list[Path] = []
    usage = shutil.disk_usage

    def look(path: Path) -> object:
        looked.append(path)
        return usage(path)

    monkeypatch.setattr(shutil, "disk_usage", look)
    registry, _ = observe.begun(load(tmp_path, {}))
    assert registry.get_sample_value("monitor_store_free_bytes")
    used = tmp_path / ("kept" if store.startswith("sqlite") else "spool/in-hand")
    used.mkdir(parents=True)
    assert registry.get_sample_value("monitor_store_free_bytes")
    assert looked == [tmp_path, used]
