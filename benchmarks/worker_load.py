"""Keeps the worker of a running stack busy: requests one picture after another through the API."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from benchmarks.visitor import phone_photo
from tests.harness.stack import Stack

# Of the server: a room may ask for ten pictures otherwise.
SETTINGS = {"ATTEMPTS_PER_SESSION": "1000"}


@contextmanager
def rendering(stack: Stack, *, megapixels: float = 12.0) -> Iterator[list[float]]:
    """Until the end of the block; yields the seconds that each picture took, as they are made."""
    photo, size = phone_photo(999, megapixels=megapixels)
    api = f"{stack.url}/v1/sessions"
    made = requests.post(f"{api}/create", files={"file": photo}, timeout=120).json()
    room = f"{api}/{made['session_id']}"
    points = {"points": [[size[0] * 0.3, size[1] * 0.25, 1]]}
    requests.post(f"{room}/clicks", json=points, timeout=120).raise_for_status()
    seconds: list[float] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            requests.post(
                f"{room}/generate", json={"wallpaper": "linen"}, timeout=120
            ).raise_for_status()
            while not over.is_set():
                time.sleep(0.2)
                status = requests.get(f"{room}/status", timeout=120).json()
                if status["status"] in {"completed", "failed"}:
                    seconds.append(status["worked_seconds"])
                    break

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        time.sleep(1)  # the worker has begun
        yield seconds
    finally:
        over.set()
        thread.join()


def show_pictures(seconds: list[float]) -> None:
    """How many pictures were made meanwhile, and how long one took."""
    print(f"  meanwhile {len(seconds)} pictures of 12 MP, {statistics.median(seconds):.1f} s each")
