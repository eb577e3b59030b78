"""Seconds per stage of a render, and its peak memory: preview, 12 and 50 megapixels.

    python -m benchmarks.rendering_speed [--sides 1280 4000 8660] [--threads 1]

The room is drawn here (a wall seen at an angle that fills 60 % of the picture, a lamp's light on
it, noise), so it runs in any clone. Every size runs in a process of its own: memory is that
process's peak. The baseline is OpenCV's plain warp and alpha blend of the same paper: no filter, no
light.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rendering import Placement, estimate_plane, plane_from_quad, render  # noqa: E402


def room(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Photo, mask and the wall's quad; ``side`` pixels wide, 3:4 high."""
    height = side * 3 // 4
    quad = np.array([[0.1, 0.08], [0.98, 0.2], [0.98, 0.8], [0.1, 0.95]]) * (side, height)
    small = np.full((300, 400, 3), 205, np.float32)
    y, x = np.mgrid[0:300, 0:400]
    small *= (0.5 + 0.5 * np.exp(-((x - 250) ** 2 + (y - 90) ** 2) / 9000.0))[..., None]
    photo = cv2.resize(small, (side, height), interpolation=cv2.INTER_CUBIC)
    rng = np.random.default_rng(0)
    tile = rng.normal(0, 2, (512, 512, 1)).astype(np.float32)
    photo = photo + np.tile(tile, (height // 512 + 1, side // 512 + 1, 1))[:height, :side]
    mask = np.zeros((height, side), np.uint8)
    cv2.fillPoly(mask, [quad.astype(np.int32)], 255)
    cv2.circle(mask, (side // 2, height * 3 // 4), side // 8, 0, -1)
    picture = np.clip(photo, 0, 255).astype(np.uint8)
    picture[mask == 0] //= 2
    return picture, mask, quad


def peak() -> float:
    """This process's peak resident memory, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(side: int) -> None:
    """Measure one size and print a row."""
    photo, mask, quad = room(side)
    rng = np.random.default_rng(1)
    paper = np.asarray(
        cv2.resize(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8), (2048, 2048)), np.uint8
    )
    plane = plane_from_quad(quad, (4.0, 2.5))
    before = peak()
    render(photo[:64, :64], np.full((64, 64), 255, np.uint8), paper, plane, Placement(0.53))
    start, cpu = time.perf_counter(), time.process_time()
    done = render(photo, mask, paper, plane, Placement(0.53))
    total, cpu = time.perf_counter() - start, time.process_time() - cpu
    memory = peak()
    start = time.perf_counter()
    grown = cv2.warpPerspective(
        paper, plane.H @ np.diag([4.0 / 2048, 2.5 / 2048, 1]), (photo.shape[1], photo.shape[0])
    )
    alpha = mask[..., None] / np.float32(255)
    (photo + alpha * (grown - photo.astype(np.float32))).astype(np.uint8)
    plain = time.perf_counter() - start
    start = time.perf_counter()
    estimate_plane(photo, mask)
    planes = time.perf_counter() - start
    stages = "  ".join(f"{k} {v:.3f}" for k, v in done.timings.items())
    print(
        f"{side:5d} px {photo.size / 3e6:5.1f} MP  total {total:.3f} s, cpu {cpu:.3f} s"
        f"  (plain warp {plain:.3f})"
        f"  plane {planes:.3f}  [{stages}]  peak {memory:.0f} MB (inputs {before:.0f})",
        flush=True,
    )


def main() -> None:
    """One process a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[1280, 4000, 8160])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", type=int)
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    if options.one:
        one(options.one)
        return
    for side in options.sides:
        command = [sys.executable, __file__, "--one", str(side), "--threads", str(options.threads)]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
