"""Takes photos of a built room and writes a folder for each, renamed when whole."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import bpy
import cv2
import numpy as np

from training.generator.camera import View, find_view
from training.generator.camera_response import develop
from training.generator.classes import OTHER, WALL
from training.generator.colours import Rng
from training.generator.lens import bend
from training.generator.painting import paint_walls
from training.generator.rendering import Float32, Uint8, label_pass, render
from training.generator.room import Room
from training.generator.traits import ViewTraits

# Path-traced at this share of the size and enlarged: cheaper, and as soft as a phone's photo.
RENDER_SCALE: Final = (0.68, 0.85)
_LEAST_WALL: Final = 0.03
_MOST_OTHER: Final = 0.05
_DARKEST: Final = 1e-3
_PNG: Final = [cv2.IMWRITE_PNG_COMPRESSION, 9]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """classes, planes: uint8 H x W; depth: metres, float32 H x W."""

    classes: Uint8
    planes: Uint8
    depth: Float32


@dataclass(frozen=True, slots=True)
class Studio:
    """What stays the same over all photos of a run. size: long side in pixels."""

    out: Path
    size: int
    scratch: Path

    def folder(self, seed: int, view: int) -> Path:
        """Where photo `view` of room `seed` lies once it is finished."""
        return self.out / f"{seed:05d}_{view}"

    def is_done(self, seed: int) -> bool:
        """Whether the room is finished, with or without a photo: some rooms have no good view."""
        return self._mark(seed).exists()

    def set_done(self, seed: int) -> None:
        """Remember that the room is finished."""
        self._mark(seed).touch()

    def _mark(self, seed: int) -> Path:
        return self.out / f".{seed:05d}.done"


def shoot(
    room: Room, code: bpy.types.Material, studio: Studio, seed: int, view: int, traits: ViewTraits
) -> float | None:
    """Paint the walls, find a view, render and write it; the wall's share, None without a view."""
    rng = room.rng
    w, h = _format(rng, studio.size)
    r = bpy.context.scene.render
    r.resolution_x, r.resolution_y, r.resolution_percentage = w, h, 100
    kinds = paint_walls(room)
    bpy.context.view_layer.update()
    seen = find_view(room, w, h, traits)
    if seen is None:
        return None
    maps = Maps(*(bend(a, traits.barrel, mix=False) for a in label_pass(code, studio.scratch)))
    share = float((maps.classes == WALL).mean())
    photo = None
    if share >= _LEAST_WALL and float((maps.classes == OTHER).mean()) <= _MOST_OTHER:
        photo = _photo(rng, studio.scratch, w, h, traits)
    seen.put_flash_away()
    if photo is None:
        return None
    note = {
        "seed": seed,
        "view": view,
        "kind": room.kind,
        "dark": room.dark,
        "wall_kinds": kinds,
        "wall_share": round(share, 4),
        "size": [w, h],
        "traits": asdict(room.traits),
        "view_traits": asdict(traits),
    }
    _write(studio.folder(seed, view), photo, maps, {**note, **_geometry(room, seen, maps)}, rng)
    return share


def _format(rng: Rng, size: int) -> tuple[int, int]:
    ar = float(rng.choice([4 / 3, 3 / 2, 16 / 9, 1.0], p=[0.55, 0.25, 0.1, 0.1]))
    w, h = size, round(size / ar / 2) * 2
    return (h, w) if rng.random() < 0.25 else (w, h)


def _photo(rng: Rng, scratch: Path, w: int, h: int, traits: ViewTraits) -> Uint8:
    r, q = bpy.context.scene.render, rng.uniform(*RENDER_SCALE)
    q = min(1.0, q / (1 - traits.barrel))
    r.resolution_x, r.resolution_y = round(w * q), round(h * q)
    # Enlarged as logarithms: lamps and bright windows would get black rims from the overshoot.
    log = np.log(np.maximum(np.nan_to_num(render(scratch)), 0) + _DARKEST)
    light = np.exp(cv2.resize(log, (w, h), interpolation=cv2.INTER_LANCZOS4)) - _DARKEST
    return develop(bend(np.maximum(light, 0), traits.barrel, mix=True), rng, traits)


def _geometry(room: Room, seen: View, maps: Maps) -> dict[str, Any]:
    numbers = sorted(int(i) for i in np.unique(maps.planes[maps.classes == WALL]))
    planes = {i: room.planes[i - 1] for i in numbers if 0 < i <= len(room.planes)}
    return {"camera": seen.camera, "planes": planes}


def _write(folder: Path, photo: Uint8, maps: Maps, note: dict[str, Any], rng: Rng) -> None:
    """Under another name first: a folder that has its name is whole."""
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(82, 95))]
    cv2.imwrite(str(new / "photo.jpg"), photo[..., ::-1], quality)
    wall = maps.classes == WALL
    inverse = np.clip(np.round(255 * 0.5 / np.maximum(maps.depth, 0.5)), 0, 255)
    for name, a in (
        ("wall", wall * 255),
        ("planes", np.where(wall, maps.planes, 0)),
        ("labels", maps.classes),
        ("depth", inverse),
    ):
        cv2.imwrite(str(new / f"{name}.png"), a.astype(np.uint8), _PNG)
    (new / "scene.json").write_text(json.dumps(note))
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)
