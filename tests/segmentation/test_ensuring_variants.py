"""A variant is built once, compared with its original, and built again when its file is damaged.

With graphs of a few kilobytes: what a variant computes is tested in test_building_variants and
test_lean_encoder.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from onnx_models import Manifest, ModelEntry, VariantError, ensure_models
from onnx_models import prepare as preparing
from onnx_models.files import digest_of
from onnx_models.variants import Variant, ensure_variant
from tests.segmentation.graphs import write_decoder, write_encoder


def _left(columns: int) -> npt.NDArray[np.float32]:
    """Logits of a mask over the first columns of 256."""
    logits = np.full((256, 256), -8, np.float32)
    logits[:, :columns] = 8
    return logits


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _cut_short(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[:99])


def _with_a_wider_mask(source: Path, target: Path) -> None:
    write_decoder(target, mask=_left(130))


DECODER = Variant("copy.onnx", "decoder", _copy)
ENCODER = Variant("encoder.copy.onnx", "encoder", _copy)
BROKEN = Variant("broken.onnx", "decoder", _cut_short)
DIFFERENT = Variant("different.onnx", "decoder", _with_a_wider_mask)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model folder with small originals."""
    target = tmp_path / "home" / "models"
    target.mkdir(parents=True)
    write_encoder(target / "encoder.onnx")
    write_decoder(target / "sam.onnx", mask=_left(128))
    return target


@pytest.fixture
def manifest(folder: Path) -> Manifest:
    """Names the originals of `folder`."""

    def entry(file: str) -> ModelEntry:
        path = folder / file
        return ModelEntry(
            name=file,
            file=file,
            sha256=digest_of(path),
            size_bytes=path.stat().st_size,
            licence="none",
            urls=(),
            npm_member=file,
        )

    return Manifest("small", "small@1.0.0", entry("encoder.onnx"), entry("sam.onnx"))


@pytest.mark.parametrize("variant", [DECODER, ENCODER], ids=lambda variant: variant.role)
def test_a_variant_that_is_up_to_date_is_left_alone(
    variant: Variant, folder: Path, manifest: Manifest
) -> None:
    said: list[str] = []
    first = ensure_variant(variant, folder, manifest, said.append)

    again = ensure_variant(variant, folder, manifest, said.append)

    assert (first.origin, again.origin) == ("built", "in place")
    assert (again.path, again.sha256) == (first.path, first.sha256)
    assert len(said) == 1


def test_a_damaged_variant_is_built_again(folder: Path, manifest: Manifest) -> None:
    said: list[str] = []
    before = ensure_variant(DECODER, folder, manifest, said.append)
    before.path.write_bytes(before.path.read_bytes()[:-100])

    after = ensure_variant(DECODER, folder, manifest, said.append)

    assert (after.origin, after.sha256) == ("built", before.sha256)
    assert digest_of(after.path) == before.sha256
    assert any(line.startswith("Damaged or gone: ") for line in said)


def test_a_stamp_of_an_older_builder_is_not_trusted(folder: Path, manifest: Manifest) -> None:
    ensure_variant(DECODER, folder, manifest, print)
    stamp = folder / "copy.onnx.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "builder": 0}))

    assert ensure_variant(DECODER, folder, manifest, print).origin == "built"


def test_a_variant_that_does_not_run_is_not_put_in_place(folder: Path, manifest: Manifest) -> None:
    with pytest.raises(VariantError, match="does not run"):
        ensure_variant(BROKEN, folder, manifest, print)

    assert not (folder / "broken.onnx").exists()


def test_a_variant_with_other_masks_is_not_put_in_place(folder: Path, manifest: Manifest) -> None:
    with pytest.raises(VariantError, match=r"agree only 0\.98"):
        ensure_variant(DIFFERENT, folder, manifest, print)

    assert not (folder / "different.onnx").exists()


def test_a_refused_variant_is_not_tried_again_at_every_start(
    folder: Path, manifest: Manifest
) -> None:
    said: list[str] = []

    for _ in range(2):
        with pytest.raises(VariantError, match="does not run"):
            ensure_variant(BROKEN, folder, manifest, said.append)

    assert said == ["Building broken.onnx from sam.onnx"]


def test_when_the_preferred_variant_fails_the_next_is_used(
    folder: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "PREFERRED", ((BROKEN, DECODER),))

    report = ensure_models(own_directory=None, home=folder.parent, say=print, manifest=manifest)

    description = json.loads((folder / "model.json").read_text())
    assert description["decoder"]["file"] == "copy.onnx"
    assert description["encoder"]["file"] == "encoder.onnx"
    assert any(warning.startswith("broken.onnx: does not run") for warning in report.warnings)
