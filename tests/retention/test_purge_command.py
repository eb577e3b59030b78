"""`manage.py purge`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from sessions_app import storage
from sessions_app.models import Session
from tests.harness.factories import make_generation, make_session

pytestmark = pytest.mark.django_db(transaction=True)


def purge(*arguments: str) -> str:
    out = StringIO()
    call_command("purge", *arguments, stdout=out)
    return out.getvalue()


def test_it_closes_with_the_counts() -> None:
    make_session(expires_at=timezone.now() - timedelta(days=1))

    assert purge() == "Purged 1 session(s), 3 stored object(s), 0 folder(s) without a session.\n"


def test_a_dry_run_says_would() -> None:
    make_session(expires_at=timezone.now() - timedelta(days=1))

    assert purge("--dry-run").startswith("Would purge 1 session(s), 3 stored object(s)")
    assert Session.objects.exists()


def test_json_is_one_object() -> None:
    assert json.loads(purge("--json", "--dry-run")) == {
        "sessions": 0,
        "objects": 0,
        "orphans": 0,
        "kept": 0,
        "failed": 0,
        "dry_run": True,
    }


def test_one_session_is_purged_though_it_has_not_expired() -> None:
    session = make_session()

    assert "1 session(s), 3 stored" in purge("--session", str(session.pk))
    assert storage.session_folders() == []


def test_a_generation_in_progress_needs_force() -> None:
    session_id = str(make_generation().session_id)

    with pytest.raises(CommandError, match="in progress"):
        purge("--session", session_id)
    purge("--session", session_id, "--force")

    assert not Session.objects.exists()


def test_an_unknown_session_is_one_line() -> None:
    with pytest.raises(CommandError, match="no such session") as refusal:
        purge("--session", str(uuid.uuid4()))

    assert refusal.value.returncode == 1


@pytest.mark.parametrize("arguments", [("--session", "nonsense"), ("--session", ""), ("--force",)])
def test_a_wrong_call_exits_with_2(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refusal:
        purge(*arguments)

    assert refusal.value.returncode == 2


def test_what_could_not_be_deleted_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    make_session(expires_at=timezone.now() - timedelta(days=1))

    def away(_: str) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(default_storage, "listdir", away)

    with pytest.raises(CommandError, match="could not be deleted"):
        purge()


@pytest.mark.parametrize(
    ("arguments", "code", "last_line"),
    [
        ((), 0, "Purged 0 session(s), 0 stored object(s), 0 folder(s) without a session."),
        (("--session", "nonsense"), 2, "CommandError: 'nonsense' is not a session's id."),
        (("--when",), 2, "manage.py purge: error: unrecognized arguments: --when"),
    ],
)
def test_on_a_fresh_installation_it_answers_in_one_line(
    tmp_path: Path, repository: Path, arguments: tuple[str, ...], code: int, last_line: str
) -> None:
    environment = {**os.environ, "WALLPAPER_HOME": str(tmp_path / "home")}
    for name in ("SECRET_KEY", "DATABASE_URL"):  # a fresh installation makes its own
        environment.pop(name, None)

    done = subprocess.run(
        [sys.executable, "manage.py", "purge", *arguments],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert (done.stdout + done.stderr).strip().splitlines()[-1] == last_line
    assert "Traceback" not in done.stderr
