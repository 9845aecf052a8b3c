"""The house's shape: what STYLE asks of every file, asked of every file."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.__main__ import COMMANDS

REPOSITORY = Path(__file__).parents[1]
LONGEST_FILE = 300
LONGEST_FUNCTION = 50
NOTHING_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "base", "manager", "managers", "types"}
NOTHING_SUFFIXES = ("Manager", "Helper", "Handler", "Service", "Util", "Utils", "Mixin")
TOP = {".ci", "classifiers", "config", "deploy", "docs", "monitor", "tests"}
STAGES = {"alert", "cli", "cluster", "collect", "demo", "judge", "match", "settings", "store", "tag", "web", "window"}
SOURCES = sorted(path for folder in ("monitor", "classifiers", "tests") for path in (REPOSITORY / folder).rglob("*.py"))
DECISIONS = sorted((REPOSITORY / "docs" / "decisions").glob("*.md"))
SHIPPED = [path for path in SOURCES if REPOSITORY / "tests" not in path.parents]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function without its docstring."""
    end = function.end_lineno or function.lineno
    doc = function.body[0] if ast.get_docstring(function, clean=False) is not None else None
    said = (doc.end_lineno or doc.lineno) - doc.lineno + 1 if doc else 0
    return end - function.lineno + 1 - said


def dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


def uses(path: Path) -> set[str]:
    """Every dotted name in a file, and every module it imports."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute | ast.Name):
            found.add(dotted(node))
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_has_at_most_300_lines(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_function_has_at_most_50_lines(path: Path) -> None:
    assert not [f"{one.name}: {length(one)}" for one in functions(path) if length(one) > LONGEST_FUNCTION]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_names_say_something(path: Path) -> None:
    assert not {path.stem, *path.relative_to(REPOSITORY).parts} & NOTHING_NAMES
    classes = [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert not [one for one in classes if one.endswith(NOTHING_SUFFIXES) or re.match("Base[A-Z]", one)]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_handler_catches_everything(path: Path) -> None:
    caught = [node.type for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]
    for kinds in caught:
        assert kinds is not None, "a bare except"
        named = kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]
        assert not {dotted(kind) for kind in named} & {"Exception", "BaseException"}


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_only_the_clock_asks_the_time(path: Path) -> None:
    asked = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic"}
    asked |= {"time.perf_counter", "time.time_ns", "datetime.datetime.now"}
    measures_speed = {"monitor/clock.py", "classifiers/evaluate.py"}
    assert name(path) in measures_speed or not uses(path) & asked


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    asked = {"os.environ", "os.getenv", "os.environb"}
    for_libraries = name(path) == "monitor/threads.py"  # before anything is imported, and it reads nothing for itself
    assert for_libraries or REPOSITORY / "monitor" / "settings" in path.parents or not uses(path) & asked


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_nothing_is_pickled(path: Path) -> None:
    pickling = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
    assert not {used.partition(".")[0] for used in uses(path)} & pickling
    assert "allow_pickle=True" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_metrics_are_never_on_the_default_registry(path: Path) -> None:
    assert not {used.rpartition(".")[2] for used in uses(path)} & {"REGISTRY", "start_http_server"}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_a_clock_sleeps(path: Path) -> None:
    assert path.name == "clock.py" or not uses(path) & {"time.sleep", "asyncio.sleep"}


def test_the_top_of_the_tree_is_as_it_was_given() -> None:
    ignored = {line.strip("/\n") for line in (REPOSITORY / ".gitignore").read_text("utf-8").splitlines()}
    there = {path.name for path in REPOSITORY.iterdir() if path.is_dir() and path.name not in {*ignored, ".git"}}
    assert {folder for folder in there if not folder.endswith(".egg-info")} == TOP


def test_the_folders_of_the_monitor_are_the_stages() -> None:
    assert {path.parent.name for path in (REPOSITORY / "monitor").glob("*/__init__.py")} == STAGES | {"app"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_the_readme_shows_every_command(command: object) -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    assert re.search(rf"\b(monitor|make) {getattr(command, 'NAME', '')}\b", readme)


def test_every_dependency_has_a_decision() -> None:
    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    decided = "\n".join(page.read_text("utf-8") for page in DECISIONS).lower()
    names = [re.match(r"[a-z0-9-]+", one) for one in declared]
    assert not [one[0] for one in names if one and not re.search(one[0].replace("-", "[-_ ]"), decided)]


@pytest.mark.parametrize("page", DECISIONS, ids=name)
def test_a_decision_has_at_most_40_lines_and_says_what_was_given_up(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    for part in ("Context", "Decision", "What we gave up"):
        assert re.search(rf"^(## {part}$|\*\*{part}\.\*\*)", text, re.MULTILINE), part


@pytest.mark.parametrize("page", sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]), ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text("utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]
