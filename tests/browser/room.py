"""A room's page as a visitor handles it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Locator, Page, expect

expect.set_options(timeout=15_000)

# The living room of the samples: its size, a point on the wall, and one on the sofa.
WIDTH, HEIGHT = 1152, 864
WALL = (700, 200)
SOFA = (560, 590)
DONE_MS = 90_000


@dataclass(frozen=True, slots=True)
class Room:
    """The page of one room."""

    page: Page

    @classmethod
    def upload(cls, page: Page, photo: Path) -> Room:
        """Upload a photo on the start page and arrive in its room."""
        page.goto("/")
        page.get_by_test_id("photo-input").set_input_files(photo)
        expect(page.get_by_test_id("photo")).to_be_visible()
        return cls(page)

    def part(self, name: str) -> Locator:
        """The element of that test id."""
        return self.page.get_by_test_id(name)

    def spot(self, point: tuple[float, float]) -> dict[str, float]:
        """Where a photo pixel is shown, from the corner of the photo's box."""
        box = self.box("photo")
        return {
            "x": (point[0] + 0.5) / WIDTH * box["width"],
            "y": (point[1] + 0.5) / HEIGHT * box["height"],
        }

    def box(self, name: str) -> dict[str, float]:
        """The element's box on the screen."""
        found = self.part(name).bounding_box()
        assert found is not None, f"{name} is not shown"
        return {
            "x": found["x"],
            "y": found["y"],
            "width": found["width"],
            "height": found["height"],
        }

    def click(
        self, point: tuple[float, float] = WALL, button: Literal["left", "right"] = "left"
    ) -> None:
        """Click a photo pixel and wait for the answer."""
        with self.answered("/clicks/"):
            self.part("photo").click(position=self.spot(point), button=button)  # type: ignore[arg-type]

    def tap(self, point: tuple[float, float] = WALL) -> None:
        """Tap a photo pixel and wait for the answer."""
        with self.answered("/clicks/"):
            self.part("photo").tap(position=self.spot(point))  # type: ignore[arg-type]

    @contextmanager
    def answered(self, path: str) -> Iterator[None]:
        """Wait, at the end of the block, for the answer to a POST begun in it to be shown."""
        with self.page.expect_response(
            lambda response: path in response.url and response.request.method == "POST"
        ):
            yield
        # The answer is in the browser; htmx shows it in the same turn and settles within 20 ms.
        self.until("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")

    def until(self, script: str, argument: Any = None, *, seconds: float = 30) -> None:
        """Wait for a script to say yes (the content policy forbids Playwright's own waiting by
        eval).
        """
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(script, argument):
            assert time.monotonic() < deadline, f"never came true: {script}"
            self.page.wait_for_timeout(40)

    def points(self) -> list[str]:
        """The clicks in force, as the page lists them."""
        return [
            text
            for text in self.part("click-list").locator("li").all_text_contents()
            if text != "No clicks yet"
        ]

    def clicks(self) -> list[tuple[str, float, float]]:
        """The clicks in force as they are drawn: include or exclude, and the photo pixel x, y."""
        return [clicked(marker) for marker in self.part("point").all()]

    def choose(self, number: int = 0) -> None:
        """Choose a wallpaper of the gallery and wait for it to hang."""
        with self.answered("/wallpaper/design/"):
            self.part("wallpaper-option").nth(number).click()

    def generate(self) -> None:
        """Press Generate and wait for the picture."""
        self.part("generate").click()
        self.completed()

    def completed(self) -> None:
        """Wait for the picture."""
        expect(self.part("status")).to_have_attribute("data-status", "completed", timeout=DONE_MS)
        expect(self.part("result-image")).to_be_visible()

    def loaded(self, name: str) -> None:
        """Wait until the picture of that test id has arrived and is one."""
        self.until(
            """name => {
                const image = document.querySelector(`[data-testid="${name}"]`);
                return image && image.complete && image.naturalWidth > 0;
            }""",
            name,
        )

    def refused(self, words: str) -> None:
        """Wait for the alert to say this."""
        expect(self.part("error")).to_be_visible()
        expect(self.part("error")).to_contain_text(re.compile(words, re.IGNORECASE))


def clicked(marker: Locator) -> tuple[str, float, float]:
    """What a click's marker shows: include or exclude, and the photo pixel x, y."""
    kind = (marker.get_attribute("class") or "").partition("--")[2]
    left, top = (float((marker.get_attribute(name) or "").rstrip("%")) / 100 for name in "xy")
    return kind, left * WIDTH - 0.5, top * HEIGHT - 0.5
