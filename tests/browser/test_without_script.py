"""The whole job with plain forms: no script, no htmx."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP
from tests.browser.room import WALL, clicked

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]


@pytest.fixture
def plain(visitor: Callable[..., BrowserContext]) -> Page:
    """A page whose scripts do not run."""
    return visitor(**DESKTOP, java_script_enabled=False).new_page()


def test_the_whole_job_without_script(plain: Page, room_photo: Path) -> None:
    plain.goto("/")
    plain.get_by_test_id("photo-input").set_input_files(room_photo)
    plain.get_by_role("button", name="Upload the photo").click()

    plain.locator("input[type=image]").click(position={"x": WALL[0], "y": WALL[1]})
    expect(plain.get_by_test_id("click-list")).to_contain_text("Click 1: include")
    kind, x, y = clicked(plain.get_by_test_id("point"))
    assert kind == "include"
    assert (x, y) == pytest.approx(WALL, abs=0.01)
    expect(plain.get_by_test_id("mask-overlay")).to_be_visible()

    plain.get_by_test_id("wallpaper-option").nth(1).click()
    plain.get_by_role("button", name="Use this wallpaper").click()
    expect(plain.get_by_test_id("preview-image")).to_be_visible()
    plain.get_by_test_id("generate").click()
    for _ in range(60):
        if plain.get_by_test_id("status").get_attribute("data-status") == "completed":
            break
        plain.wait_for_timeout(500)
        plain.reload()

    expect(plain.get_by_test_id("result-image")).to_be_visible()
    expect(plain.get_by_test_id("attempts-left")).to_have_text("9")


def test_a_refusal_without_script_is_on_the_page(plain: Page, room_photo: Path) -> None:
    plain.goto("/")
    plain.get_by_test_id("photo-input").set_input_files(room_photo)
    plain.get_by_role("button", name="Upload the photo").click()

    plain.get_by_test_id("generate").click()

    expect(plain.get_by_test_id("error")).to_contain_text("Click the wall")
    expect(plain.get_by_test_id("photo")).to_have_count(1)
