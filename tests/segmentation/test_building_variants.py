"""Variants are built once, checked against their original, and repaired when damaged."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from onnx_models import VariantError, ensure_models, load_manifest
from onnx_models import prepare as preparing
from onnx_models.graphs.lean_decoder import lean_decoder
from onnx_models.variants import (
    DECODER_FOUR,
    DECODER_LEAN,
    Variant,
    cut_decoder,
    ensure_variant,
)
from segmentation import Box, Click, Embedding, SamModel
from segmentation.sam.prompts import encode_prompt
from tests.segmentation.graphs import write_decoder

pytestmark = pytest.mark.model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(weights_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with the original weights and everything built from them; not to be changed."""
    target = tmp_path_factory.mktemp("home") / "models"
    target.mkdir()
    for entry in load_manifest().models:
        if not (weights_folder / entry.file).is_file():
            pytest.skip("another model is configured; the variants are built from MobileSAM")
        (target / entry.file).symlink_to((weights_folder / entry.file).resolve())
    ensure_models(own_directory=None, home=target.parent, say=print, extra_variants=(DECODER_FOUR,))
    return target


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy of the built folder, to be damaged."""
    target = tmp_path / "home" / "models"
    shutil.copytree(built, target, symlinks=True)
    return target


def test_a_variant_that_is_up_to_date_is_left_alone(built: Path) -> None:
    said: list[str] = []

    found = ensure_variant(DECODER_FOUR, built, load_manifest(), said.append)

    assert (found.origin, said) == ("in place", [])


@pytest.mark.parametrize("variant", [DECODER_FOUR, DECODER_LEAN], ids=lambda v: v.file)
def test_building_twice_gives_the_same_bytes(variant: Variant, built: Path, tmp_path: Path) -> None:
    variant.build(built / "sam.onnx", tmp_path / "again.onnx")

    assert (tmp_path / "again.onnx").read_bytes() == (built / variant.file).read_bytes()


def test_a_damaged_variant_is_built_again(folder: Path) -> None:
    said: list[str] = []
    before = ensure_variant(DECODER_FOUR, folder, load_manifest(), said.append)
    before.path.write_bytes(before.path.read_bytes()[:-100])

    after = ensure_variant(DECODER_FOUR, folder, load_manifest(), said.append)

    assert (after.origin, after.sha256) == ("built", before.sha256)
    assert any(line.startswith("Damaged or gone: ") for line in said)


def test_a_stamp_of_an_older_builder_is_not_trusted(folder: Path) -> None:
    stamp = folder / "decoder4.onnx.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "builder": 0}))

    assert ensure_variant(DECODER_FOUR, folder, load_manifest(), print).origin == "built"


def _write_nonsense(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:99])


def test_a_variant_that_does_not_run_is_not_put_in_place(folder: Path) -> None:
    broken = Variant("broken.onnx", "decoder", _write_nonsense)

    with pytest.raises(VariantError, match="does not run"):
        ensure_variant(broken, folder, load_manifest(), print)

    assert not (folder / "broken.onnx").exists()


def _noisy_decoder(source: Path, target: Path) -> None:
    """The cut decoder with its last mask weights disturbed."""
    import onnx
    from onnx import numpy_helper

    cut_decoder(source, target)
    graph = onnx.load(str(target))
    rng = np.random.default_rng(0)
    for item in graph.graph.initializer:
        if item.name.startswith("mask_decoder.output_hypernetworks_mlps"):
            values = numpy_helper.to_array(item)
            noisy = values + rng.normal(0, values.std(), values.shape).astype(np.float32)
            item.CopyFrom(numpy_helper.from_array(noisy, item.name))
    onnx.save(graph, str(target))


def test_a_variant_with_other_masks_is_not_put_in_place(folder: Path) -> None:
    worse = Variant("worse.onnx", "decoder", _noisy_decoder)

    with pytest.raises(VariantError, match="agree only"):
        ensure_variant(worse, folder, load_manifest(), print)

    assert not (folder / "worse.onnx").exists()


def test_a_refused_variant_is_not_tried_again_at_every_start(folder: Path) -> None:
    said: list[str] = []
    broken = Variant("broken.onnx", "decoder", _write_nonsense)

    for _ in range(2):
        with pytest.raises(VariantError, match="does not run"):
            ensure_variant(broken, folder, load_manifest(), said.append)

    assert said == ["Building broken.onnx from sam.onnx"]


def _plain(folder: Path, decoder: str) -> SamModel:
    return SamModel.load(
        folder,
        encoder_threads=2,
        decoder_threads=1,
        encoder_file="encoder.onnx",
        decoder_file=decoder,
        heads_directory=None,
    )


def _same_for(model: SamModel, embedding: Embedding) -> Embedding:
    """An embedding of the same encoder under another model's name."""
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
    name: str, clicks: list[Click], box: Box | None, built: Path, room: np.ndarray
) -> None:
    published, changed = _plain(built, "sam.onnx"), _plain(built, name)
    embedding = published.encode(room)

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
    shape: tuple[int, int], built: Path
) -> None:
    cut, lean = (_plain(built, name) for name in ("decoder4.onnx", "decoder.lean.onnx"))
    photo = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    embedding = cut.encode(photo)
    prompt = encode_prompt([Click(shape[1] / 2, shape[0] / 2, 1)], None, embedding.grid)

    whole, _ = cut._decoder.decode(embedding, prompt)
    cropped, _ = lean._decoder.decode(embedding, prompt)

    here = _where_the_photo_is(embedding)
    np.testing.assert_allclose(cropped[:, *here], whole[:, *here], atol=2e-3)
    beside = np.ones(cropped.shape, bool)
    beside[:, *here] = False
    assert (cropped[beside] == -16).all()


@pytest.mark.parametrize("hint", [None, 0.0, 3.0])
def test_the_lean_decoder_starts_from_a_mask_like_the_published_one(
    hint: float | None, built: Path, room: np.ndarray
) -> None:
    cut, lean = (_plain(built, name) for name in ("decoder4.onnx", "decoder.lean.onnx"))
    embedding = cut.encode(room)
    prompt = encode_prompt([Click(230, 40, 1)], None, embedding.grid)
    rng = np.random.default_rng(5)
    mask = None if hint is None else rng.normal(hint, 4, (256, 256)).astype(np.float32)

    one, other = (model._decoder.decode(embedding, prompt, mask) for model in (cut, lean))

    where = (slice(None), *_where_the_photo_is(embedding))
    np.testing.assert_allclose(one[0][where], other[0][where], atol=1e-3)
    np.testing.assert_allclose(one[1], other[1], atol=1e-4)


def test_a_decoder_of_another_layout_is_not_written_anew(tmp_path: Path) -> None:
    with pytest.raises(VariantError, match="no weight"):
        lean_decoder(write_decoder(tmp_path / "other.onnx"), tmp_path / "lean.onnx")


def test_when_the_preferred_variant_fails_the_next_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Variant("broken.onnx", "decoder", _write_nonsense)
    monkeypatch.setattr(preparing, "PREFERRED", ((broken, DECODER_FOUR),))

    report = ensure_models(own_directory=None, home=folder.parent, say=print)

    description = json.loads((folder / "model.json").read_text())
    assert description["decoder"]["file"] == "decoder4.onnx"
    assert description["encoder"]["file"] == "encoder.onnx"
    assert any(warning.startswith("broken.onnx: does not run") for warning in report.warnings)


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
