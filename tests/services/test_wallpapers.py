"""Wallpapers of a session, and how they lie."""

from __future__ import annotations

import math
from typing import Any

import pytest

from imaging.types import Mask, Pixels
from rendering import WallAnalysis, WallPlane, analyse_wall
from sessions_app import storage
from sessions_app.catalogue import designs
from sessions_app.errors import BadLink, BadRequest, BadUpload, NotFound, WrongState
from sessions_app.models import Session, Wallpaper
from sessions_app.services import prefetch, previews, wallpapers
from tests.harness.factories import as_file, make_ready_session, make_session, paper_pixels

pytestmark = pytest.mark.django_db


def test_a_design_brings_its_own_repeat() -> None:
    session = make_session()
    design = designs()[0]

    wallpapers.choose_design(session_id=session.pk, slug=design.slug)

    session.refresh_from_db()
    assert wallpapers.current_placement(session).repeat_width_m == design.repeat_width_m


def test_an_unknown_design_is_not_found() -> None:
    with pytest.raises(NotFound):
        wallpapers.choose_design(session_id=make_session().pk, slug="no-such-thing")


def test_choosing_the_same_picture_twice_keeps_one_row() -> None:
    session = make_session()
    data = as_file(paper_pixels())

    first = wallpapers.choose_upload(session_id=session.pk, data=data, name="a.png")
    second = wallpapers.choose_upload(session_id=session.pk, data=data, name="b.png")

    assert first.pk == second.pk
    assert Wallpaper.objects.count() == 1


def test_an_upload_is_kept_as_it_was() -> None:
    session = make_session()

    wallpaper = wallpapers.choose_upload(session_id=session.pk, data=as_file(paper_pixels()))

    assert (wallpapers.wallpaper_pixels(wallpaper) == paper_pixels()).all()
    assert storage.exists(wallpaper.key)


def test_a_file_that_is_no_picture_is_refused_and_the_choice_stays() -> None:
    session = make_ready_session()

    with pytest.raises(BadUpload):
        wallpapers.choose_upload(session_id=session.pk, data=b"<html>", name="x.jpg")

    chosen = session.wallpaper_id
    session.refresh_from_db()
    assert session.wallpaper_id == chosen


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/a.png",
        "javascript:alert(1)",
        "http://127.0.0.1/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/a.png",
        "not a link",
        "",
    ],
)
def test_a_dangerous_or_broken_link_is_refused(url: str) -> None:
    session = make_session()

    with pytest.raises(BadLink) as refusal:
        wallpapers.choose_link(session_id=session.pk, url=url)

    assert refusal.value.user_message
    assert not Wallpaper.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"repeat_width_m": 0},
        {"repeat_width_m": math.nan},
        {"repeat_width_m": "53"},
        {"repeat_width_m": 5000},
        {"rotation_deg": math.inf},
        {"drop": 7},
        {"mode": "sideways"},
        {"brightness": 9},
        {"keep_shadows": 1.5},
        {"keep_shadows": -0.1},
        {"origin_x_m": True},
        {"strip_width_m": 0},
        {"strip_width_m": 53},
        {"strip_width_m": "0.53"},
    ],
)
def test_a_placement_that_makes_no_sense_is_refused_and_changes_nothing(
    values: dict[str, Any],
) -> None:
    session = make_ready_session()
    before = dict(session.placement)

    with pytest.raises(BadRequest):
        wallpapers.set_placement(session_id=session.pk, placement=values)

    session.refresh_from_db()
    assert session.placement == before


def test_a_placement_needs_a_wallpaper() -> None:
    with pytest.raises(WrongState):
        wallpapers.set_placement(session_id=make_session().pk, placement={"drop": 0.5})


def test_another_wallpaper_brings_its_own_size_and_keeps_the_light() -> None:
    session = make_ready_session()
    wallpapers.set_placement(
        session_id=session.pk,
        placement={"repeat_width_m": 2.0, "brightness": 0.3, "keep_shadows": 0.4, "seams": True},
    )
    design = designs()[0]

    wallpapers.choose_design(session_id=session.pk, slug=design.slug)

    session = Session.objects.get(pk=session.pk)
    assert session.placement["repeat_width_m"] == design.repeat_width_m
    assert session.placement["brightness"] == 0.3
    assert session.placement["keep_shadows"] == 0.4
    assert session.placement["seams"] is True


def test_the_previews_name_changes_with_the_placement_and_comes_back_with_it() -> None:
    session = make_ready_session()
    first = previews.preview_version(session)

    changed = wallpapers.set_placement(session_id=session.pk, placement={"repeat_width_m": 0.2})
    back = wallpapers.set_placement(session_id=session.pk, placement={"repeat_width_m": 0.53})

    assert previews.preview_version(changed) != first
    assert previews.preview_version(back) == first


def test_a_preview_is_a_jpeg_of_the_photos_shape() -> None:
    import io

    from PIL import Image

    data = previews.render_preview(make_ready_session())

    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (320, 240)


def test_the_wall_is_read_once_for_all_placements_tried_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[tuple[int, ...]] = []

    def counted(photo: Pixels, mask: Mask, plane: WallPlane) -> WallAnalysis:
        read.append(photo.shape)
        return analyse_wall(photo, mask, plane)

    monkeypatch.setattr(prefetch, "analyse_wall", counted)
    session = make_ready_session()
    previews.render_preview(session)
    wider = wallpapers.set_placement(session_id=session.pk, placement={"repeat_width_m": 0.8})
    previews.render_preview(wider)

    assert len(read) == 1


def test_there_is_no_preview_without_a_wallpaper() -> None:
    session = make_session()

    assert previews.preview_version(session) is None
    with pytest.raises(WrongState):
        previews.render_preview(session)
