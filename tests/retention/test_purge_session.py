"""Deleting one session: its objects, its rows, and what a crash half-way leaves."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from sessions_app import selectors, storage
from sessions_app.errors import Expired, NotFound, Unavailable, WrongState
from sessions_app.models import Generation, Session, Wallpaper
from sessions_app.services import runs
from sessions_app.services.retention import PurgeReport, purge_expired, purge_session
from tests.harness.factories import make_generation, make_ready_session, make_session

pytestmark = pytest.mark.django_db


def break_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise OSError("the disk is away")

    monkeypatch.setattr(default_storage, "listdir", away)


def test_a_purge_removes_every_object_and_every_row() -> None:
    generation = make_generation()
    runs.fail(generation.pk, 1, code="x", message="x", detail="", is_ours=False)

    removed = purge_session(session_id=generation.session_id)

    # photo, view, thumbnail; wallpaper and its thumbnail; mask
    assert removed == 6
    assert storage.session_folders() == []
    assert not Session.objects.exists()
    assert not Wallpaper.objects.exists()
    assert not Generation.objects.exists()


def test_a_purge_leaves_other_sessions_alone() -> None:
    gone, stays = make_session(), make_ready_session()

    purge_session(session_id=gone.pk)

    assert storage.session_folders() == [str(stays.pk)]
    assert Session.objects.get() == stays


def test_an_unknown_session_is_not_found() -> None:
    with pytest.raises(NotFound):
        purge_session(session_id=uuid.uuid4())


def test_a_session_with_a_generation_in_progress_is_refused_and_unchanged() -> None:
    generation = make_generation()

    with pytest.raises(WrongState) as refusal:
        purge_session(session_id=generation.session_id)

    assert refusal.value.code == "generation_in_progress"
    assert Session.objects.get().expires_at > timezone.now()
    assert storage.exists(generation.mask_key)


def test_force_purges_in_spite_of_a_generation_in_progress() -> None:
    generation = make_generation()

    purge_session(session_id=generation.session_id, force=True)

    assert not Session.objects.exists()
    assert storage.session_folders() == []


def test_a_dry_run_counts_and_changes_nothing() -> None:
    session = make_session()

    assert purge_session(session_id=session.pk, dry_run=True) == 3

    assert Session.objects.get().expires_at == session.expires_at
    assert storage.exists(session.photo_key)


def test_a_dry_run_refuses_what_the_purge_would_refuse() -> None:
    generation = make_generation()

    with pytest.raises(WrongState):
        purge_session(session_id=generation.session_id, dry_run=True)


def test_a_purge_that_stops_half_way_leaves_an_invisible_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = make_session(visitor="visitor-a")
    break_the_store(monkeypatch)

    with pytest.raises(Unavailable):
        purge_session(session_id=session.pk)

    with pytest.raises(Expired):
        selectors.owned_session(session_id=session.pk, visitor="visitor-a")


def test_the_next_purge_finishes_what_one_left_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session()
    with monkeypatch.context() as broken:
        break_the_store(broken)
        with pytest.raises(Unavailable):
            purge_session(session_id=session.pk)

    report = purge_expired(now=timezone.now())

    assert report == PurgeReport(sessions=1, objects=3)
    assert storage.session_folders() == []


def test_an_expiry_in_the_past_is_not_moved_by_a_purge(monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - timedelta(days=3)
    session = make_session(expires_at=long_ago)
    break_the_store(monkeypatch)

    with pytest.raises(Unavailable):
        purge_session(session_id=session.pk)

    assert Session.objects.get().expires_at == long_ago


@pytest.mark.s3
@pytest.mark.usefixtures("s3_storage")
def test_a_purge_empties_the_folder_on_s3() -> None:
    session = make_ready_session()

    assert purge_session(session_id=session.pk) == 6
    assert storage.session_folders() == []
