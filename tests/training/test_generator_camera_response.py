"""From scene light to a photo: exposure, noise and vignette do what they are called."""

from __future__ import annotations

import numpy as np

from training.generator.camera_response import develop
from training.generator.traits import ViewTraits


def scene() -> np.ndarray:
    y, x = np.mgrid[0:90, 0:120]
    return np.stack([0.2 + 0.1 * np.sin(x / 9), 0.2 + y / 400, 0.25 + x / 900], -1)


def photo(traits: ViewTraits, seed: int = 3) -> np.ndarray:
    return develop(scene(), np.random.default_rng(seed), traits)


def test_a_photo_has_eight_bits_and_the_shape_of_the_scene() -> None:
    a = photo(ViewTraits())

    assert a.dtype == np.uint8
    assert a.shape == (90, 120, 3)


def test_the_same_throw_gives_the_same_photo() -> None:
    assert np.array_equal(photo(ViewTraits()), photo(ViewTraits()))


def test_stops_darken_and_brighten() -> None:
    dark, usual, bright = (photo(ViewTraits(exposure=e)).mean() for e in (-2.0, 0.0, 1.2))

    assert dark < usual < bright


def test_a_vignette_darkens_the_corners_most() -> None:
    usual, vignetted = photo(ViewTraits()).astype(int), photo(ViewTraits(vignette=0.7)).astype(int)

    lost = (usual - vignetted).mean(-1)
    assert lost[:8, :8].mean() > lost[40:50, 55:65].mean() + 15


def test_noise_grows() -> None:
    def roughness(a: np.ndarray) -> float:
        return float(np.abs(np.diff(a.astype(int), axis=1)).mean())

    assert roughness(photo(ViewTraits(noise=3.0))) > roughness(photo(ViewTraits()))


def test_black_and_broken_pixels_do_not_break_it() -> None:
    light = np.zeros((20, 30, 3))
    light[3, 4] = np.nan

    assert develop(light, np.random.default_rng(0), ViewTraits()).shape == (20, 30, 3)
