"""Memory of every process over many photos: each is uploaded, encoded and clicked through the API.

    python -m benchmarks.served_memory [--photos N] [--megapixels M] [--set NAME=VALUE ...]

The server is `make run`'s in a data folder of its own. Every photo is a new one, so each is
encoded. Ten lines in the course of the run: resident memory of each process, and its peak, as the
kernel counts it. Time is not measured. Exit status 1 when the web process holds a fifth more at the
end than half-way.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import requests

from benchmarks import processes
from benchmarks.visitor import phone_photo
from tests.harness import environment
from tests.harness.stack import Stack, start_stack

GROWTH = 1.2


def one_photo(stack: Stack, seed: int, megapixels: float) -> None:
    """Upload and one click, which waits for the encoding; again while the server says that it is
    busy.
    """
    photo, size = phone_photo(seed, megapixels=megapixels)
    while True:
        made = requests.post(f"{stack.url}/v1/sessions/create", files={"file": photo}, timeout=120)
        if made.status_code != 503:
            break
        time.sleep(float(made.headers["Retry-After"]))
    made.raise_for_status()
    session = made.json()["session_id"]
    points = {"points": [[size[0] * 0.3, size[1] * 0.25, 1]]}
    requests.post(
        f"{stack.url}/v1/sessions/{session}/clicks", json=points, timeout=120
    ).raise_for_status()


def main() -> int:
    """Print the lines; 1 when memory grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--megapixels", type=float, default=1.0)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of the server"
    )
    options = parser.parse_args()
    environment.isolate()
    extra = dict(pair.split("=", 1) for pair in options.set)
    every = max(1, options.photos // 10)
    held = []
    with (
        tempfile.TemporaryDirectory() as folder,
        start_stack(Path(folder) / "home", extra) as stack,
    ):
        print(f"  at rest  {processes.show_memory(stack)}", flush=True)
        for number in range(1, options.photos + 1):
            one_photo(stack, number, options.megapixels)
            if number % every == 0:
                print(f"  {number:7d}  {processes.show_memory(stack)}", flush=True)
                held.append(max(now for now, _ in processes.memory_mib(stack).values()))
    grown = held[-1] / held[len(held) // 2 - 1]
    print(f"the largest process from half-way to the end: {grown:.2f}")
    return int(grown > GROWTH)


if __name__ == "__main__":
    sys.exit(main())
