"""Where in the encoder's input the photo is, and what lies beyond it, found inside the graph.

A 4:3 photo fills three quarters of the square that SAM's encoder takes; the rest is zero. Until a
window of attention joins both, what the layers make of the rest does not depend on the photo: it
is the *background*, what they make of an all-zero square, written into the file. So only the rows
and columns that the photo can reach are computed, and the background is set beside them where a
layer looks further. Exact but for rounding; what the photo reaches is bounded from above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onnx_models.errors import VariantError
from onnx_models.graphs.sizes import Pair, Sizes

if TYPE_CHECKING:
    from onnx_models.graphs.writer import GraphWriter, Weight

MODEL_SIDE: Final = 1024
_STEM_STRIDE: Final = 8  # of the stem: patch embedding, first stage and its merging
# The background is its own only this near the border of the square (cells of the stem's grid);
# between it repeats with the windows of attention. Verified for each background that is packed.
_WINDOW: Final = 7
_BORDER: Final = 3 * _WINDOW
_SAME: Final = 1e-4
_LOOKED_AT: Final = 8  # pixels at the start of a row or column


def photo_size(graph: GraphWriter, picture: str) -> Pair:
    """Rows and columns of the photo in the top left corner of the input.

    Seen at its first pixels alone: a pixel of 8-bit colours is never zero once SAM's means, which
    are no whole numbers, are taken away.
    """
    return Pair(_last_used(graph, picture, 2), _last_used(graph, picture, 3))


def _last_used(graph: GraphWriter, picture: str, axis: int) -> str:
    import numpy as np

    across = graph.weight([5 - axis], "int64")
    start, stop = graph.weight([0], "int64"), graph.weight([_LOOKED_AT], "int64")
    edge = graph.op("Slice", [picture, start, stop, across])
    over = graph.weight([0, 1, 5 - axis], "int64")
    amount = graph.op("ReduceL1", [edge, over], keepdims=0)
    used = graph.op("Cast", [graph.op("Greater", [amount, graph.weight(0)])], to=7)
    place = graph.weight(np.arange(1, MODEL_SIDE + 1), "int64")
    return graph.op("ReduceMax", [graph.op("Mul", [used, place])], keepdims=1)


def stem_reach(sizes: Sizes, photo: Pair, *, least: int, side: int) -> Pair:
    """Cells of the stem's output that the photo can reach, from the top left; at least `least`.

    Its five convolutions of width 3 reach h / 8 + 2.75 cells of an h pixel high photo.
    """
    return sizes.step(photo, ("Div", _STEM_STRIDE), ("Add", 3), ("Max", least), ("Min", side))


def stem_input(sizes: Sizes, reach: Pair) -> Pair:
    """Pixels that those cells need: one cell more, since each looks 15 pixels past its first."""
    return sizes.step(reach, ("Add", 1), ("Mul", _STEM_STRIDE), ("Min", MODEL_SIDE))


def pack_background(background: Weight) -> Weight:
    """Borders and one window of the middle of a square map, side x side x C.

    Raises:
        VariantError: the windows of the map's middle differ.
    """
    import numpy as np

    side = len(background)
    packed = background[np.ix_(*(2 * [_packed_cells(side)]))]
    seats = _seats(side, side)
    if np.abs(packed[np.ix_(seats, seats)] - background).max() > _SAME:
        raise VariantError("what this encoder makes of an empty picture is not the same all over")
    return packed


def _packed_cells(side: int) -> list[int]:
    return [*range(_BORDER + _WINDOW), *range(side - _BORDER, side)]


def _seats(side: int, padded: int) -> list[int]:
    """Where in the packed map each cell is; past the side one more, which is zero."""
    middle = _BORDER + _WINDOW
    found = []
    for cell in range(padded):
        if cell < _BORDER:
            found.append(cell)
        elif cell < side - _BORDER:
            found.append(_BORDER + (cell - _BORDER) % _WINDOW)
        else:
            found.append(min(middle + cell - (side - _BORDER), middle + _BORDER))
    return found


class Background:
    """A packed background that can be set beside the part that was computed.

    packed: of `pack_background`. side: of the map; padded: with zeros up to this side.
    """

    def __init__(self, graph: GraphWriter, packed: Weight, side: int, padded: int) -> None:
        import numpy as np

        self._graph = graph
        self._packed = graph.weight(np.pad(packed, ((0, 1), (0, 1), (0, 0))))
        self._seats = graph.weight(_seats(side, padded), "int64")
        self._none = graph.weight([0], "int64")

    def beside(self, value: str, has: Pair, to: Pair) -> str:
        """A map of size `has` enlarged to size `to`."""
        graph = self._graph
        right = self._part(self._none, has.rows, has.columns, to.columns)
        below = self._part(has.rows, to.rows, self._none, to.columns)
        wide = graph.op("Concat", [value, right], axis=1)
        return graph.op("Concat", [wide, below], axis=0)

    def _part(self, top: str, bottom: str, left: str, right: str) -> str:
        graph = self._graph
        rows, columns = (
            graph.op("Slice", [self._seats, start, stop])
            for start, stop in ((top, bottom), (left, right))
        )
        return graph.op(
            "Gather", [graph.op("Gather", [self._packed, rows], axis=0), columns], axis=1
        )
