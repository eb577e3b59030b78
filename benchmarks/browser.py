"""SAM in a browser beside SAM on the server: the same published files, in turns, in one run.

    python -m benchmarks.browser [--rounds N] [--folder FOLDER] [--threads N]

The browser's side is onnxruntime-web in Node (WebAssembly, one thread; the version in
`browser/package.json`), which `npm install` puts into a temporary folder outside the repository.
Needs node and npm. Medians of wall seconds; the features of both are compared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "var" / "models"
FILES = ("encoder.onnx", "sam.onnx")
SIDE = 1024
RENEWED = ("package.json", "wasm.mjs")


def prepare(folder: Path) -> np.ndarray:
    """Install onnxruntime-web in the folder and put the models and a picture of noise beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in RENEWED:
        shutil.copy(HERE / "browser" / name, folder / name)
    subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        cwd=folder,
        check=True,
    )
    for name in FILES:
        shutil.copy(MODELS / name, folder / name)
    picture = np.zeros((1, 3, SIDE, SIDE), np.float32)
    picture[:, :, :768] = np.random.default_rng(3).normal(0, 1, (1, 3, 768, SIDE))
    picture.tofile(folder / "picture.f32")
    return picture


def server(picture: np.ndarray, threads: int) -> Callable[[], dict[str, Any]]:
    """One round in this process: `threads` for the encoder, one for the decoder, as served."""
    sessions = []
    for name, count in zip(FILES, (threads, 1), strict=True):
        options = ort.SessionOptions()
        options.intra_op_num_threads = count
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        sessions.append(
            ort.InferenceSession(MODELS / name, options, providers=["CPUExecutionProvider"])
        )
    encoder, decoder = sessions

    def one_round() -> dict[str, Any]:
        start = time.perf_counter()
        [features] = encoder.run(None, {encoder.get_inputs()[0].name: picture})
        encoded = time.perf_counter()
        feeds = {
            "image_embeddings": features,
            "point_coords": np.array([[[512, 256], [0, 0]]], np.float32),
            "point_labels": np.array([[1, -1]], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([768, 1024], np.float32),
        }
        decoder.run(None, feeds)
        decoded = time.perf_counter()
        first = features.ravel()[:64].tolist()
        return {"encode": encoded - start, "decode": decoded - encoded, "features": first}

    return one_round


def compare(folder: Path, rounds: int, threads: int) -> None:
    """Print both sides' medians; the first round of each warms up."""
    at_server = server(prepare(folder), threads)
    node = subprocess.Popen(
        ["node", "wasm.mjs", str(folder)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert node.stdin is not None
    assert node.stdout is not None
    seen: dict[str, list[dict[str, Any]]] = {"browser": [], "server": []}
    with node:
        for _ in range(rounds + 1):
            node.stdin.write("go\n")
            node.stdin.flush()
            seen["browser"].append(json.loads(node.stdout.readline()))
            seen["server"].append(at_server())
        node.stdin.close()
    for step, used in (("encode", threads), ("decode", 1)):
        wasm, ours = (statistics.median(one[step] for one in found[1:]) for found in seen.values())
        print(
            f"{step}: browser WASM, 1 thread {wasm:.3f} s; server, {used} threads {ours:.3f} s; "
            f"{wasm / ours:.1f} times"
        )
    difference = np.subtract(*(found[-1]["features"] for found in seen.values()))
    print(f"features differ by at most {np.abs(difference).max():.1e}")


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of the server's encoder")
    parser.add_argument("--folder", type=Path, help="kept for the next run; else temporary")
    options = parser.parse_args()
    if options.folder:
        compare(options.folder.resolve(), options.rounds, options.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), options.rounds, options.threads)


if __name__ == "__main__":
    main()
