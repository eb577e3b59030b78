"""A file that is not the expected model is refused in words, when it is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from segmentation import Click, ModelError, SamModel
from tests.segmentation.graphs import (
    OFFICIAL_OUTPUTS,
    PROMPT_INPUTS,
    Shape,
    write_decoder,
    write_encoder,
)


def load(directory: Path) -> SamModel:
    return SamModel.load(directory, encoder_threads=1, decoder_threads=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_encoder(tmp_path / "encoder.onnx")
    write_decoder(tmp_path / "sam.onnx")
    return tmp_path


def test_any_export_with_the_official_signature_works(folder: Path) -> None:
    model = load(folder)
    photo = np.zeros((48, 64, 3), np.uint8)

    prediction = model.predict(model.encode(photo), [Click(10, 10, 1)])

    assert prediction.candidates.shape == (1, 256, 256)
    assert prediction.mask().shape == (48, 64)
    assert not model.knows_walls


def test_another_encoder_gets_another_identity(folder: Path, tmp_path: Path) -> None:
    first = load(folder).identity

    write_encoder(tmp_path / "encoder.onnx", inputs=("batch", 3, 1024, 1024))

    assert load(folder).identity != first


def test_an_embedding_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    from segmentation import EmbeddingError

    embedding = load(folder).encode(np.zeros((48, 64, 3), np.uint8))
    write_encoder(tmp_path / "encoder.onnx", inputs=("batch", 3, 1024, 1024))

    with pytest.raises(EmbeddingError, match="embedding of model"):
        load(folder).predict(embedding, [Click(10, 10, 1)])


def test_loading_describes_but_builds_no_session(folder: Path) -> None:
    (folder / "sam.onnx").write_bytes(b"not a graph")

    load(folder)


def test_an_empty_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load(tmp_path)

    assert str(tmp_path) in str(caught.value)
    assert "manage.py fetch_models" in str(caught.value)


def test_a_file_that_is_no_graph_is_named(folder: Path) -> None:
    (folder / "encoder.onnx").write_bytes(b"not a graph")

    with pytest.raises(ModelError, match=r"encoder\.onnx: onnxruntime cannot load it"):
        load(folder).warm_up()


def test_an_encoder_of_another_size_is_refused(folder: Path) -> None:
    write_encoder(folder / "encoder.onnx", channels=128)

    with pytest.raises(ModelError, match=r"should be .* any x 256 x 64 x 64, is .* 1 x 128 x 64"):
        load(folder).warm_up()


def test_a_decoder_lacking_an_input_is_refused(folder: Path) -> None:
    inputs = {name: shape for name, shape in PROMPT_INPUTS.items() if name != "point_labels"}
    write_decoder(folder / "sam.onnx", inputs=inputs)

    with pytest.raises(ModelError, match=r"expected inputs .*point_labels.*, found"):
        load(folder).warm_up()


def test_a_decoder_with_an_input_of_its_own_is_refused(folder: Path) -> None:
    write_decoder(folder / "sam.onnx", inputs={**PROMPT_INPUTS, "text": (1, 4)})

    with pytest.raises(ModelError, match="expected inputs"):
        load(folder).warm_up()


def test_a_decoder_of_candidates_may_ask_where_the_photo_is(folder: Path) -> None:
    inputs = {name: shape for name, shape in PROMPT_INPUTS.items() if name != "orig_im_size"}
    outputs: dict[str, Shape] = {"candidate_masks": (1, 4, 256, 256), "candidate_scores": (1, 4)}
    write_decoder(folder / "sam.onnx", inputs={**inputs, "photo_cells": (2,)}, outputs=outputs)

    load(folder).warm_up()


def test_a_decoder_lacking_an_output_is_refused(folder: Path) -> None:
    outputs = {n: shape for n, shape in OFFICIAL_OUTPUTS.items() if n != "low_res_masks"}
    write_decoder(folder / "sam.onnx", outputs=outputs)

    with pytest.raises(ModelError, match=r"expected outputs .*low_res_masks"):
        load(folder).warm_up()


def test_a_wrong_digest_is_refused_with_both_digests(folder: Path) -> None:
    stated = "0" * 64
    description = {
        "name": "mine",
        "encoder": {"file": "encoder.onnx", "sha256": stated},
        "decoder": {"file": "sam.onnx"},
    }
    (folder / "model.json").write_text(json.dumps(description))

    with pytest.raises(ModelError, match=f"expected sha256 {stated}, found [0-9a-f]{{64}}"):
        load(folder).warm_up()


def test_a_damaged_description_is_refused(folder: Path) -> None:
    (folder / "model.json").write_text('{"name": "mine"}')

    with pytest.raises(ModelError, match=r"model\.json: not a model description"):
        load(folder)


def test_a_description_may_name_any_files(folder: Path) -> None:
    (folder / "encoder.onnx").rename(folder / "my_encoder.onnx")
    description = {
        "name": "mine",
        "encoder": {"file": "my_encoder.onnx"},
        "decoder": {"file": "sam.onnx"},
    }
    (folder / "model.json").write_text(json.dumps(description))

    load(folder).warm_up()


def test_files_may_be_named_by_argument(folder: Path) -> None:
    (folder / "encoder.onnx").rename(folder / "e.onnx")

    SamModel.load(
        folder, encoder_threads=1, decoder_threads=1, encoder_file="e.onnx", decoder_file="sam.onnx"
    ).warm_up()


def test_missing_wall_heads_leave_plain_sam_and_a_warning(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    description = {
        "name": "mine",
        "heads": True,
        "encoder": {"file": "encoder.onnx"},
        "decoder": {"file": "sam.onnx"},
    }
    (folder / "model.json").write_text(json.dumps(description))

    model = SamModel.load(
        folder, encoder_threads=1, decoder_threads=1, heads_directory=tmp_path / "none"
    )

    assert not model.knows_walls
    assert "wall heads not used" in caplog.text


@pytest.mark.parametrize("unknown", ["CudaExecutionProvider", "cpu"])
def test_an_execution_provider_that_is_not_installed_is_refused_beside_those_that_are(
    folder: Path, unknown: str
) -> None:
    model = SamModel.load(
        folder,
        encoder_threads=1,
        decoder_threads=1,
        providers=[unknown, "CPUExecutionProvider"],
    )

    with pytest.raises(ModelError, match=f"providers {unknown}: .* has .*CPUExecutionProvider"):
        model.warm_up()


def test_no_execution_provider_at_all_is_refused(folder: Path) -> None:
    model = SamModel.load(folder, encoder_threads=1, decoder_threads=1, providers=[])

    with pytest.raises(ModelError, match="none given"):
        model.warm_up()
