"""Many upload at the same moment: the page waits for its turn by itself."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.harness.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# With a token in the cookie the server reads the body, to see whether the form has the same.
START_OF_AN_UPLOAD = (
    b"POST /upload/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n--x\r\n"
)


@contextmanager
def uploads_that_do_not_end(stack: Stack, count: int) -> Iterator[None]:
    """So many senders whose network has gone, until the end of the block."""
    address = urlsplit(stack.url)
    assert address.port is not None
    with ExitStack() as open_ones:
        for _ in range(count):
            sender = socket.create_connection((address.hostname, address.port), timeout=60)
            open_ones.enter_context(sender)
            sender.sendall(START_OF_AN_UPLOAD)
        yield


def test_a_photo_that_finds_all_places_taken_is_sent_again_by_itself(
    page: Page, live_stack: Stack, room_photo: Path
) -> None:
    page.goto("/")
    state = page.locator("[data-upload-state]")

    with uploads_that_do_not_end(live_stack, settings.UPLOADS_AT_ONCE):
        page.get_by_test_id("photo-input").set_input_files(room_photo)
        expect(state).to_contain_text("The server is busy")
        expect(page.get_by_test_id("error")).to_be_hidden()

    expect(page).to_have_url(re.compile(r"/s/[0-9a-f-]{36}/$"))
    expect(page.get_by_test_id("photo")).to_be_visible()
