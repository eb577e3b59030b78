"""SAM's mask decoder written anew from the published weights: the same numbers, less work.

The published graph projects all 4096 image tokens for every attention (eleven products of 4096 x
256 x 128). There are only T tokens of prompt and output (7 for one click), so each projection can
be moved to their side: q (X W)' = (q W') X', exactly. What else the published graph does slowly is
said otherwise: image tokens stay rows of one 4096 x 256 matrix (no NCHW), the transposed
convolutions of stride and kernel 2 are products whose columns are sub-pixels, normalisation over
channels is one LayerNormalization, the mask prompt is computed only when there is one, and the
tokens are enlarged in strips, whose results stay in the processor's caches, and only where the
photo is.

Written for the layout of Segment Anything's decoder (Kirillov et al. 2023, appendix A): width 256,
8 heads, two layers, grid 64 x 64.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onnx_models.errors import VariantError
from onnx_models.graphs.sizes import Pair, Sizes, crop, rows_between
from onnx_models.graphs.writer import GraphWriter, PublishedWeights

if TYPE_CHECKING:
    from onnx_models.graphs.writer import Weight

_OPSET: Final = 20  # the first with Gelu
_IR_VERSION: Final = 9
_HEADS: Final = 8
_WIDTH: Final = 256
_GRID: Final = 64
_CELLS: Final = _GRID * _GRID
_MODEL_SIDE: Final = 1024
_MASK_TOKENS: Final = 4
_STRIPS: Final = 24  # of image tokens while they are enlarged: 0.5 MB of results each, not 16
_NOTHING: Final = -16.0  # logit of what lies beside the photo
_NORM: Final = 1e-5  # torch's LayerNorm
_NORM_2D: Final = 1e-6  # SAM's LayerNorm2d
_CHANNEL_NORMS: Final = {  # weights without a name of their own: (node, which input)
    "down.1": ("/mask_downscaling/mask_downscaling.1", 4),
    "down.4": ("/mask_downscaling/mask_downscaling.4", 16),
    "up.1": ("/output_upscaling/output_upscaling.1", 64),
}


def lean_decoder(source: Path, target: Path) -> None:
    """Write the decoder with `decoder4.onnx`'s outputs and one input more. Raises VariantError.

    photo_cells: float32 (2,), rows and columns of the 64 grid in which masks are wanted.
    """
    import onnx
    from onnx import TensorProto, helper

    weights, graph = PublishedWeights(source), GraphWriter()
    tokens = _tokens(graph, weights)
    image = _image(graph, weights)
    tokens, image = _transformer(graph, weights, tokens, image)
    _scores(graph, weights, tokens)
    _masks(graph, weights, tokens, image)

    def tensor(name: str, *shape: int | str) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    result = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "sam_decoder_lean",
            [
                tensor("image_embeddings", 1, _WIDTH, _GRID, _GRID),
                tensor("point_coords", 1, "num_points", 2),
                tensor("point_labels", 1, "num_points"),
                tensor("mask_input", 1, 1, 4 * _GRID, 4 * _GRID),
                tensor("has_mask_input", 1),
                tensor("photo_cells", 2),
            ],
            [
                tensor("candidate_masks", 1, _MASK_TOKENS, 4 * _GRID, 4 * _GRID),
                tensor("candidate_scores", 1, _MASK_TOKENS),
            ],
            initializer=graph.weights,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="",
    )
    onnx.checker.check_model(result)
    onnx.save(result, str(target))


def _tokens(graph: GraphWriter, weights: PublishedWeights) -> str:
    """Score token, mask tokens and the prompt's points, T x 256."""
    import numpy as np

    halves = np.float32(2 / _MODEL_SIDE)
    coords = graph.reshape("point_coords", (-1, 2))
    shifted = graph.op("Add", [coords, graph.weight(0.5)])
    unit = graph.op("Sub", [graph.op("Mul", [shifted, graph.weight(halves)]), graph.weight(1)])
    waves = weights.named("pe_layer.positional_encoding_gaussian_matrix") * np.float32(2 * np.pi)
    angle = graph.linear(unit, waves)
    place = graph.op("Concat", [graph.op("Sin", [angle]), graph.op("Cos", [angle])], axis=1)
    # Labels -1 (padding, which has no place) and 0 to 3.
    kinds = ["not_a_point_embed.weight", *(f"point_embeddings.{k}.weight" for k in range(4))]
    table = graph.weight(np.concatenate([weights.named(kind) for kind in kinds]))
    labels = graph.reshape("point_labels", (-1,))
    row = graph.op("Cast", [graph.op("Add", [labels, graph.weight(1)])], to=7)
    has_place = graph.weight([[0], [1], [1], [1], [1]])
    visible = graph.op("Mul", [place, graph.op("Gather", [has_place, row])])
    points = graph.op("Add", [visible, graph.op("Gather", [table, row])])
    outputs = graph.weight(weights.used_by("/Expand_1_output_0")[0])
    return graph.op("Concat", [outputs, points], axis=0)


def _image(graph: GraphWriter, weights: PublishedWeights) -> str:
    """Image embedding plus dense prompt as rows, 4096 x 256."""
    from onnx import TensorProto, helper

    rows = graph.transpose(graph.reshape("image_embeddings", (_WIDTH, _CELLS)), (1, 0))
    none, some = GraphWriter("none_"), GraphWriter("some_")
    none.op("Identity", [none.weight(weights.used_by("/Mul_9_output_0").reshape(1, _WIDTH))])
    _mask_prompt(some, weights)
    branches = {}
    for key, branch, height in (("else_branch", none, 1), ("then_branch", some, _CELLS)):
        result = helper.make_tensor_value_info(
            branch.nodes[-1].output[0], TensorProto.FLOAT, (height, _WIDTH)
        )
        branches[key] = helper.make_graph(
            branch.nodes, key, [], [result], initializer=branch.weights
        )
    given = graph.op("Greater", [graph.reshape("has_mask_input", ()), graph.weight(0.5)])
    return graph.op("Add", [rows, graph.op("If", [given], **branches)])


def _mask_prompt(graph: GraphWriter, weights: PublishedWeights) -> None:
    """The prompt encoder's convolutions of stride 2 as products over 2 x 2 blocks, 4096 x 256."""
    # y, x of the 64 grid, then of the 128 grid in it, then of the 256 grid in that.
    blocks = graph.reshape("mask_input", (_GRID, 2, 2, _GRID, 2, 2))
    value = graph.reshape(graph.transpose(blocks, (0, 3, 1, 4, 2, 5)), (-1, 4))
    for index, width, into in ((0, 4, 16), (3, 16, 16)):
        kernel = weights.named(f"mask_downscaling.{index}.weight").transpose(2, 3, 1, 0)
        bias = weights.named(f"mask_downscaling.{index}.bias")
        value = graph.linear(value, kernel.reshape(-1, width), bias)
        scale, shift = _channel_norm(weights, f"down.{index + 1}")
        value = graph.op("Gelu", [graph.norm(value, scale, shift, _NORM_2D)])
        value = graph.reshape(value, (-1, into))
    kernel = weights.named("mask_downscaling.6.weight").reshape(_WIDTH, 16).T
    graph.linear(value, kernel, weights.named("mask_downscaling.6.bias"))


def _channel_norm(weights: PublishedWeights, which: str) -> tuple[Weight, Weight]:
    path, width = _CHANNEL_NORMS[which]
    scale, shift = (weights.used_by(f"{path}/{op}_output_0") for op in ("Mul", "Add_1"))
    if scale.size != width or shift.size != width:
        raise VariantError(f"{path} is not a normalisation over {width} channels")
    return scale, shift


def _positions(weights: PublishedWeights) -> Weight:
    """Where each image token is, 4096 x 256: SAM's random Fourier features of cell centres."""
    import numpy as np

    centres = (np.arange(_GRID, dtype=np.float64) + 0.5) / _GRID * 2 - 1
    x, y = np.meshgrid(centres, centres)
    waves = weights.named("pe_layer.positional_encoding_gaussian_matrix").astype(np.float64)
    angle = 2 * np.pi * np.stack([x.ravel(), y.ravel()], axis=1) @ waves
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype(np.float32)


def _transformer(
    graph: GraphWriter, weights: PublishedWeights, tokens: str, image: str
) -> tuple[str, str]:
    """The two-way transformer: tokens T x 256 and image 4096 x 256 after it."""
    places, start = graph.weight(_positions(weights)), tokens

    def norm(value: str, path: str) -> str:
        scale, shift = (weights.named(f"transformer.{path}.{kind}") for kind in ("weight", "bias"))
        return graph.norm(value, scale, shift, _NORM)

    def placed(value: str) -> str:
        return graph.op("Add", [value, start])

    for layer in range(2):
        path = f"transformer/layers.{layer}"
        if layer == 0:
            tokens = _self_attention(graph, weights, f"{path}/self_attn", tokens, tokens)
        else:
            looked = _self_attention(graph, weights, f"{path}/self_attn", placed(tokens), tokens)
            tokens = graph.op("Add", [tokens, looked])
        tokens = norm(tokens, f"layers.{layer}.norm1")
        there = graph.op("Add", [image, places])
        seen = _tokens_look(
            graph, weights, f"{path}/cross_attn_token_to_image", placed(tokens), there, image
        )
        tokens = norm(graph.op("Add", [tokens, seen]), f"layers.{layer}.norm2")
        hidden = graph.op("Relu", [graph.linear(tokens, *weights.linear(f"{path}/mlp/lin1"))])
        changed = graph.linear(hidden, *weights.linear(f"{path}/mlp/lin2"))
        tokens = norm(graph.op("Add", [tokens, changed]), f"layers.{layer}.norm3")
        image = _image_looks(graph, weights, path, placed(tokens), tokens, there, image)
    there = graph.op("Add", [image, places])
    last = "transformer/final_attn_token_to_image"
    seen = _tokens_look(graph, weights, last, placed(tokens), there, image)
    return norm(graph.op("Add", [tokens, seen]), "norm_final_attn"), image


def _by_head(graph: GraphWriter, value: str, width: int, order: Sequence[int]) -> str:
    """T x (8 * width) cut into heads, axes (T, head, width) put in `order`."""
    return graph.transpose(graph.reshape(value, (-1, _HEADS, width)), order)


def _self_attention(
    graph: GraphWriter, weights: PublishedWeights, path: str, asked: str, value: str
) -> str:
    """Tokens look at tokens; T x 256."""
    import numpy as np

    width = _WIDTH // _HEADS
    scale = np.float32(width**-0.5)
    weight, bias = weights.linear(f"{path}/q_proj")
    query = graph.linear(asked, weight * scale, bias * scale)
    key = graph.linear(asked, *weights.linear(f"{path}/k_proj"))
    content = graph.linear(value, *weights.linear(f"{path}/v_proj"))
    scores = graph.op(
        "MatMul",
        [
            _by_head(graph, query, width, (1, 0, 2)),
            _by_head(graph, key, width, (1, 2, 0)),
        ],
    )
    shares = graph.op("Softmax", [scores], axis=-1)
    mixed = graph.op("MatMul", [shares, _by_head(graph, content, width, (1, 0, 2))])
    together = graph.reshape(graph.transpose(mixed, (1, 0, 2)), (-1, _WIDTH))
    return graph.linear(together, *weights.linear(f"{path}/out_proj"))


def _tokens_look(
    graph: GraphWriter, weights: PublishedWeights, path: str, asked: str, there: str, image: str
) -> str:
    """Tokens look at the image; T x 256.

    Keys' and values' projections act on the tokens' side. The keys' bias adds the same to all of a
    token's scores and falls out of the softmax; the values' bias passes through it unchanged.
    """
    import numpy as np

    query_weight, query_bias = weights.linear(f"{path}/q_proj")
    key_weight, _ = weights.linear(f"{path}/k_proj")
    value_weight, value_bias = weights.linear(f"{path}/v_proj")
    out_weight, out_bias = weights.linear(f"{path}/out_proj")
    width = query_weight.shape[1] // _HEADS
    scale = np.float32(width**-0.5)
    query = graph.linear(asked, query_weight * scale, query_bias * scale)
    to_image = key_weight.reshape(_WIDTH, _HEADS, width).transpose(1, 2, 0)
    asking = graph.op("MatMul", [_by_head(graph, query, width, (1, 0, 2)), graph.weight(to_image)])
    asking = graph.transpose(graph.reshape(asking, (-1, _WIDTH)), (1, 0))
    scores = graph.transpose(graph.op("MatMul", [there, asking]), (1, 0))
    shares = graph.op("Softmax", [scores], axis=-1)
    seen = graph.reshape(graph.op("MatMul", [shares, image]), (_HEADS, -1, _WIDTH))
    from_image = value_weight.reshape(_WIDTH, _HEADS, width).transpose(1, 0, 2)
    heads = graph.op("MatMul", [seen, graph.weight(from_image)])
    together = graph.reshape(graph.transpose(heads, (1, 0, 2)), (-1, _HEADS * width))
    return graph.linear(together, out_weight, value_bias @ out_weight + out_bias)


def _image_looks(
    graph: GraphWriter,
    weights: PublishedWeights,
    layer: str,
    asked: str,
    tokens: str,
    there: str,
    image: str,
) -> str:
    """The image looks at the tokens, is added and normalised; 4096 x 256."""
    import numpy as np

    path = f"{layer}/cross_attn_image_to_token"
    query_weight, query_bias = weights.linear(f"{path}/q_proj")
    key_weight, _ = weights.linear(f"{path}/k_proj")
    out_weight, out_bias = weights.linear(f"{path}/out_proj")
    width = query_weight.shape[1] // _HEADS
    key = _by_head(
        graph, graph.linear(asked, key_weight * np.float32(width**-0.5)), width, (1, 2, 0)
    )
    of_image = query_weight.reshape(_WIDTH, _HEADS, width).transpose(1, 0, 2)
    asking = graph.transpose(graph.op("MatMul", [graph.weight(of_image), key]), (1, 0, 2))
    offset = graph.op("MatMul", [graph.weight(query_bias.reshape(_HEADS, 1, width)), key])
    scores = graph.op(
        "Gemm",
        [there, graph.reshape(asking, (_WIDTH, -1)), graph.reshape(offset, (-1,))],
    )
    shares = graph.op("Softmax", [graph.reshape(scores, (_CELLS * _HEADS, -1))], axis=-1)
    content = graph.linear(tokens, *weights.linear(f"{path}/v_proj"))
    to_image = graph.weight(out_weight.reshape(_HEADS, width, _WIDTH))
    seen = graph.op("MatMul", [_by_head(graph, content, width, (1, 0, 2)), to_image])
    # A head's shares add up to one: an eighth of the bias on every token of every head is the bias.
    seen = graph.op("Add", [seen, graph.weight(out_bias / np.float32(_HEADS))])
    looked = graph.op(
        "MatMul", [graph.reshape(shares, (_CELLS, -1)), graph.reshape(seen, (-1, _WIDTH))]
    )
    scale, shift = (
        weights.named(f"{layer.replace('/', '.')}.norm4.{kind}") for kind in ("weight", "bias")
    )
    return graph.norm(graph.op("Add", [image, looked]), scale, shift, _NORM)


def _perceptron(graph: GraphWriter, weights: PublishedWeights, path: str, value: str) -> str:
    """Three linear layers with ReLU between."""
    for layer in range(3):
        weight, bias = (
            weights.named(f"{path}.layers.{layer}.{kind}") for kind in ("weight", "bias")
        )
        value = graph.linear(value, weight.T, bias)
        if layer < 2:
            value = graph.op("Relu", [value])
    return value


def _scores(graph: GraphWriter, weights: PublishedWeights, tokens: str) -> None:
    token = graph.slice_rows(tokens, 0, 1)
    _rename(graph, _perceptron(graph, weights, "iou_prediction_head", token), "candidate_scores")


def _masks(graph: GraphWriter, weights: PublishedWeights, tokens: str, image: str) -> None:
    """Image tokens to the 256 grid, weighed by each mask token: candidate_masks."""
    masks = [
        _perceptron(
            graph,
            weights,
            f"output_hypernetworks_mlps.{index}",
            graph.slice_rows(tokens, 1 + index, 2 + index),
        )
        for index in range(_MASK_TOKENS)
    ]
    hyper = graph.transpose(graph.op("Concat", masks, axis=0), (1, 0))
    sizes = Sizes(graph)
    extent = graph.op("Cast", ["photo_cells"], to=7)
    covered = Pair(*graph.op_with(2, "Split", [extent], num_outputs=2))
    photo = crop(graph, graph.reshape(image, (_GRID, _GRID, _WIDTH)), covered)
    strips = [
        graph.op("MatMul", [_enlarged(graph, weights, rows_between(graph, photo, *ends)), hyper])
        for ends in pairwise(sizes.strips(covered.rows, _STRIPS))
    ]
    cells = graph.op("Concat", strips, axis=0)
    shape = sizes.shape(covered.rows, covered.columns, 2, 2, 2, 2, _MASK_TOKENS)
    picture = graph.transpose(graph.op("Reshape", [cells, shape]), (6, 0, 2, 4, 1, 3, 5))
    fine = sizes.step(covered, ("Mul", 4))
    shape = sizes.shape(1, _MASK_TOKENS, fine.rows, fine.columns)
    left = sizes.step(fine, ("Mul", -1), ("Add", 4 * _GRID))
    beside = sizes.shape(*6 * [0], left.rows, left.columns)
    whole = graph.op("Pad", [graph.op("Reshape", [picture, shape]), beside, graph.weight(_NOTHING)])
    _rename(graph, whole, "candidate_masks")


def _enlarged(graph: GraphWriter, weights: PublishedWeights, tokens: str) -> str:
    """Some rows of image tokens on a grid four times as fine: 16 cells x 32 for each."""
    import numpy as np

    value = graph.reshape(tokens, (-1, _WIDTH))
    for index, width in ((0, 64), (3, 32)):
        kernel = weights.named(f"output_upscaling.{index}.weight")
        bias = np.tile(weights.named(f"output_upscaling.{index}.bias"), 4)
        blocks = kernel.transpose(0, 2, 3, 1).reshape(kernel.shape[0], 4 * width)
        value = graph.op("Gemm", [value, graph.shared(blocks), graph.shared(bias)])
        value = graph.reshape(value, (-1, width))
        if index == 0:
            value = graph.norm(value, *_channel_norm(weights, "up.1"), _NORM_2D)
        value = graph.op("Gelu", [value])
    return value


def _rename(graph: GraphWriter, value: str, name: str) -> None:
    """Give the last node's result the name of an output."""
    node = graph.nodes[-1]
    if list(node.output) != [value]:
        raise VariantError(f"{value} is not the last result")
    node.output[:] = [name]
