"""How often the desk is told of a story of the demo, and why each time."""

import sys

from monitor.alert.words import TOLD_BECAUSE
from monitor.app import Walk
from monitor.demo.play import batches, step_of, write
from monitor.records import AlertState
from monitor.settings import packaged_model
from monitor.tag.tagger import load_tagger

MOST = 6


def test_the_desk_is_told_of_a_story_at_most_six_times_and_always_why() -> None:
    script = write("death-hoax", 1)
    walk = Walk([script.event], load_tagger(packaged_model()))
    steps = [step for batch in batches(script, step_of(None)) for step in walk(batch).alerts]
    told = [step for step in steps if step.change and not step.silenced]
    lines = [f"{one.at:%d %b %H:%M} {one.rule}: {TOLD_BECAUSE[one.change]} ({one.claims} claims)" for one in told]
    sys.stdout.write("\n".join(["", *lines]))
    assert told[0].change == "first_firing"
    assert told[-1].state is AlertState.RESOLVED
    assert len({one.group for one in told}) == 1
    assert len(told) <= MOST
    assert any(step.state is AlertState.PENDING for step in steps)
