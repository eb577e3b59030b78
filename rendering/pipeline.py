"""The finished picture: wallpaper in the wall's light, behind what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import U8, Bool, check_mask, check_picture
from rendering.errors import RenderingError
from rendering.geometry.plane import WallPlane
from rendering.lighting.light_field import scale_shadows
from rendering.placement import Placement
from rendering.stage_timer import OnStage, StageTimer
from rendering.texture.sampler import TextureSampler
from rendering.tile_compositor import Box, LitWall, composite, light_wall, untouched
from rendering.wall_analysis import WallAnalysis, analyse_wall

# Pixels with the blur's radius: rows and columns of whole blocks of the texture sampler. An array
# of three channels is 1.5 MB.
TILE = (256, 512)


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A finished picture.

    `picture`    uint8 H x W x 3 RGB, the photo's size
    `timings`    seconds per stage
    `untouched`  True when every pixel with mask 0 equals the photo's, bit for bit (checked)
    """

    picture: U8
    timings: dict[str, float]
    untouched: bool


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
    analysis: WallAnalysis | None = None,
) -> Rendered:
    """Put `wallpaper` on the wall of `photo` that `mask` covers.

    `photo`, `wallpaper`: uint8 RGB; `mask`: uint8, the photo's size, 0..255 coverage. `brightness`:
    -2..2 stops added to the light; `keep_shadows`: 0 (evenly lit) .. 1 (as in the photo) .. 2
    (deeper). `on_stage(name, seconds)` is called after each stage. The wallpaper's top-left corner
    lies at the plane's quad TL plus `placement.origin_m`. `analysis`: what `analyse_wall` made of
    the same photo, mask and plane; with it a second render takes a fraction of the time.

    Raises:
        NothingSelectedError: the mask is empty.
        ImageError: an array has the wrong shape or type.
        RenderingError: a strength is out of range, or the analysis is of another photo.
    """
    check_picture(photo, "photo")
    check_picture(wallpaper, "wallpaper")
    check_mask(mask, photo)
    if not (-8 <= brightness <= 8 and 0 <= keep_shadows <= 4):
        raise RenderingError("Brightness or shadow strength is out of range.")
    timer = StageTimer(on_stage)
    if analysis is None:
        analysis = analyse_wall(photo, mask, plane, timer=timer)
    elif analysis.shape != mask.shape:
        raise RenderingError("The wall analysis is of another photo.")
    light = scale_shadows(analysis.light, analysis.mean_light, keep_shadows)
    wall = light_wall(analysis, light, 2.0**brightness / analysis.reflectance)
    sampler = TextureSampler(wallpaper, plane, placement)
    picture = photo.copy()
    for row in _tile_rows(analysis.box, analysis.blur.radius):
        for box in _tiles_of_row(row, analysis.blur.radius):
            _render_tile(wall, sampler, photo, mask, picture, box, timer)
        timer.report("sample", "composite")
    same = untouched(picture, photo, mask)
    timer.finish("check")
    return Rendered(picture, timer.timings, same)


def _tile_rows(box: Box, radius: int) -> Iterator[Box]:
    """The box from top to bottom, a row of tiles each."""
    x0, y0, x1, y1 = box
    height = TILE[0] - 2 * radius
    for top in range(y0, y1, height):
        yield x0, top, x1, min(y1, top + height)


def _tiles_of_row(row: Box, radius: int) -> Iterator[Box]:
    """A row from left to right. With `radius` around it a tile is of whole sampler blocks."""
    x0, y0, x1, y1 = row
    width = TILE[1] - 2 * radius
    for left in range(x0, x1, width):
        yield left, y0, min(x1, left + width), y1


def _render_tile(
    wall: LitWall,
    sampler: TextureSampler,
    photo: U8,
    mask: U8,
    picture: U8,
    box: Box,
    timer: StageTimer,
) -> None:
    """Render one tile into `picture`; nothing to do where the mask is empty."""
    x0, y0, x1, y1 = box
    cover = mask[y0:y1, x0:x1]
    if not cover.any():
        return
    r = wall.analysis.blur.radius
    needed = _needed(cover, r)
    sharp = sampler.sample(x0 - r, y0 - r, *needed.shape[::-1], wanted=needed)
    reflectance = wall.analysis.blur.apply(sharp)
    timer.lap("sample")
    coded = composite(wall, photo, mask, reflectance, box)
    cv2.copyTo(coded, cover, picture[y0:y1, x0:x1])
    timer.lap("composite")


def _needed(cover: U8, radius: int) -> Bool:
    """Where wallpaper shows, with `radius` pixels around it: the tile's mask dilated by as much."""
    shown = cv2.copyMakeBorder(cover, *(radius,) * 4, cv2.BORDER_CONSTANT)
    size = 2 * radius + 1
    return np.asarray(cv2.dilate(shown, np.ones((size, size), np.uint8)) > 0, dtype=np.bool_)
