"""Refine a mask click by click, keeping the state after each for the next one.

A click costs the same however many came before: the state that it starts from is found by the
clicks so far, and nothing earlier is decoded again. That is what makes twenty visitors at once
possible: their third clicks together need more old decodes than a process can keep.
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

# 0.7 megabytes each with clicks of both kinds: the last state of as many visitors.
_STATES_KEPT: Final = 64
# Clicks of one visitor that may be undone without computing anything again. A long list of clicks
# that comes at once, from a program or another process, must not push out all other visitors'
# states.
_UNDO_DEPTH: Final = 8


StateKey = tuple[Hashable, tuple[Click, ...]]


class ClickNetworks(Protocol):
    """The networks on one photo."""

    @property
    def stated_scope(self) -> Scope:
        """The scope that the visitor stated."""

    @property
    def walls(self) -> FloatArray:
        """The wall that is predicted without a click, logits float32 256 x 256."""

    def observe(self, clicks: Sequence[Click]) -> ClickEvidence:
        """The evidence of the last of some clicks."""

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
    """The state after some clicks.

    logits: float32 256 x 256; scope: which walls the clicks mean. Both None until something is
    included.
    """

    logits: FloatArray | None
    earlier: EarlierClicks
    scope: Scope | None


@dataclass(frozen=True, slots=True, eq=False)
class Refinement:
    """The result of refining by some clicks.

    previous: those before its last click, None after the first. proposed: the networks' output for
    it. scope: which walls the clicks are taken to mean.
    """

    logits: FloatArray
    previous: FloatArray | None
    proposed: FloatArray
    scope: Scope


class ClickRefiner:
    """Refines masks and keeps the states of the clicks used last, of all visitors."""

    def __init__(self, kept: int = _STATES_KEPT) -> None:
        self._states: LruCache[StateKey, RefinementState] = LruCache(kept)

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

        origin: identifies all that the result depends on besides the clicks: photo, scope and
        start. start: logits of the wall that was found without a click.

        Raises:
            ValueError: nothing is included.
        """
        done, state = self._latest_kept(origin, clicks)
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
                self._states.put((origin, tuple(clicks[:count])), state)
        if state.logits is None or proposed is None or state.scope is None:
            raise ValueError("nothing is included")
        return Refinement(state.logits, previous, proposed, state.scope)

    def _latest_kept(
        self, origin: Hashable, clicks: Sequence[Click]
    ) -> tuple[int, RefinementState | None]:
        """The state kept after the most of `clicks`, the last one left out, and after how many."""
        for done in range(len(clicks) - 1, -1, -1):
            state = self._states.get((origin, tuple(clicks[:done])))
            if state is not None:
                return done, state
        return 0, None


def apply_click(
    previous: FloatArray | None,
    proposed: FloatArray,
    clicks: Sequence[Click],
    grid: PhotoGrid,
    newest: ClickEvidence,
    walls: FloatArray,
) -> FloatArray:
    """The logits after the last of `clicks`; later clicks win over those they contradict.

    newest: the evidence of that click. walls: the wall that is predicted without a click.
    Beside the photo they repeat its edge: a mask at the photo's size looks half a cell further.
    """
    composed = apply_proposal(
        previous, proposed, clicks[-1], grid, walls=walls, likeness=newest.likeness
    )
    return continued(honour_clicks(composed, clicks, grid), grid)
