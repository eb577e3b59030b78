"""Both services as doubles, with the waiting times of seconds brought down to hundredths."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jobs.backends import GenerationInputs
from jobs.backends.diffusion import client, concurrency, deadline, replicate, result_link
from rendering import Placement, plane_from_quad
from tests.backends.doubles import Automatic1111Double, ReplicateDouble, serving
from tests.harness.factories import HEIGHT, WIDTH, paper_pixels, room_pixels, wall_mask

PASSWORD = "pass-word-1234"
TOKEN = "r8_secret_token_5678"
PUBLIC = "93.184.216.34"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait is longer than a few hundredths of a second."""
    monkeypatch.setattr(client, "PAUSES_SECONDS", (0.01,))
    monkeypatch.setattr(deadline, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(concurrency, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(replicate, "FIRST_POLL_SECONDS", 0.01)
    monkeypatch.setattr(replicate, "LAST_POLL_SECONDS", 0.03)


@pytest.fixture
def automatic1111(quick: None, settings: Any) -> Iterator[Automatic1111Double]:
    """The self-hosted server, and the settings that lead to it."""
    double = Automatic1111Double(authorization="Basic YW5uOnBhc3Mtd29yZC0xMjM0")
    with serving(double):
        settings.AUTOMATIC1111_URL = double.url
        settings.AUTOMATIC1111_USER = "ann"
        settings.AUTOMATIC1111_PASSWORD = PASSWORD
        settings.AUTOMATIC1111_TIMEOUT_SECONDS = 20
        settings.DEFAULT_GENERATION_BACKEND = "automatic1111"
        yield double


@pytest.fixture
def hosted(
    quick: None, settings: Any, monkeypatch: pytest.MonkeyPatch, valkey: str
) -> Iterator[ReplicateDouble]:
    """The hosted service and its settings; every public name is at the double's port."""
    double = ReplicateDouble(authorization=f"Bearer {TOKEN}")

    def dial(address: str, port: int, timeout: float) -> socket.socket:
        return socket.create_connection(("127.0.0.1", double.port), timeout)

    monkeypatch.setattr(result_link, "resolve", lambda host, port: [PUBLIC])
    monkeypatch.setattr(result_link, "dial_address", dial)
    with serving(double):
        settings.REPLICATE_API_URL = double.url
        settings.REPLICATE_API_TOKEN = TOKEN
        settings.REPLICATE_MODEL = "own/er"
        settings.REPLICATE_TIMEOUT_SECONDS = 20
        settings.DEFAULT_GENERATION_BACKEND = "replicate"
        yield double


@pytest.fixture
def inputs() -> GenerationInputs:
    """What a backend gets: the drawn room, its wall with a soft left edge, a wallpaper."""
    mask = wall_mask()
    mask[:, :8] = np.linspace(0, 255, 8).astype(np.uint8)[None, :]
    quad = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT * 0.75], [0, HEIGHT * 0.75]], np.float64)
    return GenerationInputs(
        photo=room_pixels(),
        mask=mask,
        wallpaper=paper_pixels(),
        plane=plane_from_quad(quad, (3.2, 1.8)),
        placement=Placement(repeat_width_m=0.5),
    )
