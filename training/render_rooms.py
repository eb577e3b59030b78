"""Render random rooms with exact wall labels, for training; resumable, on a CPU.

    python training/render_rooms.py --out DIR --start 0 --count 200 [--views 2] [--size 640]

Needs training/requirements-render.txt (Blender as a Python package), not the product's environment.
Room N follows from the seed N alone; each is photographed --views times with new wall surfaces.
A second call goes on where the first stopped: finished rooms (those with a hidden .NNNNN.done)
are skipped. One process uses --threads cores; start several ranges side by
side. Per photo a folder NNNNN_V holds

    photo.jpg   8-bit sRGB, long side --size
    wall.png    255 where a wall of any look is seen (paint, paper, tiles, panelling, columns)
    planes.png  number of the wall plane, 0 where nothing is wall
    labels.png  class numbers: other, wall, floor, ceiling, door, window, trim, object,
                curtain, flat
    depth.png   255 * 0.5 m / z, clipped
    scene.json  seed, kind, traits, camera (K, R, t; x right, y down, z forward; pixel centres at
                integers), the seen planes' normals and offsets
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

# OpenCV reads Blender's float pictures only when told so before it is imported.
os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training.generator.building import build
from training.generator.rendering import setup
from training.generator.shooting import Studio, shoot
from training.generator.traits import (
    FURNISHINGS,
    RoomTraits,
    ViewTraits,
    draw_room_traits,
    draw_view_traits,
)


def main() -> None:
    """Render the rooms of one range of seeds."""
    a = _arguments()
    a.out.mkdir(parents=True, exist_ok=True)
    studio = Studio(a.out, a.size, a.out / f".scratch_{a.start}.exr")
    for seed in range(a.start, a.start + a.count):
        if studio.is_done(seed):
            continue
        if a.only and draw_room_traits(seed).furnishing not in a.only:
            continue
        try:
            _render_room(studio, seed, a)
            studio.set_done(seed)
        except (RuntimeError, ValueError, ArithmeticError, LookupError):
            # A rare degenerate room must not stop a long run.
            traceback.print_exc()
            print(f"room {seed} failed", flush=True)
    studio.scratch.unlink(missing_ok=True)


def _render_room(studio: Studio, seed: int, a: argparse.Namespace) -> None:
    start = time.perf_counter()
    room = build(seed, draw_room_traits(seed) if not a.plain else RoomTraits())
    code = setup(a.samples, a.threads)
    print(f"{seed:05d} {room.kind}: built in {time.perf_counter() - start:.1f} s", flush=True)
    for view in range(a.views):
        traits = draw_view_traits(seed, view) if not a.plain else ViewTraits()
        start = time.perf_counter()
        share = shoot(room, code, studio, seed, view, traits)
        what = "no good view" if share is None else f"wall {share:.0%}"
        print(f"{seed:05d}_{view} {what}, {time.perf_counter() - start:.1f} s", flush=True)


def _arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--out", type=Path, required=True, help="folder of the rooms")
    p.add_argument("--start", type=int, default=0, help="first seed")
    p.add_argument("--count", type=int, default=20, help="number of rooms")
    p.add_argument("--views", type=int, default=2, help="photos of each room")
    p.add_argument("--size", type=int, default=640, help="long side in pixels")
    p.add_argument("--samples", type=int, default=3, help="paths a pixel")
    p.add_argument("--only", nargs="*", choices=FURNISHINGS, help="only seeds with this furnishing")
    p.add_argument("--plain", action="store_true", help="no traits: the first generator's rooms")
    p.add_argument("--threads", type=int, default=1, help="cores")
    return p.parse_args()


if __name__ == "__main__":
    main()
