"""Benchmarks and the harness they start the product with run after `make setup`, without
development packages.
"""

from __future__ import annotations

import ast
import re
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

from tests.harness.environment import ROOT

HARNESS: Final = "tests.harness"
MODULES: Final = [
    path
    for folder in ("tests/harness", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
IDS: Final = [path.relative_to(ROOT).as_posix() for path in MODULES]


def comparable(name: str) -> str:
    """A distribution's name as indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(file: str) -> set[str]:
    """The distributions that a requirements file pins."""
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    names = [re.match(r"[A-Za-z0-9_.-]+(?=[\[=])", line) for line in lines]
    return {comparable(name[0]) for name in names if name}


def imported_modules(path: Path) -> set[str]:
    """Modules imported anywhere in the file, inside functions too; `from a import b` counts as
    `a.b`.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.fixture(scope="module")
def only_for_development() -> set[str]:
    """Top-level packages of installed distributions that requirements.txt does not pin."""
    run_time = pinned("requirements.txt")
    return {
        package
        for package, distributions in metadata.packages_distributions().items()
        if not (ROOT / package).is_dir()  # some distributions bring a `tests`
        and not run_time & {comparable(name) for name in distributions}
    }


def test_the_two_lists_are_told_apart(only_for_development: set[str]) -> None:
    assert pinned("requirements-dev.txt") >= {"pytest", "hypothesis", "playwright"}
    assert {"pytest", "hypothesis", "playwright", "rclone_api"} <= only_for_development
    assert not {"django", "numpy", "cv2", "PIL", "requests", "gunicorn"} & only_for_development


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_no_development_package_is_imported(path: Path, only_for_development: set[str]) -> None:
    packages = {name.partition(".")[0] for name in imported_modules(path)}

    assert not packages & only_for_development


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_of_the_tests_only_the_harness_is_imported(path: Path) -> None:
    names = {name for name in imported_modules(path) if name.partition(".")[0] == "tests"}

    assert all(name.startswith(HARNESS) for name in names)
