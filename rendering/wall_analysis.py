"""What a photo tells about its marked wall, whichever wallpaper is put on it.

Plane, light, exposure, edges, blur and noise depend on photo and mask alone, so a visitor who tries
one wallpaper after another needs them once: `analyse_wall` makes them, `render` takes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, check_mask, check_picture, f32, u8
from rendering.compositing.camera_noise import (
    CameraNoise,
    LensBlur,
    estimate_lens_blur,
    estimate_noise,
)
from rendering.compositing.matte import EDGE_TOLERANCE, EdgeColours, edge_colours
from rendering.geometry.plane import WallPlane
from rendering.lighting.exposure import camera_curve, measure_room_luminance, wall_reflectance
from rendering.lighting.light_field import (
    WORK_SIDE,
    LightField,
    estimate_light,
    mean_light,
    texture_strength,
    unguided_light,
)
from rendering.lighting.paint_regions import (
    Paints,
    extend_to_other_paint,
    find_paints,
    paint_boundary,
)
from rendering.lighting.pattern_removal import PatternFreeWall, remove_pattern
from rendering.lighting.tone_curve import CameraCurve
from rendering.mask_box import bounding_box
from rendering.stage_timer import StageTimer

SMALL_PHOTO_SIDE = 512

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class WallAnalysis:
    """A photo's wall without its old paint or paper. About 12 MB, however large the photo is.

    `shape`           height, width of the photo
    `box`             x0, y0, x1, y1 (exclusive) of the mask; the fields below cover it at a working
                      size
    `edge_tolerance`  pixels of the photo that the mask's edge may be wrong
    `tone_curve`      the photo's tone curve
    `reflectance`     3 float64: what the wall sends back of white light: its (main) paint's albedo
                      and gloss
    `light`           what the bare wall sends back
    `mean_light`      the mean of that, 3 float32
    `edges`           wall and foreground colours beside the mask's edge
    `blur`, `noise`   what the camera added
    """

    shape: tuple[int, int]
    box: Box
    edge_tolerance: int
    tone_curve: CameraCurve
    reflectance: F64
    light: LightField
    mean_light: F32
    edges: EdgeColours
    blur: LensBlur
    noise: CameraNoise | None

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels per full-resolution pixel, x and y."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.light.gain.shape[:2]
        return columns / (x1 - x0), rows / (y1 - y0)


def analyse_wall(
    photo: U8, mask: U8, plane: WallPlane, *, timer: StageTimer | None = None
) -> WallAnalysis:
    """Read the wall of `photo` (uint8 H x W x 3 RGB) that `mask` (uint8 H x W, 0..255) covers.

    `plane` in the photo's pixels; `timer` counts the stages "pattern", "level", "light" and
    "sensor".

    Raises:
        NothingSelectedError: the mask is empty.
        ImageError: an array has the wrong shape or type.
    """
    check_picture(photo, "photo")
    check_mask(mask, photo)
    timer = timer or StageTimer(None)
    box = bounding_box(mask)
    small = _small_photo(photo, mask)
    wall = _crop_to_wall(photo, mask, box, small.tone_curve)
    patterned = texture_strength(small.radiance, small.core)[0] > 0
    pattern_free = remove_pattern(wall.guide, wall.core, wall.plane(plane)) if patterned else None
    timer.finish("pattern")
    small_plane = plane.scaled(max(small.core.shape) / max(mask.shape))
    bare, paints = _bare_radiance(small, pattern_free, small_plane)
    reflectance = wall_reflectance(
        bare,
        small.wall,
        small.core,
        small_plane,
        measure_room_luminance(small.photo, small.radiance, small.wall),
        patterned if bare is small.radiance else None,
    )
    timer.finish("level")
    light, mean = _estimate_light(wall, paints, pattern_free, mask.shape)
    tolerance = max(2, round(EDGE_TOLERANCE * max(mask.shape)))
    edges = wall.edge_colours(tolerance)
    timer.finish("light")
    blur, noise = estimate_lens_blur(photo, mask), estimate_noise(photo, mask)
    timer.finish("sensor")
    shape = (mask.shape[0], mask.shape[1])
    return WallAnalysis(
        shape, box, tolerance, small.tone_curve, reflectance, light, mean, edges, blur, noise
    )


@dataclass(frozen=True, slots=True, eq=False)
class _SmallPhoto:
    """The photo, small: 8-bit and scene-linear light h x w x 3, any wall and sure wall h x w."""

    photo: U8
    radiance: F32
    wall: Bool
    core: Bool
    tone_curve: CameraCurve


@dataclass(frozen=True, slots=True, eq=False)
class _WallCrop:
    """The mask's box, small: scene-linear light h x w x 3, soft mask and sure wall h x w."""

    box: Box
    guide: F32
    cover: U8
    core: Bool

    @property
    def scale(self) -> float:
        """Working pixels per pixel of the photo."""
        x0, y0, x1, y1 = self.box
        return float(max(self.core.shape) / max(x1 - x0, y1 - y0))

    def edge_colours(self, tolerance: int) -> EdgeColours:
        """Wall and foreground beside the mask's edge, `tolerance` in pixels of the photo."""
        small = max(1, math.ceil(tolerance * self.scale))
        return edge_colours(self.guide, self.cover, self.core, small)

    def plane(self, plane: WallPlane) -> WallPlane:
        """A plane of the photo in the pixels of this picture."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.core.shape
        sx, sy = columns / (x1 - x0), rows / (y1 - y0)
        shift = (0.5 - x0) * sx - 0.5, (0.5 - y0) * sy - 0.5
        return plane.transformed(np.array([[sx, 0, shift[0]], [0, sy, shift[1]], [0, 0, 1.0]]))


def _small_photo(photo: U8, mask: U8) -> _SmallPhoto:
    height, width = mask.shape
    factor = min(1.0, SMALL_PHOTO_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    core = core_of(cover)
    tone_curve = camera_curve(small, core)
    return _SmallPhoto(small, tone_curve.decode(small), cover > 16, core, tone_curve)


def _crop_to_wall(photo: U8, mask: U8, box: Box, tone_curve: CameraCurve) -> _WallCrop:
    x0, y0, x1, y1 = box
    scale = min(1.0, WORK_SIDE / max(y1 - y0, x1 - x0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    small = u8(cv2.resize(photo[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    return _WallCrop(box, tone_curve.decode(small), cover, core_of(cover))


def core_of(cover: U8) -> Bool:
    """Pixels that are surely wall: full coverage, and a pixel from the edge where possible."""
    core = cover >= 250
    shrunk = cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if shrunk.sum() >= 16:
        return np.asarray(shrunk, dtype=np.bool_)
    return core if core.any() else np.asarray(cover >= cover.max(), dtype=np.bool_)


def _bare_radiance(
    small: _SmallPhoto, pattern_free: PatternFreeWall | None, plane: WallPlane
) -> tuple[F32, Paints | None]:
    """The small photo with the wall's main paint everywhere on the wall, and the other paint found.

    `plane` in the small photo's pixels. The radiance is the same array where nothing had to be
    changed.
    """
    if pattern_free is not None:
        return pattern_free.pattern.removed_from(small.radiance, small.core, plane)[0], None
    paints = find_paints(small.radiance, small.core)
    if paints is None:
        return small.radiance, None
    as_main = paints.as_main_paint(small.radiance)
    return f32(np.where(small.wall[..., None], as_main, small.radiance)), paints


def _estimate_light(
    wall: _WallCrop,
    paints: Paints | None,
    pattern_free: PatternFreeWall | None,
    shape: tuple[int, ...],
) -> tuple[LightField, F32]:
    """The bare wall's light and its mean."""
    bare, sure = wall.guide, wall.core
    if pattern_free is not None:
        light = unguided_light(pattern_free.radiance, pattern_free.trust, sure)
        return light, mean_light(light, sure)
    if paints is not None:
        paints = _paints_in_crop(paints, wall.box, shape, (sure.shape[1], sure.shape[0]))
        bare, sure = paints.as_main_paint(bare), sure & ~paint_boundary(paints.other)
        if not sure.any():
            bare, sure, paints = wall.guide, wall.core, None
    light = estimate_light(bare, sure)
    mean = mean_light(light, sure)
    return (light if paints is None else extend_to_other_paint(light, paints, bare, sure)), mean


def _paints_in_crop(
    paints: Paints, box: Box, shape: tuple[int, ...], size: tuple[int, int]
) -> Paints:
    """The paints of the wall's box at its working size (width, height)."""
    x0, y0, x1, y1 = box
    rows, columns = paints.other.shape
    fx, fy = columns / shape[1], rows / shape[0]
    sx, sy = fx * (x1 - x0) / size[0], fy * (y1 - y0) / size[1]
    M = np.array([[sx, 0, x0 * fx + 0.5 * sx - 0.5], [0, sy, y0 * fy + 0.5 * sy - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    soft = cv2.warpAffine(f32(paints.other), M, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return Paints(np.asarray(soft > 0.5, dtype=np.bool_), paints.ratio)
