"""A room: its plan, walls and heights, what is cut into each wall, and which part of it is free."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Matrix
from numpy.typing import ArrayLike

from training.generator.classes import OTHER, WALL
from training.generator.colours import Rng
from training.generator.meshes import QUAD, box, mesh
from training.generator.plans import plan
from training.generator.traits import RoomTraits

Floats = npt.NDArray[np.float64]
Point = tuple[float, float, float]
Span = tuple[float, float]
# A rectangle on a wall: from u0 to u1 along it, from z0 to z1 in height. Metres.
Hole = tuple[float, float, float, float]

# `wall_objects` numbers from here on belong to a corridor or half wall with a surface of its own.
CORRIDOR = 100
SEPARATE = 200
# Where a sloped ceiling ends at the latest, in metres.
_LOWEST = 1.5


@dataclass(frozen=True, slots=True)
class Slope:
    """A ridge across axis (0: x, 1: y) at this share of the room; metres lost a metre beside it."""

    axis: int
    at: float
    fall: float


class Room:
    """A room being built.

    rng draws the plain room, extra what its traits add. walls: origin, direction, inward normal
    (2-vectors) and length of each. holes: openings of each wall; taken: where something stands or
    hangs. planes: normal and offset of every wall plane, whose number is its index + 1.
    wall_objects: (object, number of its surface), repainted for every view. focus: walls most
    photos are to show. dark: lamps only.
    """

    def __init__(self, rng: Rng, extra: Rng, traits: RoomTraits) -> None:
        self.extra, self.traits = extra, traits
        self.rng, self.poly = rng, plan(rng)
        p = np.array(self.poly)
        self.lo, self.hi = p.min(0), p.max(0)
        self.H = float(rng.uniform(2.25, 3.3))
        self.slope: Slope | None = None
        self.knee = _LOWEST
        if rng.random() < 0.13:
            self.slope = Slope(int(rng.integers(2)), rng.uniform(0.0, 1.0), rng.uniform(0.2, 0.8))
        if traits.ceiling.startswith("attic"):
            self._steepen()
        self.walls: list[tuple[Floats, Floats, Floats, float]] = []
        for a, b in zip(self.poly, [*self.poly[1:], self.poly[0]], strict=True):
            step = np.array(b) - np.array(a)
            L = float(np.linalg.norm(step))
            d = step / L
            self.walls.append((np.array(a), d, np.array([-d[1], d[0]]), L))
        self.holes: list[list[Hole]] = [[] for _ in self.walls]
        self.taken: list[list[Hole]] = [[] for _ in self.walls]
        self.skirt_gaps: list[list[Span]] = [[] for _ in self.walls]
        self.planes: list[list[float]] = []
        self.wall_planes: dict[int, int] = {}
        self.wall_objects: list[tuple[bpy.types.Object, int]] = []
        self.focus: list[int] = []
        self.kind, self.dark = "room", False
        self.ceiling: bpy.types.Object | None = None

    def _steepen(self) -> None:
        """Make it an attic: knee walls, steep slopes to both sides of a ridge."""
        rng = self.extra
        axis = int(rng.integers(2))
        self.slope = Slope(axis, rng.uniform(0.3, 0.7), rng.uniform(0.55, 1.2))
        self.knee = float(rng.uniform(0.7, 1.4))

    def sloped(self) -> Slope:
        """The slope of the ceiling.

        Raises:
            ValueError: the ceiling is level.
        """
        if self.slope is None:
            raise ValueError("this room's ceiling is level")
        return self.slope

    def ridge(self) -> float:
        """Where the ridge of a sloped ceiling runs, in metres along the slope's axis."""
        slope = self.sloped()
        lo, hi = self.lo[slope.axis], self.hi[slope.axis]
        return float(lo + slope.at * (hi - lo))

    def reach(self) -> float:
        """How far from its ridge a sloped ceiling comes down to the knee walls."""
        return (self.H + 0.5 - self.knee) / self.sloped().fall

    def zc(self, x: float, y: float) -> float:
        """Height of the ceiling at a place: falling with the distance from the ridge, if sloped."""
        if self.slope is None:
            return self.H
        away = abs((x, y)[self.slope.axis] - self.ridge())
        return float(max(self.knee, self.H + 0.5 - self.slope.fall * away))

    def bends(self, axis: int) -> list[float]:
        """Coordinates along x (0) or y (1) where a sloped ceiling bends."""
        if self.slope is None or self.slope.axis != axis:
            return []
        ridge, reach = self.ridge(), self.reach()
        bends = (ridge - reach, ridge, ridge + reach)
        return [float(b) for b in bends if self.lo[axis] < b < self.hi[axis]]

    def _bends_along(self, w: int) -> list[float]:
        """Where the ceiling's bends cross wall w, in metres along it."""
        a, d, _, L = self.walls[w]
        us = [(b - a[i]) / d[i] for i in (0, 1) if abs(d[i]) > 1e-6 for b in self.bends(i)]
        return [float(u) for u in us if 0.01 < u < L - 0.01]

    def frame_at(self, w: int, u: float, turn: float = 0.0, out: float = 0.0) -> Matrix:
        """Frame on the floor at wall w: x along the wall, y into the room; turned by radians."""
        a, d, n, _ = self.walls[w]
        o = a + d * u + n * out
        m = Matrix(((d[0], n[0], 0, o[0]), (d[1], n[1], 0, o[1]), (0, 0, 1, 0), (0, 0, 0, 1)))
        return m @ Matrix.Rotation(turn, 4, "Z")

    def pt(self, w: int, u: float, z: float, out: float = 0.0) -> Point:
        """The point u along wall w, at height z, `out` metres into the room."""
        a, d, n, _ = self.walls[w]
        p = a + d * u + n * out
        return (p[0], p[1], z)

    def plane(self, normal: ArrayLike, point: ArrayLike) -> int:
        """Register a wall plane; returns its number in planes.png."""
        n = np.array(normal, float)
        self.planes.append([*np.round(n, 5).tolist(), round(-float(n @ np.array(point, float)), 4)])
        return len(self.planes)

    def free_spans(self, w: int, z0: float, z1: float) -> list[Span]:
        """Stretches of wall w where nothing stands or hangs between the heights z0 and z1."""
        spans = [(0.0, self.walls[w][3])]
        for a, b, low, high in self.taken[w]:
            if low < z1 and high > z0:
                cut = [p for s, e in spans for p in ((s, min(e, a)), (max(s, b), e))]
                spans = [p for p in cut if p[1] - p[0] > 0.05]
        return spans

    def place(
        self, w: int, width: float, z0: float, z1: float, rng: Rng | None = None
    ) -> float | None:
        """A free place (its middle) along wall w, or None; marks it taken."""
        L, gap = self.walls[w][3], 0.04
        if width + 0.1 > L:
            return None
        for _ in range(14):
            u = (rng or self.rng).uniform(width / 2 + 0.03, L - width / 2 - 0.03)
            p, q = u - width / 2 - gap, u + width / 2 + gap
            if all(q <= t[0] or p >= t[1] or z1 <= t[2] or z0 >= t[3] for t in self.taken[w]):
                self.taken[w].append((p, q, z0, z1))
                return float(u)
        return None

    def opening(
        self, w: int, width: float, z0: float, z1: float, rng: Rng | None = None
    ) -> float | None:
        """Cut a hole into wall w where it fits under the ceiling; its middle, or None."""
        a, d, _, _ = self.walls[w]
        u = self.place(w, width + 0.2, z0 if z0 > 0.3 else 0, z1, rng)
        if u is None:
            return None
        low = min(self.zc(*(a + d * (u + s * width / 2))) for s in (-1, 1))
        if z1 > low - 0.1:
            return None
        self.holes[w].append((u - width / 2, u + width / 2, z0, z1))
        return u

    def wall_mesh(self, w: int, surface: bpy.types.Material) -> None:
        """Build wall w around its holes and up to the ceiling; UV in metres."""
        a, d, n, L = self.walls[w]
        hs = self.holes[w]
        us = {0.0, L, *[h[0] for h in hs], *[h[1] for h in hs]}
        if self.slope is not None:
            us |= set(np.linspace(0, L, 13).tolist()) | set(self._bends_along(w))
        zs = sorted({0.0, 1e3, *[h[2] for h in hs], *[h[3] for h in hs]})
        uv: list[Span] = []
        for u0, u1 in itertools.pairwise(sorted(us)):
            t0, t1, u = self.zc(*(a + d * u0)), self.zc(*(a + d * u1)), (u0 + u1) / 2
            for z0, z1 in itertools.pairwise(zs):
                z = (z0 + min(z1, 3)) / 2
                if any(h[0] <= u <= h[1] and h[2] <= z <= h[3] for h in hs):
                    continue
                uv += [(u0, min(z0, t0)), (u1, min(z0, t1)), (u1, min(z1, t1)), (u0, min(z1, t0))]
        faces = [(i, i + 1, i + 2, i + 3) for i in range(0, len(uv), 4)]
        number = self.wall_planes[w] = self.plane((*n, 0), (*a, 0))
        v = [self.pt(w, u, z) for u, z in uv]
        o = mesh(v, faces, surface, WALL, number, uvs=uv)
        self.wall_objects.append((o, w))

    def wall_box(
        self, T: Matrix, x: Span, y: Span, z: Span, surface: bpy.types.Material, w: int
    ) -> None:
        """A piece of wall (column, half wall, breast): every upright face is a plane of its own."""
        M = np.array(T)
        for ax, s in ((0, -1), (0, 1), (1, -1), (1, 1)):
            n = np.zeros(3)
            n[ax] = s
            (e0, e1), c = (y, x[s > 0]) if ax == 0 else (x, y[s > 0])
            corners = ((e0, z[0]), (e1, z[0]), (e1, z[1]), (e0, z[1]))
            flat = [(c, e, h) if ax == 0 else (e, c, h) for e, h in corners]
            q = (np.array(flat) @ M[:3, :3].T) + M[:3, 3]
            uv = [(e - e0, h) for e, h in corners]
            o = mesh(q, QUAD, surface, WALL, self.plane(M[:3, :3] @ n, q[0]), uvs=uv)
            self.wall_objects.append((o, w))
        box(T, x, y, (z[1] - 0.001, z[1]), surface, OTHER)
