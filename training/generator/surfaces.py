"""Surfaces of walls and floors, and what is seen through the windows."""

from __future__ import annotations

import cv2
import numpy as np

from training.generator.colours import any_colour, hsv, linear, wall_colour
from training.generator.materials import Mat
from training.generator.patterns import pattern


def bricks(m, rng, c1, c2, mortar, w, h, gap, offset=0.5):
    br = m.n(
        "ShaderNodeTexBrick",
        Vector=m.coords("UV", loc=(rng.uniform(0, 1), rng.uniform(0, 1), 0)),
        Color1=(*linear(c1), 1),
        Color2=(*linear(c2), 1),
        Mortar=(*linear(mortar), 1),
        Scale=1.0,
    )
    br.offset = offset
    for k, v in (("Mortar Size", gap), ("Brick Width", w), ("Row Height", h), ("Bias", 0.0)):
        br.inputs[k].default_value = v
    return br


WALL_KINDS = ("paint", "paper", "brick", "tiles", "boards", "plaster", "twotone", "stone", "slats")


WALL_P = (0.55, 0.15, 0.055, 0.07, 0.05, 0.04, 0.045, 0.02, 0.02)


def wall_surface(rng, kind=None):
    """A wall material on the wall's own UV (metres); returns (kind, material)."""
    kind = kind or str(rng.choice(WALL_KINDS, p=WALL_P))
    c = wall_colour(rng)
    m = Mat(c, rng.uniform(0.35, 0.9))
    if kind == "paint":
        m.set(
            "Base Color",
            m.ramp(
                m.noise(m.coords(), rng.uniform(0.4, 3), 3),
                [(0.3, c * rng.uniform(0.93, 1)), (0.7, c)],
            ),
        )
    elif kind == "paper":
        s = 1.0 / rng.uniform(0.25, 1.3)
        m.set("Base Color", m.image(pattern(rng, c), m.coords("UV", (s, s, s))))
    elif kind == "brick":
        b = (
            c
            if rng.random() < 0.4
            else hsv(rng.uniform(0.0, 0.07), rng.uniform(0.3, 0.65), rng.uniform(0.35, 0.75))
        )
        br = bricks(
            m,
            rng,
            b,
            b * rng.uniform(0.6, 0.95),
            hsv(0.1, 0.1, rng.uniform(0.4, 0.9)) if rng.random() < 0.7 else b,
            0.23,
            0.075,
            0.009,
        )
        m.set("Base Color", br.outputs["Color"])
        m.bump(br.outputs["Fac"], -0.8, 0.012)
        m.set("Roughness", 0.9)
    elif kind == "tiles":
        w = rng.uniform(0.08, 0.6)
        h = w if rng.random() < 0.6 else w * rng.uniform(0.3, 0.6)
        br = bricks(
            m,
            rng,
            c,
            c * rng.uniform(0.85, 1.0),
            c * rng.uniform(0.5, 1.0),
            w,
            h,
            rng.uniform(0.002, 0.006),
            float(rng.choice([0.0, 0.5])),
        )
        m.set("Base Color", br.outputs["Color"])
        m.bump(br.outputs["Fac"], -0.4, 0.004)
        m.set("Roughness", rng.uniform(0.05, 0.3))
    elif kind == "boards":
        b = (
            c
            if rng.random() < 0.5
            else hsv(rng.uniform(0.05, 0.1), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8))
        )
        vert = rng.random() < 0.6
        w = rng.uniform(0.08, 0.25)
        br = bricks(
            m,
            rng,
            b,
            b * rng.uniform(0.8, 1),
            b * rng.uniform(0.3, 0.8),
            *((w, 9.0) if vert else (3.0, w)),
            0.004,
            0.3,
        )
        m.set("Base Color", br.outputs["Color"])
        m.bump(br.outputs["Fac"], -0.5, 0.008)
    elif kind == "plaster":
        f = m.noise(m.coords(), rng.uniform(1, 12), 6, 0.65, rng.uniform(0, 2))
        m.set("Base Color", m.ramp(f, [(0.25, c * rng.uniform(0.6, 0.95)), (0.75, c)]))
        m.bump(f, 0.4, 0.01)
    elif kind == "twotone":
        sp = m.n("ShaderNodeSeparateXYZ", Vector=m.coords())
        z = rng.uniform(0.7, 1.5)
        dv = m.n(
            "ShaderNodeMath",
        )
        dv.operation = "DIVIDE"
        m.put(dv, 0, sp.outputs[1]), m.put(dv, 1, 4.0)
        m.set("Base Color", m.ramp(dv.outputs[0], [(0.0, wall_colour(rng)), (z / 4.0, c)], True))
    elif kind == "stone":
        f = m.noise(m.coords(), rng.uniform(0.6, 3), 8, 0.6, rng.uniform(1, 5))
        m.set("Base Color", m.ramp(f, [(0.35, c * 0.6), (0.5, c), (0.56, c * 0.8), (0.7, c)]))
        m.set("Roughness", rng.uniform(0.05, 0.5))
    elif kind == "slats":
        b = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.2, 0.6), rng.uniform(0.3, 0.8))
        br = bricks(m, rng, b, b * 0.9, b * 0.1, rng.uniform(0.03, 0.06), 9.0, 0.008, 0.0)
        m.set("Base Color", br.outputs["Color"])
        m.bump(br.outputs["Fac"], -0.8, 0.02)
    return kind, m.m


def floor_surface(rng):
    k = rng.random()
    if k < 0.5:
        base = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.15, 0.65), rng.uniform(0.2, 0.8))
        m = Mat(base, rng.uniform(0.12, 0.5))
        br = bricks(
            m,
            rng,
            base,
            base * rng.uniform(0.7, 1),
            base * 0.4,
            rng.uniform(1, 2.5),
            rng.uniform(0.06, 0.2),
            0.0015,
            0.37,
        )
        m.set("Base Color", br.outputs["Color"])
    elif k < 0.75:
        base = hsv(rng.uniform(0, 1), rng.uniform(0, 0.25), rng.uniform(0.15, 0.9))
        m = Mat(base, rng.uniform(0.05, 0.4))
        s = rng.uniform(0.15, 0.8)
        br = bricks(
            m,
            rng,
            base,
            base * rng.uniform(0.2, 1) if rng.random() < 0.25 else base * 0.95,
            base * rng.uniform(0.5, 0.9),
            s,
            s,
            0.004,
            0.0,
        )
        m.set("Base Color", br.outputs["Color"])
    else:
        base = hsv(rng.uniform(0, 1), rng.uniform(0, 0.35), rng.uniform(0.2, 0.85))
        m = Mat(base, 1.0)
        m.set(
            "Base Color",
            m.ramp(
                m.noise(m.coords(), rng.uniform(20, 120), 4, 0.7), [(0.3, base * 0.75), (0.7, base)]
            ),
        )
    return m.m


def sky_material(rng, dark):
    """What is seen through the windows: a bright blurred view, a burnt-out white, or night."""
    a = np.zeros((96, 96, 3), np.float32)
    if dark:
        a[:] = hsv(0.62, 0.5, rng.uniform(0.01, 0.08))
        for _ in range(int(rng.integers(0, 8))):
            cv2.circle(
                a,
                tuple(int(v) for v in rng.uniform(0, 96, 2)),
                int(rng.integers(1, 3)),
                (1, 0.8, 0.4),
                -1,
            )
        s = 1.0
    else:
        t = np.linspace(0, 1, 96)[:, None, None]
        a[:] = (1 - t) * hsv(0.58, rng.uniform(0, 0.5), 1) + t * np.array([0.95, 0.96, 1])
        y = int(rng.uniform(0.3, 1.0) * 96)
        for _ in range(20):
            cv2.circle(
                a,
                (int(rng.uniform(0, 96)), int(y + rng.uniform(0, 50))),
                int(rng.uniform(5, 22)),
                tuple(
                    float(v)
                    for v in hsv(
                        rng.uniform(0.15, 0.4), rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.8)
                    )
                ),
                -1,
            )
        if rng.random() < 0.5:
            x0 = int(rng.uniform(0, 70))
            cv2.rectangle(
                a, (x0, int(y * 0.6)), (x0 + 30, 96), tuple(float(v) for v in any_colour(rng)), -1
            )
        a = cv2.GaussianBlur(a, (0, 0), rng.uniform(0.5, 4))
        s = rng.uniform(1.5, 14)
    m = Mat(np.zeros(3), 0.1)
    m.emit(m.image(np.clip(a, 0, 1), m.coords()), s)
    return m.m
