"""Every way in which a document differs from the Struct it should be; msgspec itself stops at the first one.

The parts are checked before the whole: a table's settings and a list's entries one by one, and only where all of them
are right the table or list itself.
"""

import enum
import re
from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from monitor.settings.documented import documentation
from monitor.settings.sentences import choice, plain, shown, unknown
from monitor.watched import Duration

Wanted = TypeVar("Wanted", bound=Struct)


def faults(value: object, wanted: Any, path: str = "$") -> Iterator[str]:  # noqa: ANN401 -- any type form, Annotated too
    """Yields `path: what is wrong, what to write instead` for each part of `value` that is no `wanted`."""
    kind, expected = _bare(wanted)
    if members := _tagged(kind):
        yield from _of_kind(value, members, path)
    elif _is_struct(kind):
        yield from _of_table(value, kind, path)
    elif get_origin(kind) is tuple and isinstance(value, list):
        entry = get_args(kind)[0]
        parts = [fault for i, part in enumerate(value) for fault in faults(part, entry, f"{path}[{i}]")]
        yield from parts or _of_value(value, wanted, expected, path)
    elif get_origin(kind) is dict and isinstance(value, dict):
        name, entry = get_args(kind)
        parts = [fault for key in value for fault in faults(key, name, _inside(path, key))]
        parts += [fault for key, part in value.items() for fault in faults(part, entry, _inside(path, key))]
        yield from parts or _of_value(value, wanted, expected, path)
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        words = [str(member.value) for member in kind]
        if value not in words:
            yield f"{path}: {choice(value, words)}"
    else:
        yield from _of_value(value, wanted, expected, path)


def sound(document: Mapping[str, object], wanted: type[Wanted], stand_ins: Mapping[str, object]) -> Wanted:
    """`document` as a `wanted`, with the settings that have faults at their defaults or, without one, at `stand_ins`.

    What is whole can so be checked further although something beside it is broken.
    """
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(wanted)}
    whole = {name: part for name, part in document.items() if name in fields and not any(faults(part, fields[name]))}
    return msgspec.convert({**stand_ins, **whole}, wanted, dec_hook=_read)


def _of_table(value: object, struct: type[Struct], path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {shown(value)} is no table; write its settings under a heading of their own"
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    config = struct.__struct_config__
    known = {*fields, config.tag_field} if config.tag_field else set(fields)
    for name in value:
        if name not in known:
            yield f"{_inside(path, name)}: {unknown(name, known)}"
    for name, field in fields.items():
        if name in value:
            yield from faults(value[name], field.type, _inside(path, name))
        elif field.required:
            yield f"{_inside(path, name)}: is missing; needed: {_meaning(struct, field)}"


def _of_kind(value: object, members: Mapping[str, type[Struct]], path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: {shown(value)} is no table; write its settings under a heading of their own"
        return
    kind = value.get("kind")
    if isinstance(kind, str) and kind in members:
        yield from _of_table(value, members[kind], path)
    elif kind is None:
        yield f"{path}.kind: is missing; write one of {', '.join(map(repr, members))}"
    else:
        yield f"{path}.kind: {choice(kind, members)}"


def _of_value(value: object, wanted: Any, expected: str | None, path: str) -> Iterator[str]:  # noqa: ANN401 -- as above
    try:
        msgspec.convert(value, wanted, dec_hook=_read)
    except msgspec.ValidationError as error:
        yield f"{path}: {plain(str(error), value, expected)}"


def _bare(wanted: Any) -> tuple[Any, str | None]:  # noqa: ANN401 -- as above
    """The type without Annotated and `| None` (TOML has no null), and its description of a good value."""
    expected = None
    while True:
        if get_origin(wanted) is Annotated:
            wanted, *notes = get_args(wanted)
            expected = next((note.description for note in notes if isinstance(note, Meta)), None) or expected
        elif get_origin(wanted) in {Union, UnionType} and NoneType in get_args(wanted):
            wanted = Union[tuple(arm for arm in get_args(wanted) if arm is not NoneType)]  # noqa: UP007 -- built at run time
        else:
            return wanted, expected


def _tagged(kind: Any) -> dict[str, type[Struct]]:  # noqa: ANN401 -- as above
    """Tag → Struct, where `kind` is a tagged Struct or a union of them."""
    arms = get_args(kind) if get_origin(kind) in {Union, UnionType} else (kind,)
    if not all(_is_struct(arm) and arm.__struct_config__.tag for arm in arms):
        return {}
    return {str(arm.__struct_config__.tag): arm for arm in arms}


def _is_struct(kind: Any) -> bool:  # noqa: ANN401 -- as above
    return isinstance(kind, type) and issubclass(kind, Struct)


def _meaning(struct: type[Struct], field: msgspec.structs.FieldInfo) -> str:
    meaning = documentation(struct).get(field.encode_name) or _bare(field.type)[1] or "there is no default"
    return f"{meaning[0].lower()}{meaning[1:]}".rstrip(".")


def _inside(path: str, name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return f"{path}.{name}"
    return f'{path}."{name if name.isprintable() else repr(name)[1:-1]}"'


def _read(wanted: type[Any], value: object) -> Duration:
    if not issubclass(wanted, Duration):
        raise NotImplementedError(wanted)
    if not isinstance(value, str):
        why = f"{shown(value)} has no unit; write a number and a unit in quotes, as in '90s', '15m', '3h' or '7d'"
        raise ValueError(why)  # noqa: TRY004 -- msgspec turns a ValueError into its own error
    try:
        return wanted.parse(value)
    except OverflowError as error:
        why = f"{shown(value)} is longer than time goes; write less than a million days"
        raise ValueError(why) from error
