"""The picture: paper on the wall, in the wall's light, behind what stands before it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, check_mask, check_picture, f32, u8
from rendering.colour import CameraCurve
from rendering.errors import RenderingError
from rendering.level import camera_curve, room_level, wall_albedo
from rendering.light import WORK_SIDE, LightField, estimate_light, shadows_kept
from rendering.mask_box import bounding_box
from rendering.matte import (
    REACH,
    EdgeColours,
    at_pixels,
    band_of,
    drawn_back,
    edge_colours,
    foreground,
)
from rendering.paints import Paints, find_paints, on_both, seam
from rendering.paper import Paper
from rendering.placement import Placement
from rendering.plane import WallPlane
from rendering.sensor import grain_of, lens_of

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
    curve, albedo, paints = _level(photo, mask, plane)
    clock.lap("level")
    wall = _wall(photo, mask, box, curve, paints, keep_shadows)
    clock.lap("light")
    lens, grain = lens_of(photo, mask), grain_of(photo, mask)
    clock.lap("sensor")
    paper = Paper(wallpaper, plane, placement)
    picture = photo.copy()
    # What the camera crushed to black shows no gloss either.
    own_gloss = GLOSS * np.minimum(1.0, albedo / 0.05)
    gain = f32(2.0**brightness / (albedo + own_gloss))
    x0, y0, x1, y1 = box
    strip = max(8, STRIP_PIXELS // (x1 - x0))
    for top in range(y0, y1, strip):
        end = min(y1, top + strip)
        r = lens.reach
        sharp = paper.sample(x0 - r, top - r, x1 - x0 + 2 * r, end - top + 2 * r)
        reflectance = lens.through(sharp)
        clock.lap("sample")
        cover = mask[top:end, x0:x1]
        coded = _composite(wall, photo[top:end, x0:x1], reflectance, mask, top, gain)
        if grain is not None:
            coded = grain.add(coded, _grainless(wall, cover, top - y0), x0, top)
        np.copyto(picture[top:end, x0:x1], coded, where=(cover > 0)[..., None])
        clock.lap("composite")
    same = _untouched(picture, photo, mask)
    clock.lap("check")
    return Rendered(picture, clock.timings, same)


@dataclass(frozen=True, slots=True, eq=False)
class _Wall:
    """What the photo told about the wall in ``box`` (x0, y0, x1, y1)."""

    box: tuple[int, int, int, int]
    reach: int
    curve: CameraCurve
    light: LightField
    edges: EdgeColours

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels per full-resolution pixel, x and y."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.light.gain.shape[:2]
        return columns / (x1 - x0), rows / (y1 - y0)


def _composite(wall: _Wall, photo: U8, reflectance: F32, mask: U8, top: int, gain: F32) -> U8:
    """One strip of the picture, starting at row ``top`` of the photo."""
    x0, y0, x1, _ = wall.box
    height, width = photo.shape[:2]
    guide = wall.curve.decode(photo)
    light = _light_at(wall, guide, top - y0)
    reflectance += np.float32(GLOSS)
    shown = reflectance
    shown *= light
    shown *= gain
    # Rows above and below the strip, so that the band does not depend on where strips are cut.
    low, high = max(0, top - wall.reach), min(mask.shape[0], top + height + wall.reach)
    left, right = max(0, x0 - wall.reach), min(mask.shape[1], x1 + wall.reach)
    around = band_of(mask[low:high, left:right], wall.reach)
    band = around[top - low : top - low + height, x0 - left : x0 - left + width]
    ys, xs = np.nonzero(band)
    if len(ys):
        x, y = f32(xs), f32(ys + (top - y0))
        seen = guide[ys, xs]
        bare = at_pixels(wall.edges.wall, x, y, wall.scale)
        front = at_pixels(wall.edges.front, x, y, wall.scale)
        given = f32(mask[top : top + height, x0:x1][ys, xs]) * np.float32(1 / 255)
        alpha = drawn_back(given, seen, bare, front)
        behind = foreground(alpha, seen, bare, front)
        a = alpha[:, None]
        shown[ys, xs] = a * shown[ys, xs] + (1.0 - a) * behind
    return wall.curve.encode(f32(np.maximum(shown, 0.0)))


def _untouched(picture: U8, photo: U8, mask: U8) -> bool:
    for top in range(0, mask.shape[0], 512):
        rows = slice(top, top + 512)
        changed = picture[rows] != photo[rows]
        changed &= (mask[rows] == 0)[..., None]
        if changed.any():
            return False
    return True


def _level(photo: U8, mask: U8, plane: WallPlane) -> tuple[CameraCurve, F64, Paints | None]:
    """Tone curve, the wall's albedo and its other paint, from the whole room at a small size."""
    height, width = mask.shape
    factor = min(1.0, LEVEL_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    core = core_of(cover)
    curve = camera_curve(small, core)
    scene = curve.decode(small)
    wall = cover > 16
    room = room_level(small, scene, wall)
    paints = find_paints(scene, core)
    if paints is not None:
        scene = f32(np.where(wall[..., None], paints.levelled(scene), scene))
    return curve, wall_albedo(scene, wall, core, plane.scaled(factor), room), paints


def core_of(cover: U8) -> Bool:
    """Pixels that are surely wall: full coverage, a pixel away from the edge where there is room."""
    core = cover >= 250
    shrunk = cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if shrunk.sum() >= 16:
        return np.asarray(shrunk, dtype=np.bool_)
    return core if core.any() else np.asarray(cover >= cover.max(), dtype=np.bool_)


def _wall(
    photo: U8,
    mask: U8,
    box: tuple[int, int, int, int],
    curve: CameraCurve,
    paints: Paints | None,
    keep_shadows: float,
) -> _Wall:
    x0, y0, x1, y1 = box
    reach = max(2, round(REACH * max(mask.shape)))
    scale = min(1.0, WORK_SIDE / max(y1 - y0, x1 - x0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    small = u8(cv2.resize(photo[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    guide = curve.decode(small)
    core = core_of(cover)
    bare, sure = guide, core
    if paints is not None:
        paints = _within(paints, box, mask.shape, size)
        bare, sure = paints.levelled(guide), core & ~seam(paints.other)
        if not sure.any():
            bare, sure, paints = guide, core, None
    light = shadows_kept(estimate_light(bare, sure), sure, keep_shadows)
    if paints is not None:
        light = on_both(light, paints, bare, sure)
    return _Wall(
        box, reach, curve, light, edge_colours(guide, cover, core, max(1, math.ceil(reach * scale)))
    )


def _within(
    paints: Paints, box: tuple[int, int, int, int], shape: tuple[int, ...], size: tuple[int, int]
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


def _light_at(wall: _Wall, guide: F32, top: int) -> F32:
    """The light field on one full-resolution strip that starts ``top`` rows into the wall's box."""
    size = (guide.shape[1], guide.shape[0])
    gain = _enlarged(wall.light.gain, wall.scale, top, size)
    gain *= guide
    gain += _enlarged(wall.light.offset, wall.scale, top, size)
    return f32(np.maximum(gain, 1e-5, out=gain))


def _grainless(wall: _Wall, cover: U8, top: int) -> F32:
    """How much of the grain each pixel of a strip lacks, 0..1.

    Where the light follows the photo closely, at the edges of shadows, its grain came along.
    """
    kept = f32(np.clip(wall.light.gain.mean(axis=2), 0.0, 1.0))
    lacking = _enlarged(f32(np.sqrt(1.0 - kept * kept)), wall.scale, top, cover.shape[::-1])
    return f32(lacking * (f32(cover) * np.float32(1 / 255)))


def _enlarged(field: F32, scale: tuple[float, float], top: int, size: tuple[int, ...]) -> F32:
    """Part of a field at the working size, ``size`` (width, height) pixels from row ``top`` on."""
    (sx, sy), (width, height) = scale, size
    M = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    return f32(cv2.warpAffine(field, M, (width, height), flags=how, borderMode=border))
