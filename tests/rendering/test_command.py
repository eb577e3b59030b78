from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rendering", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def pictures(folder: Path) -> tuple[Path, Path, Path]:
    photo, mask, paper = (folder / f"{n}.png" for n in ("photo", "mask", "paper"))
    cv2.imwrite(str(photo), np.full((90, 120, 3), 160, np.uint8))
    cover = np.zeros((90, 120), np.uint8)
    cover[10:60, 20:100] = 255
    cv2.imwrite(str(mask), cover)
    cv2.imwrite(str(paper), np.full((10, 10, 3), (40, 40, 200), np.uint8))
    return photo, mask, paper


def test_the_command_renders_a_picture(tmp_path: Path) -> None:
    photo, mask, paper = pictures(tmp_path)
    out = tmp_path / "out.png"
    done = run(
        photo, "--mask", mask, "--wallpaper", paper, "--quad", "20,10 100,10 100,60 20,60",
        "--quad-size", "4x2.5", "--repeat-width", "0.5", "--drop", "half", "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = cv2.imread(str(out))
    assert shown is not None
    assert shown.shape == (90, 120, 3)
    assert (shown[80, 5] == 160).all()
    assert shown[30, 60, 2] > shown[30, 60, 0] + 20


def test_a_mistake_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    photo, mask, paper = pictures(tmp_path)
    done = run(
        photo, "--mask", mask, "--wallpaper", paper, "--repeat-width", "0", "--out", tmp_path / "o"
    )
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert "repeat width" in done.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    done = run("nowhere.jpg", "--mask", "m.png", "--wallpaper", "w.png", "--out", tmp_path / "o")
    assert done.returncode == 1
    assert "nowhere.jpg" in done.stderr


def test_the_package_imports_nothing_of_the_web_product() -> None:
    code = (
        "import sys, rendering; "
        "outside = ('django', 'redis', 'boto3', 'requests', 'segmentation'); "
        "print([name for name in outside if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
