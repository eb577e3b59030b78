"""The picture: paper on the wall, in the wall's light, behind what stands before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import U8, Bool, check_mask, check_picture
from rendering.errors import RenderingError
from rendering.geometry.plane import WallPlane
from rendering.lighting.light_field import shadows_kept
from rendering.placement import Placement
from rendering.texture.sampler import Paper
from rendering.tile_compositor import Box, Lit, composite, lit, untouched
from rendering.wall_analysis import Clock, OnStage, Scene, prepared

# Pixels, the lens's reach included: rows and columns of the paper's blocks. An array of three channels is 1.5 MB.
TILE = (256, 512)


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
    scene: Scene | None = None,
) -> Rendered:
    """Put ``wallpaper`` on the wall of ``photo`` that ``mask`` covers.

    ``photo``, ``wallpaper``: uint8 RGB; ``mask``: uint8, the photo's size, 0..255 coverage.
    ``brightness``: -2..2 stops added to the light; ``keep_shadows``: 0 (evenly lit) .. 1 (as in the
    photo) .. 2 (deeper). ``on_stage(name, seconds)`` is called after each stage.
    The wallpaper's top-left corner lies at the plane's quad TL plus ``placement.origin_m``.
    ``scene``: what ``prepare`` made of the same photo, mask and plane; it saves a second render most of its time.
    Raises NothingSelectedError for an empty mask, ImageError for wrong arrays.
    """
    check_picture(photo, "photo")
    check_picture(wallpaper, "wallpaper")
    check_mask(mask, photo)
    if not (-8 <= brightness <= 8 and 0 <= keep_shadows <= 4):
        raise RenderingError("Brightness or shadow strength is out of range.")
    clock = Clock(on_stage)
    if scene is None:
        scene = prepared(photo, mask, plane, clock)
    elif scene.shape != mask.shape:
        raise RenderingError("The prepared scene is another photo's.")
    light = shadows_kept(scene.light, scene.even, keep_shadows)
    wall = lit(scene, light, 2.0**brightness / scene.sent)
    paper = Paper(wallpaper, plane, placement)
    picture = photo.copy()
    for strip in _strips(scene.box, scene.lens.reach):
        for box in _tiles(strip, scene.lens.reach):
            _hang(wall, paper, photo, mask, picture, box, clock)
        clock.tell("sample", "composite")
    same = untouched(picture, photo, mask)
    clock.lap("check")
    clock.tell("check")
    return Rendered(picture, clock.timings, same)


def _strips(box: Box, reach: int) -> Iterator[Box]:
    """The box from top to bottom, a row of tiles each."""
    x0, y0, x1, y1 = box
    height = TILE[0] - 2 * reach
    for top in range(y0, y1, height):
        yield x0, top, x1, min(y1, top + height)


def _tiles(strip: Box, reach: int) -> Iterator[Box]:
    """A strip from left to right. With ``reach`` pixels around it a tile is of whole blocks of the paper's."""
    x0, y0, x1, y1 = strip
    width = TILE[1] - 2 * reach
    for left in range(x0, x1, width):
        yield left, y0, min(x1, left + width), y1


def _hang(
    wall: Lit, paper: Paper, photo: U8, mask: U8, picture: U8, box: Box, clock: Clock
) -> None:
    """One tile of the picture; nothing where the mask has none of it."""
    x0, y0, x1, y1 = box
    cover = mask[y0:y1, x0:x1]
    if not cover.any():
        return
    r = wall.scene.lens.reach
    wanted = _wanted(cover, r)
    sharp = paper.sample(x0 - r, y0 - r, *wanted.shape[::-1], wanted=wanted)
    reflectance = wall.scene.lens.through(sharp)
    clock.lap("sample")
    coded = composite(wall, photo, mask, reflectance, box)
    cv2.copyTo(coded, cover, picture[y0:y1, x0:x1])
    clock.lap("composite")


def _wanted(cover: U8, reach: int) -> Bool:
    """Where paper shows, ``reach`` pixels around it included; the tile's mask grown by as much."""
    shown = cv2.copyMakeBorder(cover, *(reach,) * 4, cv2.BORDER_CONSTANT)
    size = 2 * reach + 1
    return np.asarray(cv2.dilate(shown, np.ones((size, size), np.uint8)) > 0, dtype=np.bool_)
