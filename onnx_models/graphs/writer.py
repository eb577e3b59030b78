"""Reading weights out of a published ONNX graph, and writing a new graph around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx_models.errors import VariantError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Weight = npt.NDArray[np.float32]


class PublishedWeights:
    """The weights of a published graph by module path.

    Raises:
        VariantError: the graph lacks what is asked for.
    """

    def __init__(self, source: Path) -> None:
        import onnx
        from onnx import numpy_helper

        graph = onnx.load(str(source)).graph
        self._named: dict[str, Weight] = {
            item.name: numpy_helper.to_array(item) for item in graph.initializer
        }
        self._by_output = {name: node for node in graph.node for name in node.output}
        self._constants = {
            node.output[0]: numpy_helper.to_array(node.attribute[0].t)
            for node in graph.node
            if node.op_type == "Constant"
        }

    def named(self, name: str) -> Weight:
        """An initializer of the image encoder, mask decoder or prompt encoder."""
        for prefix in ("mask_decoder.", "model.prompt_encoder.", ""):
            if prefix + name in self._named:
                return self._named[prefix + name]
        raise VariantError(f"this file has no weight {name!r}")

    def used_by(self, output: str) -> Weight:
        """The one weight or constant that goes into the node that makes `output`."""
        node = self._by_output.get(output)
        for name in node.input if node is not None else ():
            if name in self._named:
                return self._named[name]
            if name in self._constants:
                return self._constants[name]
        raise VariantError(f"this file has no node that makes {output!r} from a weight")

    def linear(self, path: str) -> tuple[Weight, Weight]:
        """Weight (in x out) and bias of a linear layer."""
        weight = self.used_by(f"/{path}/MatMul_output_0")
        return weight, self.named(f"{path.replace('/', '.')}.bias")

    def convolution(self, path: str) -> tuple[Weight, Weight | None]:
        """Kernel (out x in x height x width) and bias, if it has one, of a convolution."""
        node = self._by_output.get(f"/{path}/Conv_output_0")
        names = [] if node is None else list(node.input[1:])
        if not names or not set(names) <= set(self._named):
            raise VariantError(f"this file has no convolution {path!r}")
        return self._named[names[0]], self._named[names[1]] if names[1:] else None


class GraphWriter:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, prefix: str = "") -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._prefix = prefix
        self._count = 0
        self._shared: dict[tuple[object, ...], str] = {}

    def name(self, stem: str) -> str:
        """A new name."""
        self._count += 1
        return f"{self._prefix}{stem}_{self._count}"

    def weight(self, values: npt.ArrayLike, kind: str = "float32") -> str:
        """A constant tensor."""
        import numpy as np
        from onnx import numpy_helper

        name = self.name("weight")
        array = np.ascontiguousarray(values, dtype=kind)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def shared(self, values: npt.ArrayLike, kind: str = "float32") -> str:
        """A constant tensor that several nodes use: the same content is written once."""
        import numpy as np

        array = np.ascontiguousarray(values, dtype=kind)
        key = (kind, array.shape, array.tobytes())
        if key not in self._shared:
            self._shared[key] = self.weight(array, kind)
        return self._shared[key]

    def op(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """One node with one output."""
        [name] = self.op_with(1, kind, inputs, **attributes)
        return name

    def op_with(
        self, outputs: int, kind: str, inputs: Sequence[str], **attributes: Any
    ) -> list[str]:
        """One node with several outputs."""
        from onnx import helper

        names = [self.name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, names[0], **attributes))
        return names

    def reshape(self, value: str, shape: Sequence[int]) -> str:
        """0 keeps a side, -1 is whatever is left."""
        return self.op("Reshape", [value, self.weight(shape, "int64")])

    def transpose(self, value: str, order: Sequence[int]) -> str:
        """Axes in another order."""
        return self.op("Transpose", [value], perm=list(order))

    def linear(self, value: str, weight: Weight, bias: Weight | None = None) -> str:
        """Rows times a weight (in x out), plus a bias."""
        inputs = [value, self.weight(weight)] + ([] if bias is None else [self.weight(bias)])
        return self.op("Gemm", inputs)

    def norm(self, value: str, scale: Weight, shift: Weight, epsilon: float) -> str:
        """LayerNormalization over the last axis."""
        inputs = [value, self.weight(scale.ravel()), self.weight(shift.ravel())]
        return self.op("LayerNormalization", inputs, axis=-1, epsilon=epsilon)

    def slice_rows(self, value: str, start: int, stop: int) -> str:
        """Rows start..stop of a matrix."""
        ends = [self.weight([end], "int64") for end in (start, stop, 0)]
        return self.op("Slice", [value, *ends])
