"""The mask's edge at the photo's own resolution, found by local colour.

The networks know a wall's edge to about one cell of the 256 grid: four pixels of a small photo, sixteen
of a large one. Within a few cells of their zero line each pixel is therefore asked which side it looks
like. Around every place two colours are known, that of the sure wall and that of what is surely not,
and Fisher's linear discriminant (Fisher 1936, "The use of multiple measurements in taxonomic
problems") weighs the pixel between them: the log-likelihood ratio of two normal distributions with one
covariance,

    r(I) = (m1 - m0)' S^-1 (I - (m1 + m0) / 2),

is linear in the colour I. All window sums are box filters on the 256 grid, as in the guided filter (He,
Sun and Tang 2010), which this becomes when the classes are not told apart; r is then evaluated at any
resolution, so that the overlay and the full-size mask come from the same local colours.

To r is added the distance from the zero line in cells. Where colour says nothing (white on white: m1 is
m0) r is 0 and the networks' line stands. r fades with that distance and is limited, so that nothing
further than two cells from the line ever changes side: a patterned wall gets no holes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import CELL, MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.raster import line_distance

U8Array = npt.NDArray[np.uint8]

COLOUR_SIDE: Final = 256  # long side of the grid on which colours are gathered
WINDOW: Final = 6  # cells to each side
REACH: Final = 4.0  # cells from the zero line at which colour has no say any more
LIMIT: Final = 4.0  # of the log-likelihood ratio; with REACH: no change beyond 2 cells
_SURE: Final = 2.0  # cells from the line at which a pixel counts fully as wall, or as not
_VARIANCE: Final = 3e-4  # added to each channel's: (0.017 of full scale)^2, grain and JPEG
_SEEN: Final = 0.02  # share of a window that a class must hold to be known
_TILE: Final = 512
_RAMP: Final = 0.5  # coverage per unit of the field
_SPECK: Final = 0.5  # cells^2 below which a spot of one side within the other is grain


@dataclass(frozen=True, slots=True, eq=False)
class LocalColours:
    """Which way colour decides, place by place: float32 h x w x 4.

    The first three weigh red, green and blue (0..1), the fourth is added.
    """

    weights: FloatArray

    @classmethod
    def gather(cls, distance: FloatArray, photo: U8Array) -> LocalColours:
        """From a signed distance (cells, above 0 is wall) and a photo, both of any size."""
        height, width = photo.shape[:2]
        scale = min(1.0, COLOUR_SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        colours = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        colours /= 255
        line = cv2.resize(distance, size, interpolation=cv2.INTER_AREA)
        inside = np.clip(line / _SURE, 0, 1)
        outside = np.clip(-line / _SURE, 0, 1)
        return cls(_discriminant(colours, inside, outside))


def refine(
    logits: FloatArray,
    photo: U8Array,
    grid: PhotoGrid,
    *,
    trust: FloatArray | None = None,
) -> U8Array:
    """Coverage uint8 H x W, 0..255, at the resolution of `photo`.

    logits: float32 256 x 256. photo: uint8 H x W x 3 RGB, the whole photo at any size. trust: float32
    256 x 256, 0 where colour must not move the line (brush strokes), 1 elsewhere. Works in tiles: 12
    megapixels take about 25 MB beyond the result. Deterministic.
    """
    out: U8Array = np.empty(photo.shape[:2], np.uint8)
    for rows, columns, field in _tiles(logits, photo, grid, trust):
        field *= _RAMP * 255
        field += 127.5
        np.clip(field, 0, 255, out=field)
        out[rows, columns] = np.rint(field)
    return out


def refined_field(
    logits: FloatArray,
    photo: U8Array,
    grid: PhotoGrid,
    *,
    trust: FloatArray | None = None,
) -> FloatArray:
    """What `refine` thresholds: float32 H x W at the resolution of `photo`, above 0 is wall."""
    out: FloatArray = np.empty(photo.shape[:2], np.float32)
    for rows, columns, field in _tiles(logits, photo, grid, trust):
        out[rows, columns] = field
    return out


def _tiles(
    logits: FloatArray, photo: U8Array, grid: PhotoGrid, trust: FloatArray | None
) -> Iterator[tuple[slice, slice, FloatArray]]:
    """Field of every tile of the photo; the array may be changed by who takes it."""
    distance = line_distance(logits, grid) / np.float32(CELL)
    weights = LocalColours.gather(distance, photo).weights
    if trust is not None:
        weights = weights * _on_photo(trust, grid, weights.shape[:2])[..., None]
    height, width = photo.shape[:2]
    longest = max(height, width)
    speck = _SPECK * (longest * CELL / MODEL_SIDE) ** 2
    # Grain of a large photo is finer than any edge that the colours can tell.
    smooth = round(longest / MODEL_SIDE) // 2
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            rows = slice(top, min(height, top + _TILE))
            columns = slice(left, min(width, left + _TILE))
            field = _sampled(distance, rows, columns, (height, width))
            if bool((np.abs(field) < REACH).any()):
                local = _sampled(weights, rows, columns, (height, width))
                _add_colour(field, local, _smoothed(photo, rows, columns, smooth))
                _clear_specks(field, speck)
            yield rows, columns, field


def _add_colour(field: FloatArray, weights: FloatArray, pixels: U8Array) -> None:
    """Add the limited, fading log-likelihood ratio to `field`, in place."""
    ratio = weights[..., 3].copy()
    for channel in range(3):
        ratio += weights[..., channel] * (pixels[..., channel] * np.float32(1 / 255))
    np.clip(ratio, -LIMIT, LIMIT, out=ratio)
    fade = np.abs(field)
    fade *= np.float32(-1 / REACH)
    fade += 1
    np.maximum(fade, 0, out=fade)
    ratio *= fade
    field += ratio


def _clear_specks(field: FloatArray, area: float) -> None:
    """Give spots smaller than `area` pixels to the side that surrounds them, in place.

    Those on the tile's border are left: the rest of them may lie beyond it.
    """
    for sign in (1, -1):
        side = (sign * field > 0).astype(np.uint8)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(side, connectivity=4)
        x, y, width, height, cells = stats.T
        inner = (x > 0) & (y > 0) & (x + width < side.shape[1]) & (y + height < side.shape[0])
        small = inner & (cells < area)
        small[0] = False
        if small.any():
            field[small[parts]] = -sign


def _smoothed(photo: U8Array, rows: slice, columns: slice, radius: int) -> U8Array:
    """The photo's pixels of a tile, averaged over (2 radius + 1)^2 as if it had no tiles."""
    if radius == 0:
        return photo[rows, columns]
    top, left = max(0, rows.start - radius), max(0, columns.start - radius)
    part = photo[top : rows.stop + radius, left : columns.stop + radius]
    soft = cv2.blur(part, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(soft[rows.start - top :, columns.start - left :], np.uint8)[
        : rows.stop - rows.start, : columns.stop - columns.start
    ]


def _sampled(source: FloatArray, rows: slice, columns: slice, size: tuple[int, int]) -> FloatArray:
    """`source`, spread over a picture of `size` (height, width), at the pixels of one tile."""
    down, across = source.shape[0] / size[0], source.shape[1] / size[1]
    to_source = np.array(
        [
            [across, 0, (columns.start + 0.5) * across - 0.5],
            [0, down, (rows.start + 0.5) * down - 0.5],
        ]
    )
    found = cv2.warpAffine(
        source,
        to_source,
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.float32)


def _on_photo(cells: FloatArray, grid: PhotoGrid, size: tuple[int, int]) -> FloatArray:
    """Part of the 256 grid that holds the photo, at `size` (height, width)."""
    width, height = grid.resized
    across, down = width / CELL / size[1], height / CELL / size[0]
    to_cells = np.array([[across, 0, 0.5 * across - 0.5], [0, down, 0.5 * down - 0.5]])
    found = cv2.warpAffine(
        cells,
        to_cells,
        (size[1], size[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(found, np.float32)


def _discriminant(colours: FloatArray, inside: FloatArray, outside: FloatArray) -> FloatArray:
    """Fisher's discriminant in a window around every place.

    colours: float32 h x w x 3, 0..1; inside, outside: float32 h x w, how surely each pixel is of
    that class. Float32 h x w x 4 as in `LocalColours`; zero where a window lacks one of the classes.
    """
    share1, share0 = _mean(inside) + np.float32(1e-4), _mean(outside) + np.float32(1e-4)
    mean1 = _mean(colours * inside[..., None]) / share1[..., None]
    mean0 = _mean(colours * outside[..., None]) / share0[..., None]
    both, known = inside + outside, share1 + share0

    def covariance(i: int, j: int) -> FloatArray:
        product = _mean(colours[..., i] * colours[..., j] * both)
        product -= share1 * mean1[..., i] * mean1[..., j]
        product -= share0 * mean0[..., i] * mean0[..., j]
        return np.asarray(product / known + np.float32(_VARIANCE if i == j else 0))

    slope = _solved(
        [covariance(i, j) for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))],
        mean1 - mean0,
    )
    seen = np.minimum(share1, share0) - np.float32(1e-4)
    slope *= (seen / (seen + np.float32(_SEEN)))[..., None]
    offset = -(slope * (mean1 + mean0)).sum(axis=2, keepdims=True) / 2
    return np.concatenate([slope, offset], axis=2)


def _solved(covariance: list[FloatArray], difference: FloatArray) -> FloatArray:
    """S^-1 d for symmetric S, given as its six entries in reading order, by cofactors."""
    a, b, c, d, e, f = covariance
    cofactors = (
        (d * f - e * e, c * e - b * f, b * e - c * d),
        (c * e - b * f, a * f - c * c, b * c - a * e),
        (b * e - c * d, b * c - a * e, a * d - b * b),
    )
    determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2]
    solved = [sum(row[k] * difference[..., k] for k in range(3)) for row in cofactors]
    return np.asarray(np.stack(solved, axis=2) / determinant[..., None], np.float32)


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the window around every place; the picture continues in its mirror image."""
    side = 2 * WINDOW + 1
    height, width = values.shape[:2]
    border = cv2.BORDER_REFLECT_101 if min(height, width) > WINDOW else cv2.BORDER_REPLICATE
    return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=border), np.float32)
