"""Clicks in a browser: which button does what, where they land, and that none is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.room import SOFA, WALL, Room

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]

CEILING = (500, 40)


def listed(room: Room) -> list[tuple[str, float, float]]:
    """The clicks the page lists, where it draws them: kind, x, y."""
    drawn = room.clicks()
    assert room.points() == [f"Click {n}: {kind}" for n, (kind, _, _) in enumerate(drawn, start=1)]
    return drawn


def test_a_left_click_includes_the_photo_pixel_under_the_pointer(room: Room) -> None:
    room.click(WALL)

    [(kind, x, y)] = listed(room)
    assert kind == "include"
    # A pixel of the photo is about 0.9 pixels of this screen; the pointer moves in whole ones.
    assert (x, y) == pytest.approx(WALL, abs=1.5)


def test_a_right_click_excludes(room: Room) -> None:
    room.click(WALL)
    room.click(SOFA, button="right")

    assert [kind for kind, _, _ in listed(room)] == ["include", "exclude"]


def test_a_left_click_excludes_in_the_exclude_mode(room: Room) -> None:
    room.click(WALL)
    room.part("mode-exclude").click()
    room.click(SOFA)
    room.part("mode-include").click()
    room.click(CEILING)

    assert [kind for kind, _, _ in listed(room)] == ["include", "exclude", "include"]


def test_a_tap_excludes_in_the_exclude_mode_on_a_phone(phone_room: Room) -> None:
    phone_room.tap(WALL)
    phone_room.part("mode-exclude").tap()
    phone_room.tap(SOFA)

    assert [kind for kind, _, _ in listed(phone_room)] == ["include", "exclude"]


def test_a_long_press_excludes_once_on_a_phone(phone_room: Room) -> None:
    phone_room.tap(WALL)
    spot, box = phone_room.spot(SOFA), phone_room.box("photo")
    session = phone_room.page.context.new_cdp_session(phone_room.page)
    point = {"x": box["x"] + spot["x"], "y": box["y"] + spot["y"]}

    with phone_room.answered("/clicks/"):
        session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
        phone_room.page.wait_for_timeout(900)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    phone_room.page.wait_for_timeout(300)

    assert [kind for kind, _, _ in listed(phone_room)] == ["include", "exclude"]


def test_undo_redo_and_clear_follow_each_other(room: Room) -> None:
    room.click(WALL)
    room.click(CEILING)

    for button, count in (("undo", 1), ("redo", 2), ("clear", 0), ("undo", 2)):
        with room.answered(f"/clicks/{button}/"):
            room.part(button).click()
        assert len(listed(room)) == count, button

    expect(room.part("redo")).to_be_enabled()
    expect(room.part("mask-overlay")).to_be_visible()


def test_clearing_takes_the_overlay_away(room: Room) -> None:
    room.click(WALL)

    with room.answered("/clicks/clear/"):
        room.part("clear").click()

    expect(room.part("mask-overlay")).to_have_count(0)
    expect(room.part("clear")).to_be_disabled()


def test_fast_clicks_are_all_kept_in_their_order(room: Room) -> None:
    spots = [(300 + 40 * step, 180 + 6 * step) for step in range(8)]

    for spot in spots:
        room.part("photo").click(position=room.spot(spot), no_wait_after=True)  # type: ignore[arg-type]
    expect(room.part("click-list").locator("li.points__include")).to_have_count(8, timeout=60_000)

    xs = [x for _, x, _ in listed(room)]
    assert xs == sorted(xs)
    expect(room.page.locator(".marker")).to_have_count(0)


def test_a_click_shows_at_once_and_sends_only_the_point(room: Room) -> None:
    """The request is held back meanwhile: a quick response would take the marker away again."""
    held: list[Route] = []
    room.page.route("**/clicks/", lambda route: held.append(route))

    room.part("photo").click(position=room.spot(WALL))  # type: ignore[arg-type]
    expect(room.page.locator(".marker")).to_have_count(1)
    while not held:
        room.page.wait_for_timeout(10)

    body = held[0].request.post_data or ""
    assert sorted(part.split("=")[0] for part in body.split("&")) == ["label", "x", "y"]
    held[0].continue_()
    room.page.unroute("**/clicks/")
    expect(room.part("point")).to_have_count(1)
    expect(room.page.locator(".marker")).to_have_count(0)


def test_the_wall_is_marked_by_keyboard_alone(room: Room) -> None:
    photo = room.part("photo")
    photo.focus()

    for _ in range(14):
        photo.press("ArrowUp")
    with room.answered("/clicks/"):
        photo.press("Enter")
    photo.press("ArrowDown")
    with room.answered("/clicks/"):
        photo.press("Delete")
    assert [kind for kind, _, _ in listed(room)] == ["include", "exclude"]

    with room.answered("/clicks/undo/"):
        photo.press("u")
    with room.answered("/clicks/redo/"):
        photo.press("r")
    assert len(listed(room)) == 2


def test_the_focus_is_not_lost_with_the_last_undo(room: Room) -> None:
    room.click(WALL)
    room.part("undo").focus()

    with room.answered("/clicks/undo/"):
        room.part("undo").press("Enter")

    expect(room.part("undo")).to_be_disabled()
    expect(room.part("photo")).to_be_focused()


def test_excluding_before_anything_is_marked_is_answered(room: Room) -> None:
    room.click(SOFA, button="right")

    room.refused("nothing is marked")
    expect(room.page.locator(".marker")).to_have_count(0)
