"""The mask's edge at the photo's own resolution, found by local colour.

The networks know a wall's edge to about one cell of the 256 grid: four pixels of a small photo,
sixteen of a large one. Within a few cells of their zero line each pixel is therefore asked which
side it looks like. Around every place two colours are known, that of the sure wall and that of what
is surely not, and Fisher's linear discriminant (Fisher 1936, "The use of multiple measurements in
taxonomic problems") weighs the pixel between them: the log-likelihood ratio of two normal
distributions with one covariance,

    r(I) = (m1 - m0)' S^-1 (I - (m1 + m0) / 2),

is linear in the colour I. All window sums are box filters on the 256 grid, as in the guided filter
(He, Sun and Tang 2010), which this becomes when the classes are not told apart; r is then evaluated
at any resolution, so that the overlay and the full-size mask come from the same local colours.

To r is added the distance from the zero line in cells. Where colour says nothing (white on white:
m1 is m0) r is 0 and the networks' line stands. r fades with that distance and is limited, so that
nothing further than two cells from the line ever changes side: a patterned wall gets no holes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from segmentation.geometry import CELL, MODEL_SIDE, FloatArray, PhotoGrid
from segmentation.masks.raster import LINE_SAMPLES, line_distance

U8Array = npt.NDArray[np.uint8]

COLOUR_SIDE: Final = 256  # long side of the grid on which colours are gathered
WINDOW: Final = 6  # cells to each side
REACH: Final = 4.0  # cells from the zero line at which colour has no say any more
LIMIT: Final = 4.0  # of the log-likelihood ratio; with REACH: no change beyond 2 cells
_SURE: Final = 2.0  # cells from the line at which a pixel counts fully as wall, or as not
_VARIANCE: Final = 3e-4  # added to each channel's: (0.017 of full scale)^2, grain and JPEG
_SEEN: Final = 0.02  # share of a window that a class must hold to be known
_NOTHING: Final = 1e-6  # share below which a window holds none of a class, but for rounding of sums
_TILE: Final = 512  # pixels, at most
_TILES_ACROSS: Final = 6
_MARGIN: Final = (
    8  # pixels of the 1024 grid by which tiles see beyond themselves: a speck is seen whole
)
_RAMP: Final = 0.5  # coverage per unit of the field
_SUM: Final = np.ones(4, np.float32)
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
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
        colours = [plane.astype(np.float32) / np.float32(255) for plane in cv2.split(small)]
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

    logits: float32 256 x 256. photo: uint8 H x W x 3 RGB, the whole photo at any size. trust:
    float32 256 x 256, 0 where colour must not move the line (at clicks), 1 elsewhere. Works in
    tiles: 12 megapixels take about 25 MB beyond the result. Deterministic.
    """
    out: U8Array = np.empty(photo.shape[:2], np.uint8)
    for rows, columns, field in _tiles(logits, photo, grid, trust, speck_area(photo.shape[:2])):
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
    """What `refine` thresholds: float32 H x W at the resolution of `photo`, above 0 is wall.

    Spots of grain are still in it: whoever draws it leaves out what is below `speck_area`.
    """
    out: FloatArray = np.empty(photo.shape[:2], np.float32)
    for rows, columns, field in _tiles(logits, photo, grid, trust, speck=0):
        out[rows, columns] = field
    return out


def speck_area(size: tuple[int, ...]) -> float:
    """Pixels below which a spot of one side within the other is noise, by `size` (h, w)."""
    return _SPECK * (max(size) * CELL / MODEL_SIDE) ** 2


def _tiles(
    logits: FloatArray,
    photo: U8Array,
    grid: PhotoGrid,
    trust: FloatArray | None,
    speck: float,
) -> Iterator[tuple[slice, slice, FloatArray]]:
    """Field of every tile of the photo; the array may be changed by who takes it.

    speck: pixels below which spots are cleared.
    """
    distance = line_distance(logits, grid)
    weights = LocalColours.gather(distance, photo).weights
    if trust is not None:
        weights = weights * _on_photo(trust, grid, weights.shape[:2])[..., None]
    height, width = photo.shape[:2]
    longest = max(height, width)
    pixel = longest / MODEL_SIDE
    # Grain of a large photo is finer than any edge that the colours can tell.
    smooth = round(pixel) // 2
    # Small tiles leave out more of what is far from the line, large ones have less rim.
    tile = min(_TILE, max(_MARGIN, -(-longest // _TILES_ACROSS)))
    margin = math.ceil(_MARGIN * pixel) if speck else 0
    on_line = tuple(
        side * LINE_SAMPLES / CELL / pixels
        for side, pixels in zip(grid.resized[::-1], (height, width), strict=True)
    )
    on_weights = weights.shape[0] / height, weights.shape[1] / width
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            rows, inner_rows = _widened(top, tile, margin, height)
            columns, inner_columns = _widened(left, tile, margin, width)
            field = _sampled(distance, rows, columns, on_line)
            if bool((np.abs(field) < REACH).any()):
                local = _sampled(weights, rows, columns, on_weights)
                _add_colour(field, local, _smoothed(photo, rows, columns, smooth))
                if speck:
                    _clear_specks(field, speck)
            here = slice(top, min(height, top + tile)), slice(left, min(width, left + tile))
            yield *here, field[inner_rows, inner_columns]


def _widened(start: int, tile: int, margin: int, end: int) -> tuple[slice, slice]:
    """A tile with its margin, as far as there is photo; and the tile's place in that."""
    first = max(0, start - margin)
    inner = slice(start - first, min(end, start + tile) - first)
    return slice(first, min(end, start + tile + margin)), inner


def _add_colour(field: FloatArray, weights: FloatArray, pixels: U8Array) -> None:
    """Add the limited, fading log-likelihood ratio to `field`, in place."""
    # As four channels, opacity full: the fourth weight is added as it is.
    opaque = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)
    products = cv2.multiply(weights, opaque, scale=1 / 255, dtype=cv2.CV_32F)
    ratio = (products.reshape(-1, 4) @ _SUM).reshape(field.shape)
    np.clip(ratio, -LIMIT, LIMIT, out=ratio)
    fade = np.abs(field)
    fade *= np.float32(-1 / REACH)
    fade += 1
    np.maximum(fade, 0, out=fade)
    ratio *= fade
    field += ratio


def _clear_specks(field: FloatArray, area: float) -> None:
    """Give spots smaller than `area` pixels to the side that surrounds them, in place.

    Those on the field's border are left: the rest of them may lie beyond it.
    """
    for sign in (1, -1):
        side = (sign * field > 0).astype(np.uint8)
        _, parts, stats, _ = cv2.connectedComponentsWithStats(side, connectivity=4)
        x, y, width, height, cells = stats.T
        inner = (x > 0) & (y > 0) & (x + width < side.shape[1]) & (y + height < side.shape[0])
        small = np.flatnonzero(inner & (cells < area))
        for part in small[small > 0]:
            left, top, across, down = stats[part, :4]
            place = slice(top, top + down), slice(left, left + across)
            field[place][parts[place] == part] = -sign


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


def _sampled(
    source: FloatArray, rows: slice, columns: slice, ratio: tuple[float, float]
) -> FloatArray:
    """`source` at the pixels of a tile; `ratio`: its samples (down, across) to a pixel."""
    down, across = ratio
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


def _discriminant(
    colours: Sequence[FloatArray], inside: FloatArray, outside: FloatArray
) -> FloatArray:
    """Fisher's discriminant in a window around every place.

    colours: three planes float32 h x w, 0..1; inside, outside: float32 h x w, how surely each pixel
    is of that class. Float32 h x w x 4 as in `LocalColours`; zero where a window lacks one of the
    classes.
    """
    shares = _mean(inside), _mean(outside)
    # Only windows with some of both say anything: a third of a photo, and small enough for the
    # caches.
    places = np.flatnonzero(np.minimum(*shares) > _NOTHING)

    def there(values: FloatArray) -> FloatArray:
        return _mean(values).ravel()[places]

    share1, share0 = (share.ravel()[places] + np.float32(1e-4) for share in shares)
    sums1 = [there(plane * inside) for plane in colours]
    sums0 = [there(plane * outside) for plane in colours]
    means1, means0 = [one / share1 for one in sums1], [one / share0 for one in sums0]
    both, known = inside + outside, share1 + share0
    weighed = [plane * both for plane in colours]

    def covariance(i: int, j: int) -> FloatArray:
        product = there(weighed[i] * colours[j])
        product -= sums1[i] * means1[j]
        product -= sums0[i] * means0[j]
        product /= known
        return np.asarray(product + np.float32(_VARIANCE)) if i == j else product

    slopes = _solved(
        [covariance(i, j) for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))],
        [one - other for one, other in zip(means1, means0, strict=True)],
    )
    seen = np.minimum(share1, share0) - np.float32(1e-4)
    trusted = seen / (seen + np.float32(_SEEN))
    found = np.zeros((inside.size, 4), np.float32)
    for number, (slope, one, other) in enumerate(zip(slopes, means1, means0, strict=True)):
        slope *= trusted
        found[places, number] = slope
        found[places, 3] += slope * (one + other) * np.float32(-0.5)
    return found.reshape(*inside.shape, 4)


def _solved(covariance: list[FloatArray], difference: list[FloatArray]) -> list[FloatArray]:
    """S^-1 d for symmetric S, given as its six entries in reading order, by cofactors."""
    a, b, c, d, e, f = covariance
    be_cd, ce_bf, bc_ae = b * e - c * d, c * e - b * f, b * c - a * e
    cofactors = (
        (d * f - e * e, ce_bf, be_cd),
        (ce_bf, a * f - c * c, bc_ae),
        (be_cd, bc_ae, a * d - b * b),
    )
    determinant = a * cofactors[0][0] + b * cofactors[0][1] + c * cofactors[0][2]
    return [
        np.asarray(sum(row[k] * difference[k] for k in range(3)) / determinant, np.float32)
        for row in cofactors
    ]


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the window around every place; the picture continues in its mirror image."""
    side = 2 * WINDOW + 1
    height, width = values.shape[:2]
    border = cv2.BORDER_REFLECT_101 if min(height, width) > WINDOW else cv2.BORDER_REPLICATE
    return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=border), np.float32)
