"""What a photo tells about its marked wall, whatever paper is going to hang there.

Plane, light, level, edges, blur and grain depend on photo and mask alone, so a visitor who tries one
wallpaper after another needs them once: ``prepare`` makes them, ``render`` takes them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, check_mask, check_picture, f32, u8
from rendering.compositing.camera_noise import Grain, Lens, grain_of, lens_of
from rendering.compositing.matte import REACH, EdgeColours, edge_colours
from rendering.geometry.plane import WallPlane
from rendering.lighting.exposure import camera_curve, room_level, wall_reflectance
from rendering.lighting.light_field import (
    WORK_SIDE,
    LightField,
    baked,
    estimate_light,
    mean_light,
    texture,
)
from rendering.lighting.paint_regions import Paints, find_paints, on_both, seam
from rendering.lighting.pattern_removal import Bared, without_pattern
from rendering.lighting.tone_curve import CameraCurve
from rendering.mask_box import bounding_box

LEVEL_SIDE = 512

OnStage = Callable[[str, float], None]
Box = tuple[int, int, int, int]


@dataclass(slots=True)
class Clock:
    """Seconds per stage, and ``on_stage(name, seconds)`` for who waits."""

    on_stage: OnStage | None
    timings: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        """The stage, or a part of it, that ends now."""
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self._last
        self._last = now

    def tell(self, *stages: str) -> None:
        """Say how far it is: the worker writes that into the database, so not after every tile."""
        if self.on_stage is not None:
            for stage in stages:
                self.on_stage(stage, self.timings.get(stage, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo's wall, bare. About 12 MB, however large the photo is.

    ``shape``   height, width of the photo
    ``box``     x0, y0, x1, y1 (exclusive) of the mask; the fields below cover it at a working size
    ``reach``   pixels of the photo that the mask's edge may be wrong
    ``curve``   the photo's tone curve
    ``sent``    3 float64: what the wall sends back of white light, its (main) paint's albedo and gloss
    ``light``   what the bare wall sends back; ``even`` its mean, 3 float32
    ``edges``   wall and foreground colours beside the mask's edge
    ``lens``, ``grain``  the photo's blur and noise
    """

    shape: tuple[int, int]
    box: Box
    reach: int
    curve: CameraCurve
    sent: F64
    light: LightField
    even: F32
    edges: EdgeColours
    lens: Lens
    grain: Grain | None

    @property
    def scale(self) -> tuple[float, float]:
        """Working pixels per full-resolution pixel, x and y."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.light.gain.shape[:2]
        return columns / (x1 - x0), rows / (y1 - y0)


def prepare(photo: U8, mask: U8, plane: WallPlane, *, on_stage: OnStage | None = None) -> Scene:
    """Read the wall of ``photo`` (uint8 H x W x 3 RGB) that ``mask`` (uint8 H x W, 0..255) covers.

    ``plane`` in the photo's pixels. Raises NothingSelectedError for an empty mask, ImageError for wrong
    arrays.
    """
    return prepared(photo, mask, plane, Clock(on_stage))


def prepared(photo: U8, mask: U8, plane: WallPlane, clock: Clock) -> Scene:
    """As ``prepare``, on a clock that runs already."""
    check_picture(photo, "photo")
    check_mask(mask, photo)
    box = bounding_box(mask)
    room = _room(photo, mask)
    wall = _close_up(photo, mask, box, room.curve)
    patterned: bool | None = texture(room.scene, room.core)[0] > 0
    old = without_pattern(wall.guide, wall.core, wall.plane(plane)) if patterned else None
    clock.lap("pattern")
    clock.tell("pattern")
    small_plane = plane.scaled(max(room.core.shape) / max(mask.shape))
    bare, paints = room.scene, None
    if old is not None:
        bare, _ = old.pattern.levelled(bare, room.core, small_plane)
    else:
        paints = find_paints(bare, room.core)
    if paints is not None:
        bare = f32(np.where(room.wall[..., None], paints.levelled(bare), bare))
    level = room_level(room.photo, room.scene, room.wall)
    patterned = patterned if bare is room.scene else None
    sent = wall_reflectance(bare, room.wall, room.core, small_plane, level, patterned)
    clock.lap("level")
    clock.tell("level")
    light, even = _light(wall, paints, old, mask.shape)
    reach = max(2, round(REACH * max(mask.shape)))
    edges = edge_colours(wall.guide, wall.cover, wall.core, max(1, math.ceil(reach * wall.scale)))
    clock.lap("light")
    clock.tell("light")
    lens, grain = lens_of(photo, mask), grain_of(photo, mask)
    clock.lap("sensor")
    clock.tell("sensor")
    shape = (mask.shape[0], mask.shape[1])
    return Scene(shape, box, reach, room.curve, sent, light, even, edges, lens, grain)


@dataclass(frozen=True, slots=True, eq=False)
class _Room:
    """The whole photo, small: 8-bit and scene light h x w x 3, any wall and sure wall h x w."""

    photo: U8
    scene: F32
    wall: Bool
    core: Bool
    curve: CameraCurve


@dataclass(frozen=True, slots=True, eq=False)
class _CloseUp:
    """The mask's box at the working size: scene light h x w x 3, soft mask and sure wall h x w."""

    box: Box
    guide: F32
    cover: U8
    core: Bool

    @property
    def scale(self) -> float:
        """Working pixels per pixel of the photo."""
        x0, y0, x1, y1 = self.box
        return float(max(self.core.shape) / max(x1 - x0, y1 - y0))

    def plane(self, plane: WallPlane) -> WallPlane:
        """A plane of the photo in the pixels of this picture."""
        x0, y0, x1, y1 = self.box
        rows, columns = self.core.shape
        sx, sy = columns / (x1 - x0), rows / (y1 - y0)
        shift = (0.5 - x0) * sx - 0.5, (0.5 - y0) * sy - 0.5
        return plane.moved(np.array([[sx, 0, shift[0]], [0, sy, shift[1]], [0, 0, 1.0]]))


def _room(photo: U8, mask: U8) -> _Room:
    height, width = mask.shape
    factor = min(1.0, LEVEL_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    small = u8(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask, size, interpolation=cv2.INTER_AREA))
    core = core_of(cover)
    curve = camera_curve(small, core)
    return _Room(small, curve.decode(small), cover > 16, core, curve)


def _close_up(photo: U8, mask: U8, box: Box, curve: CameraCurve) -> _CloseUp:
    x0, y0, x1, y1 = box
    scale = min(1.0, WORK_SIDE / max(y1 - y0, x1 - x0))
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    small = u8(cv2.resize(photo[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    cover = u8(cv2.resize(mask[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA))
    return _CloseUp(box, curve.decode(small), cover, core_of(cover))


def core_of(cover: U8) -> Bool:
    """Pixels that are surely wall: full coverage, a pixel away from the edge where there is room."""
    core = cover >= 250
    shrunk = cv2.erode(core.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if shrunk.sum() >= 16:
        return np.asarray(shrunk, dtype=np.bool_)
    return core if core.any() else np.asarray(cover >= cover.max(), dtype=np.bool_)


def _light(
    wall: _CloseUp, paints: Paints | None, old: Bared | None, shape: tuple[int, ...]
) -> tuple[LightField, F32]:
    """The bare wall's light and its mean."""
    bare, sure = wall.guide, wall.core
    if old is not None:
        light = baked(old.scene, old.trust, sure)
        return light, mean_light(light, sure)
    if paints is not None:
        paints = _within(paints, wall.box, shape, (sure.shape[1], sure.shape[0]))
        bare, sure = paints.levelled(bare), sure & ~seam(paints.other)
        if not sure.any():
            bare, sure, paints = wall.guide, wall.core, None
    light = estimate_light(bare, sure)
    even = mean_light(light, sure)
    return (light if paints is None else on_both(light, paints, bare, sure)), even


def _within(paints: Paints, box: Box, shape: tuple[int, ...], size: tuple[int, int]) -> Paints:
    """The paints of the wall's box at its working size (width, height)."""
    x0, y0, x1, y1 = box
    rows, columns = paints.other.shape
    fx, fy = columns / shape[1], rows / shape[0]
    sx, sy = fx * (x1 - x0) / size[0], fy * (y1 - y0) / size[1]
    M = np.array([[sx, 0, x0 * fx + 0.5 * sx - 0.5], [0, sy, y0 * fy + 0.5 * sy - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    soft = cv2.warpAffine(f32(paints.other), M, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return Paints(np.asarray(soft > 0.5, dtype=np.bool_), paints.ratio)
