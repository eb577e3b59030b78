"""How light and what colour the paint is: which part of the wall's brightness is not light.

One picture cannot tell a grey wall in bright light from a white one in dim light; a room can. What
is known, as densities over the paint's albedo a (luminance), whose maximum is taken:

* the exposure: photographers and cameras expose rooms so that a white card on the wall would send
  back about 0.65 of the scene-light unit (median(wall) / a is log-normal);
* the ceiling: nearly always white (albedo about 0.8) and, just above the wall's upper edge, in the
  same light as the wall just below it, so the ratio across the edge is the ratio of the albedos;
* the room: a white card on the wall is seldom more than 1.3 times as bright as the ninth decile of
  everything else that does not clip (0.1 to 1.24 times in the development rooms), so that nothing
  on the wall glows in a room photographed dark. Less bright it often is, away from the lamps;
* paint: between black and the whitest white (0.92), light paints being common.

All have heavy tails (Student's t), so that a night scene or a timber ceiling is outvoted
instead of averaged. The same ceiling tells the light's colour; part of its colour is light bounced
off the floor and the wall itself, so only part is believed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, f32
from rendering.geometry.plane import WallPlane
from rendering.lighting.light_field import box_mean, channel_mean, texture_strength
from rendering.lighting.tone_curve import CameraCurve

LUMA = np.array([0.2126, 0.7152, 0.0722])
EXPOSURE, EXPOSURE_SPREAD = 0.65, 0.35
CEILING_ALBEDO, CEILING_SPREAD = 0.8, 0.22
FACING = (
    0.45  # share of what a point beside the edge sees that is the other surface; 0.5 at the edge
)
DIRECT = 0.8  # direct light on the wall below the edge over that on the ceiling
GLOSS = 0.02  # colourless reflection off the surface of paint and paper alike
PAINT, PAINT_SPREAD = 0.5, 0.7
DARKEST, WHITEST = 0.004, 0.92  # black paint is 0.03; cameras crush it further
BELIEVED_COLOUR = 0.7  # of the ceiling's colour cast that is taken for the light's
ROOM, ROOM_SPREAD = 1.3, 0.25
CLIPPED = 250  # 8-bit value from which a pixel tells no brightness
MOST_COLUMNS = 200  # of the ceiling's edge that are looked at
FREEDOM = 3.0  # of Student's t


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The ceiling beside the wall's upper edge: colour and the wall's luminance over it."""

    colour: F64
    ratio: float
    share: float


def camera_curve(photo: U8, core: Bool) -> CameraCurve:
    """The tone curve guessed from how the photo's highlights end.

    A film-like curve rolls off: few pixels reach 255, more lie just below. An uncurved one clips:
    a spike at 255 and little below it. A wall (`core`) that is nearly white all over also speaks
    against the roll-off: it would have to be lit several times brighter than anyone exposes.
    """
    counts = np.bincount(photo[..., 1].ravel(), minlength=256) / photo[..., 1].size
    clipped, near = float(counts[253:].sum()), float(counts[235:253].sum())
    hard = np.clip((clipped - 0.04) / 0.05, 0, 1) * np.clip(
        (clipped / max(near, 1e-5) - 1.2) / 1.2, 0, 1
    )
    wall = float(np.median(photo[..., 1][core]))
    return CameraCurve((1.0 - 0.6 * float(hard)) * float(np.clip((250.0 - wall) / 26.0, 0.0, 1.0)))


def measure_room_luminance(photo: U8, radiance: F32, wall: Bool) -> float | None:
    """Ninth decile of the luminance beside the wall; None when too little else is seen."""
    r, g, b = cv2.split(photo)
    rest = ~wall & (cv2.max(cv2.max(r, g), b) < CLIPPED)
    if rest.sum() < 0.05 * rest.size:
        return None
    return max(float(np.quantile(channel_mean(radiance, f32(LUMA))[rest], 0.9)), 1e-4)


def wall_reflectance(
    radiance: F32,
    wall: Bool,
    core: Bool,
    plane: WallPlane,
    room_luminance: float | None = None,
    patterned: bool | None = None,
) -> F64:
    """What the wall reflects of white light, 3 channels: the paint's albedo and its gloss.

    The wall's scene-linear light over that of a perfectly white card in its place.

    The light's own colour is not in it, so it stays on the paper.

    `radiance`: scene-linear light of the whole photo (small) h x w x 3; `wall`: any coverage;
    `core`: surely wall; `plane` in the pixels of `radiance`; `room_luminance` as
    `measure_room_luminance` gives it; `patterned`: whether `texture_strength` sees a pattern in
    `radiance`, where that is known already.
    """
    if texture_strength(radiance, core)[0] > 0 if patterned is None else patterned:
        # Means over a hand's breadth: on a patterned wall the median pixel is ground or motif.
        breadth = max(2, round(0.025 * max(wall.shape)))
        radiance = f32(np.where(core[..., None], box_mean(radiance, f32(core), breadth), radiance))
    middle = np.maximum(np.median(radiance[core], axis=0).astype(np.float64), 1e-4)
    ceiling = find_ceiling(radiance, wall, core, plane)
    light = light_colour(ceiling, middle)
    # Per unit of luminance, the light's colour taken out: the paint's colour.
    paint = middle / light
    paint /= paint @ LUMA
    albedo = np.maximum(
        paint_luminance(float(middle @ LUMA), ceiling, room_luminance) * paint, 1e-4
    )
    return np.asarray(albedo + gloss(albedo), dtype=np.float64)


def paint_luminance(
    wall: float, ceiling: Ceiling | None, room_luminance: float | None = None
) -> float:
    """The most probable albedo (luminance) of paint that looks `wall` bright."""
    log_a = np.linspace(math.log(DARKEST), math.log(WHITEST), 200)
    log_reflectance = np.log(np.exp(log_a) + gloss(np.exp(log_a)))
    belief = _log_student_t(
        (math.log(wall) - log_reflectance - math.log(EXPOSURE)) / EXPOSURE_SPREAD
    )
    belief = belief + _log_student_t((log_a - math.log(PAINT)) / PAINT_SPREAD)
    if room_luminance is not None:
        lit = math.log(wall) - log_reflectance - math.log(ROOM * room_luminance)
        belief = belief + _log_student_t(np.maximum(lit, 0.0) / ROOM_SPREAD)
    if ceiling is not None:
        expected = np.log(_ratio_to_ceiling(np.exp(log_a)))
        seen = math.log(max(ceiling.ratio, 1e-3))
        belief = belief + ceiling.share * _log_student_t((expected - seen) / CEILING_SPREAD)
    return float(np.exp(log_a[int(np.argmax(belief))]))


def gloss(albedo: F64) -> F64:
    """What the surface adds to its albedo; what the camera crushed to black shows none either."""
    return np.asarray(GLOSS * np.minimum(1.0, albedo / 0.05), dtype=np.float64)


def _ratio_to_ceiling(albedo: F64) -> F64:
    """Brightness of a wall of that albedo just below the ceiling's edge over the ceiling above it.

    Both light each other: E_wall = D_wall + f c E_ceiling, E_ceiling = D_ceiling + f a E_wall, so a
    dark wall stands beside a dimmer ceiling than a light one.
    """
    a = albedo + gloss(albedo)
    light = (DIRECT + FACING * CEILING_ALBEDO) / (1.0 + FACING * a * DIRECT)
    return np.asarray(a / CEILING_ALBEDO * light, dtype=np.float64)


def light_colour(ceiling: Ceiling | None, wall: F64) -> F64:
    """Colour of the light, luminance 1: white unless the ceiling says otherwise."""
    if ceiling is None:
        return np.ones(3, dtype=np.float64)
    cast = ceiling.colour / (ceiling.colour @ LUMA)
    # Light bounced off a strongly coloured wall tints the ceiling: believe it less.
    wall_saturation = float((wall.max() - wall.min()) / wall.max())
    cast_saturation = float((cast.max() - cast.min()) / cast.max())
    believed = BELIEVED_COLOUR * ceiling.share * min(1.0, max(0.0, 1.6 - 1.6 * wall_saturation))
    believed *= min(1.0, max(0.0, 1.8 - 1.8 * cast_saturation))
    light = np.maximum(cast, 1e-3) ** believed
    return np.asarray(light / (light @ LUMA), dtype=np.float64)


def find_ceiling(radiance: F32, wall: Bool, core: Bool, plane: WallPlane) -> Ceiling | None:
    """What lies above the wall's upper edge, column by column; None where there is nothing."""
    height, width = wall.shape
    columns = np.flatnonzero(wall.any(axis=0))
    first = np.argmax(wall, axis=0)[columns]
    tops = plane.locate(np.column_stack([columns, first]).astype(np.float64))
    depth = max(3, round(0.03 * max(height, width)))
    gap = max(1, round(0.005 * max(height, width)))
    high = tops[:, 1] <= 0.08 * plane.size_m[1]
    usable = high & (first >= gap + 2) & (first + 2 * gap < height)
    if usable.sum() < max(6, 0.15 * len(columns)):
        return None
    above, below = [], []
    stride = max(1, int(usable.sum()) // MOST_COLUMNS)
    for x, y in zip(columns[usable][::stride], first[usable][::stride], strict=True):
        inside = core[y + gap : y + depth, x]
        if not inside.any():
            continue
        above.append(_median_of_few(radiance[max(0, y - depth) : y - gap, x]))
        below.append(_median_of_few(radiance[y + gap : y + depth, x][inside]))
    if len(above) < 6:
        return None
    a, b = np.array(above, dtype=np.float64), np.array(below, dtype=np.float64)
    logs = np.log(np.maximum(b @ LUMA, 1e-4) / np.maximum(a @ LUMA, 1e-4))
    ratio = float(np.median(logs))
    agree = np.abs(logs - ratio) < 0.35
    # A ceiling is one surface: the columns agree, and it is no darker than the wall it tops.
    share = float(agree.mean()) * min(1.0, 2 * stride * len(above) / len(columns))
    share *= float(np.clip((0.6 - ratio) / 0.4, 0.0, 1.0))
    if share < 0.05:
        return None
    return Ceiling(np.maximum(np.median(a[agree], axis=0), 1e-4), math.exp(ratio), share)


def _median_of_few(column: F32) -> F32:
    """Median of a few pixels (N x 3); np.median's own overhead is ten times its work here."""
    ranked = np.sort(column, axis=0)
    return f32(0.5 * (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]))


def _log_student_t(z: F64) -> F64:
    return np.asarray(-0.5 * (FREEDOM + 1) * np.log1p(z * z / FREEDOM), dtype=np.float64)
