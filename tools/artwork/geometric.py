"""Designs that are a formula: every pixel is computed from its own position."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.artwork.surface import Floats, cloud, mix, noise, paper, rgb, smoothstep

Picture = NDArray[np.uint8]


def _grid(width: int, height: int, scale: int) -> tuple[Floats, Floats]:
    """Pixel centres of the finished design, sampled `scale` times more finely each way."""
    x = (np.arange(width * scale, dtype=np.float32) + 0.5) / scale
    y = (np.arange(height * scale, dtype=np.float32) + 0.5) / scale
    return np.meshgrid(x, y)


def _line(distance: Floats, width: float, soft: float = 0.35) -> Floats:
    """1 on a line of that width, 0 away from it, from the distance to its middle."""
    return 1 - smoothstep(width / 2 - soft, width / 2 + soft, np.abs(distance))


def _down(picture: Floats, width: int, height: int) -> Floats:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def _fan(x: Floats, y: Floats, radius: float) -> tuple[Floats, Floats]:
    """Polar position (r, angle from straight up) in the scallop on top at each pixel.

    Rows of circles half a radius apart, each lower row over the one above it; so the circle that
    shows is the lowest one that still contains the pixel.
    """
    step = radius / 2
    r_seen = np.full(x.shape, np.inf, np.float32)
    a_seen = np.zeros(x.shape, np.float32)
    first = np.floor(y / step)
    for back in range(3, -2, -1):
        row = first + back
        shift = np.where(row % 2 == 0, 0.0, radius).astype(np.float32)
        cx = np.round((x - shift) / (2 * radius)) * 2 * radius + shift
        dx, dy = x - cx, y - row * step
        r = np.hypot(dx, dy)
        fresh = np.isinf(r_seen) & (r <= radius)
        r_seen = np.where(fresh, r, r_seen)
        a_seen = np.where(fresh, np.arctan2(dx, -dy), a_seen)
    return r_seen.astype(np.float32), a_seen.astype(np.float32)


def deco_fans(rng: np.random.Generator) -> Picture:
    """Art-deco scallops: deep green lacquer, fine gold ribs."""
    width, height, scale, radius = 1024, 512, 4, 256.0
    x, y = _grid(width, height, scale)
    r, angle = _fan(x, y, radius)
    u = r / radius
    lines = np.zeros_like(r)
    rings = ((0.985, 7.0), (0.925, 2.4), (0.62, 3.4), (0.575, 2.0), (0.30, 3.2), (0.0, 82.0))
    for at, thick in rings:
        lines = np.maximum(lines, _line(r - at * radius, thick))
    ribs = np.abs((angle / np.pi * 24 + 0.5) % 1 - 0.5) * np.pi / 24 * r
    lines = np.maximum(lines, _line(ribs, 2.6) * ((u > 0.62) & (u < 0.925)))
    inner = np.abs((angle / np.pi * 12 + 0.5) % 1 - 0.5) * np.pi / 12 * r
    lines = np.maximum(lines, _line(inner, 2.4) * ((u > 0.30) & (u < 0.575)))
    beads = np.abs((angle / np.pi * 24) % 1 - 0.5) * np.pi / 24 * r
    dots = np.hypot(beads, r - 0.872 * radius)
    lines = np.maximum(lines, 1 - smoothstep(4.2, 5.0, dots))
    ground = rgb("#0f3a33") + (rgb("#1d5548") - rgb("#0f3a33")) * smoothstep(0.25, 1, u)[..., None]
    ground = ground * (1 - 0.20 * smoothstep(0.80, 1.0, u) * (u < 1))[..., None]
    gold = mix("#b8923f", "#ecd692", 0.5) + 22 * np.cos(angle * 2 - 0.6)[..., None]
    flat = _down(ground + (gold - ground) * lines[..., None], width, height)
    lustre = 1 + 0.02 * noise(rng, (height, width), 40, 40)[..., None]
    return paper(flat * lustre, rng, 0.9)


def _slats(x: Floats, y: Floats, across: int, down: int) -> tuple[Floats, Floats, Floats]:
    """Which slat of a diagonal 1:4 herringbone a pixel lies in, and where in it.

    On a grid turned by 45 degrees (cells 100 px from corner to corner), cell (i, j) belongs to a
    slat lying along u when (i - j) mod 8 < 4 and to one along v otherwise; the remainder is the
    place along it. The pattern repeats every 400 px across and 100 px down; slat numbers are taken
    modulo `across` and `down` of these, so that each slat may have its own shade.

    Returns (slat number, along, across), the last two in slat widths.
    """
    u, v = (x + y) / 100, (y - x) / 100
    i, j = np.floor(u).astype(np.int64), np.floor(v).astype(np.int64)
    k = (i - j) % 8
    lying = k < 4
    head_i = np.where(lying, i - k, i)
    head_j = np.where(lying, j, j - (7 - k))
    column = (head_i - head_j) // 8 % across
    row = (head_i + head_j) // 2 % down
    number = (column * down + row) * 2 + lying
    along = np.where(lying, u - head_i, v - head_j)
    side = np.where(lying, v - j, u - i)
    return number.astype(np.float32), along.astype(np.float32), side.astype(np.float32)


def herringbone(rng: np.random.Generator) -> Picture:
    """Grasscloth laid in a herringbone: each strip a little lighter, darker or redder."""
    width = height = 1200
    x, y = _grid(width, height, 2)
    number, along, side = _slats(x, y, 3, 12)
    which = number.astype(np.int64)
    shade = rng.normal(0, 1, 72).astype(np.float32)[which]
    warm = rng.normal(0, 1, 72).astype(np.float32)[which]
    offset = rng.uniform(0, 512, (2, 72)).astype(np.float32)
    blades = 0.8 * noise(rng, (512, 1024), 70, 1.1) + 0.55 * noise(rng, (512, 1024), 18, 2.6)
    grass = cv2.remap(
        blades,
        along * 130 + offset[0][which],
        side * 100 + offset[1][which],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    edge = np.minimum(np.minimum(side, 1 - side), np.minimum(along, 4 - along))
    groove = 1 - smoothstep(0.0, 0.035, edge)
    light = 8.0 * grass + 4.0 * shade - 40 * groove + 5 * (smoothstep(0.03, 0.16, edge) - 1)
    picture = rgb("#b9a37c") + light[..., None] * rgb((1.0, 0.98, 0.92))
    picture += warm[..., None] * rgb((1.7, 0.2, -2.0))
    gleam = smoothstep(1.7, 3.2, np.asarray(grass, np.float32))[..., None]
    picture += (rgb("#e8d9b4") - picture) * gleam * 0.5
    return paper(_down(picture.astype(np.float32), width, height), rng, 0.9)


def ticking(rng: np.random.Generator) -> Picture:
    """Mattress ticking: fine indigo lines on undyed twill."""
    width, height = 1200, 800
    x, y = _grid(width, height, 2)
    drift = 0.16 * noise(rng, (height * 2, width * 2), 3, 60)
    x = x + drift
    blue = np.zeros_like(x)
    period = 200.0
    for at, thick in (
        (100, 13),
        (86, 2.6),
        (114, 2.6),
        (0, 3.4),
        (8, 1.6),
        (-8, 1.6),
        (50, 1.6),
        (150, 1.6),
    ):
        distance = (x - at + period / 2) % period - period / 2
        blue = np.maximum(blue, _line(distance, thick, 0.6))
    twill = np.cos(2 * np.pi * (x + y) / 5.0)
    slub = noise(rng, (height * 2, width * 2), 1.4, 46)
    weft = noise(rng, (height * 2, width * 2), 40, 1.2)
    cloth = rgb("#ece4d3") + (3.2 * twill + 2.6 * slub + 2.0 * weft)[..., None]
    ink = rgb("#33486b") + (7.0 * twill + 5.0 * slub + 4.0 * weft)[..., None]
    picture = cloth + (ink - cloth) * (blue * (0.93 + 0.05 * twill))[..., None]
    return paper(_down(picture.astype(np.float32), width, height), rng, 0.7)


def plaid(rng: np.random.Generator) -> Picture:
    """A library tartan: wide bottle-green and navy bands, fine ochre and oat overchecks."""
    size = 1024
    x, y = _grid(size, size, 2)
    green, navy, ochre, oat, red = "#22362f", "#26324a", "#b58a3c", "#d9cfb8", "#6d2f2a"
    # Half a sett, from the middle of the red band to the middle of the oat line, then reversed.
    half = ((red, 30), (green, 226), (navy, 190), (ochre, 8), (navy, 54), (oat, 4))
    stripes = np.concatenate([np.tile(rgb(tint), (wide, 1)) for tint, wide in half])
    sett = np.roll(np.concatenate([stripes, stripes[::-1]]), 192, axis=0)
    over = ((x + y) % 8.0) < 4.0
    warp = sett[x.astype(np.int64)] + 2.2 * noise(rng, x.shape, 1.3, 70)[..., None]
    weft = sett[y.astype(np.int64)] + 2.2 * noise(rng, x.shape, 70, 1.3)[..., None]
    rise = 1 + 0.05 * np.cos(2 * np.pi * (x + y) / 4.0)
    picture = np.where(over[..., None], warp, weft) * rise[..., None]
    return paper(_down(picture.astype(np.float32), size, size), rng, 0.6)


def limewash(rng: np.random.Generator) -> Picture:
    """Clouded limewash: broad brushed drifts, drying edges and chalk in a grey blue."""
    width = height = 1280
    shape = (height, width)
    push = [cloud(rng, shape, 300, 2.0) * 22 for _ in range(2)]
    field = cloud(rng, shape, 300, 1.75)
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32)
    wash = cv2.remap(
        field, xx + push[0], yy + push[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
    )
    other = cloud(rng, shape, 360, 1.9)
    brush = 0.6 * noise(rng, shape, 34, 3.0) + 0.6 * noise(rng, shape, 3.0, 34)
    share = smoothstep(-2.2, 2.2, wash + 0.22 * brush + 0.35 * other)
    rim = np.exp(-((((wash + 0.1 * brush) % 1.1 - 0.55) / 0.10) ** 2)) * smoothstep(0, 1.5, other)
    picture = rgb("#9db0b5") + (rgb("#d2dad6") - rgb("#9db0b5")) * share[..., None]
    picture += (rgb("#c9c4b4") - picture) * (0.35 * smoothstep(0.4, 2.4, other))[..., None]
    picture -= (5.0 * rim)[..., None]
    chalk = noise(rng, shape, 1.1, 1.1) * (0.8 + 0.7 * share)
    return paper((picture + 1.3 * chalk[..., None]).astype(np.float32), rng, 0.8)
