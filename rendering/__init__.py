"""Put a wallpaper on a wall: plane, light, matte, texture sampling, compositing, encoding.

Pure: NumPy arrays and frozen dataclasses in and out. `docs/rendering.md` describes the methods.
"""

from __future__ import annotations

from rendering.encode import encode_jpeg, encode_png
from rendering.errors import (
    ImageError,
    NothingSelectedError,
    PlacementError,
    QuadError,
    RenderingError,
)
from rendering.geometry.plane import WallPlane, plane_from_quad
from rendering.geometry.plane_estimation import estimate_plane
from rendering.pipeline import Rendered, render
from rendering.placement import MODES, Mode, Placement
from rendering.wall_analysis import WallAnalysis, analyse_wall

__all__ = [
    "MODES",
    "ImageError",
    "Mode",
    "NothingSelectedError",
    "Placement",
    "PlacementError",
    "QuadError",
    "Rendered",
    "RenderingError",
    "WallAnalysis",
    "WallPlane",
    "analyse_wall",
    "encode_jpeg",
    "encode_png",
    "estimate_plane",
    "plane_from_quad",
    "render",
]
