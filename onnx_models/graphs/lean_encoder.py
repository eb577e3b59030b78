"""MobileSAM's image encoder written anew from the published weights, for the caches and int8.

What the published graph does slowly is said otherwise, exactly: windows are cut in one copy, cells
before windows, where products read each head; queries' scale is in their weights, normalisation is
one operator, and what the photo cannot reach is not computed (`encoder_region`). Attention and
perceptrons work in strips of rows, so that what they make stays in the processor's caches. Linear
layers are int8 (`int8_layers`), each strip with a range of its own; convolutions are float32.

Written for the layout of TinyViT (Wu et al. 2022, arXiv:2207.10666) as MobileSAM has it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from onnx_models.graphs.encoder_region import (
    MODEL_SIDE,
    Background,
    pack_background,
    photo_size,
    stem_input,
    stem_reach,
)
from onnx_models.graphs.encoder_stages import HEAD, STAGES, Stage
from onnx_models.graphs.int8_layers import Precision, Rows
from onnx_models.graphs.rounding import Rounding, second_moments
from onnx_models.graphs.sizes import Pair, Sizes, crop, rows_between
from onnx_models.graphs.writer import GraphWriter, PublishedWeights
from onnx_models.specimen import drawn_input

if TYPE_CHECKING:
    from onnx_models.graphs.rounding import Moments
    from onnx_models.graphs.writer import Weight

_OPSET: Final = 20  # the first with Gelu
_IR_VERSION: Final = 9
_MICROSOFT: Final = "com.microsoft"
_STEM_WIDTH: Final = 128
_EXPANDED: Final = 256
_OUT_WIDTH: Final = 256
_NORM: Final = 1e-5  # torch's LayerNorm
_NORM_2D: Final = 1e-6  # SAM's LayerNorm2d


def _precision(path: str) -> Precision:
    """The last stage's perceptrons make most of the features' error when they are plain int8."""
    fine = path.startswith("layers.3/") and "/mlp/" in path
    return Precision.FINE if fine else Precision.INT8


def lean_encoder(source: Path, target: Path) -> None:
    """Write the encoder with the published one's input and output.

    Raises:
        VariantError: the published graph is not MobileSAM's.
    """
    write_encoder(source, target, _precision)


def write_encoder(source: Path, target: Path, precision: Callable[[str], Precision]) -> None:
    """The same with a precision for each linear layer by its path.

    Raises:
        VariantError: the published graph is not MobileSAM's.
    """
    import numpy as np
    import onnx

    weights = PublishedWeights(source)
    nothing = np.zeros((1, 3, MODEL_SIDE, MODEL_SIDE), np.float32)
    maps = _session(_Encoder(weights, _exact).first_maps()).run(None, {"input": nothing})
    backgrounds = [pack_background(value) for value in maps]
    rounding = Rounding(_moments(weights, backgrounds, precision))
    onnx.save(_Encoder(weights, precision, rounding).whole(backgrounds), str(target))


def _exact(path: str) -> Precision:
    return Precision.FLOAT


def _moments(
    weights: PublishedWeights, backgrounds: list[Weight], precision: Callable[[str], Precision]
) -> dict[str, Moments]:
    """How the inputs of each linear layer go together, by its path, on a drawn picture.

    Not of a stage whose weights all stay float32: nothing is rounded there.
    """
    picture = drawn_input()
    found: dict[str, Moments] = {}
    for stage in STAGES:  # one by one: all at once they would fill half a gigabyte
        model, names = _Encoder(weights, _exact).readings(backgrounds, stage)
        if all(precision(path) is Precision.FLOAT for path in names):
            continue
        read = iter(_session(model).run(None, {"input": picture}))
        found |= {path: second_moments(islice(read, len(some))) for path, some in names.items()}
    return found


def _session(model: Any) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # runs once: what is not needed any more may go
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


class _Encoder:
    """The graph while it is written. `precision` says it for each linear layer by its path."""

    def __init__(
        self,
        weights: PublishedWeights,
        precision: Callable[[str], Precision],
        rounding: Rounding | None = None,
    ) -> None:
        self._weights = weights
        self._precision = precision
        self._rounding = rounding or Rounding({})
        self._read: dict[str, list[str]] = {}  # what linear layers read, by their path
        self._graph = GraphWriter()
        self._sizes = Sizes(self._graph)

    def first_maps(self) -> Any:
        """A model whose outputs are the first stage's maps of the whole square."""
        value = self._stem("input")
        maps = self._first_stage(value, self._sizes.full(STAGES[0].side), None)
        return self._model(maps, [3 * (_STEM_WIDTH,) for _ in maps])

    def whole(self, backgrounds: list[Weight]) -> Any:
        """The encoder."""
        graph, sizes, first = self._graph, self._sizes, STAGES[0]
        least = first.strips[0] * first.window  # no strip of windows may be empty
        reach = stem_reach(sizes, photo_size(graph, "input"), least=least, side=first.side)
        value = self._stem(crop(graph, "input", stem_input(sizes, reach), axes=(2, 3)))
        value = self._first_stage(crop(graph, value, reach), reach, backgrounds)[-1]
        for stage in STAGES[1:]:
            value = self._merge(value, stage.index - 1, stage.width)
            for block in range(stage.blocks):
                value = self._block(value, stage, f"layers.{stage.index}/blocks.{block}")
        self._neck(value)
        return self._model(["output"], [(1, _OUT_WIDTH, 64, 64)])

    def readings(self, backgrounds: list[Weight], stage: Stage) -> tuple[Any, dict[str, list[str]]]:
        """A model whose outputs are what a stage's linear layers read, and their names by path.

        In strips, as they are computed.
        """
        self.whole(backgrounds)
        here = f"layers.{stage.index}/"
        names = {path: some for path, some in self._read.items() if path.startswith(here)}
        outputs = [name for some in names.values() for name in some]
        return self._model(outputs, [None] * len(outputs)), names

    def _model(self, outputs: list[str], shapes: list[tuple[int, ...] | None]) -> Any:
        from onnx import TensorProto, helper

        def tensor(name: str, shape: tuple[int, ...] | None) -> Any:
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        return helper.make_model(
            helper.make_graph(
                self._graph.nodes,
                "sam_encoder_lean",
                [tensor("input", (1, 3, MODEL_SIDE, MODEL_SIDE))],
                [tensor(*item) for item in zip(outputs, shapes, strict=True)],
                initializer=self._graph.weights,
            ),
            opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)],
            ir_version=_IR_VERSION,
            producer_name="",
        )

    # Convolutions, N x C x H x W

    def _convolve(self, value: str, path: str, *, stride: int = 1, groups: int = 1) -> str:
        kernel, bias = self._weights.convolution(path)
        side = kernel.shape[2]
        inputs = [value, self._graph.weight(kernel)]
        return self._graph.op(
            "Conv",
            inputs if bias is None else [*inputs, self._graph.weight(bias)],
            kernel_shape=[side, side],
            pads=4 * [side // 2],
            strides=[stride, stride],
            group=groups,
        )

    def _gelu(self, value: str) -> str:
        return self._graph.op("Gelu", [value])

    def _stem(self, picture: str) -> str:
        """Patch embedding, first stage and its merging: a map of 128 channels, stride 8."""
        value = self._gelu(self._convolve(picture, "patch_embed/seq/seq.0/c", stride=2))
        value = self._convolve(value, "patch_embed/seq/seq.2/c", stride=2)
        for block in range(2):
            path = f"layers.0/blocks.{block}"
            wide = self._gelu(self._convolve(value, f"{path}/conv1/c"))
            wide = self._gelu(self._convolve(wide, f"{path}/conv2/c", groups=_EXPANDED))
            narrow = self._convolve(wide, f"{path}/conv3/c")
            value = self._gelu(self._graph.op("Add", [narrow, value]))
        return self._merged(value, 0, _STEM_WIDTH)

    def _merge(self, value: str, index: int, width: int) -> str:
        return self._merged(self._as_channels(value), index, width)

    def _merged(self, value: str, index: int, width: int) -> str:
        """The merging after a stage, channels to map."""
        path = f"layers.{index}/downsample"
        value = self._gelu(self._convolve(value, f"{path}/conv1/c"))
        stride = 1 if index == 2 else 2
        value = self._convolve(value, f"{path}/conv2/c", stride=stride, groups=width)
        return self._as_map(self._convolve(self._gelu(value), f"{path}/conv3/c"))

    def _as_map(self, value: str) -> str:
        """1 x C x H x W to H x W x C."""
        value = self._graph.transpose(value, (0, 2, 3, 1))
        return self._graph.op("Squeeze", [value, self._graph.weight([0], "int64")])

    def _as_channels(self, value: str) -> str:
        """H x W x C to 1 x C x H x W."""
        value = self._graph.op("Unsqueeze", [value, self._graph.weight([0], "int64")])
        return self._graph.transpose(value, (0, 3, 1, 2))

    # Blocks, on maps H x W x C

    def _first_stage(self, value: str, reach: Pair, packed: list[Weight] | None) -> list[str]:
        """Its maps: as it comes, and after attention and at the end of each block.

        packed: their backgrounds; the last map is then of full size. None: reach is all.
        """
        stage, maps = STAGES[0], [value]
        for block in range(stage.blocks):
            path = f"layers.{stage.index}/blocks.{block}"
            framed = self._sizes.step(
                reach, ("Add", stage.window - 1), ("Div", stage.window), ("Mul", stage.window)
            )
            value = self._beside(value, reach, framed, packed, 2 * block)
            attended = self._sizes.step(framed, ("Min", stage.side))
            value = self._attend(value, stage, path, framed, attended)
            maps.append(value)
            # The convolution reaches one cell further, and needs another to be right there.
            seen = self._sizes.step(attended, ("Add", 2), ("Min", stage.side))
            value = self._beside(value, attended, seen, packed, 2 * block + 1)
            value = self._look_around(value, stage, path)
            reach = self._sizes.step(attended, ("Add", 1), ("Min", stage.side))
            value = self._perceive(crop(self._graph, value, reach), stage, path, reach.rows)
            maps.append(value)
        if packed is not None:
            full = self._sizes.full(stage.side)
            maps.append(self._beside(value, reach, full, packed, 2 * stage.blocks))
        return maps

    def _beside(
        self, value: str, has: Pair, to: Pair, packed: list[Weight] | None, index: int
    ) -> str:
        """The map with its background, in whole windows before attention."""
        stage = STAGES[0]
        padded = stage.side if index % 2 or index == 2 * stage.blocks else stage.padded
        if packed is None:
            return self._pad(value, padded - stage.side)
        return Background(self._graph, packed[index], stage.side, padded).beside(value, has, to)

    def _pad(self, value: str, cells: int) -> str:
        amounts = self._graph.weight([0, 0, 0, cells, cells, 0], "int64")
        return self._graph.op("Pad", [value, amounts]) if cells else value

    def _block(self, value: str, stage: Stage, path: str) -> str:
        framed = self._pad(value, stage.padded - stage.side)
        full, sizes = self._sizes.full(stage.side), self._sizes.full(stage.padded)
        value = self._attend(framed, stage, path, sizes, full)
        return self._perceive(self._look_around(value, stage, path), stage, path, full.rows)

    def _look_around(self, value: str, stage: Stage, path: str) -> str:
        """Every channel's 3 x 3 neighbourhood."""
        value = self._as_channels(value)
        return self._as_map(self._convolve(value, f"{path}/local_conv/c", groups=stage.width))

    def _perceive(self, value: str, stage: Stage, path: str, rows: str) -> str:
        """The perceptron, in strips."""
        done = []
        for start, stop in pairwise(self._sizes.strips(rows, stage.strips[1])):
            strip = rows_between(self._graph, value, start, stop)
            wide = self._linear(self._norm(strip, f"{path}/mlp/norm"), f"{path}/mlp/fc1")
            narrow = self._linear(self._gelu(wide), f"{path}/mlp/fc2")
            done.append(self._graph.op("Add", [strip, narrow]))
        return self._graph.op("Concat", done, axis=0)

    def _linear(self, value: str, path: str) -> str:
        return self._rows(value, path).times(*self._weights.linear(path))

    def _rows(self, value: str, path: str) -> Rows:
        self._read.setdefault(path, []).append(value)
        return Rows(self._graph, value, self._precision(path), partial(self._rounding.of, path))

    def _norm(self, value: str, path: str) -> str:
        scale, shift = (
            self._weights.named(f"{path.replace('/', '.')}.{kind}") for kind in ("weight", "bias")
        )
        return self._graph.norm(value, scale, shift, _NORM)

    def _attend(self, value: str, stage: Stage, path: str, framed: Pair, kept: Pair) -> str:
        """Attention in windows, added. framed: the map's size, in whole windows. kept: without."""
        sizes = self._sizes
        windows = sizes.strips(sizes.op("Div", framed.rows, stage.window), stage.strips[0])
        ends = [sizes.op("Mul", end, stage.window) for end in windows]
        done = []
        for start, stop in pairwise(ends):
            strip = rows_between(self._graph, value, start, stop)
            seen = self._look(strip, stage, path, framed.columns)
            rows = self._graph.op("Sub", [self._graph.op("Min", [stop, kept.rows]), start])
            size = Pair(rows, kept.columns)
            told = self._linear(crop(self._graph, seen, size), f"{path}/attn/proj")
            done.append(self._graph.op("Add", [crop(self._graph, strip, size), told]))
        return self._graph.op("Concat", done, axis=0)

    def _look(self, strip: str, stage: Stage, path: str, columns: str) -> str:
        """What each cell of a strip of windows sees in its window, heads side by side."""
        graph, side = self._graph, stage.window
        across = self._sizes.op("Div", columns, side)
        query, key, content = self._asked(self._by_cell(strip, stage, across), stage, path)
        # Cells come first and windows after them: the products read them where they are.
        scores = graph.op(
            "FusedMatMul",
            [query, key],
            domain=_MICROSOFT,
            transBatchA=1,
            transBatchB=1,
            transB=1,
        )
        bias = graph.shared(self._weights.used_by(f"/{path}/attn/Add_output_0"))
        shares = graph.op("Softmax", [graph.op("Add", [scores, bias])], axis=-1)
        seen = graph.op("FusedMatMul", [shares, content], domain=_MICROSOFT, transBatchB=1)
        shape = self._sizes.shape(-1, across, stage.heads, side, side, HEAD)
        seen = graph.transpose(graph.op("Reshape", [seen, shape]), (0, 3, 1, 4, 2, 5))
        return graph.op("Reshape", [seen, self._sizes.shape(-1, columns, stage.width)])

    def _by_cell(self, strip: str, stage: Stage, across: str) -> str:
        """A strip's map to cells of a window x windows x C."""
        side = stage.window
        shape = self._sizes.shape(-1, side, across, side, stage.width)
        value = self._graph.transpose(self._graph.op("Reshape", [strip, shape]), (1, 3, 0, 2, 4))
        return self._graph.reshape(value, (side * side, -1, stage.width))

    def _asked(self, cells: str, stage: Stage, path: str) -> list[str]:
        """Queries, keys and values, cells x windows x heads x 32.

        The published weights have them head by head.
        """
        import numpy as np

        weight, bias = self._weights.linear(f"{path}/attn/qkv")
        weight = weight.reshape(stage.width, stage.heads, 3, HEAD)
        bias = bias.reshape(stage.heads, 3, HEAD)
        normed = self._norm(cells, f"{path}/attn/norm")
        rows = self._rows(normed, f"{path}/attn/qkv")
        scales = (np.float32(HEAD**-0.5), np.float32(1), np.float32(1))
        return [
            self._graph.reshape(
                rows.times(
                    weight[:, :, index].reshape(stage.width, -1) * scale,
                    bias[:, index].ravel() * scale,
                ),
                (0, 0, stage.heads, HEAD),
            )
            for index, scale in enumerate(scales)
        ]

    def _neck(self, value: str) -> None:
        graph, weights = self._graph, self._weights
        kernel, _ = weights.convolution("neck/neck.0")
        value = graph.op("MatMul", [value, graph.weight(kernel[:, :, 0, 0].T)])
        value = graph.norm(
            value,
            weights.used_by("/neck/neck.1/Mul_output_0"),
            weights.used_by("/neck/neck.1/Add_1_output_0"),
            _NORM_2D,
        )
        value = self._as_map(self._convolve(self._as_channels(value), "neck/neck.2"))
        value = graph.norm(
            value,
            weights.used_by("/neck/neck.3/Mul_output_0"),
            weights.used_by("output"),
            _NORM_2D,
        )
        value = graph.transpose(graph.reshape(value, (-1, _OUT_WIDTH)), (1, 0))
        graph.reshape(value, (1, _OUT_WIDTH, 64, 64))
        graph.nodes[-1].output[:] = ["output"]
