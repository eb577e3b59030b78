"""Masks under a simulated user: this product beside the published MobileSAM, in one run.

    python -m benchmarks.masks [--limit N] [--modes stock product ...] [--out FOLDER]

Prints IoU without a click and after 1, 2, 3 and 5, boundary F after 5, at the usual tolerance and
at two pixels of the 1024 grid, the share of clicks that lose more than 0.02, and the CPU time that
a click takes beyond one stock decode. Writes a page of overlays, best to worst. Rooms, user and
scores are those of `../shared/bench/clickbench.py` (seed 7); real rooms count all walls, rendered
ones the main wall.

Modes: stock (as published), product, told (product, whose visitor says first, by the page's
buttons, whether all walls or only this one are meant), line (product without edges from colour),
plain (product without wall heads).
"""

from __future__ import annotations

import argparse
import html
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from segmentation import Prediction

# As the product's processes have it: idle BLAS threads spin, and count as CPU time of the click.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from segmentation import Click, SamModel, Scope, outline_path  # noqa: E402

MODELS = ROOT / "var" / "models"
cv2.setNumThreads(1)  # CPU times are those of one thread, as the decoder's
FALL = 0.02
VIEW_SIDE = 1024
COLOURS = {"truth": (60, 220, 60), "stock": (40, 110, 255)}  # RGB; all others red
ClickTuple = tuple[int, int, int]


def load_bench() -> ModuleType:
    """`clickbench.py` as a module; exits with a sentence when the development data is absent."""
    path = SHARED / "bench" / "clickbench.py"
    spec = importlib.util.spec_from_file_location("clickbench", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SystemExit(f"This benchmark needs the development data; {path} does not exist.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Product:
    """The product's model; `mask` also measures what answering the last click took."""

    def __init__(self, *, heads: bool = True, edges: bool = True, told: bool = False) -> None:
        options: dict[str, Any] = {} if heads else {"heads_directory": None}
        self.model = SamModel.load(MODELS, encoder_threads=2, decoder_threads=1, **options)
        self.edges = edges
        self.told = told
        self.seconds = 0.0

    def start(self, path: str, meant: Scope) -> None:
        """Encode a photo. meant: what its visitor wants, said only where `told`."""
        self.scope = meant if self.told else Scope.AUTO
        with Image.open(path) as image:
            self.photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        self.embedding = self.model.encode(self.photo)
        scale = min(1.0, VIEW_SIDE / max(self.photo.shape[:2]))
        self.view: Any = cv2.resize(
            self.photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )

    def mask(self, clicks: list[ClickTuple]) -> np.ndarray:
        """Boolean mask of the photo's size; without clicks the automatic one."""
        if not clicks:
            return self._full(self.model.predict_auto(self.embedding, self.photo))
        given = [Click(*click) for click in clicks]
        before = time.process_time()
        found = self.model.predict(self.embedding, given, scope=self.scope)
        view = self.view if self.edges else None
        outline_path(found, view_size=(VIEW_SIDE, VIEW_SIDE), photo=view)
        self.seconds = time.process_time() - before
        return self._full(found)

    def _full(self, found: Prediction) -> np.ndarray:
        return found.mask(photo=self.photo if self.edges else None) > 127


class Stock:
    """The published model of clickbench, with its time."""

    def __init__(self, bench: ModuleType) -> None:
        files = str(MODELS / "encoder.onnx"), str(MODELS / "sam.onnx")
        self.model = bench.Stock(*files, threads=1)
        self.seconds = 0.0

    def start(self, path: str, meant: Scope) -> None:
        """Encode a photo."""
        self.model.start(path)

    def mask(self, clicks: list[ClickTuple]) -> np.ndarray | None:
        """Boolean mask of the photo's size; None without clicks."""
        if not clicks:
            return None
        before = time.process_time()
        found = self.model.mask(clicks)
        self.seconds = time.process_time() - before
        return np.asarray(found)


@dataclass
class Row:
    """One room by one mode. seconds: of each click. final: the mask after the last click."""

    kind: str
    mode: str
    photo: str
    scores: dict[str, float] = field(default_factory=dict)
    falls: int = 0
    missed: int = 0
    seconds: list[float] = field(default_factory=list)
    final: np.ndarray | None = None


def simulate(bench: ModuleType, model: Any, true: np.ndarray, row: Row, seed: list[int]) -> None:
    """Fill in `row`: five clicks, each where the mask is most wrong."""
    rng = np.random.default_rng(seed)
    void = np.zeros_like(true)
    clicks: list[ClickTuple] = []
    mask = np.zeros_like(true)
    start = model.mask([])
    if start is not None:
        row.scores["iou0"] = bench.iou(start, true)
    last = 0.0
    for count in range(1, max(bench.CLICKS) + 1):
        click = bench.next_click(mask, true, rng, void)
        if click is not None:
            clicks.append(click)
            mask = model.mask(clicks)
            row.seconds.append(model.seconds)
        now = bench.iou(mask, true)
        row.falls += now < last - FALL
        row.missed += sum(bool(mask[y, x]) != bool(label) for x, y, label in clicks)
        last = now
        if count in bench.CLICKS:
            row.scores[f"iou{count}"] = now
    row.scores["bf5"] = bench.boundary_f(mask, true)
    row.scores["strict5"] = strict_boundary(bench, mask, true)
    row.final = mask


def strict_boundary(bench: ModuleType, mask: np.ndarray, true: np.ndarray) -> float:
    """Boundary F with a tolerance of two pixels, both masks brought to a long side of 1024."""
    scale = VIEW_SIDE / max(true.shape)
    size = round(true.shape[1] * scale), round(true.shape[0] * scale)
    a, b = (cv2.resize(m.astype(np.float32), size) > 0.5 for m in (mask, true))
    return float(bench.boundary_f(a, b, frac=2 / float(np.hypot(*size))))


def report(rows: list[Row], modes: list[str]) -> None:
    """The table, one line a mode and kind of room."""
    stock = [second for row in rows if row.mode == "stock" for second in row.seconds]
    decode = float(np.median(stock)) if stock else None
    names = ("iou0", "iou1", "iou2", "iou3", "iou5", "bf5", "strict5")
    titles = ("IoU@0", "@1", "@2", "@3", "@5", "BF@5", "2px@5")
    print(f"{'':20}  n " + "".join(f"{title:>7}" for title in titles), end="")
    print("  falls  missed   ms/click  added")
    for kind in ("real", "synthetic"):
        for mode in modes:
            some = [row for row in rows if (row.kind, row.mode) == (kind, mode)]
            if not some:
                continue
            cells = [
                f"{np.mean([row.scores[name] for row in some]):7.3f}"
                if name in some[0].scores
                else "      -"
                for name in names
            ]
            falls = sum(row.falls for row in some) / max(1, sum(len(r.seconds) - 1 for r in some))
            took = float(np.mean([second for row in some for second in row.seconds]))
            added = "-" if decode is None else f"{took / decode - 1:+.2f}"
            print(
                f"{kind:10}{mode:10} {len(some):2} {''.join(cells)}  {falls:5.2f} "
                f"{np.mean([row.missed for row in some]):7.2f} {1000 * took:10.0f} {added:>6}"
            )
    if decode is not None:
        print(f"CPU time; one stock decode, one thread: {1000 * decode:.0f} ms (median).")


def write_page(rows: list[Row], truths: dict[str, np.ndarray], modes: list[str], out: Path) -> Path:
    """Overlays of every room, best to worst by the last mode; returns the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    by_room: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_room.setdefault(row.photo, {})[row.mode] = row
    ranked = sorted(by_room, key=lambda photo: -by_room[photo][modes[-1]].scores["iou5"])
    parts = ["<!doctype html><meta charset=utf-8><title>Masks, best to worst</title>"]
    parts.append("<p>Green: truth. Blue: stock. Red: the named mode. After five clicks.</p>")
    for number, photo in enumerate(ranked):
        name = f"{number:02d}.jpg"
        Image.fromarray(drawn(photo, truths[photo], by_room[photo])).save(out / name, quality=85)
        scores = ", ".join(
            f"{mode} {row.scores['iou5']:.3f}" for mode, row in by_room[photo].items()
        )
        title = html.escape(f"{Path(photo).parent.name}/{Path(photo).name}: {scores}")
        parts.append(
            f"<figure><img src={name} loading=lazy><figcaption>{title}</figcaption></figure>"
        )
    page = out / "index.html"
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def drawn(photo: str, true: np.ndarray, by_mode: dict[str, Row]) -> np.ndarray:
    """The photo beside itself once for every mode, with truth and that mode's outline."""
    with Image.open(photo) as image:
        plain = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    tiles = []
    for mode, row in by_mode.items():
        tile = plain.copy()
        if row.final is None:
            continue
        for mask, colour in (
            (true, COLOURS["truth"]),
            (row.final, COLOURS.get(mode, (255, 40, 40))),
        ):
            found = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(tile, found[0], -1, colour, max(1, max(tile.shape) // 600))
        scale = min(1.0, VIEW_SIDE / max(tile.shape[:2]))
        tiles.append(cv2.resize(tile, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return np.hstack(tiles)


def main() -> None:
    """Run every mode on every room, print the table, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    bench = load_bench()
    models: dict[str, Callable[[], Any]] = {
        "stock": lambda: Stock(bench),
        "plain": lambda: Product(heads=False),
        "line": lambda: Product(edges=False),
        "product": Product,
        "told": lambda: Product(told=True),
    }
    parser.add_argument("--modes", nargs="+", choices=models, default=["stock", "product"])
    parser.add_argument("--limit", type=int, default=10**9, help="so many rooms of each kind")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "masks-report")
    options = parser.parse_args()
    running = {mode: models[mode]() for mode in options.modes}
    data = argparse.Namespace(
        rooms=str(SHARED / "data" / "rooms"), synthetic=str(SHARED / "data" / "synthetic")
    )
    rows: list[Row] = []
    truths: dict[str, np.ndarray] = {}
    for index, (kind, photo, wall) in enumerate(bench.cases(data)):
        with Image.open(wall) as image:
            true = np.asarray(image.convert("L")) > 127
        seen = len({row.photo for row in rows if row.kind == kind})
        if seen >= options.limit or true.sum() < 0.02 * true.size:
            continue
        truths[photo] = true
        for mode, model in running.items():
            model.start(photo, Scope.ALL_WALLS if kind == "real" else Scope.THIS_WALL)
            rows.append(Row(kind, mode, photo))
            simulate(bench, model, true, rows[-1], [options.seed, index])
    report(rows, options.modes)
    print(f"Overlays: {write_page(rows, truths, options.modes, options.out)}")


if __name__ == "__main__":
    main()
