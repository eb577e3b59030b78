"""What is built from the published decoder gives the published masks, and set-up puts it to use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from onnx_models import Report, VariantError, ensure_models, load_manifest
from onnx_models.graphs.lean_decoder import lean_decoder
from onnx_models.variants import DECODER_FOUR, DECODER_LEAN, ENCODER_LEAN, Variant
from segmentation import Box, Click, Embedding, SamModel
from segmentation.sam.decoder import Decoder
from segmentation.sam.prompts import encode_prompt
from tests.segmentation.graphs import write_decoder

pytestmark = pytest.mark.model

ROOT = Path(__file__).resolve().parents[2]
Load = Callable[[str], SamModel]


@pytest.fixture(scope="module")
def report(weights_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A model folder after set-up, which has built the lean decoder; its files are not to be
    changed.

    The lean encoder is the one that `make setup` built: building takes ten seconds, and
    test_lean_encoder does it.
    """
    target = tmp_path_factory.mktemp("home") / "models"
    target.mkdir()
    for entry in load_manifest().models:
        if not (weights_folder / entry.file).is_file():
            pytest.skip("another model is configured; the variants are built from MobileSAM")
        (target / entry.file).symlink_to((weights_folder / entry.file).resolve())
    for name in (ENCODER_LEAN.file, f"{ENCODER_LEAN.file}.json"):
        if (weights_folder / name).is_file():
            (target / name).symlink_to((weights_folder / name).resolve())
    return ensure_models(own_directory=None, home=target.parent, say=print)


@pytest.fixture(scope="module")
def built(report: Report) -> Path:
    """The folder of `report`, with the decoder that is cut only, as it is built."""
    DECODER_FOUR.build(report.directory / "sam.onnx", report.directory / DECODER_FOUR.file)
    return report.directory


@pytest.fixture(scope="module")
def plain(built: Path) -> Load:
    """SAM alone with the published encoder and a decoder by its file, loaded once."""

    @cache
    def load(decoder: str) -> SamModel:
        return SamModel.load(
            built,
            encoder_threads=2,
            decoder_threads=1,
            encoder_file="encoder.onnx",
            decoder_file=decoder,
            heads_directory=None,
        )

    return load


@pytest.fixture(scope="module")
def room_embedding(plain: Load, room: npt.NDArray[np.uint8]) -> Embedding:
    """The drawn room, encoded by the published encoder for the published decoder."""
    return plain("sam.onnx").encode(room)


def test_set_up_builds_the_lean_decoder_without_a_warning(report: Report) -> None:
    origins = {file["file"]: file["origin"] for file in report.files}

    assert report.warnings == ()
    assert origins[DECODER_LEAN.file] == "built"


@pytest.mark.parametrize("variant", [DECODER_FOUR, DECODER_LEAN], ids=lambda v: v.file)
def test_building_twice_gives_the_same_bytes(variant: Variant, built: Path, tmp_path: Path) -> None:
    variant.build(built / "sam.onnx", tmp_path / "again.onnx")

    assert (tmp_path / "again.onnx").read_bytes() == (built / variant.file).read_bytes()


@cache
def decoder_of(model: SamModel) -> Decoder:
    """The model's decoder, to be asked for candidates itself."""
    return Decoder(model.description.decoder, threads=1)


def _same_for(model: SamModel, embedding: Embedding) -> Embedding:
    """An embedding under another model's name."""
    return Embedding.build(
        embedding.features,
        width=embedding.width,
        height=embedding.height,
        model=model.identity,
        thumbnail=embedding.thumbnail,
    )


PROMPTS = [
    ([Click(230, 40, 1)], None),
    ([Click(230, 40, 1), Click(500, 400, 0)], None),
    ([Click(30 + 40 * k, 20 + 30 * k, k % 2) for k in range(1, 12)], None),
    ([], Box(232, 84, 338, 168)),
    ([Click(280, 120, 1)], Box(232, 84, 338, 168)),
]


@pytest.mark.parametrize("name", ["decoder4.onnx", "decoder.lean.onnx"])
@pytest.mark.parametrize(("clicks", "box"), PROMPTS)
def test_a_built_decoder_gives_what_the_published_one_chooses(
    name: str, clicks: list[Click], box: Box | None, plain: Load, room_embedding: Embedding
) -> None:
    published, changed = plain("sam.onnx"), plain(name)
    embedding = room_embedding

    one = published.predict(embedding, clicks, box)
    other = changed.predict(_same_for(changed, embedding), clicks, box)

    assert other.candidates.shape == (4, 256, 256)
    where = _where_the_photo_is(embedding)
    np.testing.assert_allclose(one.logits[where], other.logits[where], atol=1e-3)
    np.testing.assert_allclose(one.mask().astype(float), other.mask().astype(float), atol=2)
    assert one.score == pytest.approx(other.score, abs=1e-4)


def _where_the_photo_is(embedding: Embedding) -> tuple[slice, slice]:
    """Cells of the mask grid that a mask at the photo's size depends on."""
    columns, rows = (4 * side for side in embedding.grid.feature_extent)
    return slice(rows), slice(columns)


@pytest.mark.parametrize("shape", [(300, 400), (400, 300), (256, 256), (20, 900), (900, 7), (1, 1)])
def test_the_lean_decoder_makes_masks_where_the_photo_is_and_none_beside_it(
    shape: tuple[int, int], plain: Load, plain_model: SamModel
) -> None:
    cut, lean = (plain(name) for name in ("decoder4.onnx", "decoder.lean.onnx"))
    photo = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    embedding = _same_for(cut, plain_model.encode(photo))
    prompt = encode_prompt([Click(shape[1] / 2, shape[0] / 2, 1)], None, embedding.grid)

    whole, _ = decoder_of(cut).decode(embedding, prompt)
    cropped, _ = decoder_of(lean).decode(embedding, prompt)

    here = _where_the_photo_is(embedding)
    np.testing.assert_allclose(cropped[:, *here], whole[:, *here], atol=2e-3)
    beside = np.ones(cropped.shape, bool)
    beside[:, *here] = False
    assert (cropped[beside] == -16).all()


@pytest.mark.parametrize("hint", [None, 0.0, 3.0])
def test_the_lean_decoder_starts_from_a_mask_like_the_published_one(
    hint: float | None, plain: Load, room_embedding: Embedding
) -> None:
    cut, lean = (plain(name) for name in ("decoder4.onnx", "decoder.lean.onnx"))
    embedding = room_embedding
    prompt = encode_prompt([Click(230, 40, 1)], None, embedding.grid)
    rng = np.random.default_rng(5)
    mask = None if hint is None else rng.normal(hint, 4, (256, 256)).astype(np.float32)

    one, other = (decoder_of(model).decode(embedding, prompt, mask) for model in (cut, lean))

    where = (slice(None), *_where_the_photo_is(embedding))
    np.testing.assert_allclose(one[0][where], other[0][where], atol=1e-3)
    np.testing.assert_allclose(one[1], other[1], atol=1e-4)


def test_a_decoder_of_another_layout_is_not_written_anew(tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="no weight"):
        lean_decoder(write_decoder(tmp_path / "other.onnx"), tmp_path / "lean.onnx")


def test_a_complete_folder_is_confirmed_without_importing_onnx(built: Path) -> None:
    home = built.parent
    code = (
        "import runpy, sys\n"
        "sys.argv = ['onnx_models', '--json']\n"
        "try:\n"
        "    runpy.run_module('onnx_models', run_name='__main__')\n"
        "except SystemExit as done:\n"
        "    assert done.code == 0, done.code\n"
        "heavy = {'onnx', 'onnxruntime', 'numpy', 'django'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    environment = {**os.environ, "WALLPAPER_HOME": str(home), "SAM_MODEL_DIR": ""}

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert {file["origin"] for file in report["files"]} == {"in place"}
    assert done.stderr == ""


def test_the_description_names_what_is_in_use(built: Path) -> None:
    report = ensure_models(own_directory=None, home=built.parent, say=print)

    description = json.loads((built / "model.json").read_text())

    digests = {file["file"]: file["sha256"] for file in report.files}
    for role in ("encoder", "decoder"):
        assert digests[description[role]["file"]] == description[role]["sha256"]
    assert description["decoder"]["file"] == "decoder.lean.onnx"
    assert SamModel.load(built, encoder_threads=1, decoder_threads=1).knows_walls
