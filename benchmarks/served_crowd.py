"""Many visitors at once: twenty who click for a minute, then two hundred uploads at one moment.

    python -m benchmarks.served_crowd [--visitors N] [--seconds S] [--megapixels M] [--uploads N]
        [--upload-megapixels M] [--set NAME=VALUE ...]

The server is `make run`'s in a data folder of its own. First one visitor clicks alone, in turns
with decodes by the published files on one thread: this gives the CPU of one click and the time of
one stock decode. Then every visitor clicks at new places of a room of their own as fast as answers
come. At the end --uploads browsers upload a photo each at the same moment. A browser that gets
"busy" waits as long as Retry-After says and tries again. Any other answer is an error. Memory is
what the kernel counts for each process: resident, and at its peak. Exit status 1 on such an error.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import processes
from benchmarks.stock import Stock
from benchmarks.visitor import Visitor, phone_photo, random_wall_point
from tests.harness import environment
from tests.harness.stack import Stack, start_stack

TARGET_SHARE = 0.85
ALONE_CLICKS = 25
BUSY_SECONDS = 5.0


@dataclass(slots=True)
class Tally:
    """Answers by kind, and their seconds."""

    kinds: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, seconds: float) -> None:
        """One answer."""
        with self.lock:
            self.kinds[kind] += 1
            self.seconds.append(seconds)

    def total(self) -> int:
        """All answers."""
        return self.kinds.total()

    def percentile(self, share: int) -> float:
        """Seconds within which so many per cent were answered."""
        return float(np.percentile(self.seconds, share))


def together(count: int, work: Callable[[int], None]) -> None:
    """`work` of every number below `count`, all at once; the first failure is raised."""
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work, number) for number in range(count)]:
            done.result()


def settle(visitor: Visitor, room: str, size: tuple[int, int]) -> None:
    """One click, which waits for the encoding."""
    answer = visitor.click(room, random_wall_point(np.random.default_rng(0), size))
    if answer.status != 200:
        raise SystemExit(f"click: {answer.status} {answer.body[:300]!r}")


def alone(stack: Stack, visitor: Visitor, room: str, stock: Stock) -> tuple[float, float]:
    """CPU seconds of the web process for one click, and seconds of one stock decode."""
    rng = np.random.default_rng(1)
    decodes, spent = [], 0.0
    for number in range(ALONE_CLICKS):
        if number % 5 == 0:
            visitor.post(f"{room}clicks/clear/", {})
        decodes.append(stock.decode())
        spent -= processes.cpu_seconds(stack, "web")
        visitor.click(room, random_wall_point(rng, stock.size))
        spent += processes.cpu_seconds(stack, "web")
    return spent / ALONE_CLICKS, statistics.median(decodes)


def clicks_at_once(
    visitors: list[Visitor], rooms: list[str], size: tuple[int, int], seconds: float
) -> Tally:
    """Everybody clicks until the time is over; a room starts anew after every five clicks."""
    tally = Tally()
    end = time.monotonic() + seconds

    def visit(number: int) -> None:
        rng = np.random.default_rng([3, number])
        clicks = 0
        while time.monotonic() < end:
            if clicks % 5 == 0:
                visitors[number].post(f"{rooms[number]}clicks/clear/", {})
            answer = visitors[number].click(rooms[number], random_wall_point(rng, size))
            clicks += 1
            tally.add(str(answer.status), answer.seconds)

    together(len(visitors), visit)
    return tally


def uploads_at_once(stack: Stack, photos: list[bytes]) -> tuple[Tally, Tally]:
    """All first answers, and from the start to the room of each."""
    first, whole = Tally(), Tally()
    visitors = [Visitor(stack.url) for _ in photos]

    def visit(number: int) -> None:
        started = time.perf_counter()
        tries = 0
        while True:
            answer = visitors[number].upload(photos[number])
            tries += 1
            kind = f"{answer.status} {answer.headers.get('x-error-code', '')}".strip()
            if tries == 1:
                first.add(kind, time.perf_counter() - started)
            if answer.status != 503 or "retry-after" not in answer.headers:
                whole.add(kind, time.perf_counter() - started)
                return
            time.sleep(float(answer.headers["retry-after"]))

    together(len(photos), visit)
    return first, whole


def show_clicks(tally: Tally, seconds: float, click: float, decode: float) -> None:
    """Throughput beside what the cores allow."""
    cores = len(os.sched_getaffinity(0))
    rate = tally.kinds["200"] / seconds
    print(f"  answers: {dict(tally.kinds)}, {rate:.1f} clicks a second on {cores} cores")
    print(
        f"  answered in {1000 * tally.percentile(50):.0f} ms (median), "
        f"{1000 * tally.percentile(95):.0f} ms (p95)"
    )
    for name, cost in (("stock decode", decode), ("the product's own click, alone", click)):
        print(
            f"  {rate * cost / cores:.2f} of cores / one {name} "
            f"({1000 * cost:.0f} ms; target {TARGET_SHARE})"
        )


def main() -> int:
    """Print the table; 1 on a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--upload-megapixels", type=float, default=2.0)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of the server"
    )
    options = parser.parse_args()
    environment.isolate()
    extra = dict(pair.split("=", 1) for pair in options.set)
    photo, size = phone_photo(1, megapixels=options.megapixels)
    others = [
        phone_photo(100 + n, megapixels=options.upload_megapixels)[0]
        for n in range(options.uploads)
    ]
    stock = Stock(Path(os.environ["SAM_MODEL_DIR"]), size=size, encoder_threads=1)
    with (
        tempfile.TemporaryDirectory() as folder,
        start_stack(Path(folder) / "home", extra) as stack,
    ):
        visitors = [Visitor(stack.url) for _ in range(options.visitors)]
        # One photo for all: its embedding is made once, while rooms and clicks are each visitor's
        # own.
        rooms = [visitor.create_session(photo) for visitor in visitors]
        settle(visitors[0], rooms[0], size)
        print(f"memory at rest:  {processes.show_memory(stack)}", flush=True)
        click, decode = alone(stack, visitors[0], rooms[0], stock)
        all_cores = stock.decodes_a_second(len(os.sched_getaffinity(0)), BUSY_SECONDS)
        print(f"{options.visitors} visitors click at once for {options.seconds:g} s, {size}")
        spent = -processes.cpu_seconds(stack, "web")
        clicks = clicks_at_once(visitors, rooms, size, options.seconds)
        spent += processes.cpu_seconds(stack, "web")
        show_clicks(clicks, options.seconds, click, decode)
        each = spent / max(1, clicks.total())
        print(f"  web process: {1000 * each:.0f} ms of CPU a click")
        rate = clicks.kinds["200"] / options.seconds
        print(
            f"  {rate / all_cores:.2f} of stock decodes with all cores busy "
            f"({all_cores:.1f} a second)"
        )
        print(f"memory after it: {processes.show_memory(stack)}", flush=True)
        wrong = clicks.total() - clicks.kinds["200"]
        if others:
            first, whole = uploads_at_once(stack, others)
            print(f"{len(others)} uploads of {options.upload_megapixels:g} MP at once")
            print(
                f"  first answers: {dict(first.kinds)}, the last after {max(first.seconds):.1f} s"
            )
            print(f"  in the end: {dict(whole.kinds)}, the last after {max(whole.seconds):.1f} s")
            print(f"memory after it: {processes.show_memory(stack)}")
            wrong += whole.total() - whole.kinds["302"]
    print(f"wrong answers: {wrong}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
