"""The built variants beside the published files: mask agreement and time, paired in one run.

    python -m benchmarks.segmentation_variants [--photos N] [--rounds N] [--threads N]

Agreement: IoU of plain SAM's masks (threshold 0 at the photo's size) from the variant against the
published float32 files, three clicks a photo of `../shared/data/rooms`: inside the true wall, and
at two places drawn at random with a fixed seed. Time: medians over alternating runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

# As the product's processes have it: idle BLAS threads spin, and count as CPU time of whatever
# runs.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PIL import Image, ImageOps

from benchmarks.masks import MODELS, SHARED, load_bench
from onnx_models.specimen import drawn_input
from segmentation import Click, SamModel, outline_path


def model(threads: int, encoder: str, decoder: str, *, heads: bool = False) -> SamModel:
    """A model from named files, plain SAM unless heads are asked for."""
    options: dict[str, Any] = {} if heads else {"heads_directory": None}
    return SamModel.load(
        MODELS,
        encoder_threads=threads,
        decoder_threads=1,
        encoder_file=encoder,
        decoder_file=decoder,
        **options,
    )


def photos(limit: int) -> list[tuple[np.ndarray, list[Click]]]:
    """Photos with three include clicks each."""
    bench = load_bench()
    found = []
    names = argparse.Namespace(rooms=str(SHARED / "data" / "rooms"), synthetic=None)
    for index, (_, photo, wall) in enumerate(bench.cases(names)):
        if index >= limit:
            break
        rng = np.random.default_rng([11, index])
        with Image.open(photo) as image:
            rgb = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        true = np.asarray(Image.open(wall).convert("L")) > 127
        first = bench.next_click(np.zeros_like(true), true, rng, np.zeros_like(true))
        height, width = true.shape
        places = [first[:2]] if first else []
        places += [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
        found.append((rgb, [Click(x, y, 1) for x, y in places]))
    return found


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """IoU of two boolean masks."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def agreement(one: SamModel, other: SamModel, cases: list[tuple[np.ndarray, list[Click]]]) -> str:
    """Mean and least IoU of both models' masks, at the photo's size and on the 1024 grid."""
    values = []
    for photo, clicks in cases:
        first, second = one.encode(photo), other.encode(photo)
        for click in clicks:
            a, b = one.predict(first, [click]), other.predict(second, [click])
            values.append(
                [
                    overlap(a.mask(size) > 127, b.mask(size) > 127)
                    for size in (None, first.grid.resized)
                ]
            )
    mean, (least, least_1024) = np.mean(values, axis=0), np.min(values, axis=0)
    return (
        f"IoU mean {mean[0]:.4f} min {least:.4f}, on the 1024 grid mean {mean[1]:.4f} "
        f"min {least_1024:.4f}, over {len(values)} prompts"
    )


def candidate_agreement(
    one: SamModel, other: SamModel, cases: list[tuple[np.ndarray, list[Click]]]
) -> str:
    """The same where the other's mask is the candidate that the first chose, on the 256 grid.

    Where two candidates' scores are all but equal any rounding may choose the other one.
    """
    values, others = [], 0
    for photo, clicks in cases:
        first, second = one.encode(photo), other.encode(photo)
        for click in clicks:
            a, b = one.predict(first, [click]), other.predict(second, [click])
            chosen, its = a.chosen, b.chosen
            others += chosen != its
            values.append(overlap(a.candidates[chosen] > 0, b.candidates[chosen] > 0))
    return (
        f"candidate by candidate: IoU mean {np.mean(values):.4f} min {np.min(values):.4f}; "
        f"another was chosen at {others} of {len(values)} prompts"
    )


Seconds = tuple[float, float]


def paired(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Seconds]:
    """Median wall and CPU seconds of each call, run in turns so that a busy machine hurts all.

    CPU seconds are those of all threads: beside other programs they say more than the wall clock.
    """
    spent: dict[str, list[Seconds]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for name, call in calls.items():
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            spent[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    found = {name: np.median(values, axis=0) for name, values in spent.items()}
    return {name: (float(wall), float(cpu)) for name, (wall, cpu) in found.items()}


def show(title: str, seconds: dict[str, Seconds], baseline: str) -> None:
    """One line a call, with its ratios to the baseline."""
    print(title)
    for name, (wall, cpu) in seconds.items():
        by_wall, by_cpu = wall / seconds[baseline][0], cpu / seconds[baseline][1]
        print(
            f"  {name:32} wall {1000 * wall:7.1f} ms {by_wall:5.2f}"
            f"   cpu {1000 * cpu:7.1f} ms {by_cpu:5.2f}"
        )


Case = tuple[np.ndarray, list[Click]]


def encoder_alone(found: SamModel) -> Callable[[], object]:
    """SAM's encoder on a drawn room of 4:3."""
    session, picture = found._encoder, drawn_input()
    feeds = {next(iter(session.signature.inputs)): picture}
    return lambda: session.run(list(session.signature.outputs), feeds)


def compare_encoders(models: dict[str, SamModel], photo: np.ndarray, *, rounds: int) -> None:
    """Time of the encoder alone, and of one encoding, photo to embedding."""
    alone = {name: encoder_alone(found) for name, found in models.items()}
    show("the encoder alone, 4:3", paired(alone, rounds), "encoder.onnx")
    calls: dict[str, Callable[[], object]] = {
        name: partial(found.encode, photo) for name, found in models.items()
    }
    title = f"encode, {photo.shape[1]} x {photo.shape[0]}"
    show(title, paired(calls, rounds), "encoder.onnx")


def compare_clicks(plain: SamModel, product: SamModel, case: Case, *, rounds: int) -> None:
    """Time of one click, embedding to mask at the photo's size, on one thread."""
    photo, [click, *_] = case
    two, three = plain.encode(photo), product.encode(photo)
    turn = iter(range(10**6))

    def fresh_click() -> Click:
        """A click that was not decoded before."""
        number = next(turn)
        return Click((37 * number) % three.width, (53 * number) % three.height, 1)

    published = load_bench().Stock(
        str(MODELS / "encoder.onnx"), str(MODELS / "sam.onnx"), threads=1
    )
    published.emb = two.features
    published.h, published.w = photo.shape[:2]
    published.s = 1024 / max(photo.shape[:2])
    baseline = "sam.onnx, full-size output"
    calls: dict[str, Callable[[], object]] = {
        baseline: lambda: published.mask([(click.x, click.y, 1)]),
        "decoder.lean.onnx": lambda: plain.predict(two, [click]).mask(),
        "with wall heads, first click": lambda: product.predict(three, [fresh_click()]).mask(),
        "with wall heads, further click": lambda: product.predict(
            three, [click, fresh_click()]
        ).mask(),
    }
    show("one click, 1 thread, to mask at the photo's size", paired(calls, rounds), baseline)


def time_rasters(product: SamModel, case: Case, *, rounds: int) -> None:
    """Time from logits to masks and outline."""
    photo, clicks = case
    found = product.predict(product.encode(photo), clicks[:1])
    view = (1024, 768)
    calls = {
        "mask at 12 MP (4000 x 3000)": lambda: found.mask((4000, 3000)),
        "mask at 50 MP (8660 x 5774)": lambda: found.mask((8660, 5774)),
        "outline for a view of 1024 px": lambda: outline_path(found, view_size=view),
    }
    show("from logits", paired(calls, rounds), "mask at 12 MP (4000 x 3000)")
    print(f"outline: {len(outline_path(found, view_size=view))} characters")


def main() -> None:
    """Print agreement and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=26)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2, help="of the encoder")
    options = parser.parse_args()
    stock = model(options.threads, "encoder.onnx", "sam.onnx")
    plain = model(options.threads, "encoder.onnx", "decoder.lean.onnx")
    lean = model(options.threads, "encoder.lean.onnx", "sam.onnx")
    lean_plain = model(options.threads, "encoder.lean.onnx", "decoder.lean.onnx")
    product = model(options.threads, "encoder.onnx", "decoder.lean.onnx", heads=True)
    encoders = {"encoder.onnx": stock, "encoder.lean.onnx": lean}
    if (MODELS / "encoder.int8.onnx").is_file():  # `fetch_models --also encoder.int8.onnx`
        encoders["encoder.int8.onnx"] = model(options.threads, "encoder.int8.onnx", "sam.onnx")
    cases = photos(options.photos)
    compare_encoders(encoders, cases[0][0], rounds=options.rounds)
    compare_clicks(plain, product, cases[0], rounds=options.rounds)
    print("decoder.lean.onnx against sam.onnx:", agreement(stock, plain, cases), flush=True)
    print("encoder.lean.onnx against encoder.onnx:", agreement(stock, lean, cases), flush=True)
    print(" ", candidate_agreement(plain, lean_plain, cases))
    time_rasters(product, cases[0], rounds=options.rounds)


if __name__ == "__main__":
    main()
