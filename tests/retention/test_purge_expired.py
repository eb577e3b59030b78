"""The regular purge: what has expired, and objects that belong to nobody."""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from sessions_app import storage
from sessions_app.models import Session
from sessions_app.services.retention import MAX_FAILURES, PurgeReport, purge_expired
from sessions_app.storage import keys
from tests.harness.factories import make_generation, make_session

pytestmark = pytest.mark.django_db


def make_expired() -> Session:
    return make_session(expires_at=timezone.now() - timedelta(seconds=1))


def leave_orphan(*, days_old: float) -> str:
    """One object in a folder no session has, written so many days ago; returns its key."""
    key = keys.photo(uuid.uuid4())
    storage.save(key, b"left behind")
    written = (timezone.now() - timedelta(days=days_old)).timestamp()
    os.utime(Path(settings.MEDIA_ROOT) / key, (written, written))
    return key


def test_only_expired_sessions_go() -> None:
    expired, alive = make_expired(), make_session()

    report = purge_expired(now=timezone.now())

    assert report == PurgeReport(sessions=1, objects=3)
    assert not storage.exists(expired.photo_key)
    assert storage.exists(alive.photo_key)
    assert Session.objects.get() == alive


def test_a_second_purge_finds_nothing() -> None:
    make_expired()
    purge_expired(now=timezone.now())

    assert purge_expired(now=timezone.now()) == PurgeReport()


def test_an_expired_session_waits_for_its_generation() -> None:
    generation = make_generation()
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    report = purge_expired(now=timezone.now())

    assert report == PurgeReport(kept=1)
    assert storage.exists(generation.mask_key)


def test_a_dry_run_tells_the_same_and_deletes_nothing() -> None:
    session = make_expired()
    orphan = leave_orphan(days_old=2)

    report = purge_expired(now=timezone.now(), dry_run=True)

    assert report == PurgeReport(sessions=1, objects=4, orphans=1)
    assert storage.exists(session.photo_key)
    assert storage.exists(orphan)
    assert purge_expired(now=timezone.now()) == report


def test_an_old_folder_without_a_session_is_deleted() -> None:
    orphan = leave_orphan(days_old=1.1)

    report = purge_expired(now=timezone.now())

    assert report == PurgeReport(objects=1, orphans=1)
    assert not storage.exists(orphan)


def test_a_fresh_folder_without_a_session_is_an_upload_under_way() -> None:
    upload = leave_orphan(days_old=0.9)

    assert purge_expired(now=timezone.now()) == PurgeReport()

    assert storage.exists(upload)


def test_a_folder_is_as_young_as_its_newest_object() -> None:
    old = leave_orphan(days_old=5)
    storage.save(old.replace("photo.png", "masks/new.png"), b"new")

    assert purge_expired(now=timezone.now()) == PurgeReport()


def test_a_folder_that_is_not_named_like_a_session_is_not_touched() -> None:
    storage.save("sessions/lost+found/file", b"somebody else's")
    written = (timezone.now() - timedelta(days=9)).timestamp()
    os.utime(Path(settings.MEDIA_ROOT) / "sessions/lost+found/file", (written, written))

    assert purge_expired(now=timezone.now()) == PurgeReport()

    assert storage.exists("sessions/lost+found/file")


def test_one_folder_that_cannot_be_deleted_does_not_stop_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck, _other = make_expired(), make_expired()
    delete = default_storage.delete

    def refuse_one(name: str) -> None:
        if str(stuck.pk) in name:
            raise PermissionError(13, "not yours", name)
        delete(name)

    monkeypatch.setattr(default_storage, "delete", refuse_one)

    report = purge_expired(now=timezone.now())

    assert (report.sessions, report.failed) == (1, 1)
    assert Session.objects.get() == stuck


def test_a_store_that_is_away_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = [make_expired() for _ in range(MAX_FAILURES + 2)]
    asked: list[str] = []

    def away(name: str) -> None:
        asked.append(name)
        raise OSError("the store is away")

    monkeypatch.setattr(default_storage, "listdir", away)

    report = purge_expired(now=timezone.now())

    assert report == PurgeReport(failed=MAX_FAILURES + 1)  # and the listing of all folders
    assert len(asked) == MAX_FAILURES + 1
    assert Session.objects.count() == len(sessions)


@pytest.mark.s3
@pytest.mark.usefixtures("s3_storage")
def test_on_s3_the_age_of_an_orphan_is_known() -> None:
    key = keys.photo(uuid.uuid4())
    storage.save(key, b"left behind")

    assert purge_expired(now=timezone.now()) == PurgeReport()
    later = timezone.now() + timedelta(days=1, minutes=1)
    assert purge_expired(now=later) == PurgeReport(objects=1, orphans=1)
