"""Pictures in the admin: for staff who may view, never by address alone."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from jobs import tasks
from sessions_app import storage
from sessions_app.models import Generation, Wallpaper
from tests.harness.factories import make_generation, make_session

pytestmark = pytest.mark.django_db


def base(session_id: uuid.UUID) -> str:
    return f"/admin/sessions_app/session/{session_id}/pictures"


@pytest.fixture
def completed() -> Generation:
    generation = make_generation()
    tasks.run_generation(str(generation.pk), 1)
    generation.refresh_from_db()
    return generation


def test_every_picture_of_a_session_is_served(staff: Client, completed: Generation) -> None:
    own = base(completed.session_id)
    wallpaper = Wallpaper.objects.get()
    expected = {
        "photo/": "image/jpeg",
        "thumbnail/": "image/jpeg",
        "result-view/1/": "image/jpeg",
        "result/1/": "image/png",
        "mask/1/": "image/png",
        f"wallpaper/{wallpaper.pk}/": "image/jpeg",
    }

    answers = {path: staff.get(f"{own}/{path}") for path in expected}

    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        expected, 200
    )
    assert {p: a.headers["Content-Type"] for p, a in answers.items()} == expected
    assert answers["result/1/"].content == storage.read(completed.result_key)
    assert "private" in answers["photo/"].headers["Cache-Control"]


def test_strangers_are_sent_to_the_login(customer: Client, completed: Generation) -> None:
    own = base(completed.session_id)

    for client in (Client(), customer):
        for path in ("photo/", "result/1/"):
            assert client.get(f"{own}/{path}").headers["Location"].startswith("/admin/login/")


def test_staff_without_permission_are_refused(powerless: Client, completed: Generation) -> None:
    assert powerless.get(f"{base(completed.session_id)}/photo/").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "nothing/",
        "photo/1/",
        "result/",
        "result/2/",
        "result/x/",
        "wallpaper/",
        "wallpaper/1/",
        f"wallpaper/{uuid.UUID(int=1)}/",
    ],
)
def test_what_is_not_there_is_404(staff: Client, completed: Generation, path: str) -> None:
    assert staff.get(f"{base(completed.session_id)}/{path}").status_code == 404


def test_another_sessions_wallpaper_is_404(staff: Client, completed: Generation) -> None:
    wallpaper = Wallpaper.objects.get()

    assert staff.get(f"{base(make_session().pk)}/wallpaper/{wallpaper.pk}/").status_code == 404
    assert completed.wallpaper_id == wallpaper.pk


def test_a_purged_object_is_404_and_an_absent_store_503(
    staff: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_session()
    storage.delete(session.photo_key.replace("photo.png", "view.jpg"))
    path = f"{base(session.pk)}/photo/"
    assert staff.get(path).status_code == 404

    def away(*_: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(default_storage, "open", away)

    assert staff.get(path).status_code == 503
