"""The room's page: clicks, wallpapers, placement."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from sessions_app.errors import Busy
from sessions_app.models import Session
from sessions_app.services import clicking, overlays, prefetch
from sessions_app.services.wallpapers import current_placement
from tests.harness.factories import as_file, make_ready_session, make_session, paper_pixels
from tests.web.conftest import HTMX, OWNER

pytestmark = pytest.mark.django_db

CONTRACT = [
    "photo",
    "mode-include",
    "mode-exclude",
    "undo",
    "redo",
    "clear",
    "mask-overlay",
    "wallpaper-url",
    "wallpaper-file",
    "wallpaper-option",
    "repeat-width",
    "preview-image",
    "generate",
    "status",
    "error",
    "attempts-left",
]


def to(name: str, session: Session) -> str:
    """The address of a room's view."""
    return reverse(name, args=[session.pk])


def fresh(session: Session) -> Session:
    """The room as the database has it now."""
    return Session.objects.select_related("wallpaper").get(pk=session.pk)


def test_the_page_carries_every_name_of_the_contract(room: Session, owner: Client) -> None:
    answer = owner.get(to("session", room))

    page = answer.content.decode()
    missing = [name for name in CONTRACT if f'data-testid="{name}"' not in page]
    assert not missing
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_page_has_nothing_inline(room: Session, owner: Client) -> None:
    page = owner.get(to("session", room)).content.decode()

    assert not re.search(r"\sstyle=", page)
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert "hx-on" not in page


def test_no_element_id_is_given_twice(room: Session, owner: Client) -> None:
    page = owner.get(to("session", room)).content.decode()

    found = re.findall(r'\sid="([^"]+)"', page)
    assert sorted(found) == sorted(set(found))


def test_the_overlay_covers_exactly_the_photo(room: Session, owner: Client) -> None:
    page = owner.get(to("session", room)).content.decode()

    assert f'viewBox="-0.5 -0.5 {room.width} {room.height}"' in page
    assert 'preserveAspectRatio="none"' in page


@pytest.mark.model
def test_a_click_answers_with_the_overlay_and_what_follows_from_it(owner: Client) -> None:
    session = make_session(visitor=OWNER)

    answer = owner.post(to("click", session), {"x": "60.5", "y": "40", "label": "1"}, **HTMX)

    assert answer.status_code == 200
    fragment = answer.content.decode()
    assert fragment.lstrip().startswith('<div id="overlay"')
    assert 'data-testid="mask-overlay"' in fragment
    assert "<html" not in fragment
    for part in ("undo", "redo", "clear", "wall-summary", "click-list", "preview", "generation"):
        assert re.search(rf'id="{part}"[^>]*hx-swap-oob="true"', fragment), part
    assert fresh(session).history.clicks == ((60.5, 40.0, 1),)


@pytest.mark.model
def test_a_click_by_a_plain_form_goes_back_to_the_page(owner: Client) -> None:
    session = make_session(visitor=OWNER)

    answer = owner.post(to("click", session), {"x": "60", "y": "40", "label": "1"})

    assert answer.status_code == 302
    assert answer.headers["Location"] == to("session", session)


def test_an_image_buttons_coordinates_are_brought_to_photo_pixels(owner: Client) -> None:
    session = make_session(visitor=OWNER)
    data = {"at.x": "79", "at.y": "0", "shown_width": "160", "shown_height": "120", "label": "1"}

    owner.post(to("click", session), data)

    # CSS pixel 79 of 160 has its centre at 79.5/160 of the 320 pixels: 159 - 0.5.
    assert fresh(session).history.clicks == ((158.5, 0.5, 1),)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"x": "1", "y": "2"},
        {"x": "1", "label": "1"},
        {"x": "one", "y": "2", "label": "1"},
        {"x": "nan", "y": "2", "label": "1"},
        {"x": "inf", "y": "2", "label": "1"},
        {"x": "1", "y": "2", "label": "2"},
        {"x": "-1", "y": "2", "label": "1"},
        {"x": "320", "y": "2", "label": "1"},
        {"x": "1e400", "y": "2", "label": "1"},
        {"at.x": "4", "at.y": "4"},
        {"at.x": "4", "at.y": "4", "shown_width": "0", "shown_height": "0"},
        {"at.x": "9999", "at.y": "4", "shown_width": "10", "shown_height": "10"},
    ],
    ids=str,
)
def test_a_click_that_makes_no_sense_is_422(data: dict[str, str], owner: Client) -> None:
    session = make_session(visitor=OWNER)

    answer = owner.post(to("click", session), data, **HTMX)

    assert answer.status_code == 422
    assert answer.content
    assert fresh(session).history.clicks == ()


def test_undo_redo_and_clear_answer_with_the_overlay(owner: Client) -> None:
    session = make_session(visitor=OWNER)
    clicking.add_click(session_id=session.pk, x=60, y=40, label=1)

    undone = owner.post(to("click-undo", session), **HTMX)

    assert undone.context["points"] == []
    assert 'data-testid="mask-overlay"' not in undone.content.decode()
    assert fresh(session).history.can_redo


def test_choosing_a_design_answers_with_its_size_and_the_preview(
    room: Session, owner: Client
) -> None:
    answer = owner.post(to("wallpaper-design", room), {"slug": "brick"}, **HTMX)

    fragment = answer.content.decode()
    assert fragment.lstrip().startswith('<div id="placement"')
    assert re.search(r'data-testid="repeat-width"[^>]*value="100"', fragment, re.DOTALL)
    assert 'data-testid="preview-image"' in fragment
    chosen = fresh(room).wallpaper
    assert chosen is not None
    assert chosen.design == "brick"


def test_choosing_a_kept_wallpaper_brings_it_back(room: Session, owner: Client) -> None:
    first = room.wallpaper_id
    owner.post(to("wallpaper-design", room), {"slug": "brick"})

    owner.post(to("wallpaper-design", room), {"slug": str(first)})

    assert fresh(room).wallpaper_id == first


@pytest.mark.parametrize(
    ("slug", "status"), [("", 422), ("no-such", 404), ("00000000-0000-0000-0000-000000000001", 404)]
)
def test_an_unknown_wallpaper_is_refused(
    slug: str, status: int, room: Session, owner: Client
) -> None:
    answer = owner.post(to("wallpaper-design", room), {"slug": slug}, **HTMX)

    assert answer.status_code == status
    assert fresh(room).wallpaper_id == room.wallpaper_id


def test_an_uploaded_wallpaper_joins_the_gallery(room: Session, owner: Client) -> None:
    file = SimpleUploadedFile("My Paper.png", as_file(paper_pixels(96)))

    answer = owner.post(to("wallpaper-upload", room), {"file": file}, **HTMX)

    fragment = answer.content.decode()
    assert fragment.lstrip().startswith('<div id="gallery"')
    assert "My Paper" in fragment
    assert 'id="placement"' in fragment


def test_an_uploaded_file_that_is_no_picture_is_refused(room: Session, owner: Client) -> None:
    file = SimpleUploadedFile("paper.png", b"no picture at all")

    by_htmx = owner.post(to("wallpaper-upload", room), {"file": file}, **HTMX)
    file.seek(0)
    plain = owner.post(to("wallpaper-upload", room), {"file": file})

    assert by_htmx.status_code == plain.status_code == 422
    assert plain.context["error"] is not None
    assert 'data-testid="photo"' in plain.content.decode()


@pytest.mark.parametrize(
    "url",
    ["", "   ", "paper.png", "ftp://example.org/a.png", "http://127.0.0.1/a.png", "x" * 3000],
    ids=["empty", "blank", "no-scheme", "ftp", "private", "long"],
)
def test_a_bad_link_is_422(url: str, room: Session, owner: Client) -> None:
    answer = owner.post(to("wallpaper-link", room), {"url": url}, **HTMX)

    assert answer.status_code == 422
    assert 10 < len(answer.content.decode()) < 400
    assert fresh(room).wallpaper_id == room.wallpaper_id


def test_the_placement_is_given_in_centimetres_and_kept_in_metres(
    room: Session, owner: Client
) -> None:
    data = {
        "repeat_width_cm": "106.5",
        "drop": "0.5",
        "rotation_deg": "90",
        "mode": "tile",
        "origin_x_cm": "-12",
        "brightness": "0.3",
        "keep_shadows": "0.4",
        "mirror": "on",
    }

    answer = owner.post(to("placement", room), data, **HTMX)

    assert answer.status_code == 200
    placement = current_placement(fresh(room))
    assert placement.repeat_width_m == pytest.approx(1.065)
    assert (placement.drop, placement.rotation_deg, placement.mirror) == (0.5, 90, True)
    assert placement.origin_m == pytest.approx((-0.12, 0))
    assert fresh(room).placement["keep_shadows"] == 0.4
    assert answer.content.decode().lstrip().startswith('<div id="preview"')


def test_strip_seams_are_off_until_they_are_ticked(room: Session, owner: Client) -> None:
    assert current_placement(fresh(room)).seams is False

    owner.post(to("placement", room), {"mode": "tile", "seams": "on", "strip_width_cm": "68.5"})

    placement = current_placement(fresh(room))
    assert placement.seams is True
    assert placement.strip_width_m == pytest.approx(0.685)
    page = owner.get(to("session", room)).content.decode()
    assert 'value="68.5"' in page
    assert 'data-testid="seams" checked' in page


def test_unticked_seams_are_taken_back(room: Session, owner: Client) -> None:
    owner.post(to("placement", room), {"mode": "tile", "seams": "on"})
    owner.post(to("placement", room), {"mode": "tile"})

    assert current_placement(fresh(room)).seams is False


def test_an_unticked_mirror_is_taken_back(room: Session, owner: Client) -> None:
    owner.post(to("placement", room), {"mode": "tile", "mirror": "on"})
    owner.post(to("placement", room), {"mode": "tile"})

    assert current_placement(fresh(room)).mirror is False


@pytest.mark.parametrize(
    "data",
    [
        {"repeat_width_cm": ""},
        {"repeat_width_cm": "wide"},
        {"repeat_width_cm": "0"},
        {"repeat_width_cm": "-53"},
        {"repeat_width_cm": "1e9"},
        {"repeat_width_cm": "nan"},
        {"drop": "7"},
        {"mode": "spiral"},
        {"rotation_deg": "north"},
        {"brightness": "5"},
        {"keep_shadows": "5"},
        {"origin_x_cm": "left"},
        {"strip_width_cm": "0"},
        {"strip_width_cm": "a roll"},
        {"strip_width_cm": "5300"},
    ],
    ids=str,
)
def test_a_placement_that_makes_no_sense_is_422_and_changes_nothing(
    data: dict[str, str], room: Session, owner: Client
) -> None:
    answer = owner.post(to("placement", room), data, **HTMX)

    assert answer.status_code == 422
    assert answer.content.decode()[0].isupper()
    assert fresh(room).placement == room.placement


def test_a_room_can_be_deleted_by_its_owner(room: Session, owner: Client) -> None:
    answer = owner.post(to("session-delete", room))

    assert answer.headers["Location"] == reverse("home")
    assert owner.get(to("session", room)).status_code == 404


def test_the_page_comes_up_where_the_mask_cannot_be_made(
    owner: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    session = make_session(visitor=OWNER)
    clicking.add_click(session_id=session.pk, x=60, y=40, label=1)
    settings.SAM_MODEL_DIR = str(tmp_path)

    page = owner.get(to("session", session))
    click = owner.post(to("click", session), {"x": "70", "y": "40", "label": "1"}, **HTMX)

    assert page.status_code == 200
    assert page.context["masking_error"] is not None
    assert click.status_code == 503
    assert click.headers["Retry-After"]
    assert len(fresh(session).history.clicks) == 2


def test_a_click_whose_wall_cannot_be_drawn_yet_is_said_to_be_kept(
    owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Session) -> None:
        raise Busy("Many walls are being marked at this moment. Please try again in a few seconds.")

    session = make_session(visitor=OWNER)
    monkeypatch.setattr(overlays, "overlay", busy)

    answer = owner.post(to("click", session), {"x": "70", "y": "40", "label": "1"}, **HTMX)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.content.decode() == (
        "Your change is kept, but the wall could not be drawn yet. Reload the page to see it."
    )
    assert len(fresh(session).history.clicks) == 1


@pytest.mark.parametrize("chosen", [True, False])
def test_after_a_click_the_wall_is_prefetched_unless_its_preview_comes_at_once(
    chosen: bool, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_ready_session(visitor=OWNER) if chosen else make_session(visitor=OWNER)
    overlay = overlays.Overlay("M0 0h9v9z", "-0.5 -0.5 320 240", 0.4, 0.9, None, None, None)
    monkeypatch.setattr(overlays, "overlay", lambda _: overlay)
    ahead: list[Session] = []
    monkeypatch.setattr(prefetch, "prefetch", ahead.append)

    answer = owner.post(reverse("click", args=[session.pk]), {"x": 40, "y": 40, "label": 1}, **HTMX)

    assert answer.status_code == 200
    assert [one.pk for one in ahead] == ([] if chosen else [session.pk])
