"""Meshes: boxes, rounded boxes, turned shapes, tubes, quads and leaves, each with its label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import bmesh
import bpy
import numpy as np
import numpy.typing as npt
from mathutils import Euler, Matrix, Vector
from numpy.typing import ArrayLike

from training.generator.classes import FLAT, OBJECT
from training.generator.colours import Rng

Material: TypeAlias = bpy.types.Material
Span = tuple[float, float]
Floats = npt.NDArray[np.float64]


def label(o: bpy.types.Object, cls: int, plane: int = 0) -> bpy.types.Object:
    """Write class and wall plane into the colour the label pass shows."""
    o.color = (cls / 16.0, plane / 255.0, 0.0, 1.0)
    return o


def link(o: bpy.types.Object, cls: int, plane: int = 0) -> bpy.types.Object:
    """Put an object with its label into the scene."""
    bpy.context.collection.objects.link(o)
    return label(o, cls, plane)


def mesh(
    verts: ArrayLike,
    faces: Sequence[Sequence[int]],
    mat: Material | None,
    cls: int = OBJECT,
    plane: int = 0,
    smooth: bool = False,
    uvs: ArrayLike | None = None,
    T: Matrix | None = None,
) -> bpy.types.Object:
    """A mesh of N x 3 points in the frame T, with a UV pair for each point."""
    me = bpy.data.meshes.new("x")
    v = np.asarray(verts, float).reshape(-1, 3)
    if T is not None:
        M = np.array(T)
        v = v @ M[:3, :3].T + M[:3, 3]
    me.from_pydata(v.tolist(), [], faces)
    if uvs is not None:
        idx = [i for f in faces for i in f]
        ul = me.uv_layers.new(name="UVMap")
        ul.data.foreach_set("uv", np.asarray(uvs, np.float32)[idx].ravel())
    if smooth:
        me.polygons.foreach_set("use_smooth", [True] * len(me.polygons))
    if mat is not None:
        me.materials.append(mat)
    me.update()
    return link(bpy.data.objects.new("x", me), cls, plane)


CUBE = np.array([(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)


CUBE_F = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def box(
    T: Matrix,
    x: Span,
    y: Span,
    z: Span,
    mat: Material,
    cls: int = OBJECT,
    plane: int = 0,
    bevel: float = 0.0,
    rot: Sequence[float] | None = None,
) -> bpy.types.Object:
    """Box over the ranges x, y, z; every face carries UV in metres."""
    lo, sz = np.array([x[0], y[0], z[0]]), np.array([x[1] - x[0], y[1] - y[0], z[1] - z[0]])
    c = lo + sz / 2
    M = T @ Matrix.Translation(Vector(c))
    if rot is not None:
        M = M @ Euler(rot).to_matrix().to_4x4()
    if bevel > 0:
        return _bevelled(M, sz, mat, bevel, cls, plane)
    v: list[list[float]] = []
    f: list[tuple[int, ...]] = []
    uv: list[list[float]] = []
    for face in CUBE_F:
        q = (CUBE[list(face)] - 0.5) * sz
        ax = int(np.argmin(np.ptp(q, axis=0)))
        keep = [i for i in range(3) if i != ax]
        f.append(tuple(range(len(v), len(v) + 4)))
        v += q.tolist()
        uv += (q[:, keep]).tolist()
    return mesh(v, f, mat, cls, plane, uvs=uv, T=M)


def _bevelled(
    M: Matrix, size: Floats, mat: Material, bevel: float, cls: int, plane: int
) -> bpy.types.Object:
    """A box of this size around the origin of M, its edges rounded."""
    bm = bmesh.new()
    bmesh.ops.create_cube(bm, size=1)
    for w in bm.verts:
        w.co = Vector((w.co.x * size[0], w.co.y * size[1], w.co.z * size[2]))
    bmesh.ops.bevel(
        bm,
        geom=bm.edges[:],
        offset=min(bevel, min(size) * 0.45),
        segments=2,
        profile=0.5,
        affect="EDGES",
        clamp_overlap=True,
    )
    bmesh.ops.transform(bm, matrix=M, verts=bm.verts)
    me = bpy.data.meshes.new("b")
    bm.to_mesh(me)
    bm.free()
    me.polygons.foreach_set("use_smooth", [True] * len(me.polygons))
    me.materials.append(mat)
    return link(bpy.data.objects.new("b", me), cls, plane)


def soft(
    T: Matrix,
    c: Sequence[float],
    size: Sequence[float],
    mat: Material,
    k: float = 6.0,
    wrinkle: float = 0.01,
    rot: Sequence[float] = (0, 0, 0),
    n: int = 12,
    cls: int = OBJECT,
    rng: Rng | None = None,
) -> bpy.types.Object:
    """Upholstery: a rounded, slightly uneven box (superellipsoid) centred at c."""
    p, faces = _cube_net(n)
    p /= ((np.abs(p) ** k).sum(1) ** (1 / k))[:, None]
    nr = p / np.linalg.norm(p, axis=1, keepdims=True)
    p = p * np.array(size) / 2
    if rng is not None and wrinkle:
        fr, ph = rng.uniform(4, 14, (5, 3)), rng.uniform(0, 6.28, 5)
        p = p + nr * (wrinkle * np.sin(p @ fr.T + ph).mean(1))[:, None]
    return mesh(
        p,
        faces,
        mat,
        cls,
        smooth=True,
        T=T @ Matrix.Translation(Vector(c)) @ Euler(rot).to_matrix().to_4x4(),
    )


def _cube_net(n: int) -> tuple[Floats, list[list[int]]]:
    """The six sides of a cube from -1 to 1 as nets of n by n points."""
    g = np.linspace(-1, 1, n)
    A, B = (q.ravel() for q in np.meshgrid(g, g, indexing="ij"))
    vs: list[Floats] = []
    faces = []
    for ax in range(3):
        for s in (-1, 1):
            base = len(vs) * n * n
            p = np.zeros((n * n, 3))
            p[:, ax], p[:, (ax + 1) % 3], p[:, (ax + 2) % 3] = s, A, B
            vs.append(p)
            for i in range(n - 1):
                for j in range(n - 1):
                    a, b = base + i * n + j, base + (i + 1) * n + j
                    q = [a, b, b + 1, a + 1]
                    faces.append(q if s > 0 else q[::-1])
    return np.concatenate(vs), faces


def grid(nx: int, ny: int) -> list[tuple[int, ...]]:
    """Faces of a net of nx by ny points, row after row."""
    return [
        (j * nx + i, j * nx + i + 1, (j + 1) * nx + i + 1, (j + 1) * nx + i)
        for j in range(ny - 1)
        for i in range(nx - 1)
    ]


# The one face of four corners.
QUAD = [(0, 1, 2, 3)]


def lathe(
    T: Matrix,
    c: Sequence[float],
    prof: Sequence[Span],
    mat: Material,
    seg: int = 20,
    cls: int = OBJECT,
) -> bpy.types.Object:
    """A turned shape: (radius, height) turned about the upright axis through c."""
    a = np.arange(seg) * 2 * math.pi / seg
    v = [(c[0] + r * math.cos(t), c[1] + r * math.sin(t), c[2] + z) for r, z in prof for t in a]
    f = [
        (i * seg + k, i * seg + (k + 1) % seg, (i + 1) * seg + (k + 1) % seg, (i + 1) * seg + k)
        for i in range(len(prof) - 1)
        for k in range(seg)
    ]
    return mesh(v, f, mat, cls, smooth=True, T=T)


def tube(
    T: Matrix,
    pts: Sequence[Sequence[float]],
    r: float,
    mat: Material,
    seg: int = 6,
    cls: int = OBJECT,
) -> bpy.types.Object:
    """A round bar of radius r along points."""
    cu = bpy.data.curves.new("t", "CURVE")
    cu.dimensions, cu.bevel_depth, cu.bevel_resolution, cu.use_fill_caps = (
        "3D",
        r,
        max(0, seg // 4),
        True,
    )
    s = cu.splines.new("POLY")
    s.points.add(len(pts) - 1)
    for p, q in zip(s.points, pts, strict=True):
        p.co = (*(T @ Vector(q)), 1)
    cu.materials.append(mat)
    return link(bpy.data.objects.new("t", cu), cls)


def quad(T: Matrix, x: Span, z: Span, y: float, mat: Material, cls: int = FLAT) -> bpy.types.Object:
    """Upright quad facing the room at depth y; UV 0..1."""
    return mesh(
        [(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])],
        [(0, 1, 2, 3)],
        mat,
        cls,
        uvs=[(0, 0), (1, 0), (1, 1), (0, 1)],
        T=T,
    )


def leaf(
    v: list[Any],
    f: list[tuple[int, ...]],
    base: ArrayLike,
    az: float,
    elev: float,
    ln: float,
    wd: float,
    droop: float,
) -> None:
    """Append a pointed, drooping leaf of four quads."""
    d = np.array([math.cos(az) * math.cos(elev), math.sin(az) * math.cos(elev), math.sin(elev)])
    side, i0, n = np.array([-math.sin(az), math.cos(az), 0.0]), len(v), 3
    for k in range(n + 1):
        t = k / n
        half = wd / 2 * math.sin(math.pi * min(1, 0.15 + 0.85 * t) ** 0.8) if k < n else 0.0
        c = np.asarray(base, float) + d * ln * t + np.array([0, 0, -droop * ln * t * t])
        v += [c + side * half, c - side * half]
    for k in range(n):
        a = i0 + 2 * k
        f.append((a, a + 1, a + 3, a + 2))
