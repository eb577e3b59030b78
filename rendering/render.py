"""The picture: paper on the wall, in the wall's light, behind what stands before it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, check_mask, check_picture, f32, u8
from rendering.colour import CameraCurve
from rendering.errors import RenderingError
from rendering.level import camera_curve, wall_albedo
from rendering.light import WORK_SIDE, LightField, estimate_light
from rendering.mask_box import bounding_box
from rendering.paper import Paper
from rendering.placement import Placement
from rendering.plane import WallPlane

LEVEL_SIDE = 512
GLOSS = 0.02  # colourless reflection off the surface of paint and paper alike
STRIP_PIXELS = 1 << 19  # per strip: about 40 MB of float32 temporaries

OnStage = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A finished picture.

    ``picture``    uint8 H x W x 3 RGB, the photo's size
    ``timings``    seconds per stage
    ``untouched``  True when every pixel with mask 0 equals the photo's, bit for bit (checked)
    """

    picture: U8
    timings: dict[str, float]
    untouched: bool


@dataclass(slots=True)
class _Clock:
    on_stage: OnStage | None
    timings: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        spent = now - self._last
        self.timings[stage] = self.timings.get(stage, 0.0) + spent
        self._last = now
        if self.on_stage is not None:
            self.on_stage(stage, spent)


def render(
    photo: U8,
    mask: U8,
    wallpaper: U8,
    plane: WallPlane,
    placement: Placement,
    *,
    brightness: float = 0.0,
    keep_shadows: float = 1.0,
    on_stage: OnStage | None = None,
) -> Rendered:
    """Put ``wallpaper`` on the wall of ``photo`` that ``mask`` covers.

    ``photo``, ``wallpaper``: uint8 RGB; ``mask``: uint8, the photo's size, 0..255 coverage.
    ``brightness``: -2..2 stops added to the light; ``keep_shadows``: 0 (evenly lit) .. 1 (as in the
    photo) .. 2 (deeper). ``on_stage(name, seconds)`` is called after each stage.
    The wallpaper's top-left corner lies at the plane's quad TL plus ``placement.origin_m``.
    Raises NothingSelectedError for an empty mask, ImageError for wrong arrays.
    """
    check_picture(photo, "photo")
    check_picture(wallpaper, "wallpaper")
    check_mask(mask, photo)
    if not (-8 <= brightness <= 8 and 0 <= keep_shadows <= 4):
        raise RenderingError("Brightness or shadow strength is out of range.")
    clock = _Clock(on_stage)
    box = bounding_box(mask)
    x0, y0, x1, y1 = box
    wall, cover = photo[y0:y1, x0:x1], mask[y0:y1, x0:x1]
    curve, albedo = _level(photo, mask, plane)
    clock.lap("level")
    field_ = _light(wall, cover, curve)
    clock.lap("light")
    paper = Paper(wallpaper, plane, placement)
    clock.lap("paper")
    gain = f32(2.0**brightness / (albedo + GLOSS))
    picture = photo.copy()
    strip = max(1, STRIP_PIXELS // (x1 - x0))
    for top in range(y0, y1, strip):
        end = min(y1, top + strip)
        alpha = f32(mask[top:end, x0:x1]) * np.float32(1 / 255)
        reflectance = paper.sample(x0, top, x1 - x0, end - top)
        clock.lap("sample")
        guide = curve.decode(photo[top:end, x0:x1])
        light = _light_at(field_, guide, top - y0, (y1 - y0, x1 - x0))
        shown = (reflectance + np.float32(GLOSS)) * (light * gain)
        mixed = guide + alpha[..., None] * (shown - guide)
        coded = curve.encode(f32(np.maximum(mixed, 0.0)))
        target = picture[top:end, x0:x1]
        np.copyto(target, coded, where=(alpha > 0)[..., None])
        clock.lap("composite")
    same = np.array_equal(picture[mask == 0], photo[mask == 0])
    clock.lap("check")
    return Rendered(picture, clock.timings, same)


def _level(photo: U8, mask: U8, plane: WallPlane) -> tuple[CameraCurve, F64]:
    """Tone curve and the wall's albedo, from the whole room at a small size."""
    height, width = mask.shape
    factor = min(1.0, LEVEL_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    curve = camera_curve(small)
    scene = curve.decode(small)
    return curve, wall_albedo(scene, cover > 16, core_of(cover), plane.scaled(factor))


def core_of(cover: U8) -> Bool:
    """Pixels that are surely wall: full coverage, a pixel away from the edge where there is room."""
    core = cover >= 250
    shrunk = cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if shrunk.sum() >= 16:
        return np.asarray(shrunk, dtype=np.bool_)
    return core if core.any() else np.asarray(cover >= cover.max(), dtype=np.bool_)


def _light(wall: U8, cover: U8, curve: CameraCurve) -> LightField:
    height, width = cover.shape
    scale = min(1.0, WORK_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = u8(cv2.resize(wall, size, interpolation=cv2.INTER_AREA))
    core = core_of(u8(cv2.resize(cover, size, interpolation=cv2.INTER_AREA)))
    return estimate_light(curve.decode(small), core)


def _light_at(light: LightField, guide: F32, top: int, full: tuple[int, int]) -> F32:
    """The light field on one full-resolution strip that starts ``top`` rows into the wall's box."""
    height, width = full
    rows, columns = light.gain.shape[:2]
    sx, sy = columns / width, rows / height
    M = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (guide.shape[1], guide.shape[0])
    gain = cv2.warpAffine(light.gain, M, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    offset = cv2.warpAffine(light.offset, M, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return f32(np.maximum(f32(gain) * guide + f32(offset), 1e-5))
