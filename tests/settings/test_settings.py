"""A configuration is read whole or refused with every mistake in it."""

import json
import os
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.alert.receivers.file import FileSettings
from monitor.alert.receivers.telegram import TelegramSettings
from monitor.alert.receivers.terminal import TerminalSettings
from monitor.alert.receivers.webhook import WebhookSettings
from monitor.errors import SettingsError
from monitor.settings import Monitor, load, load_event, packaged_model
from monitor.settings.faults import faults, sound
from monitor.settings.monitor import LogFormat, LogLevel, Secret
from monitor.settings.schema import schema
from monitor.settings.sentences import written
from monitor.watched import Duration, Event, Rules
from monitor.web.bodies import LabelAsked
from monitor.web.openapi import document

HERE = Path(__file__).parent
ENVIRON = {
    "TOKEN": "a word",
    "DESK_SECRET": "hunter2",
    "MONITOR_STORE_URL": "postgresql://monitor:pw@db/monitor",
    "ACTIONS_KEY": "0123456789abcdef" * 2,
    "AUTHOR_KEY": "fedcba9876543210" * 2,
}
EVENT = {"name": "bridge", "proposition": "The harbour bridge has collapsed", "any": ["bridge"]}


def configured(name: str) -> Path:
    """A copy of a good configuration, as the relative path an operator would type."""
    shutil.copytree(HERE / "good" / name, "config", dirs_exist_ok=True)
    return Path("config")


def mistakes_of(directory: Path, environ: dict[str, str] = ENVIRON) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load(directory, environ)
    return refused.value.mistakes


def expected(file: Path) -> tuple[str, ...]:
    lines = file.read_text("utf-8", errors="replace").splitlines()
    return tuple(line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: "))


def bad(kind: str) -> Iterable[Any]:
    return [pytest.param(path, id=path.stem) for path in sorted((HERE / "bad" / kind).glob("*.toml"))]


@pytest.mark.parametrize("file", bad("monitor"))
@pytest.mark.usefixtures("workplace")
def test_a_bad_monitor_toml_is_refused_with_the_sentences_at_its_head(file: Path) -> None:
    directory = configured("small")
    shutil.copy(file, directory / "monitor.toml")
    assert mistakes_of(directory) == tuple(f"config/monitor.toml: {said}" for said in expected(file))


@pytest.mark.parametrize("file", bad("event"))
@pytest.mark.usefixtures("workplace")
def test_a_bad_event_file_is_refused_with_the_sentences_at_its_head(file: Path) -> None:
    directory = configured("small")
    shutil.copy(file, directory / "events" / "bridge.toml")
    assert mistakes_of(directory) == tuple(f"config/events/bridge.toml: {said}" for said in expected(file))


@pytest.mark.usefixtures("workplace")
def test_mistakes_of_all_files_are_listed_at_once() -> None:
    directory = configured("small")
    (directory / "monitor.toml").write_text("[web]\nprot = 1\n", "utf-8")
    (directory / "events" / "bridge.toml").write_text("name = 1\n", "utf-8")
    (directory / "events" / "other.toml").write_text("name = \n", "utf-8")
    found = mistakes_of(directory)
    assert [said.split(": ")[:2] for said in found] == [
        ["config/monitor.toml", "$.web.prot"],
        ["config/events/bridge.toml", "$.name"],
        ["config/events/bridge.toml", "$.proposition"],
        ["config/events/bridge.toml", "$.any"],
        ["config/events/other.toml", "line 1, column 8"],
    ]


@pytest.mark.usefixtures("workplace")
def test_two_events_of_one_name_are_refused() -> None:
    directory = configured("small")
    shutil.copy(directory / "events" / "bridge.toml", directory / "events" / "copy.toml")
    where = "config/events/copy.toml: $.name: 'bridge' is the name of config/events/bridge.toml too"
    assert mistakes_of(directory) == (f"{where}; give each a name of its own",)


@pytest.mark.usefixtures("workplace")
def test_a_missing_directory_file_or_event_is_named() -> None:
    assert mistakes_of(Path("nowhere")) == ("nowhere: no such directory; create it, or name another one with --config",)
    Path("empty").mkdir()
    assert mistakes_of(Path("empty")) == (
        "empty/monitor.toml: no such file; create it",
        "empty/events: no event file (*.toml) here; write one, there is nothing to watch without it",
    )
    with pytest.raises(SettingsError, match=r"^gone\.toml: no such file; create it$"):
        load_event(Path("gone.toml"))


@pytest.mark.usefixtures("workplace")
def test_an_unreadable_file_is_a_mistake_and_no_crash() -> None:
    directory = configured("small")
    (directory / "monitor.toml").unlink()
    (directory / "monitor.toml").mkdir()
    assert mistakes_of(directory) == ("config/monitor.toml: cannot be read (Is a directory)",)


def test_a_pipe_is_no_file_and_is_not_waited_for(workplace: Path) -> None:
    directory = configured("small")
    os.mkfifo(workplace / "pipe")
    (directory / "monitor.toml").write_text(
        '[tagger]\nmodel = "pipe"\n[[source]]\nkind = "file"\nname = "a"\npath = "pipe"\nfollow = false\n'
        '[[source]]\nkind = "mqtt"\nname = "b"\nhost = "localhost"\ntls = true\nca_file = "pipe"\n',
        "utf-8",
    )
    found = mistakes_of(directory)
    assert [said.split(": ")[1] for said in found] == ["$.tagger.model", "$.source[0].path", "$.source[1].ca_file"]
    assert all("cannot read 'pipe' (Not a regular file); write the path of a file" in said for said in found)


@pytest.mark.usefixtures("workplace")
def test_with_nothing_set_every_setting_has_its_default() -> None:
    settings = load(configured("least"), {})
    assert settings.monitor == Monitor()
    proposition = "The harbour bridge has collapsed"
    assert settings.events == (Event(name="bridge", proposition=proposition, any=("bridge",)),)
    assert settings.store_url.reveal() == "sqlite:///var/monitor.sqlite"
    assert settings.web_token is None
    assert settings.model == packaged_model()


@pytest.mark.usefixtures("workplace")
def test_every_setting_is_taken_from_the_files_and_secrets_from_their_places() -> None:
    settings = load(configured("full"), ENVIRON)
    monitor = settings.monitor
    assert (monitor.web.host, monitor.web.port) == ("0.0.0.0", 8080)  # noqa: S104 -- the fixture's
    assert monitor.pipeline.batch_interval == timedelta(seconds=1.5)
    assert (monitor.log.level, monitor.log.format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert [source.name for source in monitor.sources] == ["posts", "live"]
    *others, chat = monitor.receivers
    assert [type(receiver) for receiver in others] == [WebhookSettings, TerminalSettings, FileSettings]
    assert isinstance(chat, TelegramSettings)
    assert (len(chat.calm.hours), chat.calm.per_hour, chat.calm.urgent) == (2, 6, frozenset({"race"}))
    assert settings.store_url.reveal() == ENVIRON["MONITOR_STORE_URL"]
    assert settings.author_key is not None
    assert settings.author_key.reveal() == ENVIRON["AUTHOR_KEY"]
    keeps = monitor.store.retention
    assert (keeps.texts, keeps.alerts.endless, keeps.deliveries) == (timedelta(days=30), True, timedelta(days=90))
    assert settings.web_token is not None
    assert settings.web_token.reveal() == "a token"
    assert {name: word.reveal() for name, word in settings.receiver_secrets.items()} == {
        "desk": "hunter2",
        "night-desk": "a word",
    }
    assert settings.model == Path("model.npz")
    bridge, everything = settings.events
    assert everything.any == ("*",)
    assert (bridge.starts_at, bridge.ends_at) == (
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 31, 22, tzinfo=UTC),
    )
    assert bridge.people == {"Ada Stone": ("mayor stone",)}
    assert bridge.rules.for_ == timedelta(0)
    assert bridge.rules.quiet == timedelta(days=1)


@pytest.mark.usefixtures("workplace")
def test_secrets_do_not_show() -> None:
    settings = load(configured("full"), ENVIRON)
    for word in ("hunter2", "a token", "pw@db"):
        assert word not in repr(settings)
        assert word not in str(settings)
    assert f"{Secret('hunter2')}" == "Secret(…)"


def test_secrets_do_not_stand_in_mistakes(workplace: Path) -> None:
    directory = configured("small")
    (workplace / "binary").write_bytes(b"hunter2\xff")
    (directory / "monitor.toml").write_text(
        '[store]\nurl = "postgresql://monitor:hunter2@db/monitor"\n\n[web]\ntoken = "hunter2"\ntoken_file = "binary"\n',
        "utf-8",
    )
    assert not [said for said in mistakes_of(directory) if "hunter2" in said]


@pytest.mark.usefixtures("workplace")
def test_an_event_file_with_a_byte_order_mark_is_read() -> None:
    Path("bridge.toml").write_bytes(b"\xef\xbb\xbf" + (HERE / "good/least/events/bridge.toml").read_bytes())
    assert load_event(Path("bridge.toml")).name == "bridge"


@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        (EVENT | {"name": "bridge\n"}, Event),
        (EVENT | {"languages": ["en\n"]}, Event),
        ({"receiver": [{"kind": "mqtt", "name": "desk", "host": "localhost", "prefix": "vm\n"}]}, Monitor),
        ({"receiver": [{"kind": "webhook", "name": "desk", "url": "https://example.org/\n"}]}, Monitor),
        ({"source": [{"kind": "mqtt", "name": "live", "host": "localhost", "share": "us\n"}]}, Monitor),
        ({"event": "fall", "platform": "x\n", "id": "1", "tag": "claim", "by": "desk"}, LabelAsked),
    ],
    ids=["name", "language", "prefix", "url", "share", "platform"],
)
def test_a_word_does_not_end_in_a_line_break(document: dict[str, Any], wanted: type[msgspec.Struct]) -> None:
    (said,) = faults(document, wanted)
    assert "\\n' does not fit; write " in said


def test_no_pattern_lets_a_last_line_break_pass() -> None:
    described = [json.loads(schema()), document("1")]
    patterns = set(re.findall(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(described)))
    assert len(patterns) > 5
    assert all(json.loads(pattern).endswith(r"$(?!\n)") for pattern in patterns)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), st.datetimes(), st.dates(), st.times()
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)),
)
SETTINGS = [field.encode_name for struct in (Event, Rules, Monitor) for field in msgspec.structs.fields(struct)]
documents = st.dictionaries(st.sampled_from([*SETTINGS, "kind"]), values, max_size=6)


@given(documents, st.sampled_from([Event, Monitor]))
@example({"people": {"\n": None}}, Event)
def test_any_document_is_either_whole_or_has_faults_each_on_one_line(
    document: dict[str, Any], wanted: type[Event] | type[Monitor]
) -> None:
    found = list(faults(document, wanted))
    assert all(said.startswith("$") and ": " in said and "\n" not in said for said in found)
    whole = sound(document, wanted, EVENT if wanted is Event else {})
    if not found:
        assert set(document) <= {field.encode_name for field in msgspec.structs.fields(wanted)}
        assert isinstance(whole, wanted)


def as_duration(_: type, value: object) -> Duration:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 -- msgspec turns a ValueError into its own error
    return Duration.parse(value)


@given(st.builds(dict, name=values, rules=st.dictionaries(st.sampled_from(SETTINGS), values, max_size=3)))
def test_faults_are_found_exactly_where_msgspec_refuses(document: dict[str, Any]) -> None:
    try:
        msgspec.convert({**EVENT, **document}, Event, dec_hook=as_duration)
    except msgspec.ValidationError:
        assert list(faults({**EVENT, **document}, Event))
    else:
        assert not list(faults({**EVENT, **document}, Event))


@pytest.mark.parametrize("text", ["250ms", "90s", "15m", "3h", "7d", "1500ms"])
def test_a_length_of_time_is_written_as_it_is_read(text: str) -> None:
    assert written(Duration.parse(text)) == text
