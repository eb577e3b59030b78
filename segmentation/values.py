"""What goes into a prediction: clicks, a box, and the encoder's output with its byte format."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from segmentation.errors import EmbeddingError
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, FloatArray, PhotoGrid
from segmentation.wall_net_io import TOKEN_SHAPE, WALL_MAPS_SHAPE

FEATURE_SHAPE: Final = (1, 256, FEATURE_SIDE, FEATURE_SIDE)
# Of an embedding's arrays, in the order of its byte format: features, wall maps, tokens.
EMBEDDING_SHAPES: Final = (FEATURE_SHAPE, WALL_MAPS_SHAPE, TOKEN_SHAPE)
THUMBNAIL_SHAPE: Final = (MASK_SIDE, MASK_SIDE, 3)

_MAGIC: Final = b"WVEM\x05"
_HEADER_MAX_BYTES: Final = 4096
_THUMBNAIL_BYTES: Final = MASK_SIDE * MASK_SIDE * 3
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

    features: float32 1 x 256 x 64 x 64, SAM's. wall_maps: float32 9 x 128 x 128, the wall
    network's output, and tokens: float32 64 x 33 x 33, those of its patches; both zero for plain SAM. All are already rounded to
    float16 precision, so that storing and loading them changes no later mask. width, height: the
    photo's, in pixels. model: identity of the model that made it. thumbnail: uint8 256 x 256 x 3 RGB,
    the photo on the mask grid, padding black (the click network reads edges from it). digest: SHA-256
    of all of this, in hex.
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
        """Header, float16 features, wall maps and tokens (2.4 MiB), deflated thumbnail; inverse of `from_bytes`."""
        header = json.dumps(
            {"w": self.width, "h": self.height, "model": self.model, "digest": self.digest}
        ).encode()
        arrays = [
            array.astype(np.float16).tobytes()
            for array in (self.features, self.wall_maps, self.tokens)
        ]
        thumbnail = zlib.compress(self.thumbnail.tobytes(), 1)
        return b"".join([_MAGIC, struct.pack("<I", len(header)), header, *arrays, thumbnail])

    @classmethod
    def from_bytes(cls, data: bytes) -> Embedding:
        """Read what `to_bytes` wrote.

        Raises:
            EmbeddingError: the bytes are cut, altered or something else altogether; the digest covers
                every byte of content.
        """
        try:
            header, (features, wall_maps, tokens), thumbnail = _split(data)
            width, height, model = int(header["w"]), int(header["h"]), str(header["model"])
            stated = str(header["digest"])
        except (ValueError, KeyError, TypeError, UnicodeDecodeError, zlib.error) as error:
            raise EmbeddingError(f"not an embedding: {error}") from error
        if not (0 < width < _SIDE_MAX_PX and 0 < height < _SIDE_MAX_PX):
            raise EmbeddingError(f"not an embedding: photo size {width} x {height}")
        found = cls.build(
            features,
            wall_maps=wall_maps,
            tokens=tokens,
            width=width,
            height=height,
            model=model,
            thumbnail=np.frombuffer(thumbnail, np.uint8).reshape(THUMBNAIL_SHAPE),
        )
        if found.digest != stated:
            raise EmbeddingError(f"embedding altered: digest {found.digest}, stated {stated}")
        return found


def _split(data: bytes) -> tuple[dict[str, Any], list[npt.NDArray[np.float16]], bytes]:
    """Header, arrays and thumbnail of the byte format.

    ValueError when a part is missing or has the wrong length.
    """
    start = len(_MAGIC) + 4
    if data[: len(_MAGIC)] != _MAGIC or len(data) < start:
        raise ValueError("wrong first bytes")
    (length,) = struct.unpack("<I", data[len(_MAGIC) : start])
    if length > _HEADER_MAX_BYTES:
        raise ValueError(f"header of {length} bytes")
    header = json.loads(data[start : start + length])
    if not isinstance(header, dict):
        raise ValueError("header is not an object")
    arrays, at = [], start + length
    for shape in EMBEDDING_SHAPES:
        # ValueError as well where the data end too soon.
        arrays.append(np.frombuffer(data, np.float16, math.prod(shape), at).reshape(shape))
        at += arrays[-1].nbytes
    # A bounded inflate: a damaged cache entry must not be able to fill the memory.
    inflater = zlib.decompressobj()
    thumbnail = inflater.decompress(data[at:], _THUMBNAIL_BYTES + 1)
    if not inflater.eof or inflater.unused_data or len(thumbnail) != _THUMBNAIL_BYTES:
        raise ValueError(f"thumbnail cut or not {_THUMBNAIL_BYTES} bytes")
    return header, arrays, thumbnail


def _digest(arrays: Sequence[npt.NDArray[Any]], width: int, height: int, model: str) -> str:
    content = hashlib.sha256(f"{width}x{height} {model} ".encode())
    for array in arrays:
        content.update(array.tobytes())
    return content.hexdigest()
