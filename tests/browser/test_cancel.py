"""The Cancel button under a visitor's fingers, while a real worker is held still or at work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.room import WALL, Room
from tests.harness.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def held(live_stack: Stack) -> Iterator[None]:
    """The worker stands still: what is asked for waits."""
    worker = live_stack.children()["worker"]
    os.kill(worker, signal.SIGSTOP)
    yield
    os.kill(worker, signal.SIGCONT)


def asked(room: Room) -> Room:
    """The room with a picture asked for."""
    room.click(WALL)
    room.choose(0)
    room.part("generate").click()
    expect(room.part("cancel")).to_be_visible()
    return room


def stopped(room: Room, attempts: str = "10") -> None:
    """The page says that the picture was stopped, and offers another start."""
    expect(room.part("status")).to_have_text("Stopped")
    expect(room.part("status-detail")).to_contain_text("You stopped this picture")
    expect(room.part("cancel")).to_have_count(0)
    expect(room.part("generate")).to_be_enabled()
    expect(room.part("generate")).to_contain_text("Start again")
    expect(room.part("attempts-left")).to_have_text(attempts)
    expect(room.part("error")).to_be_hidden()


def test_a_waiting_picture_is_stopped_and_started_again(
    room: Room, live_stack: Stack, held: None
) -> None:
    asked(room)

    room.part("cancel").dblclick()

    stopped(room)
    expect(room.part("generate")).to_be_focused()
    os.kill(live_stack.children()["worker"], signal.SIGCONT)
    room.generate()
    expect(room.part("attempts-left")).to_have_text("9")


def test_a_press_that_lasts_longer_than_a_poll_is_not_lost(room: Room, held: None) -> None:
    asked(room)
    box = room.box("cancel")
    room.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    room.page.mouse.down()
    room.page.wait_for_timeout(2500)  # the page asks every second
    room.page.mouse.up()

    stopped(room)


def test_two_tabs_that_cancel_stop_it_once(room: Room, held: None) -> None:
    asked(room)
    other = Room(room.page.context.new_page())
    other.page.goto(room.page.url)

    room.part("cancel").click(no_wait_after=True)
    other.part("cancel").click(no_wait_after=True)

    stopped(room)
    stopped(other)


def test_a_tab_that_comes_too_late_is_told_so(room: Room, live_stack: Stack, held: None) -> None:
    asked(room)
    other = Room(room.page.context.new_page())
    other.page.route("**/status/", lambda route: route.abort())  # it shows what was true
    other.page.goto(room.page.url)
    expect(other.part("cancel")).to_be_visible()
    os.kill(live_stack.children()["worker"], signal.SIGCONT)
    room.completed()

    other.part("cancel").click()

    expect(other.part("notice")).to_have_text(
        "This picture was finished before it could be stopped."
    )
    expect(other.part("status")).to_have_attribute("data-status", "completed")


def test_a_picture_is_stopped_on_a_phone(phone_room: Room, held: None) -> None:
    phone_room.tap(WALL)
    phone_room.choose(0)
    phone_room.part("generate").tap()
    box = phone_room.box("cancel")
    assert box["height"] >= 44
    assert box["width"] >= 44

    phone_room.part("cancel").tap()

    stopped(phone_room)


def test_without_script_it_is_stopped_too(room: Room, held: None) -> None:
    asked(room)
    state = room.page.context.storage_state()
    browser = room.page.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False, storage_state=state) as plain:
        page: Page = plain.new_page()
        page.goto(room.page.url)

        page.get_by_test_id("cancel").click()

        expect(page.get_by_test_id("status")).to_have_text("Stopped")
