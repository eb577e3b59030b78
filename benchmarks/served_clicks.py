"""One visitor's clicks over HTTP, from request to complete answer, beside stock decodes.

    python -m benchmarks.served_clicks [--megapixels M] [--rounds N] [--clicks N] [--rendering]

The server is `make run`'s (launcher, gunicorn, worker, Valkey) in a data folder of its own. A room
of M megapixels is encoded first; then in turns one click at a new place and one decode by the
published files on one thread, to the mask at the photo's size. Every round starts from a cleared
room, so that its first click is the room's only one. `benchmarks.click_stages` says where in the
server the time goes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import processes, worker_load
from benchmarks.stock import Stock
from benchmarks.visitor import Visitor, phone_photo, random_wall_point
from tests.harness import environment
from tests.harness.stack import start_stack

TARGET_DECODES, TARGET_KB = 1.3, 60


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--clicks", type=int, default=5, help="of a round")
    parser.add_argument("--rendering", action="store_true", help="while the worker makes pictures")
    options = parser.parse_args()
    environment.isolate()
    photo, size = phone_photo(1, megapixels=options.megapixels)
    models = Path(os.environ["SAM_MODEL_DIR"])
    stock = Stock(models, size=size, encoder_threads=1)
    rng = np.random.default_rng(5)
    first: list[float] = []
    further: list[float] = []
    decodes, sizes = [], []
    with ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory()))
        stack = block.enter_context(start_stack(folder / "home", worker_load.SETTINGS))
        pictures = block.enter_context(worker_load.rendering(stack)) if options.rendering else []
        visitor = Visitor(stack.url)
        room = visitor.create_session(photo)
        visitor.click(room, random_wall_point(rng, size))  # waits for the encoding
        web = -processes.cpu_seconds(stack, "web")
        for _ in range(options.rounds):
            visitor.post(f"{room}clicks/clear/", {})
            for number in range(options.clicks):
                decodes.append(stock.decode())
                answer = visitor.click(room, random_wall_point(rng, size))
                if answer.status != 200:
                    raise SystemExit(f"click: {answer.status} {answer.body[:300]!r}")
                (further if number else first).append(answer.seconds)
                sizes.append(len(answer.body))
        web += processes.cpu_seconds(stack, "web")
    decode = statistics.median(decodes)
    print(f"{len(sizes)} clicks on {size[0]} x {size[1]}, one visitor, medians")
    print(f"  {'stock decode, 1 thread':32}{1000 * decode:8.1f} ms   1.00")
    for name, seconds in (
        ("click, all", first + further),
        ("first click of a room", first),
        ("further click", further),
    ):
        middle = statistics.median(seconds)
        print(f"  {name:32}{1000 * middle:8.1f} ms{middle / decode:7.2f}")
    print(f"  target: {TARGET_DECODES} stock decodes")
    print(f"  web process: {1000 * web / len(sizes):.1f} ms of CPU a click")
    print(f"  partial: at most {max(sizes) / 1000:.1f} KB (target: {TARGET_KB})")
    if options.rendering:
        worker_load.show_pictures(pictures)


if __name__ == "__main__":
    main()
