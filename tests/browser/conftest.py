"""Headless Chromium against the whole product: real server, Valkey, worker and weights."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from sessions_app.catalogue import STATIC_DIR, sample_room
from tests.browser.room import Room
from tests.harness.stack import Stack

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, Any]:
    """A test that fails brings the ends of the server's logs along."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("live_stack")
    if report.failed and stack is not None:
        report.sections.append(("Logs of the stack", stack.logs()))
    return report


@pytest.fixture(scope="module")
def playwright_driver() -> Iterator[Playwright]:
    """Playwright's driver; it ends with the file, since with its event loop running Django's tests
    refuse to touch the database.
    """
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chromium(playwright_driver: Playwright) -> Iterator[Browser]:
    """One browser for the tests of a file; each test opens contexts (visitors) of its own."""
    path = os.environ.get("WALLPAPER_CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here; `apt install chromium` or set WALLPAPER_CHROMIUM")
    browser = playwright_driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture
def visitor(chromium: Browser, live_stack: Stack) -> Iterator[Callable[..., BrowserContext]]:
    """Makes visitors: browser contexts with cookies of their own. What their pages complain about
    fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> BrowserContext:
        context = chromium.new_context(base_url=live_stack.url, **(options or DESKTOP))
        context.set_default_timeout(60_000)  # the first click waits for the encoding
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security" in message.text else None
            ),
        )
        # Shown by pytest with a test that fails, and only then.
        context.on("request", lambda sent: print(f"-> {sent.method} {sent.url}"))
        context.on("response", lambda answer: print(f"<- {answer.status} {answer.url}"))
        context.on("requestfailed", lambda sent: print(f"!! {sent.failure} {sent.url}"))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def page(visitor: Callable[..., BrowserContext]) -> Page:
    """A page on a desktop screen."""
    return visitor(**DESKTOP).new_page()


@pytest.fixture
def phone(visitor: Callable[..., BrowserContext]) -> Page:
    """A page on a phone."""
    return visitor(**PHONE).new_page()


@pytest.fixture(scope="session")
def room_photo() -> Path:
    """A sample room's photo, as a visitor would upload it."""
    found = sample_room("living-room")
    assert found is not None
    return Path(STATIC_DIR) / found.file


@pytest.fixture
def room(page: Page, room_photo: Path) -> Room:
    """The living room, uploaded, on a desktop screen."""
    return Room.upload(page, room_photo)


@pytest.fixture
def phone_room(phone: Page, room_photo: Path) -> Room:
    """The living room, uploaded, on a phone."""
    return Room.upload(phone, room_photo)
