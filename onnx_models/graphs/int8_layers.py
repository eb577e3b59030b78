"""Linear layers with int8 weights per output channel and activations quantised on the fly.

Activations' range is per tensor, so a few large values cost all others their precision. FINE says
an activation with two numbers of 8 bits, the second what the first left out: twice the products,
still half of float32's time, and nothing but the weights' rounding left.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onnx_models.graphs.writer import GraphWriter, Weight

_MICROSOFT: Final = "com.microsoft"


class Precision(Enum):
    """How a linear layer is computed."""

    FLOAT = "float32"
    INT8 = "int8"
    FINE = "int8 weights, activations of two int8 numbers"


class Rows:
    """Activations, ... x in, prepared once for any number of linear layers.

    round_weight: a weight (in x out) to whole numbers and their scale (out,).
    """

    def __init__(
        self,
        graph: GraphWriter,
        value: str,
        precision: Precision,
        round_weight: Callable[[Weight], tuple[Weight, Weight]],
    ) -> None:
        self._graph = graph
        self._value = value
        self._round_weight = round_weight
        self._parts: list[list[str]] = []
        if precision is not Precision.FLOAT:
            self._quantise(value)
        if precision is Precision.FINE:
            rounded = graph.op("DequantizeLinear", self._parts[0])
            self._quantise(graph.op("Sub", [value, rounded]))

    def times(self, weight: Weight, bias: Weight) -> str:
        """Rows times weight (in x out) plus bias (out,)."""
        graph = self._graph
        if not self._parts:
            product = graph.op("MatMul", [self._value, graph.shared(weight)])
            return graph.op("Add", [product, graph.shared(bias)])
        products = []
        for index, part in enumerate(self._parts):
            inputs = self._inputs(part, weight) + ([] if index else [graph.shared(bias)])
            products.append(graph.op("MatMulIntegerToFloat", inputs, domain=_MICROSOFT))
        return products[0] if len(products) == 1 else graph.op("Add", products)

    def _quantise(self, value: str) -> None:
        self._parts.append(self._graph.op_with(3, "DynamicQuantizeLinear", [value]))

    def _inputs(self, part: list[str], weight: Weight) -> list[str]:
        import numpy as np

        graph = self._graph
        whole, scale = self._round_weight(weight)
        values, value_scale, value_zero = part
        zeros = graph.shared(np.zeros(weight.shape[1]), "int8")
        return [
            values,
            graph.shared(whole, "int8"),
            value_scale,
            graph.shared(scale),
            value_zero,
            zeros,
        ]
