"""Surfaces of walls and floors, and what is seen through the windows."""

from __future__ import annotations

from typing import Final, TypeAlias

import bpy
import cv2
import numpy as np
import numpy.typing as npt

from training.generator.colours import Colour, Rng, any_colour, hsv, linear, wall_colour
from training.generator.materials import Mat
from training.generator.patterns import pattern

Material: TypeAlias = bpy.types.Material
WALL_KINDS: Final = (
    "paint",
    "paper",
    "brick",
    "tiles",
    "boards",
    "plaster",
    "twotone",
    "stone",
    "slats",
)
WALL_CHANCE: Final = (0.55, 0.15, 0.055, 0.07, 0.05, 0.04, 0.045, 0.02, 0.02)


def bricks(
    m: Mat,
    rng: Rng,
    colours: tuple[Colour, Colour, Colour],
    size: tuple[float, float],
    gap: float,
    offset: float = 0.5,
) -> bpy.types.Node:
    """A brick texture on the UV in metres: two colours, mortar, width, height, joint."""
    c1, c2, mortar = ((*linear(c), 1) for c in colours)
    br = m.n(
        "ShaderNodeTexBrick",
        Vector=m.coords("UV", loc=(rng.uniform(0, 1), rng.uniform(0, 1), 0)),
        Color1=c1,
        Color2=c2,
        Mortar=mortar,
        Scale=1.0,
    )
    br.offset = offset
    w, h = size
    for k, v in (("Mortar Size", gap), ("Brick Width", w), ("Row Height", h), ("Bias", 0.0)):
        br.inputs[k].default_value = v
    return br


def _laid(m: Mat, br: bpy.types.Node, depth: float, metres: float) -> None:
    """Colour and relief of a brick texture."""
    m.set("Base Color", br.outputs["Color"])
    m.bump(br.outputs["Fac"], depth, metres)


def wall_surface(rng: Rng, kind: str | None = None) -> tuple[str, Material]:
    """A wall material on the wall's UV (metres), of a random kind unless given; kind, material."""
    kind = kind or str(rng.choice(WALL_KINDS, p=WALL_CHANCE))
    c = wall_colour(rng)
    m = Mat(c, rng.uniform(0.35, 0.9))
    _MAKERS[kind](m, rng, c)
    return kind, m.m


def _paint(m: Mat, rng: Rng, c: Colour) -> None:
    uneven = m.noise(m.coords(), rng.uniform(0.4, 3), 3)
    m.set("Base Color", m.ramp(uneven, [(0.3, c * rng.uniform(0.93, 1)), (0.7, c)]))


def _paper(m: Mat, rng: Rng, c: Colour) -> None:
    s = 1.0 / rng.uniform(0.25, 1.3)
    m.set("Base Color", m.image(pattern(rng, c), m.coords("UV", (s, s, s))))


def _brick(m: Mat, rng: Rng, c: Colour) -> None:
    b = c
    if rng.random() >= 0.4:
        b = hsv(rng.uniform(0.0, 0.07), rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.75))
    other = b * rng.uniform(0.6, 0.95)
    mortar = hsv(0.1, 0.1, rng.uniform(0.4, 0.9)) if rng.random() < 0.7 else b
    _laid(m, bricks(m, rng, (b, other, mortar), (0.23, 0.075), 0.009), -0.8, 0.012)
    m.set("Roughness", 0.9)


def _tiles(m: Mat, rng: Rng, c: Colour) -> None:
    w = rng.uniform(0.08, 0.6)
    h = w if rng.random() < 0.6 else w * rng.uniform(0.3, 0.6)
    colours = (c, c * rng.uniform(0.85, 1.0), c * rng.uniform(0.5, 1.0))
    gap, offset = rng.uniform(0.002, 0.006), float(rng.choice([0.0, 0.5]))
    _laid(m, bricks(m, rng, colours, (w, h), gap, offset), -0.4, 0.004)
    m.set("Roughness", rng.uniform(0.05, 0.3))


def _boards(m: Mat, rng: Rng, c: Colour) -> None:
    b = c
    if rng.random() >= 0.5:
        b = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8))
    upright, w = rng.random() < 0.6, rng.uniform(0.08, 0.25)
    colours = (b, b * rng.uniform(0.8, 1), b * rng.uniform(0.3, 0.8))
    size = (w, 9.0) if upright else (3.0, w)
    _laid(m, bricks(m, rng, colours, size, 0.004, 0.3), -0.5, 0.008)


def _plaster(m: Mat, rng: Rng, c: Colour) -> None:
    f = m.noise(m.coords(), rng.uniform(1, 12), 6, 0.65, rng.uniform(0, 2))
    m.set("Base Color", m.ramp(f, [(0.25, c * rng.uniform(0.6, 0.95)), (0.75, c)]))
    m.bump(f, 0.4, 0.01)


def _two_tones(m: Mat, rng: Rng, c: Colour) -> None:
    z = rng.uniform(0.7, 1.5)
    stops = [(0.0, wall_colour(rng)), (z / 4.0, c)]
    m.set("Base Color", m.ramp(height_share(m, 4.0), stops, True))


def height_share(m: Mat, top: float) -> bpy.types.NodeSocket:
    """Height on the wall's UV as a share of `top` metres."""
    share = m.n("ShaderNodeMath")
    share.operation = "DIVIDE"
    m.put(share, 0, m.n("ShaderNodeSeparateXYZ", Vector=m.coords()).outputs[1])
    m.put(share, 1, top)
    return share.outputs[0]


def _stone(m: Mat, rng: Rng, c: Colour) -> None:
    f = m.noise(m.coords(), rng.uniform(0.6, 3), 8, 0.6, rng.uniform(1, 5))
    m.set("Base Color", m.ramp(f, [(0.35, c * 0.6), (0.5, c), (0.56, c * 0.8), (0.7, c)]))
    m.set("Roughness", rng.uniform(0.05, 0.5))


def _slats(m: Mat, rng: Rng, c: Colour) -> None:
    b = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.8))
    size = (rng.uniform(0.03, 0.06), 9.0)
    _laid(m, bricks(m, rng, (b, b * 0.9, b * 0.1), size, 0.008, 0.0), -0.8, 0.02)


_MAKERS: Final = {
    "paint": _paint,
    "paper": _paper,
    "brick": _brick,
    "tiles": _tiles,
    "boards": _boards,
    "plaster": _plaster,
    "twotone": _two_tones,
    "stone": _stone,
    "slats": _slats,
}


def floor_surface(rng: Rng) -> Material:
    """Planks, tiles or carpet."""
    k = rng.random()
    make = _planks if k < 0.5 else (_floor_tiles if k < 0.75 else _carpet)
    return make(rng)


def _planks(rng: Rng) -> Material:
    base = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.15, 0.65), rng.uniform(0.2, 0.8))
    m = Mat(base, rng.uniform(0.12, 0.5))
    colours = (base, base * rng.uniform(0.7, 1), base * 0.4)
    size = (rng.uniform(1, 2.5), rng.uniform(0.06, 0.2))
    m.set("Base Color", bricks(m, rng, colours, size, 0.0015, 0.37).outputs["Color"])
    return m.m


def _floor_tiles(rng: Rng) -> Material:
    base = hsv(rng.uniform(0, 1), rng.uniform(0, 0.25), rng.uniform(0.15, 0.9))
    m = Mat(base, rng.uniform(0.05, 0.4))
    s = rng.uniform(0.15, 0.8)
    other = base * rng.uniform(0.2, 1) if rng.random() < 0.25 else base * 0.95
    colours = (base, other, base * rng.uniform(0.5, 0.9))
    m.set("Base Color", bricks(m, rng, colours, (s, s), 0.004, 0.0).outputs["Color"])
    return m.m


def _carpet(rng: Rng) -> Material:
    base = hsv(rng.uniform(0, 1), rng.uniform(0, 0.35), rng.uniform(0.2, 0.85))
    m = Mat(base, 1.0)
    pile = m.noise(m.coords(), rng.uniform(20, 120), 4, 0.7)
    m.set("Base Color", m.ramp(pile, [(0.3, base * 0.75), (0.7, base)]))
    return m.m


def sky_material(rng: Rng, dark: bool) -> Material:
    """What is seen through the windows: a bright blurred view, a burnt-out white, or night."""
    a, strength = (_night(rng), 1.0) if dark else _day(rng)
    m = Mat(np.zeros(3), 0.1)
    m.emit(m.image(np.clip(a, 0, 1), m.coords()), strength)
    return m.m


def _floats(c: Colour) -> tuple[float, ...]:
    return tuple(float(v) for v in c)


def _night(rng: Rng) -> npt.NDArray[np.float32]:
    """A dark sky with a few far lights."""
    a = np.zeros((96, 96, 3), np.float32)
    a[:] = hsv(0.62, 0.5, rng.uniform(0.01, 0.08))
    for _ in range(int(rng.integers(0, 8))):
        at = tuple(int(v) for v in rng.uniform(0, 96, 2))
        cv2.circle(a, at, int(rng.integers(1, 3)), (1, 0.8, 0.4), -1)
    return a


def _day(rng: Rng) -> tuple[npt.NDArray[np.float32], float]:
    """Sky, greenery and perhaps a house, out of focus; and how bright it is."""
    a, t = np.zeros((96, 96, 3), np.float32), np.linspace(0, 1, 96)[:, None, None]
    a[:] = (1 - t) * hsv(0.58, rng.uniform(0, 0.5), 1) + t * np.array([0.95, 0.96, 1])
    y = int(rng.uniform(0.3, 1.0) * 96)
    for _ in range(20):
        at = (int(rng.uniform(0, 96)), int(y + rng.uniform(0, 50)))
        r = int(rng.uniform(5, 22))
        green = hsv(rng.uniform(0.15, 0.4), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.8))
        cv2.circle(a, at, r, _floats(green), -1)
    if rng.random() < 0.5:
        x = int(rng.uniform(0, 70))
        cv2.rectangle(a, (x, int(y * 0.6)), (x + 30, 96), _floats(any_colour(rng)), -1)
    blurred = cv2.GaussianBlur(a, (0, 0), rng.uniform(0.5, 4))
    return np.asarray(blurred, np.float32), rng.uniform(1.5, 14)
