"""The project's own wallpaper designs, drawn by program: same seed, same picture."""

from __future__ import annotations
