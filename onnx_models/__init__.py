"""The SAM weights: where they come from, what they must be, and the variants built from them.

`ensure_models` does everything (find or fetch, check, build); `model_directory` says where the
result lies, for whoever loads it. Standard library only at import: onnx and onnxruntime are
imported only while a variant is being built.
"""

from __future__ import annotations

from onnx_models.errors import ModelFetchError, ModelSetupError, VariantError
from onnx_models.manifest import Manifest, ModelEntry, load_manifest
from onnx_models.prepare import Report, ensure_models, model_directory

__all__ = [
    "Manifest",
    "ModelEntry",
    "ModelFetchError",
    "ModelSetupError",
    "Report",
    "VariantError",
    "ensure_models",
    "load_manifest",
    "model_directory",
]
