"""Random path-traced rooms with exact labels, for training the wall network."""

from __future__ import annotations
