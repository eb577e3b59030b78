"""Where the time of one click goes, from request to answer, beside stock decodes in the same run.

    python -m benchmarks.click_stages [--photos N] [--megapixels M] [--clicks N]
        [--write FILE] [--against FILE]

Real rooms of `../shared/data/rooms`, brought to M megapixels, are uploaded through Django's test
client, encoded, and clicked as a simulated user would (on wall and beside it, by the true mask).
Each request is timed stage by stage; a stage's time is its own, without that of stages called from
it. Between clicks the published decoder runs once with its mask at the photo's size. CPU
milliseconds of one thread, medians over the clicks.

--write keeps masks and outlines; --against compares with those of an earlier state: IoU of the
masks, equal outlines.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tests.harness import environment


def parse() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=26)
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--against", type=Path)
    return parser.parse_args()


OPTIONS = parse()
environment.isolate()
os.environ["SAM_DECODER_THREADS"] = "1"
import django  # noqa: E402

django.setup()

import functools  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from collections import defaultdict  # noqa: E402
from collections.abc import Callable  # noqa: E402
from io import BytesIO  # noqa: E402
from typing import Any  # noqa: E402

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.template.response import SimpleTemplateResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402

from benchmarks.masks import MODELS, SHARED, load_bench  # noqa: E402
from segmentation import model, outline, prediction, runtime  # noqa: E402
from segmentation.clicks import refinement  # noqa: E402
from segmentation.masks import edges  # noqa: E402
from segmentation.walls import heads, sam_head  # noqa: E402
from sessions_app.inference import embeddings  # noqa: E402
from sessions_app.models import Session  # noqa: E402
from sessions_app.services import masks, overlays, photos  # noqa: E402
from sessions_app.views import contexts  # noqa: E402

cv2.setNumThreads(1)
HTMX = {"hx-request": "true"}
REQUEST, STOCK = "request: everything else", "stock decode, mask at the photo's size"


class Stages:
    """CPU seconds by stage, of the request under way."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner: list[float] = []

    def measured(self, name: str, call: Callable[[], Any]) -> Any:
        """`call`'s result; its time without inner stages' is added to `name`."""
        self._inner.append(0.0)
        before = time.thread_time()
        try:
            return call()
        finally:
            spent = time.thread_time() - before
            self.seconds[name] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Measure every call of `owner.attribute` from now on."""
        original = getattr(owner, attribute)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.measured(name, lambda: original(*args, **kwargs))

        setattr(owner, attribute, call)

    def watch_graphs(self) -> None:
        """Measure every run of an ONNX file, by its name."""
        original = runtime.LazySession.run

        def run(session: runtime.LazySession, outputs: Any, feeds: Any) -> Any:
            name = f"predict: {session.path.name}"
            return self.measured(name, lambda: original(session, outputs, feeds))

        runtime.LazySession.run = run  # type: ignore[method-assign, assignment]


STAGES = Stages()
WATCHED = (
    (refinement, "apply_click", "predict: apply the click"),
    (model, "review", "predict: review"),
    (heads, "click_maps", "predict: maps, gathered"),
    (heads.WallHeads, "evidence", "predict: maps, of one click"),
    (sam_head.SamWallHead, "similarity", "predict: maps, similarity"),
    (heads, "likeness", "predict: maps, likeness"),
    (heads.WallHeads, "propose", "predict: click network's rest"),
    (heads.WallHeads, "walls", "predict: wall map"),
    (model.SamModel, "predict", "predict: rest"),
    (edges, "line_distance", "edges: distance to the line"),
    (edges.LocalColours, "gather", "edges: colours on both sides"),
    (edges, "_add_colour", "edges: colour of pixels"),
    (edges, "_clear_specks", "edges: specks"),
    (prediction, "refined_field", "edges: sampling, rest"),
    (outline, "_sample", "outline: sampling"),
    (outline, "_loops", "outline: loops"),
    (outline, "path_of_field", "outline: simplify, write"),
    (photos, "view_pixels", "photo under the overlay"),
    (contexts, "generation_context", "page: generations"),
    (contexts, "wall_context", "page: context"),
    (SimpleTemplateResponse, "render", "page: template"),
)


def cases(bench: Any, limit: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Photos RGB and true masks of the first rooms, all of the asked size."""
    names = argparse.Namespace(rooms=str(SHARED / "data" / "rooms"), synthetic=None)
    found = []
    for _, photo, truth in list(bench.cases(names))[:limit]:
        with Image.open(photo) as image:
            rgb = ImageOps.exif_transpose(image).convert("RGB")
        scale = (OPTIONS.megapixels * 1e6 / (rgb.width * rgb.height)) ** 0.5
        size = round(rgb.width * scale), round(rgb.height * scale)
        true = Image.open(truth).convert("L").resize(size, Image.Resampling.NEAREST)
        pixels = np.asarray(rgb.resize(size, Image.Resampling.BICUBIC))
        found.append((pixels, np.asarray(true) > 127))
    return found


def places(true: np.ndarray, seed: int) -> list[tuple[int, int, int]]:
    """Clicks: the first on wall, then where a coin falls, each labelled by the truth."""
    rng = np.random.default_rng([5, seed])
    found: list[tuple[int, int, int]] = []
    while len(found) < OPTIONS.clicks:
        side = not found or bool(rng.integers(2))
        rows, columns = np.nonzero(true[::16, ::16] == side)
        if rows.size:
            index = int(rng.integers(rows.size))
            found.append((16 * int(columns[index]), 16 * int(rows[index]), int(side)))
    return found


def upload(client: Client, photo: np.ndarray) -> Session:
    """The photo's room, encoded."""
    data = BytesIO()
    Image.fromarray(photo).save(data, "JPEG", quality=90)
    data.seek(0)
    data.name = "room.jpg"
    before = set(Session.objects.values_list("pk", flat=True))
    answer = client.post(reverse("upload"), {"file": data})
    rooms = Session.objects.exclude(pk__in=before)
    if answer.status_code != 302 or len(rooms) != 1:
        raise SystemExit(f"upload: {answer.status_code}")
    session = rooms[0]
    client.post(reverse("find-wall", args=[session.pk]), headers=HTMX)
    client.post(reverse("click-clear", args=[session.pk]), headers=HTMX)
    return session


def stock_of(bench: Any, photo: np.ndarray, embedding: Any) -> Callable[[int, int], Any]:
    """One decode by the published files."""
    published = bench.Stock(str(MODELS / "encoder.onnx"), str(MODELS / "sam.onnx"), threads=1)
    published.emb = embedding.features
    published.h, published.w = photo.shape[:2]
    published.s = 1024 / max(photo.shape[:2])
    return lambda x, y: published.mask([(x, y, 1)])


def main() -> None:
    """Print the table; with --against, what became other."""
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    bench, client = load_bench(), Client(headers={"host": "localhost"})
    spent: dict[str, list[float]] = defaultdict(list)
    kept: dict[str, np.ndarray] = {}
    STAGES.watch_graphs()
    for owner, attribute, name in WATCHED:
        STAGES.watch(owner, attribute, name)
    connection.execute_wrappers.append(
        lambda execute, *rest: STAGES.measured("database", lambda: execute(*rest))
    )
    sizes = []
    for index, (photo, true) in enumerate(cases(bench, OPTIONS.photos)):
        session = upload(client, photo)
        embedding = embeddings.find(session.photo_digest)
        stock = stock_of(bench, photo, embedding)
        address = reverse("click", args=[session.pk])
        for number, (x, y, label) in enumerate(places(true, index)):
            before = time.thread_time()
            stock(x, y)
            spent[STOCK].append(time.thread_time() - before)
            STAGES.seconds.clear()
            form = {"x": x, "y": y, "label": label}
            answer = STAGES.measured(
                REQUEST, functools.partial(client.post, address, form, headers=HTMX)
            )
            if answer.status_code != 200:
                raise SystemExit(f"click: {answer.status_code} {answer.content[:300]!r}")
            sizes.append(len(answer.content))
            spent["whole click"].append(sum(STAGES.seconds.values()))
            spent["first click" if number == 0 else "further click"].append(
                sum(STAGES.seconds.values())
            )
            for name, seconds in STAGES.seconds.items():
                spent[name].append(seconds)
            fresh = Session.objects.get(pk=session.pk)
            mask = masks.pixels(fresh, size=(session.width // 4, session.height // 4))
            kept[f"mask {index} {number}"] = mask
            drawn = overlays.overlay(fresh)
            assert drawn is not None
            kept[f"path {index} {number}"] = np.array(drawn.path)
    show(spent)
    print(
        f"partial: at most {max(sizes) / 1000:.1f} KB, median {statistics.median(sizes) / 1000:.1f}"
    )
    if OPTIONS.against:
        compare(kept, dict(np.load(OPTIONS.against)))
    if OPTIONS.write:
        np.savez_compressed(OPTIONS.write, allow_pickle=False, **kept)


def show(spent: dict[str, list[float]]) -> None:
    """One line a stage, largest first, in milliseconds and stock decodes."""
    stock = statistics.median(spent[STOCK])
    clicks = len(spent["whole click"])
    print(f"{clicks} clicks at {OPTIONS.megapixels:g} MP; CPU of one thread, medians")
    rows = {
        name: statistics.median(v + [0.0] * (clicks - len(v)) if ":" in name else v)
        for name, v in spent.items()
    }
    for name in (STOCK, "whole click", "first click", "further click"):
        value = rows.pop(name)
        print(f"  {name:42}{1000 * value:8.1f} ms{value / stock:7.2f}")
    for name, value in sorted(rows.items(), key=lambda row: -row[1]):
        print(f"    {name:40}{1000 * value:8.1f} ms{value / stock:7.2f}")


def compare(now: dict[str, np.ndarray], before: dict[str, np.ndarray]) -> None:
    """Masks and outlines beside those of an earlier run."""
    values, equal = [], 0
    for name, value in now.items():
        if name.startswith("path"):
            equal += str(value) == str(before[name])
            continue
        a, b = value > 127, before[name] > 127
        values.append((a & b).sum() / max(1, (a | b).sum()))
    print(
        f"against {OPTIONS.against.name}: IoU mean {np.mean(values):.5f}, "
        f"least {np.min(values):.5f}; "
        f"{equal} of {len(values)} outlines equal"
    )


if __name__ == "__main__":
    main()
