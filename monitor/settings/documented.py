"""What each setting means: the docstring under a Struct's field, read from its source, so that it is written once."""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

import msgspec


@cache
def documentation(struct: type[msgspec.Struct]) -> Mapping[str, str]:
    """Setting (its name in the file) → what it means, for every documented field of `struct` and of what it extends."""
    extended = [base for base in struct.__bases__ if issubclass(base, msgspec.Struct) and base is not msgspec.Struct]
    inherited = {name: meaning for base in extended for name, meaning in documentation(base).items()}
    tree = ast.parse(inspect.getsource(inspect.getmodule(struct) or struct))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == struct.__name__)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    return inherited | {
        names[field.target.id]: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
