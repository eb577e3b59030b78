"""Whole rooms: rendered by the command, read back by training. Needs Blender as a package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.dataset import CLASSES, WALL, load_samples

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("bpy", reason="needs training/requirements-render.txt (Blender)")


def render(out: Path, *options: str) -> str:
    command = [sys.executable, "training/render_rooms.py", "--out", str(out), "--size", "96"]
    ran = subprocess.run([*command, *options], cwd=ROOT, check=True, capture_output=True, text=True)
    return ran.stdout


@pytest.mark.slow
def test_a_room_is_written_read_and_not_rendered_twice(tmp_path: Path) -> None:
    render(tmp_path, "--start", "1001", "--count", "1", "--views", "1")

    (sample,) = load_samples(tmp_path)
    assert sample.name == "01001_0"
    assert sample.labels.max() < len(CLASSES)
    assert np.array_equal(sample.labels == WALL, sample.planes > 0)
    assert "built" not in render(tmp_path, "--start", "1001", "--count", "1", "--views", "1")


@pytest.mark.slow
def test_the_same_seed_gives_the_same_photo(tmp_path: Path) -> None:
    photos = []
    for name in ("a", "b"):
        render(tmp_path / name, "--start", "1001", "--count", "1", "--views", "1")
        photos.append((tmp_path / name / "01001_0" / "photo.jpg").read_bytes())

    assert photos[0] == photos[1]
