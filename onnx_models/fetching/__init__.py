"""Brings the published weights into the model folder: which source is tried when, and how each is read."""

from __future__ import annotations
