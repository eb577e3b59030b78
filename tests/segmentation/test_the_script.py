"""`python -m segmentation` works without the web app and answers mistakes in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from segmentation.__main__ import main
from tests.segmentation.graphs import write_decoder, write_encoder


@pytest.fixture
def photo(tmp_path: Path, room: npt.NDArray[np.uint8]) -> Path:
    path = tmp_path / "room.png"
    Image.fromarray(room).save(path)
    return path


@pytest.mark.model
def test_a_point_gives_a_mask_of_the_photos_size(
    photo: Path, tmp_path: Path, weights_folder: Path
) -> None:
    out = tmp_path / "mask.png"

    code = main(
        [str(photo), "--point", "230,40", "--out", str(out), "--models", str(weights_folder)]
    )

    assert code == 0
    with Image.open(out) as mask:
        assert (mask.mode, mask.size) == ("L", (640, 480))
        assert mask.getpixel((230, 40)) == 255


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "Give --point X,Y"),
        (["--point", "900,40"], "outside the photo, which is 640 x 480 pixels"),
        (["--point", "9,40,0"], "Click on the wall first."),
    ],
)
def test_a_mistake_is_one_line_on_stderr(
    photo: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    line: str,
) -> None:
    write_encoder(tmp_path / "encoder.onnx")
    write_decoder(tmp_path / "sam.onnx")
    common = [str(photo), "--out", str(tmp_path / "m.png"), "--models", str(tmp_path)]

    assert main(common + arguments) == 1

    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1


def test_missing_models_are_one_line_on_stderr(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(
        [str(photo), "--point", "9,9", "--out", str(tmp_path / "m.png"), "--models", str(tmp_path)]
    )

    assert code == 1
    assert "manage.py fetch_models" in capsys.readouterr().err


def test_a_malformed_point_is_refused_by_the_parser(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(photo), "--point", "here", "--out", "m.png"])

    assert "'here' is not X,Y or X,Y,LABEL" in capsys.readouterr().err
