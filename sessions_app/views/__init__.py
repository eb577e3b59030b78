"""The pages: each view parses, calls one service, and renders."""

from __future__ import annotations
