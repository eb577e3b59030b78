"""Any decoded picture as plain sRGB, 8 bits, three channels, opaque."""

from __future__ import annotations

import logging
from io import BytesIO
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

logger = logging.getLogger(__name__)

# A profile whose transform moves no probe colour by more than this many levels is sRGB, whatever
# its name: the many sRGB profiles in circulation differ in the last bits of their curves. Names are
# not believed.
_SRGB_TOLERANCE = 2

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}


def to_srgb(image: Image.Image) -> Image.Image:
    """`image` (loaded, any mode a decoder gives) as mode RGB in sRGB; transparency lies on white.

    An embedded ICC profile is honoured, unless it is sRGB (then the samples are not touched),
    unreadable, or made for another kind of image (then it is dropped). Sixteen-bit grey is scaled
    by 255/65535, not clipped.
    """
    profile = image.info.get("icc_profile")
    colours, alpha = _split_alpha(image)
    if isinstance(profile, bytes) and profile:
        colours = _convert_profile(colours, profile)
    if colours.mode != "RGB":
        colours = colours.convert("RGB")
    if alpha is None:
        return colours
    white = Image.new("RGB", colours.size, (255, 255, 255))
    return Image.composite(colours, white, alpha)


def grey16_to_8(samples: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Sixteen-bit samples 0..65535 (any integer) to uint8, rounded: 65535 = 257 x 255."""
    wide = np.clip(samples, 0, 65535).astype(np.uint32)
    rounded: NDArray[np.uint8] = ((wide + 128) // 257).astype(np.uint8)
    return rounded


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """(opaque picture of mode L, RGB or CMYK, its alpha or None where nothing is transparent)."""
    if image.mode.startswith("I"):
        return _split_grey16(image)
    if image.mode == "1" and "transparency" not in image.info:
        return image.convert("L"), None
    if "transparency" in image.info or image.mode == "PA":
        image = image.convert("RGBA")
    if image.mode in ("RGBA", "LA"):
        alpha = image.getchannel("A")
        colours = image.convert("RGB" if image.mode == "RGBA" else "L")
        return colours, None if alpha.getextrema() == (255, 255) else alpha
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    return image.convert("RGB"), None


def _split_grey16(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    # Pillow's own convert() clips sixteen bits at 255, which turns nearly everything white.
    samples = np.asarray(image)
    grey = Image.fromarray(grey16_to_8(samples))
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey, None
    return grey, Image.fromarray(np.where(samples == clear, 0, 255).astype(np.uint8))


def _convert_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """`image` (L, RGB or CMYK) through `profile` to sRGB, or unchanged where that is of no use."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if _PROFILE_MODES.get(space) != image.mode:
            logger.info("dropped an ICC profile for %r on an image of mode %s", space, image.mode)
            return image
        transform = _transform_to_srgb(source, image.mode)
        if image.mode == "RGB" and _is_identity(transform):
            return image
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        # A broken profile is no reason to refuse a photo: every viewer shows it without.
        logger.info("dropped an unreadable ICC profile: %s", error)
        return image
    return converted if converted is not None else image


def _transform_to_srgb(source: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    # Print profiles are made for the perceptual intent; between displays, colours inside both
    # gamuts must come out as they are, which is relative colorimetric.
    perceptual = mode == "CMYK"
    intent = ImageCms.Intent.PERCEPTUAL if perceptual else ImageCms.Intent.RELATIVE_COLORIMETRIC
    flags = ImageCms.Flags.NONE if perceptual else ImageCms.Flags.BLACKPOINTCOMPENSATION
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    return ImageCms.buildTransform(source, target, mode, "RGB", intent, flags)


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether `transform` leaves a 9 x 9 x 9 grid of colours and a grey ramp where they are."""
    grid = np.array(list(product(range(0, 257, 32), repeat=3))).clip(0, 255)
    ramp = np.repeat(np.arange(256)[:, None], 3, axis=1)
    probe = np.concatenate([grid, ramp]).astype(np.uint8)[None]
    moved = ImageCms.applyTransform(Image.fromarray(probe), transform)
    if moved is None:
        return False
    return bool(np.abs(np.asarray(moved).astype(int) - probe).max() <= _SRGB_TOLERANCE)
