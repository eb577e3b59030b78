"""The marked wall, by the real model."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sessions_app import selectors
from sessions_app.catalogue import STATIC_DIR, sample_rooms
from sessions_app.errors import Busy, WrongState
from sessions_app.inference import embeddings, limits
from sessions_app.models import Session
from sessions_app.services import clicking, masks, overlays, photos, uploads
from sessions_app.services.overlays import Overlay
from tests.harness.factories import make_session

pytestmark = [pytest.mark.django_db, pytest.mark.model]


@pytest.fixture
def sample() -> Session:
    """A session with a sample room; nothing marked."""
    data = (Path(STATIC_DIR) / sample_rooms()[0].file).read_bytes()
    return uploads.create_session(data=data, source=Session.Source.WEB, background=False)


def click_the_wall(session: Session) -> Session:
    x, y = sample_rooms()[0].suggested_click
    return clicking.add_click(session_id=session.pk, x=x, y=y, label=1)


def shown(session: Session) -> Overlay:
    overlay = overlays.overlay(session)
    assert overlay is not None
    return overlay


def test_a_click_on_the_wall_marks_a_good_part_of_the_photo(sample: Session) -> None:
    overlay = shown(click_the_wall(sample))

    assert 0.1 < overlay.share < 0.9
    assert overlay.path.startswith("M")
    assert overlay.view_box == f"-0.5 -0.5 {sample.width} {sample.height}"


def test_the_first_click_completes_the_embedding(sample: Session) -> None:
    session = click_the_wall(sample)

    overlays.draw(session)

    assert session.status == Session.Status.EMBEDDING_COMPLETED  # what the page goes on to show
    session.refresh_from_db()
    assert session.status == Session.Status.EMBEDDING_COMPLETED


def test_a_page_that_only_looks_writes_nothing(
    sample: Session, django_assert_num_queries: Any
) -> None:
    session = click_the_wall(sample)

    with django_assert_num_queries(0):
        assert overlays.overlay(session) is not None

    session.refresh_from_db()
    assert session.status == Session.Status.NEW
    # What the visitor is told all the same: the page must not say that the photo is still read.
    assert selectors.shown_status(session) == Session.Status.EMBEDDING_COMPLETED


def test_a_page_that_is_reloaded_does_not_ask_the_model_again(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = click_the_wall(sample)
    drawn = overlays.draw(session)
    monkeypatch.setattr(masks, "predict", lambda _: pytest.fail("the model was asked"))

    assert overlays.overlay(Session.objects.get(pk=session.pk)) == drawn


def test_an_excluded_point_ends_up_outside(sample: Session) -> None:
    session = click_the_wall(sample)
    inside = np.argwhere(masks.pixels(session, size=(sample.width, sample.height)) == 255)
    y, x = (int(value) for value in inside[len(inside) // 5])

    session = clicking.add_click(session_id=session.pk, x=x, y=y, label=0)

    assert masks.pixels(session, size=(sample.width, sample.height))[y, x] == 0


def test_undo_gives_back_the_very_same_mask(sample: Session) -> None:
    session = click_the_wall(sample)
    before = masks.pixels(session, size=(200, 150))
    clicking.add_click(session_id=session.pk, x=5, y=5, label=0)

    session = clicking.undo_click(session_id=session.pk)

    assert (masks.pixels(session, size=(200, 150)) == before).all()


def test_the_wall_is_found_without_a_click_and_can_be_corrected(sample: Session) -> None:
    session = clicking.find_wall(session_id=sample.pk)
    found = masks.pixels(session, size=(sample.width, sample.height))
    y, x = (int(value) for value in np.argwhere(found == 255)[1000])

    corrected = clicking.add_click(session_id=session.pk, x=x, y=y, label=0)

    assert (found == 255).mean() > 0.05
    assert masks.pixels(corrected, size=(sample.width, sample.height))[y, x] == 0


def test_with_nothing_marked_there_is_no_overlay_and_no_mask() -> None:
    session = make_session()

    assert overlays.overlay(session) is None
    with pytest.raises(WrongState):
        masks.pixels(session, size=(10, 10))


def test_another_scope_is_another_mask_to_the_preview(sample: Session) -> None:
    session = click_the_wall(sample)
    versions = [masks.version(session)]

    for scope in ("this", "all"):
        session = clicking.choose_scope(session_id=session.pk, scope=scope)
        versions.append(masks.version(session))

    assert len(set(versions)) == 3


def test_correcting_the_found_wall_reads_the_whole_photo_no_more(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = clicking.find_wall(session_id=sample.pk)
    overlays.overlay(session)
    read: list[Session] = []
    monkeypatch.setattr(photos, "photo_pixels", read.append)
    x, y = sample_rooms()[0].suggested_click

    session = clicking.add_click(session_id=session.pk, x=x, y=y, label=0)
    overlays.overlay(session)

    assert read == []


def test_with_all_cores_at_work_a_click_is_told_to_come_back(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.mask_limit, "patience_seconds", 0)
    x, y = sample_rooms()[0].suggested_click
    session = clicking.add_click(session_id=sample.pk, x=x + 2.5, y=y, label=1)

    with ExitStack() as taken:
        for _ in range(limits.mask_limit.slots):
            taken.enter_context(limits.mask_limit.slot())
        with pytest.raises(Busy) as refusal:
            overlays.overlay(session)

    assert refusal.value.retry_after_seconds
    assert overlays.overlay(session) is not None


def test_finding_the_wall_takes_a_slot_for_the_photo_it_decodes(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.decode_limit, "patience_seconds", 0)
    clicking.add_click(session_id=sample.pk, x=0.5, y=0.5, label=1)
    overlays.overlay(Session.objects.get(pk=sample.pk))  # encodes
    session = clicking.find_wall(session_id=sample.pk)
    masks._predictions.clear()
    overlays._overlays.clear()

    with ExitStack() as taken:
        for _ in range(limits.decode_limit.slots):
            taken.enter_context(limits.decode_limit.slot())
        with pytest.raises(Busy):
            overlays.overlay(session)

    assert overlays.overlay(session) is not None


def test_a_click_that_has_to_encode_takes_a_slot_for_the_photo_it_decodes(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.decode_limit, "patience_seconds", 0)

    with ExitStack() as taken:
        for _ in range(limits.decode_limit.slots):
            taken.enter_context(limits.decode_limit.slot())
        with pytest.raises(Busy):
            photos.photo_within_limit(sample)

    assert photos.photo_within_limit(sample).shape == (sample.height, sample.width, 3)


def test_two_rooms_of_one_photo_keep_it_once(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos._for_outlines.clear()
    read: list[Session] = []
    original = photos.view_pixels

    def noting(session: Session, **size: int) -> Any:
        read.append(session)
        return original(session, **size)

    monkeypatch.setattr(photos, "view_pixels", noting)
    other = Session.objects.get(pk=sample.pk)
    other.pk = uuid.uuid4()

    first, second = photos.photo_for_outline(sample), photos.photo_for_outline(other)

    assert first is second
    assert read == [sample]


def test_who_waits_for_an_encoding_keeps_no_core_from_others(
    sample: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain = embeddings.obtain
    free: list[bool] = []

    def look(*args: Any) -> Any:
        with ExitStack() as taken:
            for _ in range(limits.mask_limit.slots):
                taken.enter_context(limits.mask_limit.slot())
            free.append(True)
        return obtain(*args)

    monkeypatch.setattr(limits.mask_limit, "patience_seconds", 0)
    monkeypatch.setattr(embeddings, "obtain", look)

    x, y = sample_rooms()[0].suggested_click
    overlays.overlay(clicking.add_click(session_id=sample.pk, x=x + 1.5, y=y, label=1))

    assert free
