"""From choosing a wallpaper to its preview over HTTP: the first one of a wall, and further ones.

    python -m benchmarks.served_preview [--rounds N] [--megapixels M] [--pause SECONDS]

The server is `make run`'s in a data folder of its own. Every round is another photo: uploaded,
encoded, clicked; then the visitor waits for some seconds, chooses a design, and the page requests
its preview. Measured are the time from the choice to the preview's last byte, and the CPU of the
web process from the click's answer to the preview. Every preview is of another design, so that none
is ready before.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks import processes
from benchmarks.visitor import Visitor, phone_photo, random_wall_point
from tests.harness import environment
from tests.harness.stack import start_stack

PREVIEW = re.compile(rb'data-preview[^>]* src="([^"]+)"')
DESIGN = re.compile(rb'name="slug" id="paper-([^"]+)"')
FURTHER = 3
TARGET_MS = 250


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--megapixels", type=float, default=2.0)
    parser.add_argument("--pause", type=float, default=4.0, help="between click and choice")
    options = parser.parse_args()
    environment.isolate()
    rng = np.random.default_rng(5)
    first: list[float] = []
    further: list[float] = []
    taken: list[float] = []
    with ExitStack() as block:
        folder = Path(block.enter_context(tempfile.TemporaryDirectory()))
        stack = block.enter_context(start_stack(folder / "home", {}))
        visitor = Visitor(stack.url)
        for number in range(options.rounds + 1):
            photo, size = phone_photo(number, megapixels=options.megapixels)
            room = visitor.create_session(photo)
            visitor.click(room, random_wall_point(rng, size))
            cpu = processes.cpu_seconds(stack, "web")
            designs = sorted(set(DESIGN.findall(visitor.get(room).body)))
            time.sleep(options.pause)
            chosen = [designs[(number + k) % len(designs)].decode() for k in range(FURTHER + 1)]
            seconds = [seconds_to_preview(visitor, room, chosen[0])]
            cpu = processes.cpu_seconds(stack, "web") - cpu
            seconds += [seconds_to_preview(visitor, room, design) for design in chosen[1:]]
            if number:  # the server's very first makes its tables
                first.append(seconds[0])
                further += seconds[1:]
                taken.append(cpu)
    print(f"{options.rounds} photos of {size[0]} x {size[1]}, {options.pause} s after the click")
    for name, values in (("first preview", first), ("further ones", further)):
        print(
            f"  {name:16}{1000 * statistics.median(values):8.0f} ms median, "
            f"most {1000 * max(values):.0f}"
        )
    print(
        f"  web process from click to first preview: "
        f"{1000 * statistics.median(taken):.0f} ms of CPU"
    )
    print(f"  target: {TARGET_MS} ms")


def seconds_to_preview(visitor: Visitor, room: str, design: str) -> float:
    """Choose a design, then fetch the preview that the answer names."""
    started = time.perf_counter()
    answer = visitor.post(f"{room}wallpaper/design/", {"slug": design})
    found = PREVIEW.search(answer.body)
    if answer.status != 200 or found is None:
        raise SystemExit(f"choice: {answer.status} {answer.body[:300]!r}")
    preview = visitor.get(found[1].decode().replace("&amp;", "&"))
    if preview.status != 200 or not preview.body.startswith(b"\xff\xd8"):
        raise SystemExit(f"preview: {preview.status} {preview.body[:300]!r}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
