"""What a mention costs in each stage of the walk: the demo's story and a stream that is taken whole, on one core."""

import sys
import time
from pathlib import Path

import pytest

from monitor.app.walk import PURE, Walk
from monitor.collect.recorded import batches, survey
from monitor.settings import load_event, packaged_model
from monitor.tag.tagger import load_tagger
from monitor.watched import Event
from tests.bench.recordings import repeated

BATCH = 4_096
POSTS = 30_000
STORY = Path("config/demo/events/fall-of-panjshir.toml")
ALL = Event(name="all", proposition="Panjshir has fallen to the Taliban", any=("*",))

pytestmark = pytest.mark.bench


class ProcessorTime:
    """Counts the time of the processor, so that other programs of the machine do not count."""

    @staticmethod
    def monotonic() -> float:
        return time.process_time()


@pytest.mark.parametrize("event", [load_event(STORY), ALL], ids=lambda event: event.name)
def test_what_a_mention_costs_stage_by_stage(event: Event, tmp_path: Path) -> None:
    recording = survey([repeated(tmp_path / "story.ndjson", POSTS)])
    walk = Walk([event], load_tagger(packaged_model()), ProcessorTime())  # type: ignore[arg-type]
    took = dict.fromkeys(PURE, 0.0)
    mentions = 0
    for batch in batches(recording, BATCH):
        walked = walk(batch)
        mentions += walked.mentions.height
        took = {stage: spent + walked.took[stage] for stage, spent in took.items()}
    told = ", ".join(f"{stage} {1e6 * spent / mentions:.1f}" for stage, spent in took.items())
    whole = 1e6 * sum(took.values()) / mentions
    sys.stdout.write(f"\n{event.name}: {whole:.1f} us of processor time per mention, target 20 ({told})\n")
    assert mentions > POSTS / 2
