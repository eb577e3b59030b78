"""Clicks on the photo."""

from __future__ import annotations

import math
import uuid

import numpy as np
import pytest

from sessions_app.errors import BadClick, BadRequest, BadUpload, NotFound
from sessions_app.models import Session
from sessions_app.services import clicking, masks, overlays
from tests.harness.factories import as_file, make_session, wall_mask

pytestmark = pytest.mark.django_db


def test_a_click_is_kept_in_photo_pixels() -> None:
    session = make_session()

    session = clicking.add_click(session_id=session.pk, x=100.25, y=50, label=1)

    assert session.history.clicks == ((100.25, 50.0, 1),)


@pytest.mark.parametrize(
    ("x", "y"), [(-1, 10), (320, 10), (10, -0.6), (10, 240), (math.nan, 1), (1, math.inf)]
)
def test_a_click_outside_the_photo_is_refused(x: float, y: float) -> None:
    session = make_session()

    with pytest.raises(BadClick):
        clicking.add_click(session_id=session.pk, x=x, y=y, label=1)

    session.refresh_from_db()
    assert session.history.clicks == ()


def test_a_click_on_the_outermost_half_pixel_counts_as_the_edge_pixel() -> None:
    session = make_session()

    session = clicking.add_click(session_id=session.pk, x=-0.5, y=239.5, label=1)

    assert session.history.clicks == ((0.0, 239.0, 1),)


def test_an_exclusion_before_any_inclusion_is_refused() -> None:
    session = make_session()

    with pytest.raises(BadClick) as refusal:
        clicking.add_click(session_id=session.pk, x=10, y=10, label=0)

    assert refusal.value.code == "nothing_to_exclude"


def test_clicks_of_two_tabs_are_both_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    session = make_session()
    original = vars(Session)["history"].fget
    assert original is not None
    interrupted: list[int] = []

    def history_read_while_the_other_tab_clicks(row: Session) -> object:
        if not interrupted:
            interrupted.append(1)
            clicking.add_click(session_id=session.pk, x=200, y=20, label=1)
        return original(row)

    monkeypatch.setattr(Session, "history", property(history_read_while_the_other_tab_clicks))
    clicking.add_click(session_id=session.pk, x=10, y=20, label=1)
    monkeypatch.undo()

    session.refresh_from_db()
    assert set(session.history.clicks) == {(200.0, 20.0, 1), (10.0, 20.0, 1)}


def test_more_clicks_than_a_session_holds_are_refused() -> None:
    session = make_session()
    for number in range(200):
        clicking.add_click(session_id=session.pk, x=number, y=5, label=1)

    with pytest.raises(BadClick) as refusal:
        clicking.add_click(session_id=session.pk, x=201, y=5, label=1)

    assert refusal.value.code == "too_many_clicks"


def test_a_click_in_a_session_that_is_gone_is_not_found() -> None:
    with pytest.raises(NotFound):
        clicking.add_click(session_id=uuid.uuid4(), x=1, y=1, label=1)


def test_a_brought_mask_is_used_as_it_is() -> None:
    session = make_session()

    session = clicking.use_mask(session_id=session.pk, data=as_file(wall_mask()))

    assert (masks.pixels(session, size=(320, 240)) == wall_mask()).all()
    shown = overlays.overlay(session)
    assert shown is not None
    assert shown.path.startswith("M")
    assert shown.share == pytest.approx((wall_mask() > 0).mean(), abs=1e-6)


def test_a_mask_of_another_size_is_refused_with_both_sizes() -> None:
    session = make_session()

    with pytest.raises(BadUpload, match=r"100 x 50.*320 x 240"):
        clicking.use_mask(session_id=session.pk, data=as_file(np.zeros((50, 100), np.uint8)))


def test_an_empty_mask_is_refused() -> None:
    session = make_session()

    with pytest.raises(BadUpload) as refusal:
        clicking.use_mask(session_id=session.pk, data=as_file(np.zeros((240, 320), np.uint8)))

    assert refusal.value.code == "empty_mask"


def test_a_click_replaces_a_brought_mask() -> None:
    session = make_session()
    clicking.use_mask(session_id=session.pk, data=as_file(wall_mask()))

    session = clicking.add_click(session_id=session.pk, x=10, y=10, label=1)

    assert session.uploaded_mask_key == ""
    assert session.history.clicks == ((10.0, 10.0, 1),)


def test_a_scope_is_kept_with_the_clicks() -> None:
    session = make_session()
    clicking.add_click(session_id=session.pk, x=60, y=60, label=1)

    session = clicking.choose_scope(session_id=session.pk, scope="this")

    assert session.history.scope == "this"
    assert session.history.clicks == ((60.0, 60.0, 1),)


def test_an_unknown_scope_is_refused_and_nothing_changes() -> None:
    session = make_session()

    with pytest.raises(BadRequest, match="'this'"):
        clicking.choose_scope(session_id=session.pk, scope="both")

    session.refresh_from_db()
    assert session.click_history == {}
