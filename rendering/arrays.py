"""Array types of this package and the checks at its border.

Pictures are uint8 H x W x 3 in RGB order; masks are uint8 H x W, 0..255 coverage of the wall.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rendering.errors import ImageError

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int_]


def f32(array: Any) -> F32:
    """The array as float32; no copy when it already is (OpenCV's stubs lose the dtype)."""
    return np.asarray(array, dtype=np.float32)


def u8(array: Any) -> U8:
    """The array as uint8; no copy when it already is."""
    return np.asarray(array, dtype=np.uint8)


def check_picture(picture: U8, what: str) -> None:
    """Refuse anything but a non-empty uint8 H x W x 3 array; `what` names it in the message.

    Raises:
        ImageError: it is something else.
    """
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8:
        raise ImageError(f"The {what} is not an 8-bit picture.", f"{what}: {type(picture)}")
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise ImageError(f"The {what} is not an RGB picture.", f"{what}: shape {picture.shape}")


def check_mask(mask: U8, photo: U8) -> None:
    """Refuse a mask that is not uint8 of the photo's height and width.

    Raises:
        ImageError: it is something else.
    """
    if not isinstance(mask, np.ndarray) or mask.dtype != np.uint8 or mask.ndim != 2:
        raise ImageError("The mask is not an 8-bit grey picture.", f"mask: {type(mask)}")
    if mask.shape != photo.shape[:2]:
        raise ImageError(
            "The mask does not have the photo's size.",
            f"mask {mask.shape}, photo {photo.shape[:2]}",
        )
