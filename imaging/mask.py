"""Wall masks given from outside (API, command line) as PNG."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imaging.colour import grey16_to_8
from imaging.decode import PHOTO_LIMITS, decode_image
from imaging.errors import WrongSize
from imaging.sniff import PNG

# The size must equal the photo's, so the photo's own limits have been checked already; a photo may
# be smaller than a caller's limits say, hence no lower limit here.
_MASK_LIMITS = replace(PHOTO_LIMITS, min_side=1, max_aspect=float("inf"), noun="mask")


def read_mask(data: bytes, *, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Decode a mask of a photo of `size` (width, height): uint8 H x W, coverage 0..255.

    The numbers are taken as they are: neither EXIF orientation nor a colour profile is applied.

    - Grey, RGB, palette: the luma (ITU-R BT.601, exact for grey). 1-bit: 0 or 255. Sixteen bits:
      divided by 257.
    - A mask with no value above 1 is a label map: 1 becomes 255.
    - With transparency: where everything visible has one colour, the mask was drawn on a clear
      ground and coverage is the alpha itself; otherwise it is luma x alpha / 255, as if it lay on
      black.

    Raises:
        WrongSize: the message names both sizes.
        ImagingError: the file is refused for another reason.
    """
    decoded = decode_image(data, _MASK_LIMITS, (PNG,))
    if decoded.image.size != size:
        got, wanted = decoded.image.size, size
        raise WrongSize(
            f"The mask is {got[0]} x {got[1]} pixels but the photo is {wanted[0]} x {wanted[1]}. "
            "Send a mask of the photo's size."
        )
    coverage = _coverage(decoded.image)
    if coverage.max() == 1:
        coverage = coverage * np.uint8(255)
    return np.ascontiguousarray(coverage)


def _coverage(image: Image.Image) -> NDArray[np.uint8]:
    if image.mode.startswith("I"):
        return _grey16(np.asarray(image))
    if image.mode in ("LA", "RGBA", "PA") or "transparency" in image.info:
        return _with_alpha(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("L"))


def _grey16(samples: NDArray[np.integer]) -> NDArray[np.uint8]:
    # A label map saved with sixteen bits must not be rounded away.
    return samples.astype(np.uint8) if samples.max() <= 1 else grey16_to_8(samples)


def _with_alpha(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    alpha = rgba[..., 3]
    luma = np.asarray(Image.fromarray(np.ascontiguousarray(rgba[..., :3])).convert("L"))
    if alpha.min() == 255:
        return luma
    visible = rgba[alpha > 0][:, :3]
    if len(visible) == 0 or bool((visible == visible[0]).all()):
        return alpha
    product = luma.astype(np.uint16) * alpha
    return ((product + 127) // 255).astype(np.uint8)
