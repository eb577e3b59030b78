"""The edge between the wall and what stands before it.

Near the mask's edge a photo's pixel is a mixture I = a W + (1 - a) F of wall W and foreground F
(Porter & Duff, 1984). W is the wall's own light carried to the edge from inside, F the picture
carried in from outside the mask. Two things follow:

* a mask that reaches a few pixels over an object is drawn back where the pixel clearly looks like F
  and not like W (projection on the line from F to W, as in Bayesian and closed-form matting);
* the paper replaces only the wall's part of the mixture: what is left over is F = (I - a W)/(1 -
  a), so that no rim of the old paint stays around furniture.

Pixels with mask 0 are never read as wall and never changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, U8, Bool, f32
from rendering.lighting.light_field import fill

EDGE_TOLERANCE = 0.0035  # of the photo's longest side: how far a mask may be wrong
CONTRAST = 0.3  # log contrast of foreground against wall below which nothing is decided
FLOOR = 0.02  # scene-linear light below which differences are noise


@dataclass(frozen=True, slots=True, eq=False)
class EdgeColours:
    """Scene-linear light of wall and foreground at the working size, float32 h x w x 3."""

    wall: F32
    foreground: F32


def edge_colours(guide: F32, cover: U8, core: Bool, tolerance: int) -> EdgeColours:
    """Both colours from the small photo (scene-linear light), its soft mask and the sure wall.

    `tolerance`: how many pixels of the small photo the mask may be wrong: so far from its edge,
    what is under it counts as wall.
    """
    size = 2 * tolerance + 1
    deep = cv2.erode(core.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    sure = np.asarray(deep if deep.any() else core, dtype=np.bool_)
    return EdgeColours(_carried(guide, sure), _carried(guide, cover < 4))


def _carried(guide: F32, known: Bool) -> F32:
    weight = f32(known)
    if not known.any():
        return guide
    return fill(guide, weight)


def edge_band(mask: U8, tolerance: int) -> Bool:
    """Pixels under the mask that lie within `tolerance` pixels of its edge."""
    size = 2 * tolerance + 1
    inner = cv2.erode(
        mask, np.ones((size, size), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=255.0
    )
    return np.asarray((mask > 0) & (inner < 255), dtype=np.bool_)


def refine_alpha(alpha: F32, seen: F32, wall: F32, front: F32) -> F32:
    """Coverage of N band pixels (0..1), lowered where a pixel clearly shows the foreground.

    `alpha` N, `seen`, `wall` and `front` N x 3 scene-linear light. Compared in logarithms: equal
    ratios are equally visible, in shadow and in light.
    """
    i, w, f = (np.log(np.maximum(a, FLOOR)) for a in (seen, wall, front))
    line = w - f
    length = (line * line).sum(axis=1)
    place = ((i - f) * line).sum(axis=1) / np.maximum(length, 1e-6)
    distance = ((i - w) ** 2).sum(axis=1)
    sure = length / (length + CONTRAST**2) * distance / (distance + CONTRAST**2)
    # 1 from three fifths of the way towards the wall on: shading and noise stay wall.
    kept = np.clip((place - 0.1) / 0.5, 0.0, 1.0)
    reduced = alpha - sure * np.maximum(alpha - kept, 0.0)
    return f32(np.where((reduced < 0.1) & (alpha > 0.1), 0.0, reduced))


def foreground(alpha: F32, seen: F32, wall: F32, front: F32) -> F32:
    """Scene-linear light (N x 3) of what stands before the wall, the wall's part taken out."""
    a = alpha[:, None]
    rest = (seen - a * wall) / np.maximum(1.0 - a, 0.02)
    # Down to half of the darker of the two: leaves that let the wall shine through are darker than
    # any pixel of the photo shows them.
    low = (1.0 - np.minimum(0.5, a)) * np.minimum(seen, front)
    high = np.maximum(seen, front)
    return f32(np.clip(rest, low, high))


def sample_field(field: F32, x: F32, y: F32, scale: tuple[float, float]) -> F32:
    """`field` (working size) at full-resolution pixels (N each); N x 3."""
    if x.size == 0:
        return np.zeros((0, 3), np.float32)
    u = (x + np.float32(0.5)) * np.float32(scale[0]) - np.float32(0.5)
    v = (y + np.float32(0.5)) * np.float32(scale[1]) - np.float32(0.5)
    # cv2.remap takes maps of up to 32767 rows: fold the list into rows of 4096.
    rows = -(-x.size // 4096)
    pad = rows * 4096 - x.size
    u, v = (np.pad(a, (0, pad), mode="edge").reshape(rows, 4096) for a in (u, v))
    values = cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return f32(values).reshape(-1, 3)[: x.size]
