"""What a SAM encoder and decoder must look like, checked when a file is loaded.

Two kinds of decoder are accepted: the official SAM export (`masks`, `iou_predictions`,
`low_res_masks`), and our cut of it, which gives all four candidates and their scores on the 256
grid (`candidate_masks`, `candidate_scores`; built by `onnx_models.variants`). The lean one of these
asks how many rows and columns of the 64 grid the photo covers, `photo_cells`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from segmentation.errors import ModelError
from segmentation.geometry import FEATURE_SIDE, MASK_SIDE, MODEL_SIDE
from segmentation.runtime import Signature, Tensor

CANDIDATE_OUTPUTS: Final = ("candidate_masks", "candidate_scores")
PHOTO_CELLS: Final = "photo_cells"
OFFICIAL_OUTPUTS: Final = ("low_res_masks", "iou_predictions")

Shape = tuple[int | None, ...]

_FLOAT: Final = "tensor(float)"
_ENCODER_INPUT: Final[Shape] = (None, 3, MODEL_SIDE, MODEL_SIDE)
_FEATURES: Final[Shape] = (None, 256, FEATURE_SIDE, FEATURE_SIDE)
_PROMPT_INPUTS: Final[dict[str, Shape]] = {
    "image_embeddings": _FEATURES,
    "point_coords": (1, None, 2),
    "point_labels": (1, None),
    "mask_input": (1, 1, MASK_SIDE, MASK_SIDE),
    "has_mask_input": (1,),
}
_OFFICIAL_INPUTS: Final[dict[str, Shape]] = {**_PROMPT_INPUTS, "orig_im_size": (2,)}
_MASKS: Final[Shape] = (None, None, None, None)


def check_encoder(path: Path, signature: Signature) -> None:
    """One input and one output of SAM's shapes, whatever their names.

    Raises:
        ModelError: the file is no SAM encoder.
    """
    for kind, tensors, shape in (
        ("input", signature.inputs, _ENCODER_INPUT),
        ("output", signature.outputs, _FEATURES),
    ):
        if len(tensors) != 1:
            raise ModelError(f"{path}: expected one {kind}, found {_names(tensors)}")
        _check_tensor(path, kind, next(iter(tensors.values())), shape)


def check_decoder(path: Path, signature: Signature) -> None:
    """The official SAM decoder or our cut of it.

    Raises:
        ModelError: the file is neither.
    """
    if set(CANDIDATE_OUTPUTS) <= set(signature.outputs):
        asks = {PHOTO_CELLS: (2,)} if PHOTO_CELLS in signature.inputs else {}
        _check_named(path, "input", signature.inputs, {**_PROMPT_INPUTS, **asks})
        _check_named(
            path,
            "output",
            signature.outputs,
            {"candidate_masks": _MASKS, "candidate_scores": (None, None)},
        )
        return
    _check_named(path, "input", signature.inputs, _OFFICIAL_INPUTS)
    _check_named(
        path,
        "output",
        signature.outputs,
        {"masks": _MASKS, "low_res_masks": _MASKS, "iou_predictions": (None, None)},
    )


class HeadCheck:
    """A check for one of the wall heads, which have fixed names and shapes."""

    def __init__(self, inputs: Mapping[str, Shape], outputs: Mapping[str, Shape]) -> None:
        self._inputs, self._outputs = inputs, outputs

    def __call__(self, path: Path, signature: Signature) -> None:
        """Check names, types and shapes.

        Raises:
            ModelError: they are not the expected ones.
        """
        _check_named(path, "input", signature.inputs, self._inputs)
        _check_named(path, "output", signature.outputs, self._outputs)


def _check_named(
    path: Path, kind: str, tensors: Mapping[str, Tensor], expected: Mapping[str, Shape]
) -> None:
    missing = sorted(set(expected) - set(tensors))
    extra = sorted(set(tensors) - set(expected)) if kind == "input" else []
    if missing or extra:
        raise ModelError(f"{path}: expected {kind}s {_names(expected)}, found {_names(tensors)}")
    for name, shape in expected.items():
        _check_tensor(path, kind, tensors[name], shape)


def _check_tensor(path: Path, kind: str, tensor: Tensor, shape: Shape) -> None:
    fits = len(tensor.shape) == len(shape) and all(
        want is None or not isinstance(have, int) or have == want
        for want, have in zip(shape, tensor.shape, strict=True)
    )
    if tensor.type != _FLOAT or not fits:
        want = " x ".join("any" if side is None else str(side) for side in shape)
        have = " x ".join(str(side) for side in tensor.shape)
        raise ModelError(
            f"{path}: {kind} {tensor.name!r} should be {_FLOAT} {want}, is {tensor.type} {have}"
        )


def _names(tensors: Mapping[str, object]) -> str:
    return ", ".join(sorted(tensors)) or "none"
