"""The picture: paper on the wall, in the wall's light, behind what stands before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from rendering.arrays import F32, U8, Bool, check_mask, check_picture, f32
from rendering.errors import RenderingError
from rendering.level import GLOSS
from rendering.light import shadows_kept
from rendering.matte import at_pixels, band_of, drawn_back, foreground
from rendering.paper import Paper
from rendering.placement import Placement
from rendering.plane import WallPlane
from rendering.scene import Clock, OnStage, Scene, prepared

STRIP_PIXELS = 1 << 19  # per strip: about 40 MB of float32 temporaries


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
    light, lens = shadows_kept(scene.light, scene.even, keep_shadows), scene.lens
    paper = Paper(wallpaper, plane, placement)
    picture = photo.copy()
    gain = f32(2.0**brightness / scene.sent)
    wall = replace(scene, light=light)
    x0, y0, x1, y1 = scene.box
    strip = max(8, STRIP_PIXELS // (x1 - x0))
    for top in range(y0, y1, strip):
        end = min(y1, top + strip)
        r = lens.reach
        wanted = _wanted(mask, (x0, top, x1, end), r)
        sharp = paper.sample(x0 - r, top - r, *wanted.shape[::-1], wanted=wanted)
        reflectance = lens.through(sharp)
        clock.lap("sample")
        cover = mask[top:end, x0:x1]
        coded = _composite(wall, photo[top:end, x0:x1], reflectance, mask, top, gain)
        if scene.grain is not None:
            coded = scene.grain.add(coded, _grainless(wall, cover, top - y0), x0, top)
        np.copyto(picture[top:end, x0:x1], coded, where=(cover > 0)[..., None])
        clock.lap("composite")
    same = _untouched(picture, photo, mask)
    clock.lap("check")
    return Rendered(picture, clock.timings, same)


def _wanted(mask: U8, box: tuple[int, int, int, int], reach: int) -> Bool:
    """Where paper shows, ``reach`` pixels around it included: the box (x0, y0, x1, y1) grown by as much."""
    x0, y0, x1, y1 = box
    shown = cv2.copyMakeBorder(mask[y0:y1, x0:x1], *(reach,) * 4, cv2.BORDER_CONSTANT)
    size = 2 * reach + 1
    return np.asarray(cv2.dilate(shown, np.ones((size, size), np.uint8)) > 0, dtype=np.bool_)


def _composite(wall: Scene, photo: U8, reflectance: F32, mask: U8, top: int, gain: F32) -> U8:
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


def _light_at(wall: Scene, guide: F32, top: int) -> F32:
    """The light field on one full-resolution strip that starts ``top`` rows into the wall's box."""
    size = (guide.shape[1], guide.shape[0])
    gain = _enlarged(wall.light.gain, wall.scale, top, size)
    gain *= guide
    gain += _enlarged(wall.light.offset, wall.scale, top, size)
    return f32(np.maximum(gain, 1e-5, out=gain))


def _grainless(wall: Scene, cover: U8, top: int) -> F32:
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
