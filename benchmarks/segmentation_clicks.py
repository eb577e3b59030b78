"""Masks under a simulated user: this product's clicks beside the published MobileSAM, in one run.

    .venv/bin/python benchmarks/segmentation_clicks.py [--limit N] [--modes stock plain heads]

Rooms, user and scores are those of `../shared/bench/clickbench.py` (seed 7); real rooms count all
walls as wall, synthetic rooms the one main wall. IoU@0 is `predict_auto`, without a click.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
sys.path.insert(0, str(ROOT))

from segmentation import Click, SamModel  # noqa: E402 - after the path is known

MODELS = ROOT / "var" / "models"


def load_bench() -> ModuleType:
    """`clickbench.py` as a module; exits with a sentence when the development data is absent."""
    path = SHARED / "bench" / "clickbench.py"
    spec = importlib.util.spec_from_file_location("clickbench", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SystemExit(f"This benchmark needs the development data; {path} does not exist.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Ours:
    """The product's model behind clickbench's interface."""

    def __init__(self, *, heads: bool) -> None:
        options: dict[str, Any] = {} if heads else {"heads_directory": None}
        self.model = SamModel.load(MODELS, encoder_threads=2, decoder_threads=1, **options)

    def start(self, path: str) -> None:
        """Encode a photo."""
        with Image.open(path) as image:
            self.photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        self.embedding = self.model.encode(self.photo)

    def mask(self, clicks: list[tuple[int, int, int]]) -> np.ndarray:
        """Boolean mask of the photo's size; without clicks the automatic one."""
        if clicks:
            found = self.model.predict(self.embedding, [Click(*click) for click in clicks])
        else:
            found = self.model.predict_auto(self.embedding, self.photo)
        return found.mask() > 127


def simulate(bench: ModuleType, model: Any, true: np.ndarray, seed: list[int]) -> dict[str, float]:
    """Scores of one photo after 0, 1, 2, 3 and 5 clicks; `falls`: clicks that lose over 0.02."""
    rng = np.random.default_rng(seed)
    void = np.zeros_like(true)
    clicks: list[tuple[int, int, int]] = []
    mask = np.zeros_like(true)
    row: dict[str, float] = {"falls": 0}
    if isinstance(model, Ours):
        row["iou0"] = bench.iou(model.mask([]), true)
    last = 0.0
    for count in range(1, max(bench.CLICKS) + 1):
        click = bench.next_click(mask, true, rng, void)
        if click is not None:
            clicks.append(click)
            mask = model.mask(clicks)
        now = bench.iou(mask, true)
        row["falls"] += now < last - 0.02
        row["missed"] = row.get("missed", 0) + sum(mask[y, x] != label for x, y, label in clicks)
        last = now
        if count in bench.CLICKS:
            row[f"iou{count}"] = now
            row[f"bf{count}"] = bench.boundary_f(mask, true)
    return row


def main() -> None:
    """Run every mode on every room and print a table per kind of room."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modes", nargs="+", default=["stock", "plain", "heads"])
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    bench = load_bench()
    models = {
        "stock": lambda: bench.Stock(str(MODELS / "encoder.onnx"), str(MODELS / "sam.onnx")),
        "plain": lambda: Ours(heads=False),
        "heads": lambda: Ours(heads=True),
    }
    running = {mode: models[mode]() for mode in options.modes}
    data = argparse.Namespace(
        rooms=str(SHARED / "data" / "rooms"), synthetic=str(SHARED / "data" / "synthetic")
    )
    rows: list[tuple[str, str, dict[str, float]]] = []
    for index, (kind, photo, wall) in enumerate(bench.cases(data)):
        true = np.asarray(Image.open(wall).convert("L")) > 127
        if index >= options.limit or true.sum() < 0.02 * true.size:
            continue
        for mode, model in running.items():
            model.start(photo)
            rows.append((kind, mode, simulate(bench, model, true, [options.seed, index])))
    for kind in ("real", "synthetic"):
        for mode in running:
            report(bench, kind, mode, [row for k, m, row in rows if (k, m) == (kind, mode)])


def report(bench: ModuleType, kind: str, mode: str, rows: list[dict[str, float]]) -> None:
    """One line of means."""
    if not rows:
        return

    def mean(key: str) -> float:
        return float(np.mean([row[key] for row in rows]))

    cells = [f"@{n} {mean(f'iou{n}'):.3f} ({mean(f'bf{n}'):.2f})" for n in bench.CLICKS]
    start = f"@0 {mean('iou0'):.3f}" if "iou0" in rows[0] else "@0   -  "
    falls = mean("falls") / (max(bench.CLICKS) - 1)
    print(
        f"{kind:9} {mode:6} n {len(rows):2}  IoU (BF) {start} {' '.join(cells)}  "
        f"clicks losing > 0.02: {falls:.2f}  clicks not honoured, per room: {mean('missed'):.2f}"
    )


if __name__ == "__main__":
    main()
