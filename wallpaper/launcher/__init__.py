"""Starts and stops the whole product on one machine: Valkey, worker and web. Run as `python -m
wallpaper.launcher`.
"""

from __future__ import annotations
