"""Programs for whoever works on the product; nothing here is imported at run time."""

from __future__ import annotations
