"""What somebody else must not guess is compared in constant time, everywhere in the program."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "monitor"
SECRET = re.compile(r"(token|signature|secret|password|passphrase|hmac|mac)(_bytes)?$")
MAKES = {"hmac.new", "hmac.digest"}
SIGNS = {"monitor/alert/receivers/webhook.py"}
"""Makes signatures that others compare."""


def compared(text: str) -> Iterator[str]:
    """Every `==`, `!=`, `in` and `startswith` of what is called like a secret, with what is no constant."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            sides = [node.func.value, *node.args]
        else:
            continue
        plain = [side for side in sides if isinstance(side, ast.Constant | ast.Compare)]
        if not plain and any(SECRET.search(called(side)) for side in sides):
            yield ast.unparse(node)


def called(node: ast.expr) -> str:
    """The last name in an expression, through calls such as `signature.encode()` and `mac.hexdigest()`."""
    if isinstance(node, ast.Call):
        inner = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        return called(inner)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    "text",
    ["given == token", "mac.hexdigest() == x", "self._secret.encode() != a", "signature in b", "a.startswith(token)"],
)
def test_a_plain_comparison_would_be_found(text: str) -> None:
    assert list(compared(text)) == [ast.unparse(ast.parse(text, mode="eval"))]


def test_no_secret_is_compared_but_in_constant_time() -> None:
    found = {str(path.relative_to(ROOT.parent)): list(compared(path.read_text("utf-8"))) for path in ROOT.rglob("*.py")}
    assert {path: plain for path, plain in found.items() if plain} == {}


def test_whoever_makes_a_signature_to_compare_with_compares_it_in_constant_time() -> None:
    makers = {
        str(path.relative_to(ROOT.parent)): "compare_digest" in text
        for path in ROOT.rglob("*.py")
        if any(made in (text := path.read_text("utf-8")) for made in MAKES)
    }
    assert makers
    assert {path for path, compares in makers.items() if not compares} <= SIGNS
