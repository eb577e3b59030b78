"""How near the pictures are to the truth, on path-traced rooms where it is known.

    python -m benchmarks.rendering_quality [light|pattern|plane|both]
        [--data DIR] [--save DIR] [--scene NAME]

``light``: true mask and true quad given, as shared/bench/run_product.py does; each score is printed
beside the photo left unchanged and a flat paste. ``plane``: true mask given, the plane estimated;
beside the fronto-parallel guess. ``pattern``: as ``light``, but the photo already shows another
wallpaper, whose pattern must not shine through. Needs the development data and scikit-image (for
score.py).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rendering import Placement, WallPlane, estimate_plane, plane_from_quad, render  # noqa: E402
from rendering.texture.sampler import TextureSampler  # noqa: E402

COLUMNS = [
    ("inside", "dE00"),
    ("inside", "PSNR"),
    ("inside", "shade_rms"),
    ("inside", "shade_bias"),
    ("inside", "shade_form"),
    ("inside", "detail_ncc"),
    ("band", "dE00"),
    ("outside", "dE00"),
]


def read(path: Path) -> Any:
    """RGB uint8."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        raise SystemExit(f"{path} is missing or no picture")
    return np.ascontiguousarray(found[..., ::-1])


def read_mask(path: Path) -> Any:
    """Grey uint8."""
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if found is None:
        raise SystemExit(f"{path} is missing or no picture")
    return found


def true_plane(room: dict[str, Any], mask: Any) -> tuple[WallPlane, tuple[float, float]]:
    """The true rectangle round the visible wall, and its top-left corner in wall metres."""
    H = np.array(room["H_wall_to_image"], float)
    ys, xs = np.nonzero(mask > 127)
    q = np.linalg.inv(H) @ np.stack([xs, ys, np.ones(len(xs))]).astype(float)
    q = q[:2] / q[2]
    (x0, y0), (x1, y1) = q.min(1), q.max(1)
    p = H @ np.array([[x0, x1, x1, x0], [y0, y0, y1, y1], [1, 1, 1, 1]], float)
    return plane_from_quad((p[:2] / p[2]).T, (x1 - x0, y1 - y0)), (x0, y0)


def flat_paste(photo: Any, mask: Any, paper: Any, plane: WallPlane, place: Placement) -> Any:
    """The peers' method: warped paper, alpha blended, no light."""
    height, width = mask.shape
    linear = TextureSampler(paper, plane, place).sample(0, 0, width, height)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    alpha = mask[..., None] / 255.0
    return np.round(photo * (1 - alpha) + 255 * encoded * alpha).astype(np.uint8)


def light(score: ModuleType, data: Path, options: argparse.Namespace) -> None:
    """Score every picture of the set."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for scene in scenes(data, options.scene):
        room = json.loads((scene / "room.json").read_text())
        photo, mask = read(scene / "photo.jpg"), read_mask(scene / "wall.png")
        plane, (x0, y0) = true_plane(room, mask)
        regions = score.regions(str(scene), photo.shape)
        for item in room["wallpapers"][:2]:
            ox, oy = item.get("origin_m", [0, 0])
            place = Placement(item["repeat_width_m"], (ox - x0, oy - y0))
            paper = read(data / "wallpapers" / Path(item["file"]).name)
            if options.what == "pattern":
                other = next(w for w in room["wallpapers"] if w["name"] != item["name"])
                photo = read(scene / other["truth"])
            given = sloppy(mask, options.sloppy)
            done = render(photo, given, paper, plane, place)
            pictures = {"ours": done.picture}
            if not options.ours_only:
                pictures["photo"] = photo
                pictures["flat"] = flat_paste(photo, mask, paper, plane, place)
            truth = read(scene / item["truth"])
            for name, picture in pictures.items():
                result = score.compare(picture / 255.0, truth / 255.0, photo / 255.0, regions)
                rows.setdefault(name, []).append(result)
                print(f"{scene.name:22s} {item['name']:9s} {name:6s} {line(result)}", flush=True)
            if options.save:
                sheet = np.vstack([np.hstack([photo, truth]), np.hstack([done.picture, truth])])
                sheet[photo.shape[0] :, photo.shape[1] :] = difference(done.picture, truth)
                options.save.mkdir(parents=True, exist_ok=True)
                out = options.save / f"{scene.name}_{item['name']}.png"
                cv2.imwrite(str(out), sheet[..., ::-1])
    print("\n" + " " * 40 + "  ".join(f"{a[:4]}.{b}" for a, b in COLUMNS))
    for kind, reduce in (("mean", np.mean), ("median", np.median)):
        for name, results in rows.items():
            total: dict[str, dict[str, float]] = {a: {} for a, _ in COLUMNS}
            for a, b in COLUMNS:
                total[a][b] = float(reduce([r[a][b] for r in results]))
            print(f"{kind.upper():22s} {'':9s} {name:6s} {line(total)}")


def sloppy(mask: Any, pixels: int) -> Any:
    """The mask as a segmenter might give it: grown over the objects, with a blurred edge."""
    if pixels == 0:
        return mask
    size = 2 * pixels + 1
    return cv2.GaussianBlur(cv2.dilate(mask, np.ones((size, size), np.uint8)), (0, 0), 1.0)


def line(result: dict[str, dict[str, float]]) -> str:
    """One row of figures."""
    return "  ".join(f"{result[a][b]:9.3f}" for a, b in COLUMNS)


def difference(a: Any, b: Any) -> Any:
    """Signed difference about mid grey, doubled."""
    return np.clip(128 + 2 * (a.astype(int) - b.astype(int)), 0, 255).astype(np.uint8)


def plane_error(estimate: Any, truth: Any, mask: Any, width_m: float) -> float:
    """RMS wall metres over the wall's width, best scale and shift taken out (run_product.py)."""
    ys, xs = np.nonzero(mask > 127)
    keep = np.random.default_rng(0).choice(len(xs), min(4000, len(xs)), replace=False)
    p = np.stack([xs[keep], ys[keep], np.ones(len(keep))]).astype(float)
    points = []
    for H in (truth, estimate):
        q = np.linalg.inv(H) @ p
        w = (q[:2] / q[2]).T
        points.append(w - w.mean(0))
    t, e = points
    s = (t * e).sum() / (e**2).sum()
    return float(np.sqrt(((t - s * e) ** 2).sum(1).mean()) / width_m)


def planes(data: Path, options: argparse.Namespace) -> None:
    """Plane errors of the set beside the fronto-parallel guess."""
    ours, front = [], []
    for scene in scenes(data, options.scene):
        room = json.loads((scene / "room.json").read_text())
        photo, mask = read(scene / "photo.jpg"), read_mask(scene / "wall.png")
        truth, width = np.array(room["H_wall_to_image"], float), room["wall"]["width_m"]
        plane = estimate_plane(photo, mask)
        ours.append(100 * plane_error(plane.best_fit_H, truth, mask, width))
        front.append(100 * plane_error(np.eye(3), truth, mask, width))
        print(f"{scene.name:22s} ours {ours[-1]:6.2f} %  frontal {front[-1]:6.2f} %", end="  ")
        print(f"{plane.source} confidence {plane.confidence:.2f}")
    for name, values in (("ours", ours), ("frontal", front)):
        print(f"{name}: median {np.median(values):.2f} %  p90 {np.quantile(values, 0.9):.2f} %")


def scenes(data: Path, only: str | None) -> list[Path]:
    """The scenes' folders, in order."""
    found = sorted(p.parent for p in data.glob("*/room.json"))
    return [p for p in found if only is None or p.name.startswith(only)]


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what", nargs="?", choices=["light", "plane", "both", "pattern"], default="both"
    )
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "synthetic")
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--sloppy", type=int, default=0, help="grow the masks by so many pixels")
    parser.add_argument("--scene")
    parser.add_argument("--ours-only", action="store_true")
    options = parser.parse_args()
    if not (options.bench / "score.py").exists() or not options.data.exists():
        sys.exit("The development data is not here: nothing to compare with.")
    sys.path.insert(0, str(options.bench))
    if options.what in {"light", "pattern", "both"}:
        light(importlib.import_module("score"), options.data, options)
    if options.what in {"plane", "both"}:
        planes(options.data, options)


if __name__ == "__main__":
    main()
