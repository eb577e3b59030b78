"""The published SAM files, run as they are: times given as multiples are multiples of theirs.

A decode ends with the mask at the photo's size, an encode begins with the photo already small: both
without what the product does around them. The features are random, since neither time depends on
them.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort

SIDE = 1024


class Stock:
    """Published encoder and decoder, each with threads of its own."""

    def __init__(
        self, models: Path, *, size: tuple[int, int], encoder_threads: int, decoder_threads: int = 1
    ) -> None:
        """models: the folder with encoder.onnx and sam.onnx. size: the photo's (width, height)."""
        self.size = size
        self._encoder = _session(models / "encoder.onnx", encoder_threads)
        self._decoder = _session(models / "sam.onnx", decoder_threads)
        rng = np.random.default_rng(0)
        self._photo = rng.normal(0, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
        self._feeds = {
            "image_embeddings": rng.normal(0, 0.1, (1, 256, 64, 64)).astype(np.float32),
            "point_coords": np.array([[[300, 300], [0, 0]]], np.float32),
            "point_labels": np.array([[1, -1]], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([size[1], size[0]], np.float32),
        }
        self.encode()  # the first run of each also sets up its memory
        self.decode()

    def encode(self) -> float:
        """Seconds by the clock of one encode."""
        started = time.perf_counter()
        self._encoder.run(None, {"input": self._photo})
        return time.perf_counter() - started

    def decode(self) -> float:
        """Seconds by the clock of one decode, to the thresholded mask."""
        started = time.perf_counter()
        _ = self._decoder.run(["masks"], self._feeds)[0] > 0
        return time.perf_counter() - started

    def decodes_a_second(self, at_once: int, seconds: float) -> float:
        """How many decodes so many threads get done; less than as many times one thread's, which
        shares no cache.
        """
        end = time.perf_counter() + seconds

        def decode_on(_: int) -> int:
            count = 0
            while time.perf_counter() < end:
                self.decode()
                count += 1
            return count

        with ThreadPoolExecutor(at_once) as pool:
            return sum(pool.map(decode_on, range(at_once))) / seconds


def _session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
