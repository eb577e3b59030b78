"""Sizes that are found while a graph runs, and cutting maps to them.

All sizes are int64 tensors of one number, named; `full` and `number` make them constants.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx_models.graphs.writer import GraphWriter


@dataclass(frozen=True, slots=True)
class Pair:
    """Rows and columns."""

    rows: str
    columns: str


class Sizes:
    """Arithmetic on sizes in the graph."""

    def __init__(self, graph: GraphWriter) -> None:
        self._graph = graph

    def number(self, value: int) -> str:
        """A constant size."""
        return self._graph.weight([value], "int64")

    def op(self, kind: str, size: str, value: int) -> str:
        """One operation (Add, Mul, Div rounding down, Min, Max) with a constant."""
        return self._graph.op(kind, [size, self.number(value)])

    def step(self, pair: Pair, *operations: tuple[str, int]) -> Pair:
        """The same operations, one after another, on rows and columns."""
        found = []
        for size in (pair.rows, pair.columns):
            for kind, value in operations:
                size = self.op(kind, size, value)
            found.append(size)
        return Pair(*found)

    def strips(self, rows: str, count: int) -> list[str]:
        """Where each of `count` nearly equal strips of rows starts, and the last one ends."""
        return [self.op("Div", self.op("Mul", rows, index), count) for index in range(count + 1)]

    def shape(self, *sides: int | str) -> str:
        """A shape of known and of found sides."""
        named = [side if isinstance(side, str) else self.number(side) for side in sides]
        return self._graph.op("Concat", named, axis=0)

    def full(self, side: int) -> Pair:
        """A square of known side."""
        return Pair(self.number(side), self.number(side))


def crop(graph: GraphWriter, value: str, to: Pair, *, axes: tuple[int, int] = (0, 1)) -> str:
    """The top left corner."""
    ends = graph.op("Concat", [to.rows, to.columns], axis=0)
    return graph.op(
        "Slice", [value, graph.weight([0, 0], "int64"), ends, graph.weight(axes, "int64")]
    )


def rows_between(graph: GraphWriter, value: str, start: str, stop: str) -> str:
    """Some rows of a map."""
    return graph.op("Slice", [value, start, stop, graph.weight([0], "int64")])
