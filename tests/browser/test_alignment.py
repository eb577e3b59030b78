"""The overlay and the preview lie exactly on the photo, at every window size and zoom."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.room import HEIGHT, WALL, WIDTH, Room

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]

WINDOWS = [(1440, 900), (1920, 1080), (1024, 700), (961, 1200), (800, 600), (390, 844), (320, 568)]
# Of a screen pixel: layout rounds to 1/64, and transforms of the svg to a little more.
TOLERANCE_PX = 0.1


def geometry(page: Page, point: tuple[float, float]) -> dict[str, Any]:
    """Boxes of the photo and what lies over it, and where the mask puts a photo pixel."""
    found: dict[str, Any] = page.evaluate(
        """([x, y]) => {
            const box = selector => {
                const element = document.querySelector(selector);
                if (!element) return null;
                const { left, top, width, height } = element.getBoundingClientRect();
                return [left, top, width, height];
            };
            const svg = document.querySelector('[data-testid="mask-overlay"]');
            const path = svg.querySelector("path");
            const shown = new DOMPoint(x, y).matrixTransform(path.getScreenCTM());
            const point = document.querySelector('[data-testid="point"] circle');
            const marker = point.getBoundingClientRect();
            return {
                photo: box('[data-testid="photo"]'),
                overlay: box('[data-testid="mask-overlay"]'),
                preview: box('[data-testid="preview-image"]'),
                shown: [shown.x, shown.y],
                marker: [marker.left + marker.width / 2, marker.top + marker.height / 2],
            };
        }""",
        list(point),
    )
    return found


def expected(photo: list[float], point: tuple[float, float]) -> list[float]:
    """Where a photo pixel's centre must be on the screen."""
    left, top, width, height = photo
    return [left + (point[0] + 0.5) / WIDTH * width, top + (point[1] + 0.5) / HEIGHT * height]


def clicked(room: Room) -> tuple[float, float]:
    """The one click, in photo pixels."""
    [(_, x, y)] = room.clicks()
    return x, y


@pytest.fixture
def papered(room: Room) -> Room:
    """A room with a marked wall and a preview."""
    room.click(WALL)
    room.choose(0)
    room.loaded("preview-image")
    return room


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_everything_lies_on_the_photo_at_every_window_size(
    papered: Room, window: tuple[int, int]
) -> None:
    papered.page.set_viewport_size({"width": window[0], "height": window[1]})
    papered.page.wait_for_timeout(150)

    found = geometry(papered.page, WALL)

    assert found["overlay"] == pytest.approx(found["photo"], abs=TOLERANCE_PX)
    assert found["preview"] == pytest.approx(found["photo"], abs=TOLERANCE_PX)
    assert found["shown"] == pytest.approx(expected(found["photo"], WALL), abs=TOLERANCE_PX)
    assert found["marker"] == pytest.approx(
        expected(found["photo"], clicked(papered)), abs=TOLERANCE_PX
    )
    # No letterbox inside the box: its proportions are the photo's.
    assert found["photo"][2] / found["photo"][3] == pytest.approx(WIDTH / HEIGHT, rel=2e-3)


@pytest.mark.parametrize("zoom", [0.5, 0.8, 1.25, 2.0])
def test_everything_lies_on_the_photo_at_every_zoom(papered: Room, zoom: float) -> None:
    # What a browser's zoom does: fewer CSS pixels in the window, more device pixels in each.
    session = papered.page.context.new_cdp_session(papered.page)
    session.send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": round(1440 / zoom),
            "height": round(900 / zoom),
            "deviceScaleFactor": zoom,
            "mobile": False,
        },
    )
    papered.page.wait_for_timeout(150)

    found = geometry(papered.page, WALL)

    assert found["overlay"] == pytest.approx(found["photo"], abs=TOLERANCE_PX)
    assert found["shown"] == pytest.approx(expected(found["photo"], WALL), abs=TOLERANCE_PX)


def test_the_photo_takes_clicks_while_the_preview_is_shown(papered: Room) -> None:
    before = papered.part("preview-image").get_attribute("src")

    papered.click((300, 160))

    assert len(papered.points()) == 2
    assert papered.part("preview-image").get_attribute("src") != before


def test_a_phone_page_does_not_scroll_sideways(phone_room: Room) -> None:
    phone_room.tap(WALL)
    phone_room.choose(0)

    wide = phone_room.page.evaluate("() => document.documentElement.scrollWidth")

    assert wide <= 390
