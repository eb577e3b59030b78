"""SAM's encoder and decoder written anew as leaner ONNX graphs, from the published weights."""

from __future__ import annotations
