"""Photo in, picture out, through the JSON API of the real stack as production has it.

The same as a fresh clone has it: tests/api/test_live.py.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image

from sessions_app.log_digests import log_digest
from tests.harness import servers
from tests.harness.environment import ROOT
from tests.harness.stack import Stack, start_stack

pytestmark = [pytest.mark.model, pytest.mark.slow]

DONE_WITHIN_SECONDS = 120.0
ROOM = ROOT / "static" / "samples" / "living-room.jpg"


@pytest.fixture
def stack(
    s3_server: servers.S3Server,
    postgres_server: str,
    valkey: str,
    tmp_path: Path,
) -> Iterator[Stack]:
    """The product on PostgreSQL, S3 and a Redis of the operator's."""
    environment = {
        "DATABASE_URL": postgres_server,
        "REDIS_URL": valkey,
        **s3_server.environment(),
    }
    with start_stack(tmp_path / "home", environment) as running:
        yield running


def finished(stack: Stack, session_id: str) -> dict[str, Any]:
    """The session's status once its generation has ended."""
    deadline = time.monotonic() + DONE_WITHIN_SECONDS
    while time.monotonic() < deadline:
        body = requests.get(f"{stack.url}/v1/sessions/{session_id}/status", timeout=30).json()
        if body["status"] in {"completed", "failed"}:
            return dict(body)
        time.sleep(0.5)
    raise AssertionError(f"no end in sight: {body}\n{stack.logs()}")


def test_in_production_a_photo_becomes_a_picture_with_only_the_wall_changed(
    stack: Stack,
) -> None:
    api = f"{stack.url}/v1/sessions"
    with ROOM.open("rb") as file:
        created = requests.post(f"{api}/create", files={"file": file}, timeout=60)
    assert created.status_code == 201, created.text
    session_id = created.json()["session_id"]
    width, height = created.json()["width"], created.json()["height"]

    points = {"points": [[width // 2, height // 5, 1]]}
    marked = requests.post(f"{api}/{session_id}/clicks", json=points, timeout=90)
    assert marked.status_code == 200, marked.text
    assert 0.01 < marked.json()["mask"]["area"] < 0.9

    asked = requests.post(f"{api}/{session_id}/generate", json={"wallpaper": "linen"}, timeout=60)
    assert asked.status_code == 202, asked.text
    status = finished(stack, session_id)
    assert status["status"] == "completed", f"{status}\n{stack.logs()}"
    assert f"session={log_digest(session_id)}" in stack.logs()
    assert session_id not in stack.logs()

    result = requests.get(f"{api}/{session_id}/result.png", timeout=60)
    picture = np.asarray(Image.open(io.BytesIO(result.content)).convert("RGB"), dtype=np.int16)
    photo = np.asarray(Image.open(ROOM).convert("RGB"), dtype=np.int16)
    changed = (np.abs(picture - photo).max(axis=2) > 8).mean()
    assert picture.shape == (height, width, 3)
    assert 0.01 < changed < 0.9

    assert requests.delete(f"{api}/{session_id}", timeout=30).ok
    assert requests.get(f"{api}/{session_id}/result.png", timeout=30).status_code in {404, 410}
