"""Double clicks, reloads, the back button, second tabs: nothing breaks or is done twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.room import WALL, Room
from tests.harness.factories import as_file, paper_pixels
from tests.harness.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def ready(room: Room) -> Room:
    """A room with a wall and a wallpaper."""
    room.click(WALL)
    room.choose(0)
    return room


def test_a_double_click_on_generate_takes_one_attempt(ready: Room) -> None:
    ready.part("generate").dblclick()

    ready.completed()
    expect(ready.part("attempts-left")).to_have_text("9")


def test_two_tabs_that_generate_at_once_take_one_attempt(ready: Room) -> None:
    other = Room(ready.page.context.new_page())
    other.page.goto(ready.page.url)

    ready.part("generate").click(no_wait_after=True)
    other.part("generate").click(no_wait_after=True)

    ready.completed()
    other.completed()
    expect(ready.part("attempts-left")).to_have_text("9")
    expect(other.part("attempts-left")).to_have_text("9")


def test_a_reload_while_the_picture_is_made_goes_on_following_it(ready: Room) -> None:
    ready.part("generate").click()
    expect(ready.part("status")).not_to_have_attribute("data-status", "embedding_completed")

    ready.page.reload()

    ready.completed()
    expect(ready.part("attempts-left")).to_have_text("9")


def test_a_reload_of_a_finished_room_shows_everything_again(ready: Room) -> None:
    ready.generate()

    ready.page.reload()

    expect(ready.part("mask-overlay")).to_be_visible()
    ready.loaded("preview-image")
    ready.loaded("result-image")
    expect(ready.part("status")).to_have_attribute("data-status", "completed")


def test_the_back_button_returns_to_a_true_page(ready: Room) -> None:
    ready.page.goto("/")
    ready.page.go_back()

    expect(ready.part("mask-overlay")).to_be_visible()
    expect(ready.part("wallpaper-option").first.locator("input")).to_be_checked()
    ready.generate()


def test_a_second_tab_sees_what_the_first_did(ready: Room) -> None:
    other = Room(ready.page.context.new_page())

    other.page.goto(ready.page.url)

    assert other.points() == ready.points()
    expect(other.part("preview-image")).to_be_visible()


def test_another_visitor_does_not_see_the_room(
    ready: Room, visitor: Callable[..., BrowserContext]
) -> None:
    stranger = visitor(**DESKTOP).new_page()

    answer = stranger.goto(ready.page.url)

    assert answer is not None
    assert answer.status == 404
    expect(stranger.get_by_role("link", name="Start with a photo")).to_be_visible()


def test_a_bad_link_is_answered_and_changes_nothing(ready: Room) -> None:
    before = ready.part("preview-image").get_attribute("src")

    for link, words in (("ftp://example.org/a.png", "http"), ("http://127.0.0.1/a.png", "link")):
        with ready.answered("/wallpaper/link/"):
            ready.part("wallpaper-url").fill(link)
            ready.part("wallpaper-url").press("Enter")
        ready.refused(words)

    assert ready.part("preview-image").get_attribute("src") == before


def test_an_error_stays_while_the_picture_is_followed(ready: Room, live_stack: Stack) -> None:
    worker = live_stack.children()["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        ready.part("generate").click()
        expect(ready.part("status")).to_have_attribute("data-status", "queued")
        with ready.answered("/wallpaper/link/"):
            ready.part("wallpaper-url").fill("ftp://example.org/a.png")
            ready.part("wallpaper-url").press("Enter")
        ready.refused("http")

        with ready.page.expect_response(lambda answer: answer.url.endswith("/status/")):
            pass
        ready.page.wait_for_timeout(300)

        expect(ready.part("error")).to_be_visible()
    finally:
        os.kill(worker, signal.SIGCONT)
    ready.completed()


def test_choices_made_while_another_is_under_way_are_kept_in_order(ready: Room) -> None:
    paper = {"name": "discs.png", "mimeType": "image/png", "buffer": as_file(paper_pixels())}
    # By name: where it stands changes when the brought one joins the gallery.
    wanted = ready.part("wallpaper-option").filter(has_text="Midnight Peony")

    ready.part("wallpaper-file").set_input_files(paper)  # type: ignore[arg-type]
    with ready.answered("/wallpaper/design/"):
        wanted.click()

    expect(ready.part("wallpaper-option").filter(has_text="discs")).to_have_count(1)
    expect(wanted.locator("input")).to_be_checked()
    ready.page.reload()
    expect(wanted.locator("input")).to_be_checked()


def test_a_text_file_is_refused_on_the_start_page(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "room.jpg"
    file.write_text("this is not a picture")
    page.goto("/")

    page.get_by_test_id("photo-input").set_input_files(file)

    Room(page).refused("not|picture|image")
    expect(page.get_by_text("Choose a photo")).to_be_visible()


def test_generating_without_a_wall_is_answered(room: Room) -> None:
    room.part("generate").click()

    room.refused("click the wall")
    expect(room.part("attempts-left")).to_have_text("10")


def test_a_lost_connection_is_said_and_forgotten_when_it_is_back(ready: Room) -> None:
    ready.page.context.set_offline(True)
    ready.part("photo").click(position=ready.spot((300, 160)))  # type: ignore[arg-type]
    ready.refused("connection")

    ready.page.context.set_offline(False)
    ready.click((320, 160))

    expect(ready.part("error")).to_be_hidden()


def test_without_a_worker_the_page_says_that_it_waits(ready: Room, live_stack: Stack) -> None:
    worker = live_stack.children()["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        ready.part("generate").click()
        expect(ready.part("status")).to_have_attribute("data-status", "queued")
        expect(ready.part("status-detail")).to_contain_text("0 s")
    finally:
        os.kill(worker, signal.SIGCONT)
    ready.completed()
