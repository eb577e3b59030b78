"""What an image service is asked, in the fields that a configured mapping gives it.

A mapping is JSON in which a text that is exactly `$name` stands for one of our values:

    $render           the local render of the region: the picture to start from
    $photo            the region as photographed
    $mask             white where it may be repainted; $mask_inverted the other way round
    $wallpaper        one repeat of the wallpaper, as a reference picture
    $prompt, $negative_prompt, $strength (0..1), $width, $height, $seed
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from jobs.backends.diffusion.region import Pixels

PICTURES: Final = frozenset({"render", "photo", "mask", "mask_inverted", "wallpaper"})
VALUES: Final = frozenset({"prompt", "negative_prompt", "strength", "width", "height", "seed"})
MAX_SEED: Final = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class ServiceRequest:
    """One picture to be asked for.

    render, photo: uint8 h x w x 3 RGB, multiples of 8. mask: uint8 h x w. wallpaper: uint8 RGB.
    strength: 0 leaves the render as it is, 1 repaints it.
    """

    render: Pixels
    photo: Pixels
    mask: Pixels
    wallpaper: Pixels
    prompt: str
    negative_prompt: str
    strength: float

    @property
    def seed(self) -> int:
        """0 .. 2^31 - 1, from the pictures: the same generation asks for the same again."""
        digest = hashlib.sha256(self.render.tobytes() + self.mask.tobytes()).digest()
        return int.from_bytes(digest[:8], "big") % MAX_SEED

    def value(self, name: str) -> str | int | float:
        """The value of one of VALUES."""
        if name == "width":
            return int(self.render.shape[1])
        if name == "height":
            return int(self.render.shape[0])
        value: str | int | float = getattr(self, name)
        return value

    def picture(self, name: str) -> bytes:
        """One of PICTURES as a PNG file."""
        pixels = 255 - self.mask if name == "mask_inverted" else getattr(self, name)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
        return buffer.getvalue()


def mapping_error(variable: str, text: str) -> str | None:
    """What is wrong with a configured mapping; None where it can be used."""
    try:
        mapping = json.loads(text)
    except (ValueError, RecursionError):
        return f"{variable} is not JSON."
    if not isinstance(mapping, dict):
        return f"{variable} must be a JSON object."
    unknown = sorted(name for name in _names(mapping) if name not in PICTURES | VALUES)
    return f"{variable} names ${unknown[0]}, which there is not." if unknown else None


def fill_mapping(
    mapping: Any, request: ServiceRequest, encode_picture: Callable[[str, bytes], str]
) -> Any:
    """`mapping` with every `$name` replaced, pictures by `encode_picture(name, png)`."""
    if isinstance(mapping, dict):
        return {key: fill_mapping(value, request, encode_picture) for key, value in mapping.items()}
    if isinstance(mapping, list):
        return [fill_mapping(value, request, encode_picture) for value in mapping]
    if not _is_name(mapping):
        return mapping
    name = mapping[1:]
    return encode_picture(name, request.picture(name)) if name in PICTURES else request.value(name)


def _names(mapping: Any) -> set[str]:
    if isinstance(mapping, dict):
        return set().union(*(_names(value) for value in mapping.values()))
    if isinstance(mapping, list):
        return set().union(*(_names(value) for value in mapping))
    return {mapping[1:]} if _is_name(mapping) else set()


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("$")
