"""A row gives back exactly what its picture was made from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jobs import inputs
from rendering.geometry.plane import WallPlane, Wing, plane_from_quad
from sessions_app.models import Generation
from tests.harness.factories import make_generation

pytestmark = pytest.mark.django_db(transaction=True)


def plane_round_a_corner() -> WallPlane:
    flat = plane_from_quad([[10, 20], [200, 30], [200, 170], [10, 180]], (2.5, 2.0))
    wing = Wing(H=flat.H.copy(), side=np.array([1.0, 0.0, -200.0]), seam_m=2.5)
    return WallPlane(
        flat.H, flat.quad, flat.size_m, 0.7, "estimated", wings=(wing,), span_m=(0.0, 4.0)
    )


def test_the_plane_comes_back_with_the_walls_round_its_corners() -> None:
    generation = make_generation()
    plane = plane_round_a_corner()
    Generation.objects.filter(pk=generation.pk).update(
        plane=json.loads(json.dumps(plane.as_json()))
    )
    generation.refresh_from_db()

    found = inputs.load_inputs(generation).plane

    assert (found.H == plane.H).all()
    assert found.extent_m == (0.0, 4.0)
    [wing] = found.wings
    assert (wing.H == plane.wings[0].H).all()
    assert (wing.side == plane.wings[0].side).all()
    assert wing.seam_m == 2.5


def test_the_light_controls_come_back_with_the_row() -> None:
    generation = make_generation()
    Generation.objects.filter(pk=generation.pk).update(
        placement={**generation.placement, "brightness": 0.3, "keep_shadows": 0.4}
    )
    generation.refresh_from_db()

    found = inputs.load_inputs(generation)

    assert (found.brightness, found.keep_shadows) == (0.3, 0.4)


def test_the_seams_come_back_with_the_row_and_older_rows_have_none() -> None:
    generation = make_generation()
    assert inputs.load_inputs(generation).placement.seams is False
    generation.placement = {**generation.placement, "seams": True, "strip_width_m": 0.7}

    placement = inputs.load_inputs(generation).placement

    assert (placement.seams, placement.strip_width_m) == (True, 0.7)


def test_a_row_older_than_the_light_controls_keeps_the_shadows() -> None:
    assert inputs.load_inputs(make_generation()).keep_shadows == 1.0
