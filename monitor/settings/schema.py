"""The configuration's JSON Schema, by which editors complete and check `monitor.toml` and event files.

It is made from the same Structs that read the files: each Struct gets a twin whose fields carry their docstrings and
whose lengths of time are text, as they are in TOML.
"""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from monitor.settings.documented import documentation
from monitor.settings.monitor import Monitor
from monitor.settings.sentences import written
from monitor.watched import Duration, Event, Lifetime

_LENGTH = Annotated[str, Meta(pattern=r"^\d+(\.\d+)?\s*(ms|s|m|h|d)$(?!\n)", examples=["90s", "15m", "3h", "7d"])]

_LIFETIME = Annotated[str, Meta(pattern=r"^(forever|\d+(\.\d+)?\s*(ms|s|m|h|d))$(?!\n)", examples=["180d", "forever"])]


def schema() -> bytes:
    """The JSON Schema of `monitor.toml` and of event files, indented, the same bytes each time."""
    twins: dict[type[Struct], type[Struct]] = {}
    _, components = msgspec.json.schema_components(
        [_twin(Monitor, twins), _twin(Event, twins)], ref_template="#/$defs/{name}"
    )
    structs = {struct.__name__: struct for struct in twins}
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "monitor.toml and events/*.toml of the virality monitor",
        "if": {"anyOf": [{"required": [name]} for name in ("name", "proposition", "any")]},
        "then": {"$ref": "#/$defs/Event"},
        "else": {"$ref": "#/$defs/Monitor"},
        "$defs": {name: _with_defaults(part, structs.get(name)) for name, part in components.items()},
    }
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"


def _twin(struct: type[Struct], twins: dict[type[Struct], type[Struct]]) -> type[Struct]:
    if struct not in twins:
        meanings = documentation(struct)
        config = struct.__struct_config__
        fields = [_field(field, meanings.get(field.encode_name), twins) for field in msgspec.structs.fields(struct)]
        twins[struct] = msgspec.defstruct(
            struct.__name__,
            fields,
            namespace={"__doc__": struct.__doc__},
            frozen=True,
            kw_only=True,
            forbid_unknown_fields=True,
            tag=config.tag,
            tag_field=config.tag_field,
        )
    return twins[struct]


def _field(
    field: msgspec.structs.FieldInfo, meaning: str | None, twins: dict[type[Struct], type[Struct]]
) -> tuple[str, Any, Any]:
    """Name, type and options of a twin's field; its default is only there to say that it has one."""
    wanted = _replaced(field.type, twins)
    wanted = Annotated[wanted, Meta(description=meaning)] if meaning else wanted
    given = {} if field.required else {"default": None}
    return (field.name, wanted, msgspec.field(name=field.encode_name, **given))


def _with_defaults(component: dict[str, Any], struct: type[Struct] | None) -> dict[str, Any]:
    """The schema of a twin with the defaults of its `struct`; a table's default is those of its settings."""
    for field in msgspec.structs.fields(struct) if struct else ():
        said = component["properties"][field.encode_name]
        said.pop("default", None)
        default = field.default if field.default is not msgspec.NODEFAULT else None
        if isinstance(default, Duration):
            default = written(default)
        if not isinstance(default, Struct | None):
            said["default"] = msgspec.to_builtins(default)
    return component


def _replaced(wanted: Any, twins: dict[type[Struct], type[Struct]]) -> Any:  # noqa: ANN401 -- any type form
    """`wanted` with twins for Structs and text for lengths of time."""
    if wanted in {Duration, Lifetime}:
        return _LENGTH if wanted is Duration else _LIFETIME
    if isinstance(wanted, type) and issubclass(wanted, Struct):
        return _twin(wanted, twins)
    origin, arms = get_origin(wanted), get_args(wanted)
    if origin is Annotated:
        return Annotated[(_replaced(arms[0], twins), *arms[1:])]
    if origin in {Union, UnionType}:
        return Union[tuple(_replaced(arm, twins) for arm in arms if arm is not NoneType)]  # noqa: UP007 -- built here
    return origin[tuple(arm if arm is ... else _replaced(arm, twins) for arm in arms)] if origin else wanted
