"""Weights as int8: what a layer answers matters, not each weight."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx_models.graphs.rounding import LEVELS, Rounding, second_moments

Floats = npt.NDArray[np.float32]


def _layer() -> tuple[Floats, Floats]:
    """Activations 900 x 80 that go together in a few directions, and a weight 80 x 24."""
    rng = np.random.default_rng(4)
    together = rng.normal(0, 1, (900, 6)) @ rng.normal(0, 1, (6, 80))
    activations = together + rng.normal(0, 0.2, (900, 80)) + rng.normal(0, 1, 80)
    return activations.astype(np.float32), rng.normal(0, 0.1, (80, 24)).astype(np.float32)


def _error(activations: Floats, weight: Floats, rounded: tuple[Floats, Floats]) -> float:
    whole, scale = rounded
    return float(((activations @ (whole * scale - weight)) ** 2).mean())


def test_what_a_layer_answers_changes_less_than_with_each_weight_rounded_to_the_nearest() -> None:
    activations, weight = _layer()
    known, unseen = activations[:600], activations[600:]

    fitted = Rounding({"layer": second_moments([known])}).of("layer", weight)
    nearest = Rounding({}).of("layer", weight)

    assert _error(unseen, weight, fitted) < 0.3 * _error(unseen, weight, nearest)


def test_inputs_that_do_not_go_together_leave_each_weight_at_its_nearest() -> None:
    _, weight = _layer()

    fitted = Rounding({"layer": np.eye(len(weight))}).of("layer", weight)

    np.testing.assert_array_equal(fitted[0], Rounding({}).of("layer", weight)[0])


def test_rounded_weights_are_whole_numbers_of_int8_and_their_scale_fits_the_largest() -> None:
    activations, weight = _layer()

    whole, scale = Rounding({"layer": second_moments([activations])}).of("layer", weight)

    np.testing.assert_array_equal(whole, np.rint(whole))
    assert np.abs(whole).max() <= LEVELS
    np.testing.assert_allclose(scale * LEVELS, np.abs(weight).max(axis=0), rtol=1e-6)


def test_an_input_that_is_always_zero_and_a_weight_of_zeros_are_no_obstacle() -> None:
    activations, weight = _layer()
    activations[:, 3], weight[:, 5] = 0, 0

    whole, scale = Rounding({"layer": second_moments([activations])}).of("layer", weight)

    assert np.isfinite(whole).all()
    assert (scale > 0).all()
    np.testing.assert_array_equal(whole[:, 5], 0)


def test_the_moments_of_parts_are_those_of_the_whole() -> None:
    activations, _ = _layer()

    parts = second_moments([activations[:100].reshape(10, 10, 80), activations[100:]])

    np.testing.assert_allclose(parts, second_moments([activations]))
