"""A sequence of clicks answered one by one, what the next one needs being kept.

A click costs the same however many came before: where the last one left off is found by the clicks so far,
so nothing earlier is decoded, read or composed again. That is what makes twenty visitors at once possible:
their third clicks together need more old decodes than a process can keep.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from segmentation.cache import LruCache
from segmentation.clicks.constraints import apply_proposal, honour_clicks
from segmentation.clicks.features import ClickEvidence, EarlierClicks, Scope, continued
from segmentation.clicks.scope import infer_scope
from segmentation.geometry import FloatArray, PhotoGrid
from segmentation.values import Click

_STATES_KEPT: Final = (
    64  # 0.7 megabytes each with clicks of both kinds: the last state of as many visitors
)
# Clicks of one sequence that may be taken back for one answer each. A long sequence that comes at once, from a program or
# in another process, must not push out all other visitors' states.
_UNDO_DEPTH: Final = 8


class ClickNetworks(Protocol):
    """What a sequence asks of the networks, about one photo."""

    @property
    def stated_scope(self) -> Scope:
        """The walls that the visitor says to mean."""

    @property
    def walls(self) -> FloatArray:
        """The wall that is seen without a click, logits float32 256 x 256."""

    def observe(self, clicks: Sequence[Click]) -> ClickEvidence:
        """What the last of some clicks says."""

    def propose(
        self,
        newest: ClickEvidence,
        earlier: EarlierClicks,
        previous: FloatArray | None,
        scope: Scope,
    ) -> FloatArray:
        """The wall that is meant, logits float32 256 x 256, where `previous` was seen before."""


@dataclass(frozen=True, slots=True, eq=False)
class RefinementState:
    """Where some clicks have led.

    logits: float32 256 x 256; meant: which walls the clicks mean (`meaning`). Both None until something is included.
    """

    logits: FloatArray | None
    earlier: EarlierClicks
    scope: Scope | None


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """Logits after a sequence of clicks.

    previous: those before its last click, None after the first. proposed: the networks' answer to it.
    meant: which walls the clicks are taken to mean.
    """

    logits: FloatArray
    previous: FloatArray | None
    proposed: FloatArray
    scope: Scope


class ClickRefiner:
    """Composes sequences and keeps the states of the last ones, whoever made them."""

    def __init__(self, kept: int = _STATES_KEPT) -> None:
        self._states: LruCache[RefinementState] = LruCache(kept)

    def refine(
        self,
        origin: Hashable,
        networks: ClickNetworks,
        clicks: Sequence[Click],
        grid: PhotoGrid,
        *,
        start: FloatArray | None = None,
    ) -> Refinement:
        """`apply_click` over all clicks, oldest first.

        origin: names all that the answers depend on besides the clicks: photo, scope and start. start:
        the wall that was found without a click. Raises ValueError when nothing is included.
        """
        done = len(clicks) - 1
        state = self._states.find((origin, tuple(clicks[:done])))
        while state is None and done > 0:
            done -= 1
            state = self._states.find((origin, tuple(clicks[:done])))
        state = state or RefinementState(
            start, EarlierClicks(), None if start is None else networks.stated_scope
        )
        previous, proposed = state.logits, None
        columns, rows = grid.mask_extent
        seen = networks.walls[:rows, :columns]
        for count in range(done + 1, len(clicks) + 1):
            previous, newest = state.logits, networks.observe(clicks[:count])
            logits, scope = previous, state.scope
            # An exclude before anything is marked counts with the first include.
            if previous is not None or newest.label == 1:
                scope = infer_scope(networks.stated_scope, scope, newest, state.earlier, seen)
                proposed = networks.propose(newest, state.earlier, previous, scope)
                logits = apply_click(
                    previous, proposed, clicks[:count], grid, newest, networks.walls
                )
            state = RefinementState(logits, state.earlier.with_one_more(newest), scope)
            if count > len(clicks) - _UNDO_DEPTH:
                self._states.keep((origin, tuple(clicks[:count])), state)
        if state.logits is None or proposed is None or state.scope is None:
            raise ValueError("nothing is included")
        return Refinement(state.logits, previous, proposed, state.scope)


def apply_click(
    previous: FloatArray | None,
    proposed: FloatArray,
    clicks: Sequence[Click],
    grid: PhotoGrid,
    newest: ClickEvidence,
    walls: FloatArray,
) -> FloatArray:
    """The logits after the last of `clicks`; of clicks that contradict each other the latest counts.

    newest: what that click says. walls: the wall that is seen without a click.
    Beside the photo they repeat its edge: a mask at the photo's size looks half a cell further.
    """
    composed = apply_proposal(
        previous, proposed, clicks[-1], grid, walls=walls, likeness=newest.likeness
    )
    return continued(honour_clicks(composed, clicks, grid), grid)
