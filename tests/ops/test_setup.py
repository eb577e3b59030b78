"""`tools/setup.sh`, which make calls: makes .venv, keeps it, makes it anew when it is no good, and
says what is missing.

Run on a stand-in checkout (a folder with a space in its name) whose requirements are empty, so that
nothing is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import servers
from tests.harness.environment import ROOT

pytestmark = pytest.mark.slow

TOO_OLD = "3.9"
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def finished_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after its first set-up; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "a checkout"
    make_checkout(folder)
    finished = set_up(folder)
    assert finished.returncode == 0, finished.stderr
    return folder


@pytest.fixture
def checkout(finished_checkout: Path, tmp_path: Path) -> Path:
    """A copy of it, moved by the copying: what it says about its place is wrong until it is set
    right here.
    """
    folder = tmp_path / "a checkout"
    shutil.copytree(finished_checkout, folder, symlinks=True)
    stamp = folder / ".venv" / "stamp-runtime"
    stamp.write_text(stamp.read_text().replace(str(finished_checkout), str(folder)))
    return folder


def make_checkout(folder: Path) -> None:
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools")
    (folder / "Makefile").touch()
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "requirements-dev.txt").write_text("-r requirements.txt\n")


def set_up(
    folder: Path, want: str = "runtime", **environment: str
) -> subprocess.CompletedProcess[str]:
    variables = {
        name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ
    }
    return subprocess.run(
        ["sh", "tools/setup.sh", want],
        cwd=folder,
        env={**variables, "PYTHON": str(BASE_PYTHON), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def pretend_python(folder: Path, version: str, *, has_venv: bool) -> Path:
    """A program that answers as a Python of that version, with or without the venv module."""
    program = folder / "python"
    program.write_text(
        "#!/bin/sh\n"
        'case "$2" in\n'
        f"  *print*) echo {version} ;;\n"
        f"  *version_info*) exit {0 if version != TOO_OLD else 1} ;;\n"
        f"  *ensurepip*) exit {0 if has_venv else 1} ;;\n"
        "esac\n"
    )
    program.chmod(0o755)
    return program


def python_that_copies(finished: Path, folder: Path) -> Path:
    """Our Python, but that `-m venv` copies the environment that was made for `finished`.

    Making one takes seconds, most of them for pip's files; the fixture has done it once.
    """
    program = folder / "python"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "-m venv" ]; then\n'
        f'  cp -a "{finished}/.venv/." "$3" && rm -f "$3"/stamp-*\n'
        "else\n"
        f'  exec "{BASE_PYTHON}" "$@"\n'
        "fi\n"
    )
    program.chmod(0o755)
    return program


def mark(folder: Path) -> Path:
    """A file inside .venv that is gone when the environment is made anew."""
    file = folder / ".venv" / "mark"
    file.touch()
    return file


def test_a_second_time_does_nothing_and_says_nothing(checkout: Path) -> None:
    marked = mark(checkout)

    again = set_up(checkout)

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert marked.exists()


def test_changed_requirements_are_installed_into_the_same_environment(checkout: Path) -> None:
    marked = mark(checkout)
    (checkout / "requirements.txt").write_text("# nothing new\n")

    again = set_up(checkout)

    assert again.returncode == 0
    assert "Installing packages from requirements.txt" in again.stderr
    assert marked.exists()
    assert set_up(checkout).stderr == ""


def test_what_the_tests_need_is_added_only_when_asked_for(checkout: Path) -> None:
    assert "requirements-dev.txt" in set_up(checkout, "dev").stderr
    assert set_up(checkout, "dev").stderr == ""
    assert set_up(checkout, "runtime").stderr == ""


@pytest.mark.parametrize("damage", ["half-made", "moved", "python gone"])
def test_an_environment_that_is_no_good_is_made_anew(
    checkout: Path, finished_checkout: Path, tmp_path: Path, damage: str
) -> None:
    python = python_that_copies(finished_checkout, tmp_path)
    if damage == "half-made":
        (checkout / ".venv" / "unfinished-setup").touch()
    elif damage == "moved":
        checkout = checkout.rename(checkout.with_name("another place"))
    else:
        for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
            (checkout / ".venv" / "bin" / name).unlink(missing_ok=True)
        (checkout / ".venv" / "bin" / "python").symlink_to("/nonexistent/python3")
    marked = mark(checkout)

    again = set_up(checkout, PYTHON=str(python))

    assert again.returncode == 0, again.stderr
    assert not marked.exists()
    assert set_up(checkout).stderr == ""


def test_without_a_package_index_one_line_says_so_and_the_environment_stays(checkout: Path) -> None:
    wanted = (checkout / "requirements.txt").read_text()
    (checkout / "requirements.txt").write_text("nothing-of-this-name==1.0\n")
    index = f"http://127.0.0.1:{servers.free_port()}/simple"

    failed = set_up(checkout, PIP_INDEX_URL=index, PIP_CONFIG_FILE=os.devnull, PIP_RETRIES="0")

    assert failed.returncode == 1
    assert "The Python packages could not be installed" in failed.stderr.splitlines()[-1]
    assert "setup.log" in failed.stderr.splitlines()[-1]
    (checkout / "requirements.txt").write_text(wanted)
    assert set_up(checkout).stderr == ""


@pytest.mark.parametrize(
    ("version", "has_venv", "advice"),
    [
        ("3.11", False, "apt install python3-venv"),
        (TOO_OLD, True, "Python 3.11 or newer is needed"),
    ],
)
def test_a_python_that_will_not_do_is_told_in_one_line(
    tmp_path: Path, version: str, has_venv: bool, advice: str
) -> None:
    make_checkout(tmp_path / "a checkout")
    python = pretend_python(tmp_path, version, has_venv=has_venv)

    refused = set_up(tmp_path / "a checkout", PYTHON=str(python))

    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert advice in refused.stderr
