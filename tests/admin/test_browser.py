"""The admin in a real browser: the strict policy lets everything of it work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from jobs import tasks
from sessions_app.models import Session
from tests.harness.factories import make_generation, make_ready_session

CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "/usr/bin/chromium")
# A violation is reported in the console and as an event; the event names the directive.
LISTEN = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not os.path.exists(CHROMIUM), reason="chromium is not installed"),
]


@contextmanager
def browser_page() -> Iterator[tuple[Page, list[str]]]:
    """A page of headless Chromium, and what it complained about."""
    complaints: list[str] = []

    def note(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(LISTEN)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
        browser.close()


def test_every_page_of_the_admin_keeps_to_the_policy(live_server: LiveServer) -> None:
    User.objects.create_superuser("boss", password="a long secret")
    session = make_ready_session()
    generation = make_generation(session=session)
    tasks.run_generation(str(generation.pk), 1)
    paths = [
        "",
        "sessions_app/session/",
        "sessions_app/session/?status=new&q=" + str(session.pk)[:8],
        f"sessions_app/session/{session.pk}/change/",
        "sessions_app/generation/",
        "sessions_app/wallpaper/",
        f"sessions_app/generation/{generation.pk}/change/",
        f"sessions_app/wallpaper/{session.wallpaper_id}/change/",
    ]
    violations: list[str] = []
    policies: set[str] = set()

    with browser_page() as (page, complaints):
        page.goto(f"{live_server.url}/admin/login/?next=/admin/")
        page.fill("#id_username", "boss")
        page.fill("#id_password", "a long secret")
        page.click("input[type=submit]")
        for path in paths:
            answer = page.goto(f"{live_server.url}/admin/{path}", wait_until="load")
            assert answer is not None
            assert answer.status == 200
            policies.add(answer.headers["content-security-policy"])
            violations += page.evaluate("window.violations")

    assert len(policies) == 1
    assert "style-src 'self'" in policies.pop()
    assert violations == []
    assert complaints == []


def test_a_session_is_seen_and_purged_with_the_mouse(live_server: LiveServer) -> None:
    User.objects.create_superuser("boss", password="a long secret")
    session_id = make_ready_session().pk

    with browser_page() as (page, complaints):
        page.goto(f"{live_server.url}/admin/login/?next=/admin/sessions_app/session/")
        page.fill("#id_username", "boss")
        page.fill("#id_password", "a long secret")
        page.click("input[type=submit]")
        page.click(f"text={str(session_id)[:8]}")
        overlay = page.locator(".room-photo .wall").bounding_box()
        photo = page.locator(".room-photo image").bounding_box()
        colour = page.locator(".room-photo .wall").evaluate("wall => getComputedStyle(wall).fill")
        page.click("text=Purge…")
        page.click("input[value=Purge]")
        told = page.inner_text(".messagelist")

    assert told == "Deleted 1 session(s) with 6 stored object(s)."
    assert overlay is not None
    assert photo is not None
    assert photo["width"] / photo["height"] == pytest.approx(320 / 240, rel=0.02)
    # The wall of the drawn room is the upper three quarters of the photo, at its full width.
    assert overlay["width"] == pytest.approx(photo["width"], rel=0.02)
    assert overlay["height"] > photo["height"] * 0.7
    assert colour == "rgb(224, 50, 125)"
    assert complaints == []
    assert not Session.objects.exists()
