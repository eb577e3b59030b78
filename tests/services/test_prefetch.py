"""A marked wall is prepared once, and prefetched where that costs nobody anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import InterfaceError

from imaging.types import Mask, Pixels
from rendering import WallAnalysis, WallPlane, analyse_wall
from sessions_app.inference import background, limits
from sessions_app.models import Session
from sessions_app.services import clicking, masks, prefetch, previews
from sessions_app.services.prefetch import prefetch as start_prefetch
from sessions_app.services.prefetch import prepared_wall
from tests.harness.factories import as_file, make_ready_session, wall_mask

pytestmark = pytest.mark.django_db
PATIENCE_SECONDS = 60


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Wall pixels of every mask that was read, in order."""
    found: list[int] = []

    def counted(photo: Pixels, mask: Mask, plane: WallPlane) -> WallAnalysis:
        found.append(int((mask > 127).sum()))
        return analyse_wall(photo, mask, plane)

    monkeypatch.setattr(prefetch, "analyse_wall", counted)
    return found


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The visitor is quiet already; whatever is being prepared at the end of a test is awaited."""
    monkeypatch.setattr(prefetch.debouncer, "quiet_seconds", 0.0)
    yield
    settle()


def settle() -> None:
    """Wait until nothing waits to be prefetched."""
    prefetch.debouncer.wait_idle(PATIENCE_SECONDS)


@contextmanager
def held_back() -> Iterator[None]:
    """The thread that prefetches is busy with something else until the end of the block."""
    go_on = threading.Event()
    prefetch.executor.submit(lambda: go_on.wait(PATIENCE_SECONDS), label="something else")
    try:
        yield
    finally:
        go_on.set()
    settle()


def smaller(session: Session) -> Session:
    """The session with half of its wall marked."""
    mask = wall_mask()
    mask[:, : mask.shape[1] // 2] = 0
    clicking.use_mask(session_id=session.pk, data=as_file(mask))
    return Session.objects.select_related("wallpaper").get(pk=session.pk)


def test_a_prefetched_wall_is_not_prepared_again_for_its_preview(read: list[int]) -> None:
    session = make_ready_session()

    start_prefetch(session)
    settle()
    previews.render_preview(session)

    assert len(read) == 1


def test_a_mask_that_was_marked_anew_meanwhile_is_not_read(read: list[int]) -> None:
    session = make_ready_session()
    changed = smaller(session)

    with held_back():
        start_prefetch(session)
        start_prefetch(changed)

    size = changed.width, changed.height
    assert read == [int((masks.pixels(changed, size=size) > 127).sum())]


def test_a_room_whose_preview_is_asked_for_is_not_prefetched_any_more(read: list[int]) -> None:
    session = make_ready_session()

    with held_back():
        start_prefetch(session)
        previews.render_preview(session)

    assert len(read) == 1


def test_only_the_latest_rooms_are_prefetched(
    read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefetch.debouncer, "max_keys", 1)
    first, second = make_ready_session(), make_ready_session()

    with held_back():
        start_prefetch(first)
        start_prefetch(second)

    assert len(read) == 1
    assert prepared_wall(second) is prepared_wall(second)
    assert len(read) == 1


def test_nothing_is_prefetched_while_a_mask_is_computed(read: list[int]) -> None:
    session = make_ready_session()

    with limits.mask_limit.slot():
        start_prefetch(session)
        settle()

    assert read == []
    assert limits.mask_limit.in_use == 0


def test_who_asks_while_a_wall_is_being_read_waits_for_it(
    read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make_ready_session()
    begun, go_on = threading.Event(), threading.Event()
    counted: Callable[..., WallAnalysis] = vars(prefetch)["analyse_wall"]

    def slow(photo: Pixels, mask: Mask, plane: WallPlane) -> WallAnalysis:
        begun.set()
        go_on.wait(PATIENCE_SECONDS)
        return counted(photo, mask, plane)

    monkeypatch.setattr(prefetch, "analyse_wall", slow)
    start_prefetch(session)
    assert begun.wait(PATIENCE_SECONDS)
    threading.Timer(0.05, go_on.set).start()
    found = prepared_wall(session)

    assert found is prepared_wall(session)
    assert len(read) == 1


def test_a_connection_that_cannot_be_closed_does_not_end_prefetching(
    read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def close(self) -> None:
            raise InterfaceError("the server is away")

    first, second = make_ready_session(), make_ready_session()
    with monkeypatch.context() as patch:
        patch.setattr(background, "connection", Broken())
        start_prefetch(first)
        settle()
    start_prefetch(second)
    settle()

    assert len(read) == 2
