from typing import Any

import msgspec
import polars as pl

from monitor.frames import MENTIONS
from monitor.match.voices import Voices
from monitor.watched import Event, Voice, VoiceKind

EVENT = Event(
    name="fall",
    proposition="Bazarak has fallen",
    any=("bazarak",),
    voices=(
        Voice(name="Ada", kind=VoiceKind.WIRE, accounts=("x:ada", "bluesky:did:plc:ada")),
        Voice(name="Port", kind=VoiceKind.OFFICIAL, links=("https://port.example.org/news/",)),
    ),
)


def mentions(*rows: dict[str, Any]) -> pl.DataFrame:
    plain = {"id": "1", "platform": "x", "event": "fall", "author": "somebody"}
    return pl.DataFrame([{name: (plain | row).get(name) for name in MENTIONS} for row in rows], schema=MENTIONS)


def voices(*rows: dict[str, Any]) -> list[str | None]:
    return Voices([EVENT]).recognise(mentions(*rows))["voice"].to_list()


def test_a_voice_is_known_by_platform_and_author_together() -> None:
    rows = {"author": "ada"}, {"author": "ada", "platform": "reddit"}, {"author": "did:plc:ada", "platform": "bluesky"}
    assert voices(*rows) == ["Ada", None, "Ada"]


def test_an_address_that_climbs_out_of_where_a_voice_publishes_is_nobodys() -> None:
    begin = "https://port.example.org/news"
    climbs = ("/../mallory/1", "/%2E%2e/mallory/1", "/a/..", "/.%2e?a", "/..\\mallory")
    assert voices(*({"url": f"{begin}{end}"} for end in climbs)) == [None] * len(climbs)
    assert voices({"url": f"{begin}/..a/b..c/1.html"}) == ["Port"]


def test_a_voice_is_known_by_the_address_it_publishes_under_and_by_no_lookalike() -> None:
    addresses = (
        "https://port.example.org/news/1",
        "https://port.example.org/newsletter",
        "https://port.example.org.evil/",
    )
    assert voices(*({"url": address} for address in addresses)) == ["Port", None, None]


def test_a_voice_of_one_event_is_none_of_another() -> None:
    other = msgspec.structs.replace(EVENT, name="bank", voices=())
    found = Voices([EVENT, other]).recognise(mentions({"author": "ada", "event": "bank"}, {"author": "ada"}))
    assert found["voice"].to_list() == [None, "Ada"]


def test_rows_keep_their_order_and_columns() -> None:
    rows = [{"id": str(number), "author": "ada" if number % 3 else "somebody"} for number in range(50)]
    found = Voices([EVENT]).recognise(mentions(*rows))
    assert found["id"].to_list() == [row["id"] for row in rows]
    assert found.schema == pl.Schema(MENTIONS)
    assert found["voice"].null_count() == 17
