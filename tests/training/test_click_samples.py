"""Click samples on disk: read back as written, refused when another version wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from segmentation import WALL_MAPS_SHAPE, Embedding
from training.click_samples import FORMAT, ClickSample, save_arrays
from training.dataset import WALL


def arrays(version: int = FORMAT) -> dict[str, np.ndarray]:
    """A sample whose left half is wall; the photo covers the upper half of the grid."""
    labels = np.zeros((256, 256), np.uint8)
    labels[:128, :128] = WALL
    embedding = Embedding.build(
        np.zeros((1, 256, 64, 64)),
        wall_maps=np.zeros(WALL_MAPS_SHAPE),
        width=1024,
        height=512,
        model="none",
        thumbnail=np.zeros((256, 256, 3), np.uint8),
    )
    return {
        "format": np.array(version),
        "embedding": np.frombuffer(embedding.to_bytes(), np.uint8),
        "share": np.where(labels == WALL, 255, 0).astype(np.uint8),
        "planes": np.where(labels == WALL, 1, 0).astype(np.uint8),
        "labels": labels,
        "extent": np.array((128, 256)),
    }


def test_a_sample_is_read_back_with_its_parts(tmp_path: Path) -> None:
    save_arrays(tmp_path / "00001_0_o.npz", arrays())

    sample = ClickSample.load(tmp_path / "00001_0_o.npz")

    assert (sample.name, sample.extent) == ("00001_0_o", (128, 256))
    assert sample.is_wall.sum() == 128 * 128
    objects, walls = sample.parts
    assert [int(part.sum()) for part in objects] == [128 * 128]
    assert [int(part.sum()) for part in walls] == [128 * 128]
    assert [path.name for path in tmp_path.iterdir()] == ["00001_0_o.npz"]


@pytest.mark.parametrize("version", [FORMAT - 1, FORMAT + 1])
def test_a_sample_of_another_version_is_refused_in_a_sentence(tmp_path: Path, version: int) -> None:
    save_arrays(tmp_path / "one.npz", arrays(version))

    with pytest.raises(SystemExit, match="prepare the samples again"):
        ClickSample.load(tmp_path / "one.npz")


def test_a_sample_from_before_there_were_versions_is_refused(tmp_path: Path) -> None:
    old = arrays()
    del old["format"]
    save_arrays(tmp_path / "one.npz", old)

    with pytest.raises(SystemExit, match="of another version"):
        ClickSample.load(tmp_path / "one.npz")
