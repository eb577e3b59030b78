"""Take README's picture: the dining room of the samples, a few clicks, one wallpaper, in headless
Chromium.

Start the product (`make run`), then:

    .venv/bin/python -m tools.take_screenshots --url http://127.0.0.1:8000

Only a sample room is shown, which is our own render, so the picture may be committed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from sessions_app.catalogue import sample_room

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "visualizer.jpg"
MAX_BYTES = 400_000
WINDOW: ViewportSize = {"width": 1360, "height": 850}
DESIGN = "Robin & Rose"
# What a visitor would take away after the first answer: the curtain, the corner, the floor.
REFINEMENTS = (((773, 447), "right"), ((720, 246), "right"), ((400, 725), "right"))


def take(page: Page, url: str, out: Path) -> None:
    """Drive one sample room to its preview and photograph the page."""
    room = sample_room("dining-room")
    if room is None:
        raise SystemExit("There is no sample room called dining-room.")
    page.goto(url)
    page.get_by_role("button", name=room.title).click()
    photo = page.get_by_test_id("photo")
    photo.wait_for()
    box = photo.bounding_box()
    if box is None:
        raise SystemExit("The photo is not shown.")
    for (x, y), button in ((room.suggested_click, "left"), *REFINEMENTS):
        place = {"x": x / room.width * box["width"], "y": y / room.height * box["height"]}
        with page.expect_response(lambda answer: answer.url.endswith("/clicks/")):
            photo.click(position=place, button=button)  # type: ignore[arg-type]
    page.get_by_test_id("mask-overlay").wait_for()
    page.get_by_test_id("wallpaper-option").filter(has_text=DESIGN).click()
    page.get_by_test_id("preview-image").wait_for()
    page.locator('[data-stage][data-layer="paper"]').wait_for()
    page.mouse.move(5, 5)
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_timeout(1000)  # for fades to end
    out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=out, type="jpeg", quality=84)


def main() -> int:
    """Take the picture; exit status 1 when it is too large to commit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the product runs")
    parser.add_argument("--out", type=Path, default=PICTURE)
    options = parser.parse_args()
    chromium = os.environ.get("WALLPAPER_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        raise SystemExit("No chromium here; `apt install chromium` or set WALLPAPER_CHROMIUM.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        take(browser.new_page(viewport=WINDOW), options.url, options.out)
        browser.close()
    size = options.out.stat().st_size
    print(f"{options.out}: {size} bytes")
    return 1 if size > MAX_BYTES else 0


if __name__ == "__main__":
    sys.exit(main())
