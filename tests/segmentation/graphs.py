"""Tiny ONNX files with SAM's inputs and outputs, to test the wiring without the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = tuple[int | str, ...]

PROMPT_INPUTS: dict[str, Shape] = {
    "image_embeddings": (1, 256, 64, 64),
    "point_coords": (1, "n", 2),
    "point_labels": (1, "n"),
    "mask_input": (1, 1, 256, 256),
    "has_mask_input": (1,),
    "orig_im_size": (2,),
}
OFFICIAL_OUTPUTS: dict[str, Shape] = {
    "masks": (1, 1, "h", "w"),
    "iou_predictions": (1, 1),
    "low_res_masks": (1, 1, 256, 256),
}


def write_encoder(path: Path, *, inputs: Shape = (1, 3, 1024, 1024), channels: int = 256) -> Path:
    """An "encoder": the picture's mean over 16 x 16 patches, repeated over all channels."""
    weight = np.full((channels, 3, 16, 16), 1 / 768, np.float32)
    node = helper.make_node("Conv", ["picture", "weight"], ["features"], strides=[16, 16])
    graph = helper.make_graph(
        [node],
        "encoder",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, inputs)],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, (1, channels, 64, 64))],
        initializer=[numpy_helper.from_array(weight, "weight")],
    )
    return _save(graph, path)


def write_decoder(
    path: Path,
    *,
    inputs: dict[str, Shape] | None = None,
    outputs: dict[str, Shape] | None = None,
    input_type: int = TensorProto.FLOAT,
    mask: npt.NDArray[np.float32] | None = None,
) -> Path:
    """A "decoder" with the official names: every score is 1, masks echo `mask_input`.

    mask: logits 256 x 256, the one mask that it answers every prompt with.
    """
    inputs = PROMPT_INPUTS if inputs is None else inputs
    outputs = OFFICIAL_OUTPUTS if outputs is None else outputs
    one = helper.make_tensor("one", TensorProto.FLOAT, (1, 1), [1.0])
    weights = [] if mask is None else [numpy_helper.from_array(mask[None, None], "mask")]
    nodes = [
        helper.make_node("Identity", ["mask" if weights else "mask_input"], [name])
        if "mask" in name
        else helper.make_node("Constant", [], [name], value=one)
        for name in outputs
    ]
    graph = helper.make_graph(
        nodes,
        "decoder",
        [helper.make_tensor_value_info(n, input_type, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, input_type, s) for n, s in outputs.items()],
        initializer=weights,
    )
    return _save(graph, path)


def _save(graph: onnx.GraphProto, path: Path) -> Path:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path
