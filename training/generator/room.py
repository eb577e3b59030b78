"""A room: its walls, openings, trims, and which part of each wall is free."""

from __future__ import annotations

import itertools
import math

import numpy as np
from mathutils import Matrix, Vector

from training.generator.classes import CEILING, CURTAIN, DOOR, FLOOR, OTHER, TRIM, WALL, WINDOW
from training.generator.colours import Rng, wall_colour
from training.generator.lamps import area, light
from training.generator.materials import cloth, finish, metal, patterned, plain
from training.generator.meshes import box, mesh, quad, tube
from training.generator.pictures import frame
from training.generator.plans import plan
from training.generator.storage import cabinet
from training.generator.things import curtain
from training.generator.traits import RoomTraits

# Where a sloped ceiling ends at the latest, in metres.
_LOWEST = 1.5


class Room:
    """A room being built. rng: draws the plain room; extra: draws what its traits add."""

    def __init__(self, rng: Rng, extra: Rng, traits: RoomTraits) -> None:
        self.extra, self.traits = extra, traits
        self.rng, self.poly = rng, plan(rng)
        p = np.array(self.poly)
        self.lo, self.hi = p.min(0), p.max(0)
        self.H = rng.uniform(2.25, 3.3)
        self.slope, self.knee = None, _LOWEST
        if (
            rng.random() < 0.13
        ):  # sloped or gabled ceiling: height falls with the distance from a ridge
            self.slope = (int(rng.integers(2)), rng.uniform(0.0, 1.0), rng.uniform(0.2, 0.8))
        if traits.ceiling.startswith("attic"):
            self.steepen()
        self.walls = []  # origin, direction, normal, length
        for a, b in zip(self.poly, [*self.poly[1:], self.poly[0]], strict=True):
            a, b = np.array(a), np.array(b)
            L = float(np.linalg.norm(b - a))
            d = (b - a) / L
            self.walls.append((a, d, np.array([-d[1], d[0]]), L))
        self.holes = [[] for _ in self.walls]  # openings: u0, u1, z0, z1
        self.taken = [[] for _ in self.walls]  # occupied: u0, u1, z0, z1
        self.planes = []  # normal, offset of every wall plane; number = index + 1
        self.wall_objects = []  # (object, main surface?) repainted for every view
        self.skirt_gaps = [[] for _ in self.walls]
        self.wall_planes = {}  # plane number of each wall once its mesh is made
        self.focus = []  # walls most photos of the room are to show
        self.kind, self.dark = "room", False  # dark: night or blinds down, lamps only
        self.ceiling = None  # its object, once hung

    def steepen(self) -> None:
        """Make it an attic: knee walls, steep slopes to both sides of a ridge."""
        axis, rng = int(self.extra.integers(2)), self.extra
        self.slope = (axis, rng.uniform(0.3, 0.7), rng.uniform(0.55, 1.2))
        self.knee = rng.uniform(0.7, 1.4)

    def bends(self, axis: int) -> list[float]:
        """Coordinates along x (0) or y (1) where a sloped ceiling bends."""
        if self.slope is None or self.slope[0] != axis:
            return []
        _, at, fall = self.slope
        ridge = self.lo[axis] + at * (self.hi[axis] - self.lo[axis])
        reach = (self.H + 0.5 - self.knee) / fall
        bends = (ridge - reach, ridge, ridge + reach)
        return [float(b) for b in bends if self.lo[axis] < b < self.hi[axis]]

    def free_spans(self, w: int, z0: float, z1: float) -> list[tuple[float, float]]:
        """Stretches of wall w where nothing stands or hangs between the heights z0 and z1."""
        spans = [(0.0, self.walls[w][3])]
        for a, b, low, high in self.taken[w]:
            if low < z1 and high > z0:
                cut = [p for s, e in spans for p in ((s, min(e, a)), (max(s, b), e))]
                spans = [p for p in cut if p[1] - p[0] > 0.05]
        return spans

    def zc(self, x, y):
        if self.slope is None:
            return self.H
        ax, pos, fall = self.slope
        c = self.lo[ax] + pos * (self.hi[ax] - self.lo[ax])
        return max(self.knee, self.H + 0.5 - fall * abs((x, y)[ax] - c))

    def frame_at(self, w, u, turn=0.0, out=0.0):
        a, d, n, _ = self.walls[w]
        o = a + d * u + n * out
        m = Matrix(((d[0], n[0], 0, o[0]), (d[1], n[1], 0, o[1]), (0, 0, 1, 0), (0, 0, 0, 1)))
        return m @ Matrix.Rotation(turn, 4, "Z")

    def pt(self, w, u, z, out=0.0):
        a, d, n, _ = self.walls[w]
        p = a + d * u + n * out
        return (p[0], p[1], z)

    def plane(self, normal, point):
        n = np.array(normal, float)
        self.planes.append([*np.round(n, 5).tolist(), round(-float(n @ np.array(point, float)), 4)])
        return len(self.planes)

    def place(self, w, width, z0, z1, gap=0.04, tries=14, rng=None):
        """A free place u along wall w, or None; marks it taken."""
        L = self.walls[w][3]
        if width + 0.1 > L:
            return None
        for _ in range(tries):
            u = (rng or self.rng).uniform(width / 2 + 0.03, L - width / 2 - 0.03)
            box = (u - width / 2 - gap, u + width / 2 + gap, z0, z1)
            if all(
                box[1] <= t[0] or box[0] >= t[1] or box[3] <= t[2] or box[2] >= t[3]
                for t in self.taken[w]
            ):
                self.taken[w].append(box)
                return u
        return None

    def _bends_along(self, w: int) -> list[float]:
        """Where the ceiling's bends cross wall w, in metres along it."""
        a, d, _, L = self.walls[w]
        us = [(b - a[i]) / d[i] for i in (0, 1) if abs(d[i]) > 1e-6 for b in self.bends(i)]
        return [float(u) for u in us if 0.01 < u < L - 0.01]

    # --- shell
    def wall_mesh(self, w, mat):
        a, d, n, L = self.walls[w]
        hs = self.holes[w]
        us = {0.0, L, *[h[0] for h in hs], *[h[1] for h in hs]}
        if self.slope is not None:
            us |= set(np.linspace(0, L, 13).tolist()) | set(self._bends_along(w))
        us, v, uv, f = sorted(us), [], [], []
        zs = sorted({0.0, 1e3, *[h[2] for h in hs], *[h[3] for h in hs]})
        for u0, u1 in itertools.pairwise(us):
            t0, t1 = self.zc(*(a + d * u0)), self.zc(*(a + d * u1))
            for z0, z1 in itertools.pairwise(zs):
                if any(
                    h[0] <= (u0 + u1) / 2 <= h[1] and h[2] <= (z0 + min(z1, 3)) / 2 <= h[3]
                    for h in hs
                ):
                    continue
                i = len(v)
                for u, z in (
                    (u0, min(z0, t0)),
                    (u1, min(z0, t1)),
                    (u1, min(z1, t1)),
                    (u0, min(z1, t0)),
                ):
                    v.append(self.pt(w, u, z)), uv.append((u, z))
                f.append((i, i + 1, i + 2, i + 3))
        pid = self.wall_planes[w] = self.plane((*n, 0), (*a, 0))
        o = mesh(v, f, mat, WALL, pid, uvs=uv)
        self.wall_objects.append((o, w))
        return pid

    def wall_box(self, T, x, y, z, mat, w):
        """A piece of wall (column, half wall, breast): every upright face is a plane of its own."""
        M = np.array(T)
        for ax, s in ((0, -1), (0, 1), (1, -1), (1, 1)):
            n = np.zeros(3)
            n[ax] = s
            e, c = (y, x[s > 0]) if ax == 0 else (x, y[s > 0])
            q = (
                [(c, e[0], z[0]), (c, e[1], z[0]), (c, e[1], z[1]), (c, e[0], z[1])]
                if ax == 0
                else [(e[0], c, z[0]), (e[1], c, z[0]), (e[1], c, z[1]), (e[0], c, z[1])]
            )
            q = (np.array(q) @ M[:3, :3].T) + M[:3, 3]
            pid = self.plane(M[:3, :3] @ n, q[0])
            L = e[1] - e[0]
            o = mesh(
                q, [(0, 1, 2, 3)], mat, WALL, pid, uvs=[(0, z[0]), (L, z[0]), (L, z[1]), (0, z[1])]
            )
            self.wall_objects.append((o, w))
        box(T, x, y, (z[1] - 0.001, z[1]), mat, OTHER)

    # --- openings
    def opening(self, w, width, z0, z1, rng=None):
        a, d, _, _ = self.walls[w]
        u = self.place(w, width + 0.2, z0 if z0 > 0.3 else 0, z1, rng=rng)
        if u is None:
            return None
        low = min(self.zc(*(a + d * (u + s * width / 2))) for s in (-1, 1))
        if z1 > low - 0.1:
            return None
        self.holes[w].append((u - width / 2, u + width / 2, z0, z1))
        return u

    def reveal(self, w, u, width, z0, z1, depth, mat):
        u0, u1 = u - width / 2, u + width / 2
        for p, q in (
            ((u0, z0), (u0, z1)),
            ((u0, z1), (u1, z1)),
            ((u1, z1), (u1, z0)),
            ((u1, z0), (u0, z0)),
        ):
            mesh(
                [self.pt(w, *p), self.pt(w, *q), self.pt(w, *q, -depth), self.pt(w, *p, -depth)],
                [(0, 1, 2, 3)],
                mat,
                TRIM,
            )

    def arch(self, w, u, width, z1, mat, pid):
        """Fill the upper corners of an opening to a round or segmental arch (they are wall)."""
        r, rise = width / 2, width / 2 * self.rng.uniform(0.4, 1.0)
        t = np.linspace(0, math.pi / 2, 9)
        for s in (-1, 1):
            pts = [(u + s * r * math.cos(x), z1 - rise + rise * math.sin(x)) for x in t] + [
                (u + s * r, z1)
            ]
            o = mesh(
                [self.pt(w, *p) for p in pts], [tuple(range(len(pts)))], mat, WALL, pid, uvs=pts
            )
            self.wall_objects.append((o, w))

    def casing(self, w, u, width, z0, z1, m):
        T, c, d = self.frame_at(w, u), self.rng.uniform(0.04, 0.12), self.rng.uniform(0.008, 0.03)
        x = width / 2
        for a, b, e, f in (
            (-x - c, -x, z0, z1 + c),
            (x, x + c, z0, z1 + c),
            (-x, x, z1, z1 + c),
        ) + (((-x, x, z0 - c, z0),) if z0 > 0.2 else ()):
            box(T, (a, b), (0, d), (e, f), m, TRIM)

    def window(self, w, sky, dark):
        rng = self.rng
        width, z0 = rng.uniform(0.5, 2.6), rng.choice([rng.uniform(0.6, 1.2), 0.04], p=[0.85, 0.15])
        z1 = max(z0 + 0.5, rng.uniform(1.7, 2.2))
        u = self.opening(w, width, z0, z1)
        if u is None:
            return
        T, fr, x = (
            self.frame_at(w, u),
            finish(rng) if rng.random() < 0.3 else plain(np.full(3, 0.92), 0.4),
            width / 2,
        )
        dp = rng.uniform(0.06, 0.25)
        self.reveal(
            w, u, width, z0, z1, dp + 0.02, fr if rng.random() < 0.6 else plain(wall_colour(rng))
        )
        if rng.random() < 0.65:
            self.casing(w, u, width, z0, z1, fr)
        b = rng.uniform(0.03, 0.07)
        bars = [(-x, x, z1 - b, z1), (-x, x, z0, z0 + b), (-x, -x + b, z0, z1), (x - b, x, z0, z1)]
        nx, ny = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        bars += [
            (-x + width * i / nx - b / 2, -x + width * i / nx + b / 2, z0, z1) for i in range(1, nx)
        ]
        bars += [
            (-x, x, z0 + (z1 - z0) * i / ny - b / 3, z0 + (z1 - z0) * i / ny + b / 3)
            for i in range(1, ny)
        ]
        for a, c, d, e in bars:
            box(T, (a, c), (-dp, -dp + 0.04), (d, e), fr, WINDOW)
        quad(T, (-x, x), (z0, z1), -dp - 0.01, sky, WINDOW)
        if not dark:
            area(
                T @ Vector((0, -dp + 0.05, (z0 + z1) / 2)),
                [*self.walls[w][2].tolist(), rng.uniform(-0.5, 0.1)],
                (width, z1 - z0),
                rng.uniform(20, 90) * width * (z1 - z0),
                (1, rng.uniform(0.9, 1), rng.uniform(0.8, 1.1)),
            )
        if rng.random() < 0.25:  # blinds
            m, n, cover = (
                plain(np.full(3, rng.uniform(0.6, 0.95))),
                int((z1 - z0) / 0.05),
                rng.uniform(0.3, 1),
            )
            for i in range(n):
                if i > n * (1 - cover):
                    z = z0 + (z1 - z0) * i / n
                    box(
                        T,
                        (-x + 0.02, x - 0.02),
                        (-dp + 0.05, -dp + 0.075),
                        (z, z + 0.03),
                        m,
                        CURTAIN,
                    )
        elif rng.random() < 0.6:  # curtains
            m, zt = (
                (cloth(rng) if rng.random() < 0.6 else patterned(rng)),
                min(self.H - 0.05, z1 + rng.uniform(0.05, 0.3)),
            )
            zb = 0.02 if rng.random() < 0.6 else z0 - 0.15
            e, o = rng.uniform(0.1, 0.45), rng.uniform(0.1, 0.95) * x
            if self.slope is None:
                for s in (-1, 1):
                    if rng.random() < 0.9:
                        curtain(
                            T,
                            rng,
                            *((s * (x + e), s * (x - o)) if s < 0 else (x - o, x + e)),
                            zb,
                            zt,
                            mat=m,
                        )
                if rng.random() < 0.7:
                    tube(
                        T,
                        [(-x - e - 0.08, 0.1, zt + 0.02), (x + e + 0.08, 0.1, zt + 0.02)],
                        0.014,
                        metal(rng),
                        cls=CURTAIN,
                    )
                self.taken[w].append((u - x - e, u + x + e, zb, zt))
        self.skirt_gaps[w].append((u - x, u + x) if z0 < 0.2 else (0, 0))

    def door(self, w, trim):
        rng = self.rng
        width, z1 = (
            rng.choice([rng.uniform(0.7, 1.0), rng.uniform(1.1, 1.7)], p=[0.8, 0.2]),
            rng.uniform(1.95, 2.15),
        )
        u = self.opening(w, width, 0.0, z1)
        if u is None:
            return None
        T, x, r = self.frame_at(w, u), width / 2, rng.random()
        self.skirt_gaps[w].append((u - x - 0.06, u + x + 0.06))
        m = finish(rng, 2) if rng.random() < 0.5 else trim
        if r > 0.3 or rng.random() < 0.6:
            self.casing(w, u, width, 0, z1, m if rng.random() < 0.7 else trim)
        self.reveal(w, u, width, 0, z1, 0.14, m)
        if r > 0.3 or w is None:  # closed (or ajar) leaf
            y = -rng.uniform(0.01, 0.1)
            box(T, (-x, x), (y - 0.04, y), (0.005, z1), m, DOOR)
            st = rng.random()
            rows = (
                [(0.2, 0.9), (1.05, z1 - 0.15)]
                if st < 0.4
                else [(0.15, 0.55), (0.7, 1.2), (1.35, z1 - 0.15)]
            )
            if st < 0.75:
                for c, d in rows:
                    for a, b in ((-x + 0.1, -0.04), (0.04, x - 0.1)):
                        box(T, (a, b), (y - 0.01, y + 0.012), (c, d), m, DOOR)
            hx = (x - 0.07) * (1 if rng.random() < 0.5 else -1)
            tube(
                T,
                [(hx, y, 1.02), (hx, y + 0.06, 1.02), (hx * 0.8, y + 0.06, 1.02)],
                0.012,
                metal(rng),
                cls=DOOR,
            )
            return None
        return u, width, z1  # open: the caller builds what lies behind

    def corridor(self, w, u, width, z1, mat, floor):
        """A shallow second space behind an open doorway; its walls are walls too."""
        rng = self.rng
        a, b, dp, H = (
            u - max(rng.uniform(0.4, 1.5), width / 2 + 0.02),
            u + max(rng.uniform(0.4, 1.5), width / 2 + 0.02),
            rng.uniform(0.9, 2.5),
            self.H,
        )
        n = self.walls[w][2]
        d = self.walls[w][1]
        for q, nn in (
            (((a, -dp), (b, -dp)), (*n, 0)),
            (((a, -0.14), (a, -dp)), (*d, 0)),
            (((b, -dp), (b, -0.14)), (*(-d), 0)),
        ):
            L = math.dist(*q)
            v = [
                self.pt(w, q[0][0], 0, q[0][1]),
                self.pt(w, q[1][0], 0, q[1][1]),
                self.pt(w, q[1][0], H, q[1][1]),
                self.pt(w, q[0][0], H, q[0][1]),
            ]
            o = mesh(
                v,
                [(0, 1, 2, 3)],
                mat,
                WALL,
                self.plane(nn, v[0]),
                uvs=[(0, 0), (L, 0), (L, H), (0, H)],
            )
            self.wall_objects.append((o, 100 + w))
        flat = ((a, -dp), (b, -dp), (b, 0), (a, 0))
        low, high = ([self.pt(w, u, z, out) for u, out in flat] for z in (0.001, H))
        mesh(low, [(0, 1, 2, 3)], floor, FLOOR, uvs=[(0, 0), (b - a, 0), (b - a, dp), (0, dp)])
        mesh(high, [(0, 1, 2, 3)], plain(np.full(3, 0.9)), CEILING)
        light(
            Vector(self.pt(w, (a + b) / 2, H - 0.4, -dp / 2)),
            rng.uniform(2, 40),
            (1, rng.uniform(0.75, 1), rng.uniform(0.5, 1)),
            0.15,
        )
        if rng.random() < 0.5:
            T = self.frame_at(w, (a + b) / 2, 0, -dp)
            cabinet(T, rng, 0.6) if rng.random() < 0.5 else frame(T, rng, 0, 1.5, 0.4, 0.5)

    def trims(self, trim):
        rng = self.rng
        base, crown, rail = (
            rng.random() < 0.85,
            rng.random() < 0.3 and self.slope is None and self.traits.ceiling == "as drawn",
            rng.random() < 0.12,
        )
        bh, bd, ch = rng.uniform(0.05, 0.2), rng.uniform(0.008, 0.025), rng.uniform(0.04, 0.16)
        rz = rng.uniform(0.75, 1.1)
        for w in range(len(self.walls)):
            L = self.walls[w][3]
            cuts = [(0, L)]
            for s0, s1 in self.skirt_gaps[w]:
                cuts = [
                    p
                    for a, b in cuts
                    for p in ((a, min(b, s0)), (max(a, s1), b))
                    if p[1] - p[0] > 0.02
                ]
            for a, b in cuts:
                T, x = self.frame_at(w, (a + b) / 2), (b - a) / 2
                if base:
                    box(T, (-x, x), (0, bd), (0, bh), trim, TRIM)
                if (
                    rail
                    and w not in self.focus
                    and not any(h[2] < rz < h[3] for h in self.holes[w])
                ):
                    box(T, (-x, x), (0, 0.02), (rz, rz + 0.06), trim, TRIM)
            if crown:
                T = self.frame_at(w, L / 2)
                box(T, (-L / 2, L / 2), (0, ch * 0.8), (self.H - ch * 0.5, self.H), trim, TRIM)
                box(T, (-L / 2, L / 2), (0, ch * 0.4), (self.H - ch, self.H - ch * 0.5), trim, TRIM)

    def panelling(self, w, pid, mat):
        """Raised panels or battens on the wall: wall, in the wall's own surface."""
        rng, L = self.rng, self.walls[w][3]
        z0, z1 = rng.uniform(0.15, 0.3), rng.choice([rng.uniform(0.7, 1.2), self.H - 0.3])
        n, fw, d = (
            max(1, round(L / rng.uniform(0.35, 0.9))),
            rng.uniform(0.02, 0.05),
            rng.uniform(0.008, 0.02),
        )
        T = self.frame_at(w, 0)
        for i in range(n):
            a, b = i * L / n + 0.08, (i + 1) * L / n - 0.08
            if any(
                a < h[1] + 0.1 and b > h[0] - 0.1 and z0 < h[3] and z1 > h[2] for h in self.holes[w]
            ):
                continue
            for p, q, r, s in (
                (a, b, z0, z0 + fw),
                (a, b, z1 - fw, z1),
                (a, a + fw, z0, z1),
                (b - fw, b, z0, z1),
            ):
                self.wall_objects.append((box(T, (p, q), (0, d), (r, s), mat, WALL, pid), w))
