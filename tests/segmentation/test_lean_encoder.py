"""The encoder written anew: the published features for photos of any shape, and where int8 is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from onnx_models import VariantError
from onnx_models.files import digest_of, read_json
from onnx_models.graphs.encoder_region import MODEL_SIDE, pack_background
from onnx_models.graphs.int8_layers import Precision
from onnx_models.graphs.lean_encoder import lean_encoder, write_encoder
from tests.segmentation.graphs import write_decoder

Encode = Callable[[npt.NDArray[np.float32]], npt.NDArray[Any]]


def _encoder(path: Path) -> Encode:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda picture: session.run(None, {name: picture})[0]


@pytest.fixture(scope="module")
def published(weights_folder: Path) -> Path:
    path = weights_folder / "encoder.onnx"
    if not path.is_file():
        pytest.skip("another model is configured; the encoder is written from MobileSAM's")
    return path


@pytest.fixture(scope="module")
def exact(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder written anew without int8."""
    path = tmp_path_factory.mktemp("exact") / "exact.onnx"
    write_encoder(published, path, lambda layer: Precision.FLOAT)
    return path


@pytest.mark.model
def test_without_int8_the_features_are_the_published_ones_whatever_the_photos_shape(
    published: Path, exact: Path
) -> None:
    theirs, ours = _encoder(published), _encoder(exact)
    empty = (0, 0)
    for rows, columns in ((768, 1024), (1024, 683), (1024, 1024), (1, 1024), empty):
        picture = np.zeros((1, 3, MODEL_SIDE, MODEL_SIDE), np.float32)
        rng = np.random.default_rng(rows + columns)
        picture[:, :, :rows, :columns] = rng.normal(0, 1, (3, rows, columns))

        np.testing.assert_allclose(ours(picture), theirs(picture), atol=2e-5)


@pytest.mark.model
def test_building_twice_gives_the_same_bytes(
    published: Path, weights_folder: Path, tmp_path: Path
) -> None:
    lean_encoder(published, tmp_path / "one.onnx")
    one = digest_of(tmp_path / "one.onnx")

    # Set-up built it before, unless on another kind of machine or with an older builder.
    other = read_json(weights_folder / "encoder.lean.onnx.json").get("sha256")
    if other != one:
        lean_encoder(published, tmp_path / "other.onnx")
        other = digest_of(tmp_path / "other.onnx")
    assert one == other


def test_a_file_of_another_layout_is_not_written_anew(tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="no convolution"):
        lean_encoder(write_decoder(tmp_path / "other.onnx"), tmp_path / "lean.onnx")


def test_a_background_that_does_not_repeat_is_refused() -> None:
    background = np.random.default_rng(1).normal(0, 1, (128, 128, 2)).astype(np.float32)

    with pytest.raises(VariantError, match="not the same all over"):
        pack_background(background)
