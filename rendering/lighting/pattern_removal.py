"""The old wallpaper's own repeat, found and taken out, so that only light is left on the wall.

A wallpaper repeats on the wall, light does not: photo = albedo(repeat) x light. Seen from the front
(the wall's plane is known) and in logarithms, the wall is laid over itself at every shift; where
pattern falls on pattern the masked normalised correlation peaks (Padfield, Masked object
registration in the Fourier domain, 2012), and the two shortest of the high peaks span the lattice
of the repeat. All repeats are then folded onto one cell: the median over them of log photo minus
log light is the log albedo (the median over many lights of one reflectance, as in Weiss, Deriving
intrinsic images from image sequences, 2001). The light is at first the mean over one repeat, which
a pattern leaves constant, then what is left of the photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, Bool, f32
from rendering.geometry.plane import WallPlane
from rendering.lighting.light_field import (
    BoxFilter,
    channel_mean,
    fill,
    repeat_channels,
    texture_strength,
)
from rendering.lighting.pattern_lattice import FLOOR, LEAST_CONTRAST, RectifiedWall, find_lattice

SEEK_SIDE, FOLD_SIDE = 384, 512  # pixels, longest side of the wall seen from the front
LEAST_TIMES = 1.5  # that a point of the repeat is seen, on average
# Most that is left of the small contrasts; real repeats left 0.16 to 0.6, chance ones 0.79 and
# more.
EXPLAINED = 0.7
ROUNDS = 2
MOST_REPEATS = 2
EDGE = 0.1  # log albedo across a pixel: above it, a pixel at an edge of the pattern is not believed
# Pixels between those whose place on the wall is computed; 4 moved the choice of a repeat in one
# room.
NODE = 2
CALM = 0.003  # variance of paint, three channels together


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """One repeat of the old wallpaper.

    `cell`     float32 rows x columns x 3 RGB: albedo over the repeat's mean albedo, per channel
    `to_cell`  2 x 3 float64: wall metres (x, y, 1) to repeats (u along the columns, v along the
               rows)
    """

    cell: F32
    to_cell: F64

    def at(self, metres: F64, size: tuple[int, int]) -> F32:
        """Relative albedo over a picture of `size` (width, height), h x w x 3.

        `metres`: where its nodes lie on the wall, as `_node_grid` has them, rows x columns x 2.
        """
        repeats = metres @ self.to_cell[:, :2].T + self.to_cell[:, 2]
        return _sample_wrapped(self.cell, *_between(repeats, size))


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The old wallpaper as a product of repeats (bricks, and the order in which they differ)."""

    repeats: tuple[Repeat, ...]

    def relative_albedo(self, plane: WallPlane, size: tuple[int, int]) -> F32:
        """Relative albedo at each pixel of a picture of `size` (width, height); h x w x 3.

        `plane` in that picture's pixels.
        """
        nodes = _node_grid(size)
        metres = plane.locate(nodes.reshape(-1, 2)).reshape(nodes.shape)
        product = self.repeats[0].at(metres, size)
        for repeat in self.repeats[1:]:
            product *= repeat.at(metres, size)
        return product

    def removed_from(self, radiance: F32, core: Bool, plane: WallPlane) -> tuple[F32, F32]:
        """The scene-linear light h x w x 3 with the pattern divided out, and how far to trust it.

        Where taking the pattern out makes the wall more uneven than it was (a bare strip, a door
        that the mask took along), it stays as it is. Trust (h x w, 0..1) is small at the pattern's
        edges, 0 off the wall.
        """
        log = f32(cv2.log(self.relative_albedo(plane, (core.shape[1], core.shape[0]))))
        before = f32(cv2.log(radiance + np.float32(FLOOR)))
        weight = f32(core)
        window = BoxFilter(weight, max(2, round(0.03 * max(core.shape))))
        was, now = (_unevenness(v, window) for v in (before, before - log))
        gains = np.clip((1.3 * was + CALM - now) / (0.3 * was + CALM), 0.0, 1.0)
        log *= repeat_channels(window.mean(f32(gains)[..., None])[..., 0], 3)
        square = np.ones((3, 3), np.uint8)
        steps = cv2.split(cv2.dilate(log, square) - cv2.erode(log, square))
        step = f32(cv2.max(cv2.max(steps[0], steps[1]), steps[2]))
        trust = weight / (1.0 + (step / np.float32(EDGE)) ** 2)
        log *= repeat_channels(-weight, 3)
        return radiance * f32(cv2.exp(log)), f32(trust)


def _unevenness(log: F32, window: BoxFilter) -> F32:
    """Local variance of the three channels together, h x w."""
    mean, all_three = window.mean(log), np.ones(3, np.float32)
    square = window.mean(channel_mean(log * log, all_three)[..., None])[..., 0]
    return f32(np.maximum(square - channel_mean(mean * mean, all_three), 0.0))


def _node_grid(size: tuple[int, int]) -> F64:
    """Every `NODE`-th pixel of `size` (width, height), past its end; rows x columns x 2 (x, y)."""
    x, y = (np.arange(-(-(n - 1) // NODE) + 1) * float(NODE) for n in size)
    return np.stack(np.meshgrid(x, y), axis=-1)


def _between(places: F64, size: tuple[int, int]) -> tuple[F32, F32]:
    """Both coordinates at every pixel from those at the nodes.

    Perspective bends little between them: 0.003 pixels where a wall recedes by half within 150.
    """
    M = np.array([[1 / NODE, 0, 0], [0, 1 / NODE, 0]])
    how, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    x, y = (
        f32(cv2.warpAffine(f32(places[..., k]), M, size, flags=how, borderMode=border))
        for k in (0, 1)
    )
    return x, y


@dataclass(frozen=True, slots=True, eq=False)
class PatternFreeWall:
    """A wall without its pattern: `radiance` and `trust` as `Pattern.removed_from` gives them."""

    pattern: Pattern
    radiance: F32
    trust: F32


def remove_pattern(radiance: F32, core: Bool, plane: WallPlane) -> PatternFreeWall | None:
    """The wall's old wallpaper and the wall without it; None without a repeat that explains much.

    `radiance`: scene-linear light h x w x 3; `core`: surely wall; `plane` in the pixels of
    `radiance`.
    """
    pattern_free: PatternFreeWall | None = None
    repeats: tuple[Repeat, ...] = ()
    extent: tuple[F64, F64] | None = None
    while len(repeats) < MOST_REPEATS:
        bare = radiance if pattern_free is None else pattern_free.radiance
        if texture_strength(bare, core)[0] == 0:
            break
        extent = extent or _wall_extent(core, plane)
        found = _find_repeat(bare, core, plane, extent)
        if found is None:
            break
        repeats = (*repeats, found)
        pattern = Pattern(repeats)
        pattern_free = PatternFreeWall(pattern, *pattern.removed_from(radiance, core, plane))
    return pattern_free


def _find_repeat(
    radiance: F32, core: Bool, plane: WallPlane, extent: tuple[F64, F64]
) -> Repeat | None:
    seeking = _rectify(radiance, core, plane, extent, SEEK_SIDE)
    steps = None if seeking is None else find_lattice(seeking)
    rectified = None if steps is None else _rectify(radiance, core, plane, extent, FOLD_SIDE)
    if seeking is None or steps is None or rectified is None:
        return None
    steps = steps * (rectified.per_m / seeking.per_m)
    folded = _fold(f32(cv2.log(rectified.radiance + np.float32(FLOOR))), rectified.core, steps)
    if folded is None:
        return None
    cell = np.exp(folded)
    cell /= cell.mean(axis=(0, 1))
    inverse = np.linalg.inv(steps.T)
    return Repeat(
        f32(cell),
        np.column_stack(
            [inverse * rectified.per_m, -inverse @ rectified.first_m * rectified.per_m]
        ),
    )


def _wall_extent(core: Bool, plane: WallPlane) -> tuple[F64, F64]:
    """Metres (x, y) from where to where the wall goes on."""
    ys, xs = np.nonzero(core)
    metres = plane.locate(np.column_stack([xs, ys]).astype(np.float64))
    first, last = np.quantile(metres, [0.002, 0.998], axis=0)
    return first, last


def _rectify(
    radiance: F32, core: Bool, plane: WallPlane, extent: tuple[F64, F64], side: int
) -> RectifiedWall | None:
    """The wall as its metres have it, `side` pixels long."""
    first, last = extent
    per_m = side / max(float((last - first).max()), 1e-9)
    width, height = (max(1, math.ceil(v)) for v in (last - first) * per_m)
    if min(width, height) < 32:
        return None
    nodes = _node_grid((width, height))
    shown = plane.show(nodes.reshape(-1, 2) / per_m + first).reshape(nodes.shape)
    places = _between(np.asarray(shown, dtype=np.float64), (width, height))
    sure = np.asarray(_sample(f32(core), *places) > 0.99, dtype=np.bool_)
    if not sure.any():  # crumbs of a mask, none of them a pixel wide from the front
        return None
    return RectifiedWall(_sample(radiance, *places), sure, per_m, first)


def _fold(log: F32, core: Bool, steps: F64) -> F32 | None:
    """Log albedo of one repeat, rows x columns x 3; None where it is seen or explains too little.

    `log`: log scene-linear light from the front; `steps`: the lattice's shifts in its pixels.
    """
    height, width = core.shape
    inverse = np.asarray(np.linalg.inv(steps.T), dtype=np.float64)
    columns, rows = (min(math.ceil(math.hypot(*s)), 2 * max(core.shape)) for s in steps)
    x, y = (np.arange(n, dtype=np.float64) for n in (width, height))
    u, v = (f32(np.add.outer(y * row[1], x * row[0])) for row in inverse)
    weight = f32(core)
    places = _repeats(core.shape, steps, inverse, (rows, columns))
    known = [_sample(weight, *p) > 0.99 for p in places]
    if float(np.sum(known, axis=0).mean()) < LEAST_TIMES:
        return None
    light = _one_repeat_mean(log, weight, steps)
    window = BoxFilter(weight, max(2, round(0.03 * max(core.shape))))
    small = log - window.mean(log)
    # A bare strip (a door, a plain border) says nothing about the pattern beside it.
    busy = channel_mean(window.mean(small * small))
    where = core & (busy > LEAST_CONTRAST * float(busy[core].mean()))
    for _ in range(ROUNDS):
        cell = _median(log - light, places, known)
        rest = log - _sample_wrapped(cell, u, v)
        light = window.mean(f32(rest))
    return cell if (rest - light)[where].std() < EXPLAINED * small[where].std() else None


def _repeats(
    shape: tuple[int, ...], steps: F64, inverse: F64, cell: tuple[int, int]
) -> list[tuple[F32, F32]]:
    """For each repeat on the wall, where its rows x columns points lie: x and y, rows x columns."""
    height, width = shape
    v, u = (np.arange(n) / n for n in cell)
    x0, y0 = (np.add.outer(v * steps[1, k], u * steps[0, k]) for k in (0, 1))
    (left, right), (top, bottom) = ((float(a.min()), float(a.max())) for a in (x0, y0))
    ends = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ inverse.T
    low, high = np.floor(ends.min(axis=0)).astype(int), np.ceil(ends.max(axis=0)).astype(int)
    found = []
    for i in range(low[0], high[0] + 1):
        for j in range(low[1], high[1] + 1):
            x, y = i * steps[0] + j * steps[1]
            if left + x < width and right + x >= 0 and top + y < height and bottom + y >= 0:
                found.append((f32(x0 + x), f32(y0 + y)))
    return found


def _one_repeat_mean(log: F32, weight: F32, steps: F64) -> F32:
    """Mean over about one repeat, at most a third of the wall: a pattern leaves it constant."""
    most = max(weight.shape) // 6
    x, y = np.abs(steps).max(axis=0) / 2
    size = tuple(2 * int(np.clip(round(v), 2, most)) + 1 for v in (x, y))
    total = f32(cv2.blur(weight, size, borderType=cv2.BORDER_CONSTANT))[..., None]
    summed = f32(cv2.blur(log * weight[..., None], size, borderType=cv2.BORDER_CONSTANT))
    return f32(summed / np.maximum(total, 1e-6))


def _median(values: F32, places: list[tuple[F32, F32]], known: list[Bool]) -> F32:
    """Median over the repeats of each point of the cell; points never seen are filled in."""
    fours = f32(cv2.cvtColor(values, cv2.COLOR_RGB2RGBA))
    relative_albedo = [
        np.where(k[..., None], _sample(fours, *p), np.inf)
        for p, k in zip(places, known, strict=True)
    ]
    stack = np.stack(relative_albedo)
    stack.sort(axis=0)
    count = np.sum(known, axis=0)
    low, high = (np.maximum(c // 2, 0)[None, ..., None] for c in (count - 1, count))
    middle = 0.5 * (
        np.take_along_axis(stack, low, 0) + np.take_along_axis(stack, high % len(stack), 0)
    )
    sure = count > 0
    middle = f32(np.where(sure[..., None], middle[0, ..., :3], 0.0))
    return middle if sure.all() else fill(middle, f32(sure))


def _sample_wrapped(cell: F32, u: F32, v: F32) -> F32:
    """The cell (3 channels) at places given in repeats (h x w each), wrapped."""
    rows, columns = cell.shape[:2]
    padded = cv2.cvtColor(cell, cv2.COLOR_RGB2RGBA)
    padded = cv2.copyMakeBorder(padded, 1, 1, 1, 1, cv2.BORDER_WRAP)
    x, y = u - np.floor(u), v - np.floor(v)
    x *= columns
    x += 1.0
    y *= rows
    y += 1.0
    return f32(cv2.cvtColor(_sample(f32(padded), x, y), cv2.COLOR_RGBA2RGB))


def _sample(values: F32, x: F32, y: F32) -> F32:
    """`values` at places (h x w each), 0 beyond their border."""
    return f32(cv2.remap(values, x, y, cv2.INTER_LINEAR))
