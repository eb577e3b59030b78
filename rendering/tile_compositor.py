"""One tile of the picture: wallpaper in the wall's light, the foreground's edges, camera noise.

Every step is a whole pass of OpenCV over a tile small enough for the processor's cache. NumPy's
broadcasting over three channels costs five times as much a pixel as a plain product, its `take`
through a table three times as much as `cv2.LUT`, and OpenCV warps three channels at half the speed
of four.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rendering.arrays import F32, F64, U8, Bool, f32
from rendering.compositing.matte import edge_band, foreground, refine_alpha, sample_field
from rendering.lighting.exposure import GLOSS
from rendering.lighting.light_field import LightField, channel_mean
from rendering.wall_analysis import WallAnalysis

LEAST_LIGHT = 1e-5
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class LitWall:
    """The wall of `analysis`, with its light and exposure, ready for tiles.

    `gain`, `offset`  float32 h x w x 4 at the working size: the light over what the wall sends back
                      of it, so that light is gain * guide + offset; the gain's fourth channel
                      is the share of the camera's noise that a pixel of wallpaper lacks
    """

    analysis: WallAnalysis
    gain: F32
    offset: F32


def light_wall(analysis: WallAnalysis, light: LightField, exposure: F64) -> LitWall:
    """The wall ready for tiles; `light` is multiplied by `exposure` (3 channels)."""
    # Where the light follows the photo closely, at the edges of shadows, its noise came along.
    kept = np.clip(channel_mean(analysis.light.gain), 0.0, 1.0)
    missing_noise = np.sqrt(1.0 - kept * kept)
    fours = np.zeros((4, 3), np.float32)
    np.fill_diagonal(fours, exposure)
    gain, offset = (f32(cv2.transform(field, fours)) for field in (light.gain, light.offset))
    return LitWall(analysis, f32(cv2.insertChannel(missing_noise, gain, 3)), offset)


def composite(wall: LitWall, photo: U8, mask: U8, reflectance: F32, box: Box) -> U8:
    """The tile `box` (x0, y0, x1, y1 of the photo) of the picture, uint8 h x w x 3 RGB.

    `photo` and `mask` are whole; `reflectance`, linear float32 h x w x 3 of the tile, is used up.
    """
    analysis, (x0, y0, x1, y1) = wall.analysis, box
    cover = mask[y0:y1, x0:x1]
    guide = analysis.tone_curve.decode(photo[y0:y1, x0:x1])
    light, missing_noise = _light_at(wall, guide, box)
    reflectance += np.float32(GLOSS)
    shown = f32(cv2.multiply(reflectance, light, dst=light))
    band = _band(mask, box, analysis.edge_tolerance)
    if band is not None:
        _mix_edges(analysis, shown, guide, cover, band, box)
    coded = analysis.tone_curve.encode(shown)
    if analysis.noise is None:
        return coded
    return analysis.noise.add(
        coded, f32(cv2.multiply(missing_noise, f32(cover), scale=1 / 255)), x0, y0
    )


def _light_at(wall: LitWall, guide: F32, box: Box) -> tuple[F32, F32]:
    """Light of a tile whose photo has the scene-linear light `guide`, and the noise it lacks."""
    gain, offset = (_enlarged(field, wall.analysis, box) for field in (wall.gain, wall.offset))
    light = f32(cv2.multiply(cv2.cvtColor(gain, cv2.COLOR_RGBA2RGB), guide))
    cv2.add(light, cv2.cvtColor(offset, cv2.COLOR_RGBA2RGB), dst=light)
    np.maximum(light, np.float32(LEAST_LIGHT), out=light)
    return light, f32(cv2.extractChannel(gain, 3))


def _enlarged(field: F32, analysis: WallAnalysis, box: Box) -> F32:
    """The part of a field at the working size that a tile of the photo covers."""
    (sx, sy), (left, top, _, _), (x0, y0, x1, y1) = analysis.scale, analysis.box, box
    M = np.array(
        [[sx, 0, (x0 - left + 0.5) * sx - 0.5], [0, sy, (y0 - top + 0.5) * sy - 0.5]],
        dtype=np.float64,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    return f32(cv2.warpAffine(field, M, (x1 - x0, y1 - y0), flags=how, borderMode=border))


def _band(mask: U8, box: Box, reach: int) -> Bool | None:
    """Where a tile's pixels lie under the mask's edge; None for nowhere."""
    x0, y0, x1, y1 = box
    # The pixels around it included, so that the band does not depend on where tiles are cut.
    low, high = max(0, y0 - reach), min(mask.shape[0], y1 + reach)
    left, right = max(0, x0 - reach), min(mask.shape[1], x1 + reach)
    around = mask[low:high, left:right]
    if int(around.min()) == 255:
        return None
    band = edge_band(around, reach)[y0 - low : y1 - low, x0 - left : x1 - left]
    return band if band.any() else None


def _mix_edges(
    analysis: WallAnalysis, shown: F32, guide: F32, cover: U8, band: Bool, box: Box
) -> None:
    """Mix the foreground at the wall's edges into `shown`, the tile's scene-linear light."""
    ys, xs = np.nonzero(band)
    x, y = f32(xs + (box[0] - analysis.box[0])), f32(ys + (box[1] - analysis.box[1]))
    seen = guide[ys, xs]
    bare = sample_field(analysis.edges.wall, x, y, analysis.scale)
    front = sample_field(analysis.edges.foreground, x, y, analysis.scale)
    alpha = refine_alpha(f32(cover[ys, xs]) * np.float32(1 / 255), seen, bare, front)
    behind = foreground(alpha, seen, bare, front)
    a = alpha[:, None]
    shown[ys, xs] = a * shown[ys, xs] + (1.0 - a) * behind


def untouched(picture: U8, photo: U8, mask: U8) -> bool:
    """True when every pixel with mask 0 equals the photo's."""
    for top in range(0, mask.shape[0], 512):
        rows = slice(top, top + 512)
        outside = (mask[rows] == 0).view(np.uint8)
        if cv2.norm(picture[rows], photo[rows], cv2.NORM_INF, outside) != 0:
            return False
    return True
