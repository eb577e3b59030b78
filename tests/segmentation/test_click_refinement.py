"""Clicks answered one after the other, each from where the last one left off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from segmentation import Click, Scope
from segmentation.clicks.constraints import UNLIKE_GAIN
from segmentation.clicks.features import ClickEvidence, EarlierClicks
from segmentation.clicks.refinement import ClickRefiner
from segmentation.geometry import FloatArray, PhotoGrid

GRID = PhotoGrid(1024, 1024)
LEFT, RIGHT = slice(0, 120), slice(130, 256)


def at(column: int, row: int, label: int) -> Click:
    """A click at the middle of a cell."""
    [(x, y)] = GRID.mask_to_photo([(column, row)])
    return Click(float(x), float(y), label)


def wall(*columns: slice) -> FloatArray:
    """Logits with these columns as wall."""
    logits = np.full((256, 256), -5, np.float32)
    for some in columns:
        logits[:, some] = 5
    return logits


@dataclass
class Scripted:
    """Networks that answer in turn, and note what they were asked."""

    answers: list[FloatArray]
    walls: FloatArray = field(default_factory=wall)
    heard: list[Click] = field(default_factory=list)
    seen: list[FloatArray | None] = field(default_factory=list)
    earlier: list[EarlierClicks] = field(default_factory=list)
    meant: list[Scope] = field(default_factory=list)
    stated_scope: Scope = Scope.AUTO
    planes: Sequence[float] = (0, 0, 0)  # of each click: 1 where all is on its plane

    def observe(self, clicks: Sequence[Click]) -> ClickEvidence:
        click = clicks[-1]
        self.heard.append(click)
        grid, masks = np.zeros((128, 128), np.float32), np.zeros((3, 256, 256), np.float32)
        plane = np.full((128, 128), self.planes[(len(self.heard) - 1) % 3], np.float32)
        return ClickEvidence.of(
            click.label,
            (9.0, 9.0),
            affinity=plane,
            similarity=grid,
            likeness=grid,
            logits=masks,
        )

    def propose(
        self,
        newest: ClickEvidence,
        earlier: EarlierClicks,
        previous: FloatArray | None,
        meant: Scope,
    ) -> FloatArray:
        self.seen.append(previous)
        self.meant.append(meant)
        self.earlier.append(earlier)
        return self.answers[len(self.seen) - 1]


CLICKS = [at(30, 30, 1), at(170, 30, 1), at(170, 30, 0)]
ANSWERS = [wall(LEFT), wall(RIGHT), wall(LEFT)]


def test_a_sequence_is_the_clicks_one_after_the_other() -> None:
    networks = Scripted(ANSWERS)

    two = ClickRefiner().refine("photo", Scripted(ANSWERS), CLICKS[:2], GRID)
    three = ClickRefiner().refine("photo", networks, CLICKS, GRID)

    assert ((two.logits > 0) == (wall(LEFT, RIGHT) > 0)).all()
    assert ((three.logits > 0) == (wall(LEFT) > 0)).all()
    assert three.previous is not None
    assert (three.previous == two.logits).all()
    assert three.proposed is ANSWERS[2]
    assert networks.seen[0] is None
    assert networks.seen[-1] is three.previous
    assert networks.earlier[0].includes is None
    assert networks.earlier[-1].includes is not None
    assert networks.earlier[-1].excludes is None


def test_a_first_click_is_answered_beside_the_wall_seen_without_one() -> None:
    doubtful = wall(LEFT) / np.float32(5)

    found = ClickRefiner().refine("photo", Scripted([doubtful]), [at(170, 30, 1)], GRID)

    assert not (found.logits[:, LEFT] > 0).any()


def test_an_exclude_takes_less_where_nothing_is_like_what_it_points_at() -> None:
    doubtful = np.sign(wall()) * np.float32(UNLIKE_GAIN / 5)

    found = ClickRefiner().refine("photo", Scripted([wall(LEFT), doubtful]), CLICKS[::2], GRID)

    assert (found.logits[:, LEFT] > 0).all()


def test_a_further_click_asks_about_itself_alone() -> None:
    refiner, networks = ClickRefiner(), Scripted(ANSWERS)
    for count in (1, 2, 3):
        found = refiner.refine("photo", networks, CLICKS[:count], GRID)

    assert networks.heard == CLICKS
    at_once = ClickRefiner().refine("photo", Scripted(ANSWERS), CLICKS, GRID)
    np.testing.assert_array_equal(found.logits, at_once.logits)


def test_clicks_of_many_visitors_do_not_push_each_other_out() -> None:
    refiner = ClickRefiner(kept=8)
    visitors = [Scripted(ANSWERS) for _ in range(4)]

    for count in (1, 2, 3):
        for number, networks in enumerate(visitors):
            refiner.refine(number, networks, CLICKS[:count], GRID)

    assert [networks.heard for networks in visitors] == [CLICKS] * 4


def test_a_long_sequence_that_comes_at_once_leaves_others_where_they_were() -> None:
    refiner, visitor, program = (
        ClickRefiner(kept=16),
        Scripted(ANSWERS * 2),
        Scripted(ANSWERS * 11),
    )
    refiner.refine("photo", visitor, CLICKS[:2], GRID)

    refiner.refine("other photo", program, CLICKS * 10, GRID)
    refiner.refine("photo", visitor, CLICKS, GRID)
    refiner.refine("other photo", program, (CLICKS * 10)[:-3], GRID)

    assert visitor.heard == CLICKS
    assert len(program.heard) == 31


def test_what_is_no_longer_kept_is_answered_again() -> None:
    refiner = ClickRefiner(kept=1)
    refiner.refine("photo", Scripted(ANSWERS), CLICKS[:2], GRID)
    refiner.refine("other photo", Scripted(ANSWERS), CLICKS[:1], GRID)

    again = refiner.refine("photo", Scripted(ANSWERS), CLICKS, GRID)

    assert ((again.logits > 0) == (wall(LEFT) > 0)).all()


def test_excludes_before_the_first_include_are_honoured_with_it() -> None:
    networks = Scripted([wall(LEFT)])

    found = ClickRefiner().refine("photo", networks, [at(20, 20, 0), at(40, 40, 1)], GRID)

    assert found.logits[20, 20] < 0 < found.logits[40, 40]
    assert networks.earlier[0].excludes is not None


def test_a_sequence_without_an_include_is_refused() -> None:
    with pytest.raises(ValueError, match="included"):
        ClickRefiner().refine("photo", Scripted(ANSWERS), [at(20, 20, 0)], GRID)


def test_a_wall_found_without_a_click_may_be_corrected_by_an_exclude_alone() -> None:
    networks = Scripted([wall(LEFT)])

    found = ClickRefiner().refine(
        "photo", networks, [at(170, 30, 0)], GRID, start=wall(LEFT, RIGHT)
    )

    assert ((found.logits > 0) == (wall(LEFT) > 0)).all()


def test_the_wall_that_a_first_click_means_is_remembered_for_the_next() -> None:
    refiner, networks = ClickRefiner(), Scripted(ANSWERS, walls=wall(LEFT), planes=(1, 0, 0))

    for count in (1, 2, 3):
        refiner.refine("photo", networks, CLICKS[:count], GRID)

    assert networks.meant == [Scope.THIS_WALL] * 3


def test_a_later_click_on_the_main_wall_does_not_take_back_that_more_is_meant() -> None:
    networks = Scripted(ANSWERS, walls=wall(LEFT), planes=(0, 1, 1))

    found = ClickRefiner().refine("photo", networks, CLICKS, GRID)

    assert networks.meant == [Scope.AUTO] * 3
    assert found.scope is Scope.AUTO


def test_an_exclude_before_the_first_include_means_nothing_yet() -> None:
    networks = Scripted(ANSWERS, walls=wall(LEFT), planes=(0, 1, 0))

    ClickRefiner().refine("photo", networks, [CLICKS[2], CLICKS[0]], GRID)

    assert networks.meant == [Scope.THIS_WALL]


def test_clicks_that_correct_a_found_wall_mean_no_single_one() -> None:
    networks = Scripted(ANSWERS, walls=wall(LEFT), planes=(1, 1, 1))

    ClickRefiner().refine("photo", networks, CLICKS[:1], GRID, start=wall(LEFT))

    assert networks.meant == [Scope.AUTO]
