"""The flow of docs/api.md against the running product: web, worker, queue and weights as `make run`
starts them.
"""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from tests.harness.stack import Stack

pytestmark = [pytest.mark.model, pytest.mark.slow]

DEADLINE_SECONDS = 120.0


def wait_for_the_end(address: str) -> dict[str, Any]:
    """The status once the generation has ended."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        status: dict[str, Any] = requests.get(address, timeout=30).json()
        if status["status"] in ("completed", "failed"):
            return status
        time.sleep(0.5)
    raise AssertionError(f"still {status}")


def test_a_photo_goes_in_and_comes_out_with_a_wallpaper(
    live_stack: Stack, repository: Path
) -> None:
    photo = repository / "static" / "samples" / "living-room.jpg"
    site = f"{live_stack.url}/v1"

    with photo.open("rb") as file:
        created = requests.post(f"{site}/sessions/create", files={"file": file}, timeout=60)
    links = created.json()["links"]
    clicked = requests.post(links["clicks"], json={"points": [[400, 300, 1]]}, timeout=60)
    slug = requests.get(f"{site}/wallpapers", timeout=30).json()["wallpapers"][0]["slug"]
    queued = requests.post(
        links["generate"],
        json={"wallpaper": slug},
        headers={"Idempotency-Key": "order-7"},
        timeout=60,
    )
    status = wait_for_the_end(queued.json()["status_url"])
    result = requests.get(status["result_url"], timeout=60)
    deleted = requests.delete(links["self"], timeout=60)
    afterwards = requests.get(status["result_url"], timeout=60)

    assert [answer.status_code for answer in (created, clicked, queued, result, deleted)] == [
        201,
        200,
        202,
        200,
        204,
    ], live_stack.logs()
    assert afterwards.status_code in {404, 410}
    assert status["error"] is None
    assert 0.01 < clicked.json()["mask"]["area"] < 0.9
    before = np.asarray(Image.open(photo).convert("RGB")).astype(int)
    after = np.asarray(Image.open(io.BytesIO(result.content))).astype(int)
    assert after.shape == before.shape
    changed = np.abs(after - before).max(axis=2) > 0
    # The click's wall has changed; the rug in the corner, far from any wall, has not.
    assert changed[280:320, 380:400].mean() > 0.9
    assert not changed[-40:, 500:700].any()


def test_a_body_of_unknown_length_is_answered_in_json(live_stack: Stack) -> None:
    def chunks() -> Any:
        yield b'{"points": '
        yield b"[[1, 2, 1]]}"

    answer = requests.post(
        f"{live_stack.url}/v1/sessions/{'0' * 8}-0000-4000-8000-{'0' * 12}/clicks",
        data=chunks(),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
