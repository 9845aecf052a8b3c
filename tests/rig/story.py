"""What the live tests publish: claims about many events; and a store that knows hours of chatter about each."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from monitor.app import Walk
from monitor.collect.recorded import batches, survey
from monitor.demo.scenario import generate
from monitor.settings import packaged_model
from monitor.store.store import Commit, Store
from monitor.tag.tagger import load_tagger
from monitor.watched import Duration, Event, Rules

PROPOSITION = "Panjshir has fallen to the Taliban"
HISTORY = timedelta(hours=6)
BETWEEN = timedelta(minutes=3)
"""Between two posts of chatter about one event."""


def term(number: int) -> str:
    """The word by which posts name event `number`."""
    return f"flood{number:03}"


def event_file(number: int) -> str:
    """The event file of event `number`: alerts at once, on races, spikes and many claims."""
    return (
        f'name = "{term(number)}"\nproposition = "{PROPOSITION}"\nany = ["{term(number)}"]\n'
        '[rules]\nalert_on = ["race", "spike", "volume"]\nfor = "0s"\nkeep_firing = "2m"\nvolume = 5\n'
    )


def events(count: int) -> list[Event]:
    """The same events as the files have."""
    rules = Rules(alert_on=("race", "spike", "volume"), for_=Duration(0), keep_firing=Duration(minutes=2), volume=5)
    return [Event(name=term(n), proposition=PROPOSITION, any=(term(n),), rules=rules) for n in range(count)]


class Texts:
    """Texts to choose from, written for the demo: claims, and remarks that claim nothing."""

    def __init__(self, seed: int) -> None:
        story = generate("panjshir", seed).filter(pl.col("truth_kind") == "original", pl.col("truth_language") == "en")
        self._claims = story.filter(pl.col("truth_tag") == "claim")["text"].unique(maintain_order=True).to_list()
        self._others = story.filter(pl.col("truth_tag") == "other")["text"].unique(maintain_order=True).to_list()
        self._chance = random.Random(seed)

    def claim(self, number: int) -> str:
        """A claim about event `number`."""
        return f"{self._chance.choice(self._claims)} #{term(number)}"

    def remark(self, number: int) -> str:
        """A remark about event `number`."""
        return f"{self._chance.choice(self._others)} #{term(number)}"

    def aside(self) -> str:
        """Something about no event at all."""
        return f"{self._chance.choice(('tea', 'rain', 'football', 'bread'))} {self._chance.getrandbits(64):x}"


def history(count: int, until: datetime, seed: int) -> Iterator[dict[str, object]]:
    """Hours of chatter about `count` events up to a time, in its order."""
    texts, chance = Texts(seed), random.Random(seed)
    at = until - HISTORY
    while at < until:
        for number in range(count):
            moment = at + timedelta(seconds=chance.uniform(0, BETWEEN.total_seconds()))
            if moment < until:
                identity = f"h{number}-{chance.getrandbits(48):x}"
                yield {
                    "id": identity,
                    "platform": "x",
                    "text": f"{texts.remark(number)} {chance.getrandbits(40):x}",
                    "created_at": moment.isoformat(),
                    "author": f"a{chance.getrandbits(40):x}",
                }
        at += BETWEEN


def prepare_store(url: str, count: int, until: datetime, folder: Path) -> int:
    """A store that has watched the chatter up to `until`; answers how many mentions it holds."""
    posts = sorted(history(count, until, seed=3), key=lambda post: str(post["created_at"]))
    recording = folder / "history.ndjson"
    pl.DataFrame(posts).write_ndjson(recording)
    walk = Walk(events(count), load_tagger(packaged_model()))
    mentions = 0
    with Store(url) as store:
        for batch in batches(survey([recording]), 4096):
            walked = walk(batch)
            mentions += walked.mentions.height
            store.commit(Commit(mentions=walked.mentions, state=walked.state, alerts=walked.alerts))
    return mentions


def flood(texts: Texts, numbers: Sequence[int], chance: random.Random) -> tuple[int, str]:
    """An event out of `numbers`, and a claim about it that no other post repeats word by word."""
    number = chance.choice(numbers)
    return number, f"{texts.claim(number)} {chance.getrandbits(48):x}"
