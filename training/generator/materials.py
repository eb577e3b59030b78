"""Blender materials: a Principled shader with a few node shorthands, and the furniture surfaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt

from training.generator.colours import Colour, Rng, any_colour, hsv, linear, whiten
from training.generator.patterns import art_image, pattern

# Materials shared within a room.
_cache: dict[tuple[Any, ...], bpy.types.Material] = {}


class Mat:
    """A Principled material m; t: its nodes, b: the shader, out: the output."""

    def __init__(self, colour: Colour, rough: float = 0.5, metal: float = 0.0) -> None:
        self.m = bpy.data.materials.new("m")
        self.m.use_nodes = True
        self.t = self.m.node_tree
        self.t.nodes.clear()
        self.out = self.n("ShaderNodeOutputMaterial")
        self.b = self.n("ShaderNodeBsdfPrincipled")
        self.t.links.new(self.b.outputs[0], self.out.inputs[0])
        self.set("Base Color", (*linear(colour), 1))
        self.set("Roughness", rough)
        self.set("Metallic", metal)

    def n(self, kind: str, **inputs: Any) -> bpy.types.Node:
        """A new node of this kind with these inputs: values or other nodes' outputs."""
        node = self.t.nodes.new(kind)
        for k, v in inputs.items():
            self.put(node, k, v)
        return node

    def put(self, node: bpy.types.Node, k: str | int, v: Any) -> None:
        """Link or set one input."""
        if isinstance(v, bpy.types.NodeSocket):
            self.t.links.new(v, node.inputs[k])
        else:
            node.inputs[k].default_value = v

    def set(self, k: str, v: Any) -> None:
        """Link or set one input of the Principled shader."""
        self.put(self.b, k, v)

    def coords(
        self,
        kind: str = "UV",
        scale: Sequence[float] = (1, 1, 1),
        rot: float = 0.0,
        loc: Sequence[float] = (0, 0, 0),
    ) -> bpy.types.NodeSocket:
        """Texture coordinates, scaled, turned and moved."""
        tc = self.n("ShaderNodeTexCoord")
        mp = self.n(
            "ShaderNodeMapping",
            Vector=tc.outputs[kind],
            Scale=scale,
            Rotation=(0, 0, rot),
            Location=loc,
        )
        return mp.outputs[0]

    def noise(
        self,
        vec: bpy.types.NodeSocket,
        scale: float,
        detail: float = 3.0,
        rough: float = 0.5,
        distort: float = 0.0,
    ) -> bpy.types.NodeSocket:
        """Fractal noise, 0..1."""
        return self.n(
            "ShaderNodeTexNoise",
            Vector=vec,
            Scale=scale,
            Detail=detail,
            Roughness=rough,
            Distortion=distort,
        ).outputs[0]

    def ramp(
        self,
        fac: bpy.types.NodeSocket,
        stops: Sequence[tuple[float, Colour]],
        constant: bool = False,
    ) -> bpy.types.NodeSocket:
        """Colours (sRGB) by a value in 0..1, blended or in steps."""
        r = self.n("ShaderNodeValToRGB", Fac=fac)
        e = r.color_ramp.elements
        while len(e) < len(stops):
            e.new(0.5)
        for el, (p, c) in zip(e, stops, strict=True):
            el.position, el.color = p, (*linear(c), 1)
        if constant:
            r.color_ramp.interpolation = "CONSTANT"
        return r.outputs[0]

    def bump(self, height: bpy.types.NodeSocket, strength: float = 0.3, dist: float = 0.01) -> None:
        """Relief of `dist` metres."""
        self.set(
            "Normal",
            self.n("ShaderNodeBump", Strength=strength, Distance=dist, Height=height).outputs[0],
        )

    def image(self, a: npt.NDArray[np.floating], vec: bpy.types.NodeSocket) -> bpy.types.NodeSocket:
        """A repeated picture, sRGB H x W x 3."""
        tx = self.n("ShaderNodeTexImage", Vector=vec)
        tx.image = blender_image(a)
        tx.extension = "REPEAT"
        return tx.outputs[0]

    def emit(self, colour: Any, strength: float) -> None:
        """Shine in a colour (linear) or a picture."""
        self.set(
            "Emission Color", colour if isinstance(colour, bpy.types.NodeSocket) else (*colour, 1)
        )
        self.set("Emission Strength", strength)


def blender_image(a: npt.NDArray[np.floating]) -> bpy.types.Image:
    """A Blender image of an sRGB array (h, w, 3), 0..1."""
    h, w = a.shape[:2]
    im = bpy.data.images.new("p", w, h)
    px = np.ones((h, w, 4), np.float32)
    px[..., :3] = a[::-1]
    im.pixels.foreach_set(px.ravel())
    im.pack()
    return im


def plain(colour: Colour, rough: float = 0.5, metal: float = 0.0) -> bpy.types.Material:
    """One colour; materials that hardly differ are shared."""
    k = (tuple(np.round(colour, 2)), round(float(rough), 1), metal)
    if k not in _cache:
        _cache[k] = Mat(colour, rough, metal).m
    return _cache[k]


def wood(rng: Rng, axis: int = 0) -> bpy.types.Material:
    """Wood whose grain runs along this axis of the object."""
    base = whiten(hsv(rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.2, 0.85)))
    m = Mat(base, rng.uniform(0.25, 0.6))
    s = [9.0, 9.0, 9.0]
    s[axis] = 0.8
    m.set(
        "Base Color",
        m.ramp(
            m.noise(m.coords("Object", tuple(s)), 2.2, 5, 0.6, 1.2),
            [(0.3, base * rng.uniform(0.5, 0.85)), (0.72, base)],
        ),
    )
    return m.m


def cloth(rng: Rng, colour: Colour | None = None) -> bpy.types.Material:
    """Slightly mottled cloth."""
    c = any_colour(rng) if colour is None else colour
    m = Mat(c, 0.95)
    m.set(
        "Base Color",
        m.ramp(m.noise(m.coords("Object"), rng.uniform(5, 60), 3), [(0.3, c * 0.8), (0.7, c)]),
    )
    return m.m


def finish(rng: Rng, axis: int = 0) -> bpy.types.Material:
    """A random furniture surface."""
    k = rng.random()
    if k < 0.4:
        return wood(rng, axis)
    if k < 0.6:
        return plain(hsv(0.1, rng.uniform(0, 0.06), rng.uniform(0.75, 0.96)), rng.uniform(0.2, 0.6))
    if k < 0.72:
        return plain(whiten(np.full(3, rng.uniform(0.02, 0.2))), rng.uniform(0.2, 0.6))
    return plain(any_colour(rng), rng.uniform(0.2, 0.8))


def metal(rng: Rng) -> bpy.types.Material:
    """Steel, black, brass or white lacquer."""
    c = [(0.75, 0.75, 0.74), (0.1, 0.1, 0.1), (0.72, 0.56, 0.3), (0.95, 0.95, 0.95)][
        int(rng.integers(4))
    ]
    return plain(np.array(c), rng.uniform(0.15, 0.5), float(rng.random() < 0.7))


def patterned(
    rng: Rng,
    size: float | None = None,
    rough: float = 0.9,
    colour: Colour | None = None,
    kind: str = "UV",
) -> bpy.types.Material:
    """Patterned cloth or paper; size is the tile's width in metres."""
    base = any_colour(rng) if colour is None else colour
    m = Mat(base, rough)
    s = 1.0 / (rng.uniform(0.12, 0.9) if size is None else size)
    m.set(
        "Base Color",
        m.image(
            pattern(rng, base),
            m.coords(kind, (s, s, s), rng.choice([0, 0, 0, math.pi / 2, math.pi / 4])),
        ),
    )
    return m.m


def art(rng: Rng) -> bpy.types.Material:
    """A picture on a quad of UV 0..1."""
    m = Mat(np.ones(3), rng.uniform(0.1, 0.8))
    m.set("Base Color", m.image(art_image(rng), m.coords()))
    return m.m


def screen(rng: Rng) -> bpy.types.Material:
    """A screen or painting image on a 0..1 quad; screens may glow."""
    m = Mat(np.full(3, 0.02), 0.15)
    if rng.random() < 0.5:
        m.emit(m.image(art_image(rng), m.coords()), rng.uniform(0.3, 2.5))
    return m.m


def reset() -> None:
    """Forget the shared materials of the room before."""
    _cache.clear()


def _see_through(shader: bpy.types.Node, m: Mat, share: float) -> bpy.types.Material:
    """Lets light straight through beside this shader; share: what the shader keeps, 0 to 1."""
    clear = m.n("ShaderNodeBsdfTransparent")
    mix = m.n("ShaderNodeMixShader", Fac=share)
    m.t.links.new(clear.outputs[0], mix.inputs[1])
    m.t.links.new(shader.outputs[0], mix.inputs[2])
    m.t.links.new(mix.outputs[0], m.out.inputs[0])
    return m.m


def glass(rng: Rng) -> bpy.types.Material:
    """Clear or frosted glass without refraction: a thin pane."""
    frosted = rng.random() < 0.3
    m = Mat(np.array([0.85, 0.93, 0.9]), rng.uniform(0.2, 0.6) if frosted else 0.03)
    return _see_through(m.b, m, rng.uniform(0.4, 0.75) if frosted else rng.uniform(0.1, 0.3))


def sheer(rng: Rng) -> bpy.types.Material:
    """A net curtain: near-white cloth that lets much light through."""
    m = Mat(hsv(0.1, rng.uniform(0, 0.1), rng.uniform(0.8, 0.98)), 0.95)
    m.set("Subsurface Weight", 0.0)
    return _see_through(m.b, m, rng.uniform(0.35, 0.85))
