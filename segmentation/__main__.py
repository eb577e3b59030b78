"""`python -m segmentation PHOTO --point X,Y[,LABEL] --out MASK.png`: a mask without the web app."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from segmentation import Box, Click, PromptError, SamModel, SegmentationError

_MODELS = Path(__file__).resolve().parent.parent / "var" / "models"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line entry; 0 on success, 1 when the photo, model or clicks cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m segmentation", description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument(
        "--point", type=click_of, action="append", default=[], metavar="X,Y[,LABEL]"
    )
    parser.add_argument("--box", type=box_of, metavar="X0,Y0,X1,Y1")
    parser.add_argument("--auto", action="store_true", help="the main wall, without a click")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=_MODELS, help="folder of the model files")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        return _segment(options)
    except SegmentationError as error:
        text = error.user_message if isinstance(error, PromptError) else str(error)
        print(text, file=sys.stderr)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        print(f"{options.photo}: {error}", file=sys.stderr)
    return 1


def _segment(options: argparse.Namespace) -> int:
    model = SamModel.load(options.models, encoder_threads=options.threads, decoder_threads=1)
    with Image.open(options.photo) as image:
        photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    if not (options.point or options.box or options.auto):
        raise PromptError(
            "nothing to go by", user_message="Give --point X,Y, --box X0,Y0,X1,Y1 or --auto."
        )
    embedding = model.encode(photo)
    if options.auto and not (options.point or options.box):
        prediction = model.predict_auto(embedding, photo)
    else:
        prediction = model.predict(embedding, options.point, options.box)
    Image.fromarray(prediction.mask(photo=photo)).save(options.out)
    print(f"{options.out}: score {prediction.score:.3f}, {prediction.area:.1%} of the photo")
    if prediction.warning:
        print(prediction.warning, file=sys.stderr)
    return 0


def click_of(text: str) -> Click:
    """ "X,Y" or "X,Y,LABEL" as a Click; label 1 when left out.

    Raises:
        ArgumentTypeError: it is neither.
    """
    try:
        x, y, *label = text.split(",")
        return Click(float(x), float(y), int(label[0]) if label else 1)
    except (ValueError, IndexError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y or X,Y,LABEL") from error


def box_of(text: str) -> Box:
    """ "X0,Y0,X1,Y1" as a Box.

    Raises:
        ArgumentTypeError: it is not.
    """
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not X0,Y0,X1,Y1") from error
    return Box(x0, y0, x1, y1)


if __name__ == "__main__":
    raise SystemExit(main())
