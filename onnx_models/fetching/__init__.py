"""Brings the published weights into the model folder: the sources and their order."""

from __future__ import annotations
