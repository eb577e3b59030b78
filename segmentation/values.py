"""What goes into a prediction: clicks, a box, and the encoders' outputs, which can be stored."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import safetensors.numpy
from safetensors import SafetensorError

from segmentation.errors import EmbeddingError
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, FloatArray, PhotoGrid
from segmentation.wall_net_io import TOKEN_SHAPE, WALL_MAPS_SHAPE

FEATURE_SHAPE: Final = (1, 256, FEATURE_SIDE, FEATURE_SIDE)
# Of an embedding's arrays, in this order: features, wall maps, tokens.
EMBEDDING_SHAPES: Final = (FEATURE_SHAPE, WALL_MAPS_SHAPE, TOKEN_SHAPE)
THUMBNAIL_SHAPE: Final = (MASK_SIDE, MASK_SIDE, 3)

# What an embedding is stored as, by the arrays' names.
_STORED: Final[dict[str, tuple[tuple[int, ...], type[np.generic]]]] = {
    "features": (FEATURE_SHAPE, np.float16),
    "wall_maps": (WALL_MAPS_SHAPE, np.float16),
    "tokens": (TOKEN_SHAPE, np.float16),
    "thumbnail": (THUMBNAIL_SHAPE, np.uint8),
}
_HEADER_LENGTH: Final = struct.Struct("<Q")
_SIDE_MAX_PX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Click:
    """One click in photo pixels (pixel centres at integers): label 1 includes, 0 excludes."""

    x: float
    y: float
    label: int


@dataclass(frozen=True, slots=True)
class Box:
    """A box in photo pixels, (x0, y0) one corner and (x1, y1) the opposite one."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True, eq=False)
class DecodedClick:
    """A click: position on the 256 grid, label, and SAM's four masks and scores of what it lies on.

    candidates: float16 4 x 256 x 256 logits; scores: float32 (4,).
    """

    x: float
    y: float
    label: int
    candidates: npt.NDArray[np.float16]
    scores: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """What the networks that run once a photo made of it.

    features: float32 1 x 256 x 64 x 64, SAM's. wall_maps: float32 9 x 128 x 128, the wall network's
    output, and tokens: float32 64 x 33 x 33, those of its patches; both zero for plain SAM. All are
    already rounded to float16 precision, so that storing and loading them changes no later mask.
    width, height: the photo's, in pixels. model: identity of the model that made it. thumbnail:
    uint8 256 x 256 x 3 RGB, the photo on the mask grid, padding black (the click network reads
    edges from it). digest: SHA-256 of all of this, in hex.
    """

    features: FloatArray
    wall_maps: FloatArray
    tokens: FloatArray
    width: int
    height: int
    model: str
    thumbnail: npt.NDArray[np.uint8]
    digest: str

    @classmethod
    def build(
        cls,
        features: npt.NDArray[np.floating],
        *,
        wall_maps: npt.NDArray[np.floating] | None = None,
        tokens: npt.NDArray[np.floating] | None = None,
        width: int,
        height: int,
        model: str,
        thumbnail: npt.NDArray[np.uint8],
    ) -> Embedding:
        """Round to float16, freeze the arrays and name them by their digest."""
        wall_maps = np.zeros(WALL_MAPS_SHAPE) if wall_maps is None else wall_maps
        tokens = np.zeros(TOKEN_SHAPE) if tokens is None else tokens
        halves = [
            np.ascontiguousarray(array, np.float16) for array in (features, wall_maps, tokens)
        ]
        thumbnail = np.ascontiguousarray(thumbnail)
        digest = _digest([*halves, thumbnail], width, height, model)
        whole, whole_scene, whole_tokens = (half.astype(np.float32) for half in halves)
        for array in (whole, whole_scene, whole_tokens, thumbnail):
            array.setflags(write=False)
        return cls(whole, whole_scene, whole_tokens, width, height, model, thumbnail, digest)

    @property
    def grid(self) -> PhotoGrid:
        """How the photo lies on the model's square."""
        return PhotoGrid(self.width, self.height)

    def to_bytes(self) -> bytes:
        """As safetensors, the first three arrays in float16 (2.6 MiB); inverse of `from_bytes`."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "features": self.features.astype(np.float16),
            "wall_maps": self.wall_maps.astype(np.float16),
            "tokens": self.tokens.astype(np.float16),
            "thumbnail": self.thumbnail,
        }
        facts = {
            "width": str(self.width),
            "height": str(self.height),
            "model": self.model,
            "digest": self.digest,
        }
        return safetensors.numpy.save(arrays, facts)

    @classmethod
    def from_bytes(cls, data: bytes) -> Embedding:
        """Read what `to_bytes` wrote.

        Raises:
            EmbeddingError: the bytes are cut, altered or something else altogether; the digest
                covers every byte of content.
        """
        try:
            arrays, facts = _read(data)
            width, height = int(facts["width"]), int(facts["height"])
            model, stated = str(facts["model"]), str(facts["digest"])
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise EmbeddingError(f"not an embedding: {error}") from error
        if not (0 < width < _SIDE_MAX_PX and 0 < height < _SIDE_MAX_PX):
            raise EmbeddingError(f"not an embedding: photo size {width} x {height}")
        found = cls.build(
            arrays["features"],
            wall_maps=arrays["wall_maps"],
            tokens=arrays["tokens"],
            width=width,
            height=height,
            model=model,
            thumbnail=arrays["thumbnail"],
        )
        if found.digest != stated:
            raise EmbeddingError(f"embedding altered: digest {found.digest}, stated {stated}")
        return found


def _read(data: bytes) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Arrays and facts of the stored bytes.

    Raises:
        SafetensorError, ValueError, KeyError, TypeError: the bytes are something else.
    """
    arrays = safetensors.numpy.load(data)
    for name, (shape, dtype) in _STORED.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(f"{name} is {array.dtype} {array.shape}")
    # The library reads metadata from files alone. It has checked this header's length and syntax by
    # now.
    (length,) = _HEADER_LENGTH.unpack_from(data)
    header = json.loads(data[_HEADER_LENGTH.size : _HEADER_LENGTH.size + length])
    return arrays, dict(header["__metadata__"])


def _digest(arrays: Sequence[npt.NDArray[Any]], width: int, height: int, model: str) -> str:
    content = hashlib.sha256(f"{width}x{height} {model} ".encode())
    for array in arrays:
        content.update(array.tobytes())
    return content.hexdigest()
