"""The JSON API under /v1: the same services and limits as the pages, for programs."""

from __future__ import annotations
