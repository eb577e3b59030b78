"""Two paints under one mask: wainscots, accent stripes, the neighbouring wall in another colour.

Read as one paint, the other one looks like coloured light and tints the paper. Paint is told from
light by colour and by sharpness: light changes its colour along the way from daylight to lamps (the
Planckian locus; in linear sRGB log(R/G) rises by 0.46 while log(B/G) falls by 0.85 from 6500 K to
2856 K) and mostly slowly; paint changes at a line, and in any direction. Two groups of log
chromaticities (k-means) are two paints when they lie apart off that way, or very far apart along
it, and meet in sharp edges. Greys of different lightness have no such sign: they stay shade.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, Bool, f32
from rendering.lighting.light_field import LightField, box_mean, fill

FLOOR = 0.004  # scene-linear light added before logarithms: crushed channels have no colour
WARMTH = np.array([0.476, -0.88])  # direction of the light's colour changes, (log R/G, log B/G)
OFF_WAY, ALONG = 0.22, 0.9  # least differences of paints beside and along that direction
LEAST_SHARE = 0.03  # of the wall, for the other paint
LONGEST_EDGE = 0.04  # of the wall's pixels on edges between the paints: above it, it is a pattern
MIXED = 0.15  # most pixels between the two colours
STEP = 3  # pixels on each side of an edge
SHARP = 0.6  # of the difference that happens within that
LEAST_PAIRS = 24
# Log brightness within which a pixel at an edge is like its paint: light seldom varies more.
TONE = 1.1
BLIND = 3  # working pixels on each side of an edge where the photo tells no light


@dataclass(frozen=True, slots=True, eq=False)
class Paints:
    """Where the other paint is (bool h x w, small photo), and its albedo over the main one's."""

    other: Bool
    ratio: F64

    def as_main_paint(self, radiance: F32) -> F32:
        """The scene-linear light as if the wall had its main paint everywhere."""
        return f32(np.where(self.other[..., None], radiance / self.ratio, radiance))


def find_paints(radiance: F32, core: Bool) -> Paints | None:
    """The other paint of a wall; None for one paint.

    `radiance`: scene-linear light of the small photo, h x w x 3; `core`: surely wall.
    """
    if core.sum() < 400:
        return None
    log = np.log(radiance + np.float32(FLOOR))
    chroma = f32(log[..., [0, 2]] - log[..., 1:2])
    weight = f32(core)
    calm = box_mean(chroma, weight, 1)
    groups = _two_groups(calm[core].astype(np.float64))
    if groups is None:
        return None
    main, difference = groups
    beside = abs(float(difference @ np.array([-WARMTH[1], WARMTH[0]])))
    if beside < OFF_WAY and abs(float(difference @ WARMTH)) < ALONG:
        return None
    place = f32(((calm - f32(main)) @ f32(difference)) / np.float32(difference @ difference))
    inside = place[core]
    if not LEAST_SHARE <= float((inside > 0.5).mean()) <= 0.5:
        return None
    if float(((inside > 0.3) & (inside < 0.7)).mean()) > MIXED:
        return None
    # A majority of the neighbours: specks are not paint.
    votes = box_mean(f32(place > 0.5)[..., None], weight, 2)[..., 0]
    other = np.asarray((votes > 0.5) & core, dtype=np.bool_)
    ratio = _albedo_ratio(log, place, other, core)
    if ratio is None:
        return None
    carried = fill(np.repeat(f32(other)[..., None], 3, axis=2), weight)[..., 0] > 0.5
    return Paints(np.asarray(carried, dtype=np.bool_), ratio)


def _two_groups(points: F64) -> tuple[F64, F64] | None:
    """Middle of the larger group and the way from it to the other's; None for one group."""
    some = points[:: max(1, len(points) // 6000)]
    centred = some - some.mean(axis=0)
    axis = np.linalg.svd(centred, full_matrices=False)[2][0]
    line = centred @ axis
    # From the ends: a small second group would not be found from the middle.
    ends = np.quantile(line, [0.02, 0.98])
    label = np.abs(line - ends[0]) > np.abs(line - ends[1])
    for _ in range(10):
        if label.all() or not label.any():
            return None
        a, b = np.median(some[~label], axis=0), np.median(some[label], axis=0)
        now = ((some - a) ** 2).sum(axis=1) > ((some - b) ** 2).sum(axis=1)
        if (now == label).all():
            break
        label = now
    return (a, b - a) if label.mean() <= 0.5 else (b, a - b)


def _albedo_ratio(log: F32, place: F32, other: Bool, core: Bool) -> F64 | None:
    """The other paint over the main one, per channel, where they meet sharply; else None.

    Only pixels as bright as their paint mostly is tell: a mask that reaches over a dark bed has a
    long edge there.
    """
    typical = _typical_of_its_paint(log.mean(axis=2), other, core)
    logs, steps, edges = [], [], 0
    for axis in (0, 1):
        n = other.shape[axis]
        if n <= 2 * STEP + 1:
            continue
        left = np.take(other, range(STEP, n - STEP - 1), axis)
        right = np.take(other, range(STEP + 1, n - STEP), axis)
        ends = [slice(0, n - 2 * STEP - 1), slice(2 * STEP + 1, n)]
        low, high = ((e, slice(None)) if axis == 0 else (slice(None), e) for e in ends)
        meet = left != right
        meet &= typical[low] & typical[high] & (other[low] == left) & (other[high] == right)
        edges += int((left != right).sum())
        sign = np.where(right[meet], 1.0, -1.0)
        logs.append((log[high][meet] - log[low][meet]) * sign[:, None])
        steps.append((place[high][meet] - place[low][meet]) * sign)
    if not logs or edges > LONGEST_EDGE * core.sum():
        return None
    found, step = np.concatenate(logs), np.concatenate(steps)
    if len(found) < LEAST_PAIRS or float(np.median(step)) < SHARP:
        return None
    return np.asarray(np.exp(np.median(found, axis=0)), dtype=np.float64)


def _typical_of_its_paint(tone: F32, other: Bool, core: Bool) -> Bool:
    """Sure wall whose log brightness `tone` is near the median of its own paint."""
    middle = np.where(other, np.median(tone[other]), np.median(tone[core & ~other]))
    return np.asarray(core & (np.abs(tone - middle) < TONE), dtype=np.bool_)


def paint_boundary(other: Bool) -> Bool:
    """Pixels so near the line between the paints that they may be of either."""
    size = 2 * BLIND + 1
    code = other.astype(np.uint8)
    kernel = np.ones((size, size), np.uint8)
    return np.asarray(cv2.dilate(code, kernel) != cv2.erode(code, kernel), dtype=np.bool_)


def extend_to_other_paint(
    light: LightField, paints: Paints, levelled: F32, known: Bool
) -> LightField:
    """The light of the levelled wall, for reading from the photo as it is.

    `levelled`: scene-linear light at the working size; `known`: sure wall off the boundary. On the
    other paint the photo counts by its ratio less; on the boundary not at all: the light is carried
    over it.
    """
    blind = f32(cv2.blur(f32(paint_boundary(paints.other)), (3, 3)))[..., None]
    carried = fill(levelled, f32(known))
    offset = light.offset + light.gain * blind * carried
    gain = light.gain * (1.0 - blind)
    gain = np.where(paints.other[..., None], gain / f32(paints.ratio), gain)
    return LightField(f32(gain), f32(offset))
