"""Puts furniture along the walls, in the middle, and things on the walls."""

from __future__ import annotations

import math

import numpy as np
from mathutils import Matrix

from training.generator.lamps import floor_lamp
from training.generator.materials import cloth, patterned
from training.generator.meshes import box
from training.generator.pictures import frame, round_thing
from training.generator.plans import edge_distance, inside
from training.generator.seating import armchair, bed, chair, desk, sofa, stool, table
from training.generator.storage import (
    bookcase,
    cabinet,
    fireplace,
    radiator,
    shelf,
    tv,
    wall_cabinet,
    wardrobe,
)
from training.generator.things import aircon, clutter, hooks, person, plant, switch
from training.generator.wet_rooms import basin, fridge, kitchen, toilet, tub, washer

FLOOR_ITEMS = {
    "sofa": (sofa, (1.4, 2.6), 1.0, 1.0, 3),
    "bed": (bed, (0.9, 1.9), 1.3, 2.1, 2.5),
    "cabinet": (cabinet, (0.4, 1.9), 1.1, 0.5, 4),
    "wardrobe": (wardrobe, (0.8, 2.4), 2.3, 0.6, 1.5),
    "bookcase": (bookcase, (0.5, 2.2), 2.2, 0.4, 2),
    "table": (table, (0.6, 1.8), 0.9, 0.9, 1.5),
    "desk": (desk, (1.0, 1.6), 1.3, 1.3, 1.5),
    "chair": (chair, (0.5, 0.5), 1.0, 0.6, 2),
    "armchair": (armchair, (0.9, 0.9), 1.0, 1.0, 2),
    "stool": (stool, (0.5, 0.5), 0.8, 0.6, 1),
    "lamp": (floor_lamp, (0.5, 0.5), 1.8, 0.5, 1.5),
    "plant": (plant, (0.6, 0.8), 1.5, 0.6, 2.5),
    "tv": (tv, (1.0, 2.0), 2.0, 0.5, 1.5),
    "radiator": (radiator, (0.5, 1.6), 0.9, 0.15, 1.5),
    "clutter": (clutter, (0.6, 1.5), 0.6, 0.7, 2),
    "fireplace": (fireplace, (1.1, 1.7), 1.3, 0.35, 0.7),
    "kitchen": (kitchen, (1.5, 3.6), 2.2, 0.7, 0.5),
    "fridge": (fridge, (0.6, 0.8), 1.9, 0.7, 0.4),
    "washer": (washer, (0.62, 0.62), 1.0, 0.65, 0.3),
    "toilet": (toilet, (0.5, 0.5), 1.0, 0.75, 0.2),
    "person": (person, (0.7, 0.7), 1.8, 0.9, 0.5),
}
FLOOR_ITEMS["basin"] = (basin, (0.5, 1.2), 2.0, 0.55, 0)
FLOOR_ITEMS["tub"] = (tub, (1.5, 1.8), 2.0, 0.8, 0)


SETS = {
    "fitted": ["table", "chair", "chair", "stool", "plant", "radiator"],
    "kitchen": ["kitchen", "kitchen", "kitchen", "fridge", "table", "chair", "cabinet", "washer"],
    "bath": ["toilet", "basin", "tub", "washer", "radiator", "cabinet"],
}


def furnish(room, kind):
    rng = room.rng
    names = [n for n in FLOOR_ITEMS if FLOOR_ITEMS[n][4] > 0]
    wt = np.array([FLOOR_ITEMS[n][4] for n in names])
    pieces = list(SETS.get(kind, []))
    pieces += (
        list(rng.choice(names, int(rng.integers(4, 18)), p=wt / wt.sum()))
        if kind not in ("empty", "bath", "fitted")
        else []
    )
    order = [w for w in range(len(room.walls)) if room.walls[w][3] > 0.6]
    if not order:
        return
    for n in pieces:
        fn, wr, h, _depth, _ = FLOOR_ITEMS[n]
        for _ in range(4):
            w = int(rng.choice(order))
            width = rng.uniform(wr[0], min(wr[1], max(wr[0], room.walls[w][3] - 0.2)))
            if room.zc(*(room.walls[w][0] + room.walls[w][1] * room.walls[w][3] / 2)) < h:
                continue
            u = room.place(w, width, 0, h)
            if u is not None:
                loose = n in (
                    "chair",
                    "armchair",
                    "stool",
                    "plant",
                    "sofa",
                    "table",
                    "person",
                    "clutter",
                )
                fn(
                    room.frame_at(
                        w,
                        u,
                        rng.normal(0, 0.25) if loose and n != "sofa" else 0,
                        abs(rng.normal(0, 0.25)) if loose else 0,
                    ),
                    rng,
                    width,
                )
                break
    # the middle of the room
    mid = room.lo + (room.hi - room.lo) * rng.uniform(0.35, 0.65, 2)
    if kind == "room" and inside(room.poly, *mid) and edge_distance(room.poly, *mid) > 1.0:
        T = Matrix.Translation((mid[0], mid[1], 0)) @ Matrix.Rotation(
            rng.choice([0, math.pi / 2]) + rng.normal(0, 0.1), 4, "Z"
        )
        r = rng.random()
        if r < 0.6:
            m, w, d = (
                patterned(rng, rng.uniform(0.4, 2)) if rng.random() < 0.6 else cloth(rng),
                rng.uniform(0.7, 1.4),
                rng.uniform(0.5, 1.0),
            )
            box(T, (-w, w), (-d, d), (0, 0.012), m)
        if 0.2 < r < 0.75:
            big = rng.random() < 0.5
            table(
                T,
                rng,
                rng.uniform(0.7, 1.7),
                rng.uniform(0.5, 0.9),
                None if big else rng.uniform(0.3, 0.5),
                -0.4,
            )
            if big:
                for i in range(int(rng.integers(1, 5))):
                    s = 1 if i % 2 else -1
                    chair(
                        T
                        @ Matrix.Translation(
                            (rng.uniform(-0.6, 0.6), s * rng.uniform(0.75, 1.0), 0)
                        )
                        @ Matrix.Rotation((math.pi if s > 0 else 0) + rng.normal(0, 0.25), 4, "Z"),
                        rng,
                        0.5,
                    )
        elif r >= 0.75:
            (armchair if rng.random() < 0.5 else stool)(T, rng, 0.9)
    # things on the walls
    for w in order:
        L, T = room.walls[w][3], room.frame_at(w, 0)
        low = min(room.zc(*(room.walls[w][0] + room.walls[w][1] * L * t)) for t in (0, 0.5, 1))
        for _ in range(int(rng.poisson(rng.uniform(0.4, 1.6) * min(L, 4)))):
            r = rng.random()
            z = rng.uniform(1.25, 1.8)
            if low < 2.1:
                continue
            if r < 0.5:
                a, b = (
                    (rng.uniform(0.15, 1.1), rng.uniform(0.15, 0.9))
                    if rng.random() < 0.88
                    else (rng.uniform(1, 2.4), rng.uniform(0.6, 1.2))
                )
                nx = int(rng.choice([1, 1, 1, 2, 3]))
                u = room.place(w, a * nx + 0.08 * (nx - 1), z - b / 2, z + b / 2)
                if u is not None:
                    for i in range(nx):
                        frame(T, rng, u + (i - (nx - 1) / 2) * (a + 0.08), z, a, b)
            elif r < 0.58:
                s = rng.uniform(0.1, 0.4)
                u = room.place(w, 2 * s, z - s, z + s)
                if u is not None:
                    round_thing(T, rng, u, z, s)
            elif r < 0.72:
                a = rng.uniform(0.3, 1.4)
                u = room.place(w, a, 1.2, 2.2)
                if u is not None:
                    shelf(T, rng, u, rng.uniform(1.2, 1.6), a)
            elif r < 0.79:
                a = rng.uniform(0.4, 1.6)
                u = room.place(w, a, 1.4, 2.3)
                if u is not None:
                    wall_cabinet(T, rng, u, rng.uniform(1.35, 1.5), a)
            elif r < 0.86:
                a = rng.uniform(0.3, 0.9)
                u = room.place(w, a, 0.7, 1.75)
                if u is not None:
                    hooks(T, rng, u, 1.65, a)
            elif r < 0.9:
                u = room.place(w, 0.9, 1.85, 2.3)
                if u is not None:
                    aircon(T, rng, u, room.H - 0.4 if room.slope is None else 1.9)
            else:
                u = room.place(w, 0.2, 0.9, 1.3)
                if u is not None:
                    switch(T, rng, u, 1.1)
        for _ in range(int(rng.integers(0, 3))):
            switch(T, rng, rng.uniform(0.1, L - 0.1), 0.3)
