"""Real rooms with wallpapers on, as the product makes them: contact sheets to look at.

    python -m benchmarks.gallery --out DIR [--limit N] [--only NAME ...] [--wallpaper NAME]

Photos of ../shared/data/rooms, each with one of our built-in designs or of the wallpapers of
../shared/data/wallpapers in turn. The mask comes from the product's model and the photo's suggested
clicks, from the one marked wall (*.mainwall.png) or all walls (*.wall.png) where there are no
clicks, else from `predict_auto`; the plane from `estimate_plane`; the picture from `render`. DIR
gets a folder of full-size pictures (`results/`), the masks (used again by the next run into the
same DIR), and `sheet_NN.png`: before | wall and its plane, a line every half metre | after.
`planes.txt` has one line per picture; where the photo's own file names the true rectangle
(`quad_hint`), with the plane's error beside the fronto-parallel guess's. The photos must not be
published: keep DIR out of the tree.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"
sys.path.insert(0, str(ROOT))

from rendering import Placement, Rendered, WallPlane, estimate_plane, render  # noqa: E402
from rendering.geometry.plane import homography, project  # noqa: E402
from segmentation import Click, SamModel  # noqa: E402

UNKNOWN_REPEAT_M = 0.53  # what the product takes for a paper of unknown size
CELL = 640  # pixels of a sheet's columns
ROWS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One picture to make."""

    photo: Path
    wallpaper: Path
    placement: Placement


def papers() -> list[tuple[Path, Placement]]:
    """Our designs and the development wallpapers, mixed, each with its size on the wall."""
    folder = ROOT / "static"
    own = json.loads((folder / "designs" / "catalogue.json").read_text())["designs"]
    ours = [
        (folder / d["file"], Placement(d["repeat_width_m"], drop=d.get("drop", 0))) for d in own
    ]
    found = sorted(p for p in (SHARED / "wallpapers").iterdir() if p.suffix in {".jpg", ".png"})
    theirs = [
        (p, Placement(UNKNOWN_REPEAT_M, mode="cover" if p.name.startswith("mural") else "tile"))
        for p in found
    ]
    mixed = []
    for i in range(max(len(ours), len(theirs))):
        mixed += [ours[i % len(ours)], theirs[i % len(theirs)]]
    return mixed


def cases(options: argparse.Namespace) -> list[Case]:
    """Every photo with the next wallpaper; the photos with clicks come first."""
    rooms = SHARED / "rooms"
    photos = [
        p
        for p in sorted(rooms.iterdir())
        if p.suffix in {".jpg", ".png"} and not p.stem.endswith((".labels", ".wall", ".mainwall"))
    ]
    photos.sort(key=lambda p: not p.with_suffix(".clicks.json").exists())
    choice = papers()
    if options.wallpaper:
        choice = [c for c in choice if c[0].stem == options.wallpaper]
        if not choice:
            sys.exit(f"No wallpaper is called {options.wallpaper}.")
    made = [Case(p, *choice[i % len(choice)]) for i, p in enumerate(photos)]
    if options.only:
        made = [c for c in made if any(name in c.photo.stem for name in options.only)]
    return made[: options.limit]


def upright(path: Path) -> tuple[Any, float | None]:
    """RGB uint8 and the focal length in pixels when the file tells it (35 mm equivalent)."""
    with Image.open(path) as image:
        film = image.getexif().get_ifd(0x8769).get(0xA405)
        photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    diagonal = float(np.hypot(*photo.shape[:2]))
    return photo, float(film) / float(np.hypot(36, 24)) * diagonal if film else None


class Walls:
    """Masks, made once and kept in a folder."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder, self.models = folder, models
        self.model: SamModel | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, path: Path, photo: Any) -> Any:
        """uint8 H x W coverage."""
        kept = self.folder / f"{path.stem}.png"
        if not kept.exists():
            cv2.imwrite(str(kept), self._made(path, photo))
        return cv2.imread(str(kept), cv2.IMREAD_GRAYSCALE)

    def _made(self, path: Path, photo: Any) -> Any:
        clicks = path.with_suffix(".clicks.json")
        given = [path.with_suffix(end) for end in (".mainwall.png", ".wall.png")]
        drawn = next((p for p in given if p.exists()), None)
        if not clicks.exists() and drawn is not None:
            return cv2.imread(str(drawn), cv2.IMREAD_GRAYSCALE)
        if self.model is None:
            self.model = SamModel.load(self.models, encoder_threads=2, decoder_threads=1)
        embedding = self.model.encode(photo)
        if clicks.exists():
            points = json.loads(clicks.read_text())["points"]
            return self.model.predict(embedding, [Click(*p) for p in points]).mask()
        return self.model.predict_auto(embedding, photo).mask()


def grid(photo: Any, mask: Any, plane: WallPlane) -> Any:
    """The photo with the wall tinted and the plane's lines at every half metre."""
    picture = photo.copy()
    picture[mask > 127] = picture[mask > 127] // 2 + np.array([0, 60, 110], np.uint8)
    thick = max(1, round(max(mask.shape) / 500))
    height = plane.size_m[1]
    left, right = plane.extent_m
    for x in np.arange(0.5 * np.ceil(left / 0.5), right + 0.01, 0.5):
        draw(picture, plane, [[x, 0], [x, height]], thick)
    for i in range(int(height / 0.5) + 2):
        y = min(0.5 * i, height)
        for x in np.arange(left, right, 0.1):
            draw(picture, plane, [[x, y], [x + 0.1, y]], thick)
    return picture


def draw(picture: Any, plane: WallPlane, ends: list[list[float]], thick: int) -> None:
    """One line of the wall, where it can be drawn."""
    H, middle = plane.H, (ends[0][0] + ends[1][0]) / 2
    for wing in plane.wings:
        outward = wing.seam_m > plane.size_m[0] / 2
        if (middle > wing.seam_m) == outward:
            H = wing.H
    # Not one stroke: where the lens bends, so do the wall's lines.
    points = np.linspace(ends[0], ends[1], 17 if plane.distortion else 2)
    shown = np.clip(np.round(plane.distort(project(H, points))), -30000, 30000).astype(np.int32)
    cv2.polylines(picture, [shown], False, (255, 220, 0), thick, cv2.LINE_AA)


def hint_error(path: Path, plane: WallPlane, mask: Any) -> str:
    """Error against the rectangle somebody marked by eye, in percent of the wall's width; or ''.

    Its sides' lengths are unknown: the ratio that suits each guess best is taken, with shift and
    scale.
    """
    notes = path.with_suffix(".clicks.json")
    quad = json.loads(notes.read_text()).get("quad_hint") if notes.exists() else None
    if quad is None:
        return ""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]])
    H = homography(unit, np.array(quad, dtype=np.float64))
    ys, xs = np.nonzero(mask > 127)
    p: Any = np.column_stack([xs, ys]).astype(np.float64)[:: max(1, len(xs) // 4000)]
    to_wall = np.asarray(np.linalg.inv(H), np.float64)
    inside = project(to_wall, p)
    p = p[((inside > 0) & (inside < 1)).all(axis=1)]
    true = project(to_wall, p)
    errors = []
    for guess in (plane.locate(p), p):
        design = np.column_stack([guess, np.ones(len(guess))])
        rest = []
        for k in (0, 1):
            # Own scale on each axis, but no shear: that is what a wrong direction looks like.
            d = design[:, [k, 2]]
            rest.append(true[:, k] - d @ np.linalg.lstsq(d, true[:, k], rcond=None)[0])
        errors.append(100 * float(np.hypot(*rest).mean() / np.ptp(true[:, 0])))
    return f"  error {errors[0]:5.2f} % (frontal {errors[1]:5.2f} %)"


def cell(picture: Any, label: str) -> Any:
    """A sheet's cell, the picture fitted in, the label on it."""
    height = CELL * 3 // 4
    factor = min(CELL / picture.shape[1], height / picture.shape[0])
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    out = np.full((height, CELL, 3), 30, np.uint8)
    out[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(out, label, (6, height - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thick)
    return out


def make(case: Case, walls: Walls, out: Path) -> tuple[Any, str]:
    """One row of a sheet and its line of text."""
    photo, focal = upright(case.photo)
    mask = walls.of(case.photo, photo)
    plane = estimate_plane(photo, mask, focal_px=focal)
    wallpaper, _ = upright(case.wallpaper)
    done: Rendered = render(photo, mask, wallpaper, plane, case.placement)
    name = f"{case.photo.stem}__{case.wallpaper.stem}"
    Image.fromarray(done.picture).save(out / f"{name}.jpg", quality=95, subsampling=0)
    size = " x ".join(f"{v:.1f}" for v in plane.size_m)
    text = f"{name:58s} {plane.source} {plane.confidence:.2f} {size} m"
    label = f"{plane.source} {plane.confidence:.2f}, {size} m"
    row = [
        cell(photo, case.photo.stem),
        cell(grid(photo, mask, plane), label),
        cell(done.picture, case.wallpaper.stem),
    ]
    return np.hstack(row), text + hint_error(case.photo, plane, mask)


def main() -> None:
    """Make the pictures and their sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=ROOT / "var" / "models")
    parser.add_argument("--limit", type=int, default=10**6)
    parser.add_argument("--only", nargs="+", help="photos whose name contains one of these")
    parser.add_argument("--wallpaper", help="this one on every photo, by its name")
    parser.add_argument("--size", type=float, help="repeat width in metres for every wallpaper")
    options = parser.parse_args()
    if not (SHARED / "rooms").is_dir():
        print(f"Skipped: the development photos are not here ({SHARED / 'rooms'}).")
        return
    results = options.out / "results"
    results.mkdir(parents=True, exist_ok=True)
    walls = Walls(options.out / "masks", options.models)
    rows, lines = [], []
    for case in cases(options):
        if options.size:
            case = replace(case, placement=replace(case.placement, repeat_width_m=options.size))
        row, text = make(case, walls, results)
        print(text, flush=True)
        rows.append(row)
        lines.append(text)
    for i in range(0, len(rows), ROWS):
        sheet = np.vstack(rows[i : i + ROWS])
        Image.fromarray(sheet).save(options.out / f"sheet_{i // ROWS:02d}.png")
    (options.out / "planes.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
