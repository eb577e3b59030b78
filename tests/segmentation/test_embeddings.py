"""Embeddings survive storage unchanged, and nothing else passes for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation import TOKEN_SHAPE, WALL_MAPS_SHAPE, Embedding, EmbeddingError


def make() -> Embedding:
    rng = np.random.default_rng(3)
    return Embedding.build(
        rng.normal(0, 1, (1, 256, 64, 64)).astype(np.float32),
        wall_maps=rng.normal(0, 1, WALL_MAPS_SHAPE),
        tokens=rng.normal(0, 1, TOKEN_SHAPE),
        width=640,
        height=480,
        model="abc",
        thumbnail=rng.integers(0, 255, (256, 256, 3), np.uint8),
    )


DATA = make().to_bytes()


def test_an_embedding_comes_back_bit_for_bit() -> None:
    before = make()

    after = Embedding.from_bytes(before.to_bytes())

    for name in ("features", "wall_maps", "tokens"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    np.testing.assert_array_equal(after.thumbnail, before.thumbnail)
    assert after.features.dtype == np.float32
    assert (after.width, after.height, after.model, after.digest) == (
        before.width,
        before.height,
        before.model,
        before.digest,
    )


def test_stored_features_take_half_the_memory() -> None:
    assert len(DATA) < 3.4 * 2**20


@given(st.binary(max_size=200))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(EmbeddingError):
        Embedding.from_bytes(data)


@given(st.integers(0, len(DATA) - 1))
def test_a_cut_embedding_is_refused(length: int) -> None:
    with pytest.raises(EmbeddingError):
        Embedding.from_bytes(DATA[:length])


@given(st.integers(0, len(DATA) - 5), st.integers(1, 255))
def test_an_altered_byte_is_refused(place: int, change: int) -> None:
    altered = bytearray(DATA)
    altered[place] ^= change

    try:
        found = Embedding.from_bytes(bytes(altered))
    except EmbeddingError:
        return
    # What still reads must read as the same: some bits of deflate and JSON carry no content.
    assert found.digest == make().digest


def test_an_embedding_cannot_be_changed_in_place() -> None:
    embedding = make()

    with pytest.raises(ValueError, match="read-only"):
        embedding.features[0, 0, 0, 0] = 1
