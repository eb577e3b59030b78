"""Which walls clicks mean where the visitor does not say so."""

from __future__ import annotations

import numpy as np
import pytest

from segmentation import Scope
from segmentation.clicks.features import ClickEvidence, EarlierClicks
from segmentation.clicks.scope import infer_scope, share_of_wall
from segmentation.geometry import FloatArray

LEFT, RIGHT = 20.0, 240.0  # columns of the mask grid that are on one wall or the other


def walls() -> FloatArray:
    """Walls in the upper half of a photo of 4:3."""
    logits = np.full((192, 256), -4, np.float32)
    logits[:96] = 4
    return logits


def click(x: float, share: float, label: int = 1, y: float = 50) -> ClickEvidence:
    """A click on one of two walls, the left with `share` of both, the right with the rest."""
    affinity = np.zeros((96, 128), np.float32)
    edge = round(share * 128)
    affinity[:, slice(edge) if x < 2 * edge else slice(edge, None)] = 1
    masks = np.zeros((3, 192, 256), np.float32)
    return ClickEvidence.of(
        label, (x, y), affinity=affinity, similarity=affinity, likeness=affinity, logits=masks
    )


def meant(*clicks: ClickEvidence, said: Scope = Scope.AUTO) -> Scope | None:
    """What clicks mean, oldest first."""
    found: Scope | None = None
    earlier = EarlierClicks()
    for one in clicks:
        found = infer_scope(said, found, one, earlier, walls())
        earlier = earlier.with_one_more(one)
    return found


@pytest.mark.parametrize(
    ("share", "scope"), [(0.5, Scope.AUTO), (0.7, Scope.THIS_WALL), (1, Scope.THIS_WALL)]
)
def test_who_clicks_on_the_main_wall_means_it(share: float, scope: Scope) -> None:
    assert meant(click(LEFT, share)) is scope


def test_who_clicks_beside_the_main_wall_means_more_than_that() -> None:
    assert meant(click(RIGHT, 0.7)) is Scope.AUTO


def test_floor_and_things_on_the_same_plane_do_not_count() -> None:
    affinity = np.zeros((96, 128), np.float32)
    affinity[:, :64], affinity[48:] = 1, 1

    assert share_of_wall(walls(), affinity) == pytest.approx(0.5)


def test_what_the_network_reads_beside_the_photo_does_not_count() -> None:
    walls_of_2_to_3 = np.full((171, 256), 4, np.float32)
    affinity = np.ones((88, 128), np.float32)
    affinity[86:] = 0

    assert share_of_wall(walls_of_2_to_3, affinity) == 1


def test_where_no_wall_is_seen_there_is_no_main_wall() -> None:
    assert share_of_wall(-walls() - 5, click(LEFT, 1).affinity) == 0


@pytest.mark.parametrize("label", [0, 1])
def test_more_clicks_on_the_main_wall_still_mean_it(label: int) -> None:
    assert meant(click(LEFT, 0.7), click(LEFT + 50, 0.7, label)) is Scope.THIS_WALL


def test_an_exclusion_elsewhere_leaves_the_main_wall_meant() -> None:
    assert meant(click(LEFT, 0.7), click(RIGHT, 0.7, 0)) is Scope.THIS_WALL


def test_a_thing_that_is_not_on_the_main_wall_is_no_other_wall() -> None:
    below = click(RIGHT, 0.7, y=150)

    assert meant(click(LEFT, 0.7), below) is Scope.THIS_WALL


def test_who_includes_another_wall_too_means_more_than_one_from_then_on() -> None:
    assert meant(click(LEFT, 0.7), click(RIGHT, 0.7)) is Scope.AUTO
    assert meant(click(LEFT, 0.7), click(RIGHT, 0.7), click(LEFT, 0.7)) is Scope.AUTO


@pytest.mark.parametrize("said", [Scope.THIS_WALL, Scope.ALL_WALLS])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_what_is_said_counts(said: Scope, share: float) -> None:
    assert meant(click(LEFT, share), click(RIGHT, share), said=said) is said
