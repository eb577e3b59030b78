"""Settings: a fresh clone needs none, nonsense is refused by name, and production is what it should
be.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.environment import ROOT
from tests.harness.servers import python

PRINT_SETTING = (
    "import sys; from django.conf import settings; print(getattr(settings, sys.argv[1]))"
)


def setting(name: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A setting's text as a new process with only these variables sees it."""
    return subprocess.run(
        [python(), "-c", PRINT_SETTING, name],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "wallpaper.settings",
            "WALLPAPER_HOME": str(home),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_fresh_clone_needs_no_setting(tmp_path: Path) -> None:
    assert setting("DEBUG", tmp_path).stdout.strip() == "False"


def test_the_secret_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    first = setting("SECRET_KEY", tmp_path).stdout
    second = setting("SECRET_KEY", tmp_path).stdout

    assert first == second != "\n"
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")

    answer = setting("SECRET_KEY", tmp_path, SECRET_KEY_FILE=str(tmp_path / "key"))

    assert answer.stdout.strip() == "from a file"


@pytest.mark.parametrize(
    ("name", "value"),
    [("DEBUG", "perhaps"), ("SESSION_LIFETIME_DAYS", "-1"), ("ATTEMPTS_PER_SESSION", "many")],
)
def test_nonsense_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    answer = setting("DEBUG", tmp_path, **{name: value})

    assert answer.returncode != 0
    assert f"{name} must be" in answer.stderr


def test_jobs_are_not_pickled(tmp_path: Path) -> None:
    """With pickle, write access to Redis is code execution in the worker."""
    assert "rq.serializers.JSONSerializer" in setting("RQ_QUEUES", tmp_path).stdout


def test_behind_https_cookies_are_secure(tmp_path: Path) -> None:
    assert setting("SESSION_COOKIE_SECURE", tmp_path, HTTPS_ONLY="yes").stdout.strip() == "True"
