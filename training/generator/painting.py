"""Which surface each wall gets; painted anew for every photo of a room."""

from __future__ import annotations

from training.generator.room import Room
from training.generator.surfaces import wall_surface

# Wall numbers from here on belong to a corridor or a half wall with a surface of its own.
OWN_SURFACE = 100


def paint_walls(room: Room) -> list[str]:
    """(Re)assign wall surfaces: one for all walls, an accent wall, or a mix; the kinds used."""
    rng = room.rng
    base_kind, base = wall_surface(rng)
    r, surfaces, kinds = rng.random(), {}, {base_kind}
    accent = int(rng.integers(len(room.walls)))
    for o, w in room.wall_objects:
        if w not in surfaces:
            if w < OWN_SURFACE and (r < 0.55 or (r < 0.85 and w != accent)):
                surfaces[w] = base
            else:
                kind, surfaces[w] = wall_surface(rng)
                kinds.add(kind)
        o.data.materials[0] = surfaces[w]
    return sorted(kinds)
