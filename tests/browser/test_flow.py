"""The whole job in a browser: photo, click, wallpaper, preview, picture."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.room import HEIGHT, SOFA, WALL, WIDTH, Room
from tests.harness.factories import as_file, paper_pixels

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]


def finish(room: Room) -> None:
    """From an uploaded room to its picture, on whatever screen."""
    room.choose(1)
    room.loaded("preview-image")
    expect(room.part("attempts-left")).to_have_text("10")
    room.generate()
    room.loaded("result-image")
    expect(room.part("attempts-left")).to_have_text("9")
    expect(room.part("error")).to_be_hidden()


def downloaded(room: Room) -> Image.Image:
    """The full-size picture behind the download link."""
    with room.page.expect_download() as caught:
        room.part("download").click()
    path = caught.value.path()
    assert caught.value.suggested_filename.endswith(".png")
    return Image.open(io.BytesIO(Path(path).read_bytes()))


def test_the_whole_job_on_a_desktop_screen(room: Room) -> None:
    room.click(WALL)
    expect(room.part("mask-overlay")).to_be_visible()

    finish(room)

    assert downloaded(room).size == (WIDTH, HEIGHT)


def test_the_whole_job_on_a_phone(phone_room: Room) -> None:
    phone_room.tap(WALL)
    expect(phone_room.part("mask-overlay")).to_be_visible()

    finish(phone_room)

    assert downloaded(phone_room).size == (WIDTH, HEIGHT)


def test_a_sample_room_is_one_press_away(page: Page) -> None:
    page.goto("/")

    page.get_by_test_id("sample-room").nth(1).click()

    expect(page.get_by_test_id("photo")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Your rooms")).to_be_visible()


def test_the_wall_is_found_without_a_click(room: Room) -> None:
    with room.answered("/find-wall/"):
        room.part("find-wall").click()

    expect(room.part("mask-overlay")).to_be_visible()
    expect(room.part("clear")).to_be_enabled()


def test_a_wallpaper_file_hangs_as_soon_as_it_is_chosen(room: Room) -> None:
    room.click()
    paper = {"name": "discs.png", "mimeType": "image/png", "buffer": as_file(paper_pixels())}

    with room.answered("/wallpaper/upload/"):
        room.part("wallpaper-file").set_input_files(paper)  # type: ignore[arg-type]

    room.loaded("preview-image")
    assert room.part("wallpaper-option").first.locator("input").is_checked()
    expect(room.part("repeat-width")).to_have_value("53")


def test_a_new_repeat_width_changes_the_preview(room: Room) -> None:
    room.click()
    room.choose(0)
    before = room.part("preview-image").get_attribute("src")

    with room.answered("/placement/"):
        room.part("repeat-width").fill("120")
        room.part("repeat-width").press("Enter")

    expect(room.part("preview-image")).not_to_have_attribute("src", str(before))
    room.loaded("preview-image")
    room.page.reload()
    expect(room.part("repeat-width")).to_have_value("120")


def test_a_typed_repeat_width_is_shown_without_leaving_the_field(room: Room) -> None:
    room.click()
    room.choose(0)

    with room.answered("/placement/"):
        room.part("repeat-width").fill("75")

    room.loaded("preview-image")
    expect(room.part("repeat-width")).to_be_focused()


def test_the_stepper_widens_the_repeat_once_for_a_run_of_presses(room: Room) -> None:
    room.click()
    room.choose(0)
    width = float(room.part("repeat-width").input_value())

    with room.answered("/placement/"):
        for _ in range(3):
            room.page.get_by_label("Wider").click()

    assert float(room.part("repeat-width").input_value()) > width


def test_before_and_after_are_compared_by_keyboard(room: Room) -> None:
    room.click()
    room.choose(0)
    room.generate()
    slider = room.part("compare")

    slider.focus()
    slider.press("Home")

    expect(slider).to_have_value("0")
    clip = room.part("result-image").evaluate("image => getComputedStyle(image).clipPath")
    assert re.fullmatch(r"inset\(0(px|%)?( 0(px|%)?)*\)", clip), clip


def test_another_wallpaper_is_tried_on_the_same_wall(room: Room) -> None:
    room.click()
    room.choose(0)
    room.generate()

    room.part("try-another").click()
    room.choose(2)
    room.part("generate").click()

    expect(room.part("attempts-left")).to_have_text("8")
    room.completed()
    expect(room.page.locator(".earlier li")).to_have_count(1)
    assert len(room.points()) == 1


def test_the_mask_leaves_the_sofa_alone(room: Room) -> None:
    room.click(WALL)

    covered = room.page.evaluate(
        """([x, y]) => {
            const path = document.querySelector("#wall-path");
            const inside = (px, py) => path.isPointInFill(new DOMPoint(px, py));
            return [inside(x[0], x[1]), inside(y[0], y[1])];
        }""",
        [WALL, SOFA],
    )

    assert covered == [True, False]
