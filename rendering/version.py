"""The renderer's version: kept with every picture, and part of every preview's name.

Raise it whenever the same inputs give another picture.
"""

from __future__ import annotations

from typing import Final

RENDERER_VERSION: Final = "8"
