"""The first click after an upload: the time from the photo's last byte to the overlay.

    python -m benchmarks.served_first_click [--megapixels M] [--photos N] [--rendering]

The server is `make run`'s in a data folder of its own; every photo is new to it. The visitor
uploads a JPEG as a phone writes it (lying on its side, by its EXIF), follows to the room and clicks
at once. In turns with it one stock encode, on the threads that the product's encoder has. Times
count from the moment the upload's last byte was handed to the kernel.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import worker_load
from benchmarks.stock import Stock
from benchmarks.visitor import Visitor, phone_photo, random_wall_point
from tests.harness import environment
from tests.harness.stack import Stack, start_stack

TARGET_ENCODES = 1.6


def upload_and_click(stack: Stack, photo: bytes, at: tuple[int, int]) -> tuple[float, float]:
    """Seconds from the upload's last byte to its answer, and to the overlay."""
    visitor = Visitor(stack.url)
    answer = visitor.upload(photo)
    sent = time.perf_counter() - answer.seconds
    overlay = visitor.click(answer.headers["location"], at)
    if overlay.status != 200 or b"mask-overlay" not in overlay.body:
        raise SystemExit(f"click: {overlay.status} {overlay.body[:300]!r}")
    return answer.seconds, time.perf_counter() - sent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--photos", type=int, default=11)
    parser.add_argument("--rendering", action="store_true", help="while the worker makes pictures")
    options = parser.parse_args()
    environment.isolate()
    threads = min(4, len(os.sched_getaffinity(0)))
    photos = [phone_photo(seed, megapixels=options.megapixels) for seed in range(options.photos)]
    size = photos[0][1]
    stock = Stock(Path(os.environ["SAM_MODEL_DIR"]), size=size, encoder_threads=threads)
    rng = np.random.default_rng(5)
    encodes, answers, overlays = [], [], []
    with ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory()))
        stack = block.enter_context(start_stack(folder / "home", worker_load.SETTINGS))
        pictures = block.enter_context(worker_load.rendering(stack)) if options.rendering else []
        for photo, _ in photos:
            encodes.append(stock.encode())
            answered, shown = upload_and_click(stack, photo, random_wall_point(rng, size))
            answers.append(answered)
            overlays.append(shown)
    encode = statistics.median(encodes)
    print(
        f"{options.photos} photos of {size[0]} x {size[1]}, "
        f"{len(photos[0][0]) / 1e6:.1f} MB; medians"
    )
    print(f"  {f'stock encode, {threads} threads':34}{1000 * encode:8.0f} ms   1.00")
    rows = {
        "upload answered": statistics.median(answers),
        "overlay of the first click": statistics.median(overlays),
        "the same, first photo of the server": overlays[0],
    }
    for name, seconds in rows.items():
        print(f"  {name:34}{1000 * seconds:8.0f} ms{seconds / encode:7.2f}")
    print(f"  target: {TARGET_ENCODES} stock encodes")
    if options.rendering:
        worker_load.show_pictures(pictures)


if __name__ == "__main__":
    main()
