"""Plane errors in rendered training rooms: one wall's mask, and the mask of all walls.

    python -m benchmarks.rendering_corners [--rooms N] [--data DIR ...] [--lens bent|straight]

Needs ../shared/data/training (photo, labels of planes, camera) or rooms that training/generator
made. Errors are RMS metres over the width of what is seen of a wall, best scale and shift taken
out, per true wall with at least 10 % of the mask. `one wall`: the mask covers one plane, so every
corner found is false. `all walls`: the mask covers all; printed beside the same estimate with its
corners left out (one plane for all) and the frontal guess. About a quarter of the generator's
photos are bent by barrel distortion; the truth is bent alike, and `--lens` takes one kind alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "training"
sys.path.insert(0, str(ROOT))

from rendering import estimate_plane  # noqa: E402
from rendering.geometry.plane import project  # noqa: E402

Truth = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Room:
    """A photo, the mask of all its walls, and per plane its pixels and where they truly lie on it.

    ``barrel``: k of the division model with radii over the half diagonal, 0 for a straight lens.
    """

    name: str
    photo: Any
    walls: Any
    planes: list[tuple[Any, Truth]]
    barrel: float


def picture(path: Path, *, grey: bool = False) -> Any:
    """BGR uint8 H x W x 3, or H x W when grey."""
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if found is None:
        raise SystemExit(f"{path} is missing or no picture")
    return found


def rooms(folders: list[Path], limit: int, lens: str = "any") -> Iterator[Room]:
    """Rooms spread over the sets; ``lens``: "any", "bent" or "straight"."""
    found = []
    for path in sorted(p for folder in folders for p in folder.glob("*/scene.json")):
        scene = json.loads(path.read_text())
        barrel = scene.get("view_traits", {}).get("barrel", 0.0)
        if lens == "any" or (lens == "bent") == (barrel != 0):
            found.append((path.parent, scene, barrel))
    for folder, scene, barrel in found[:: max(1, len(found) // limit)]:
        labels, wall = (picture(folder / f"{n}.png", grey=True) for n in ("planes", "wall"))
        K, R, t = (np.array(scene["camera"][k], float) for k in "KRt")
        planes: list[tuple[Any, Truth]] = []
        walls = np.zeros_like(wall)
        for key, numbers in scene["planes"].items():
            normal = np.array(numbers[:3], float)
            pixels = (labels == int(key)) & (wall > 127)
            if abs(normal[2]) > 0.1 or pixels.sum() < 0.01 * wall.size:
                continue
            walls[pixels] = 255
            H = wall_homography(K, R, t, normal, numbers[3])
            planes.append((pixels, partial(true_metres, H, wall.shape, barrel)))
        if planes:
            photo = np.ascontiguousarray(picture(folder / "photo.jpg")[..., ::-1])
            yield Room(folder.name, photo, walls, planes, barrel)


def true_metres(H: Any, shape: tuple[int, int], barrel: float, points: Any) -> Any:
    """Metres on the wall of N x 2 pixels: first where a straight lens shows them
    (training/generator/lens.py).
    """
    centre = (np.array(shape[::-1]) - 1) / 2
    from_centre = points - centre
    squared = (from_centre**2).sum(axis=1, keepdims=True) / (centre**2).sum()
    return project(np.linalg.inv(H), centre + from_centre * (1 - barrel) / (1 - barrel * squared))


def wall_homography(K: Any, R: Any, t: Any, normal: Any, offset: float) -> Any:
    """Wall metres to pixels of the plane normal . X + offset = 0 (z up)."""
    down = np.array([0, 0, -1.0])
    across = np.cross(down, normal)
    across /= np.linalg.norm(across)
    H = K @ np.stack([R @ across, R @ down, R @ (-offset * normal / (normal @ normal)) + t], 1)
    return H if np.linalg.det(H) * H[2, 2] > 0 else H @ np.diag([-1, 1, 1])


def error(locate: Any, truth: Truth, pixels: Any) -> float:
    """Percent of the seen width; a mirrored truth counts as its mirror image."""
    ys, xs = np.nonzero(pixels)
    p = np.column_stack([xs, ys]).astype(float)[:: max(1, len(xs) // 3000)]
    true, found = truth(p), locate(p)
    width = float(np.ptp(np.quantile(true[:, 0], [0.01, 0.99])))
    true, found = true - true.mean(axis=0), found - found.mean(axis=0)
    best = np.inf
    for mirror in (1.0, -1.0):
        t = true * (mirror, 1.0)
        s = float((t * found).sum() / max((found**2).sum(), 1e-12))
        best = min(best, float(np.sqrt(((t - s * found) ** 2).sum(axis=1).mean())))
    return 100 * best / max(width, 0.3)


def main() -> None:
    """Print the three tables' lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, default=60)
    parser.add_argument("--data", type=Path, nargs="+", default=[DATA])
    parser.add_argument("--lens", choices=["any", "bent", "straight"], default="any")
    options = parser.parse_args()
    if not any(folder.is_dir() for folder in options.data):
        print(f"Skipped: the rooms are not here ({', '.join(map(str, options.data))}).")
        return
    one: list[float] = []
    false = rooms_seen = corners = 0
    every: dict[str, list[float]] = {"corners": [], "one plane": [], "frontal": []}
    for room in rooms(options.data, options.rooms, options.lens):
        rooms_seen += 1
        sizes = [int(p.sum()) for p, _ in room.planes]
        pixels, truth = room.planes[int(np.argmax(sizes))]
        plane = estimate_plane(room.photo, pixels.astype(np.uint8) * np.uint8(255))
        false += bool(plane.wings)
        one.append(error(plane.locate, truth, pixels))
        if sum(s >= 0.1 * sum(sizes) for s in sizes) < 2:
            continue
        plane = estimate_plane(room.photo, room.walls)
        corners += bool(plane.wings)
        flat = replace(plane, wings=())
        for (pixels, truth), size in zip(room.planes, sizes, strict=True):
            if size >= 0.1 * sum(sizes):
                every["corners"].append(error(plane.locate, truth, pixels))
                every["one plane"].append(error(flat.locate, truth, pixels))
                every["frontal"].append(error(lambda p: p, truth, pixels))
    say("one wall", one)
    print(f"  false corners in {false} of {rooms_seen} rooms; corners found in {corners}")
    for name, values in every.items():
        say(f"all walls, {name}", values)


def say(name: str, errors: list[float]) -> None:
    """One line of a table."""
    e = np.array(errors)
    print(
        f"{name:22s} n {len(e):3d}  median {np.median(e):6.2f} %  p75 {np.quantile(e, 0.75):6.2f} %"
        f"  p90 {np.quantile(e, 0.9):6.2f} %  over 10 %: {100 * (e > 10).mean():4.1f} %",
        flush=True,
    )


if __name__ == "__main__":
    main()
