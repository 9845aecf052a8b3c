"""Schema, examples and pages say of every setting what the code does."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.settings import Monitor, Settings, load, load_event, schema
from monitor.settings.documented import documentation
from monitor.settings.sentences import written
from monitor.watched import Duration, Event, Rules

REPOSITORY = Path(__file__).parents[2]


def test_the_committed_schema_is_what_make_schema_writes() -> None:
    assert (REPOSITORY / "config" / "schema.json").read_bytes() == schema()


def test_the_schema_knows_every_setting_and_its_meaning() -> None:
    definitions = msgspec.json.decode(schema())["$defs"]
    for struct in every_struct():
        properties = definitions[struct.__name__]["properties"]
        for field in msgspec.structs.fields(struct):
            assert properties[field.encode_name], f"{struct.__name__}.{field.encode_name}"


def every_struct() -> list[type[msgspec.Struct]]:
    """Every Struct an operator's file can hold."""
    info = msgspec.inspect.multi_type_info([Monitor, Event])
    found: dict[type[msgspec.Struct], None] = {}
    waiting: list[Any] = list(info)
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, msgspec.inspect.StructType) and kind.cls not in found:
            found[kind.cls] = None
            waiting += [field.type for field in kind.fields]
        elif isinstance(kind, msgspec.inspect.UnionType):
            waiting += kind.types
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            waiting.append(kind.item_type)
    return list(found)


@pytest.mark.parametrize("struct", every_struct(), ids=lambda struct: struct.__name__)
def test_every_setting_says_what_it_means(struct: type[msgspec.Struct]) -> None:
    named = {field.encode_name for field in msgspec.structs.fields(struct)} - {"name", "path"}
    assert named <= set(documentation(struct))


@pytest.mark.parametrize("struct", every_struct(), ids=lambda struct: struct.__name__)
def test_every_setting_stands_in_the_commented_examples(struct: type[msgspec.Struct]) -> None:
    examples = [REPOSITORY / "config" / "monitor.toml", *sorted((REPOSITORY / "config" / "events").glob("*.toml"))]
    text = "\n".join(path.read_text("utf-8") for path in examples)
    for field in msgspec.structs.fields(struct):
        name = re.escape(field.encode_name)
        assert re.search(rf"^(# ?)?(\[+(\w+\.)?{name}\]+$|{name} = )", text, re.MULTILINE), f"{struct.__name__}: {name}"


def test_the_examples_that_ship_are_good() -> None:
    settings = load(REPOSITORY / "config", {})
    assert isinstance(settings, Settings)
    assert settings.events


def test_the_examples_show_the_defaults() -> None:
    text = (REPOSITORY / "config" / "monitor.toml").read_text("utf-8")
    shown = tomllib.loads(re.sub(r"^#(?=[a-z_]+ = )", "", text, flags=re.MULTILINE))
    without_default = ("url_env", "url_file", "author_key_env", "author_key_file")
    assert [shown["store"].pop(name) for name in without_default], "commented out"
    assert [shown["web"].pop(name) for name in ("token_env", "token_file")]
    assert [shown["actions"].pop(name) for name in ("url", "key_env", "key_file")]
    for section in ("store", "web", "actions", "tagger", "pipeline", "log"):
        default = msgspec.to_builtins(getattr(Monitor(), section), enc_hook=written)
        assert {**default, **shown[section]} == default, section


def test_the_example_event_shows_the_default_rules() -> None:
    for path in sorted((REPOSITORY / "config" / "events").glob("*.toml")):
        assert load_event(path).rules == Rules(), path.name


@pytest.mark.parametrize("struct", [Event, Rules], ids=lambda struct: struct.__name__)
def test_the_page_on_event_files_has_every_setting_and_its_default(struct: type[Event] | type[Rules]) -> None:
    page = (REPOSITORY / "docs" / "event-files.md").read_text("utf-8")
    for field in msgspec.structs.fields(struct):
        row = re.search(rf"^\|[^|]*`\[?{field.encode_name}\]?`[^|]*\| ([^|]+) \|", page, re.MULTILINE)
        assert row or field.encode_name == "rules", field.encode_name
        if row and struct is Rules:
            default = written(field.default) if isinstance(field.default, Duration) else field.default
            assert row[1] == f"`{msgspec.json.encode(default).decode()}`", field.encode_name
