"""The house stays as drawn: imports point down, rooms have cards, files stay small."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import REPOSITORY

PACKAGES = (REPOSITORY / "workspace_ext", REPOSITORY / "kernels" / "workspace_kernel")
SOURCES = sorted(
    path
    for package in PACKAGES
    for path in package.rglob("*.py")
    if not {"node_modules", "labextension"} & set(path.parts)
)
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
MOST_LINES = 400
MOST_FUNCTION_LINES = 60
NO_ROOM_IS_CALLED = {"utils", "common", "helpers", "misc", "util", "helper"}


def test_imports_point_down() -> None:
    """The contracts in pyproject.toml, checked by import-linter."""
    code = "from importlinter.cli import lint_imports_command as c; c(['--no-cache'])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_file_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES, "split it by what it is about"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= MOST_FUNCTION_LINES, f"{node.name} has {lines} lines"


def test_tests_stay_small() -> None:
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in TESTS}
    assert not {str(path): lines for path, lines in sizes.items() if lines > MOST_LINES}


def test_every_package_has_its_room_card() -> None:
    bare = [
        str(path.relative_to(REPOSITORY))
        for path in SOURCES
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not bare


def test_no_room_without_a_subject() -> None:
    assert not [path for path in SOURCES if path.stem in NO_ROOM_IS_CALLED]


def _imported_by(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted({{n.split('.')[0] for n in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return set(done.stdout.split())


HEAVY = {"duckdb", "pandas", "pyarrow", "sqlalchemy", "altair", "numpy", "opentelemetry"}


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import workspace_ext.app", HEAVY),
        ("import workspace_ext.client.discovery", HEAVY | {"tornado"}),
        ("import workspace_ext.cli.main", HEAVY | {"tornado", "rich"}),
        ("import workspace_kernel", HEAVY),
        ("import workspace_ext.inquiry.metadata", HEAVY | {"jsonschema"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_importing_it_stays_light(statement: str, forbidden: set[str]) -> None:
    assert not _imported_by(statement) & forbidden
