"""What the commands `segment`, `plane` and `generate` share: their arguments, and how they fail.

A user's mistake is one clear line on stderr and exit code 1 (2 for a wrong call, by argparse), never a traceback.
"""

from __future__ import annotations

import json
import logging
import math
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from imaging import ImagingError
from onnx_models import ModelSetupError, ensure_models
from rendering import RenderingError
from segmentation import SegmentationError
from sessions_app.click_history import SCOPES
from sessions_app.errors import AppError
from sessions_app.inference.model import model_directory
from sessions_app.management.commands.prepare import pending_migrations

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
REFUSALS = (AppError, ImagingError, SegmentationError, RenderingError)


class PhotoCommand(BaseCommand):
    """A command on one photo: quiet libraries, `--json`, refusals as one line."""

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The photo and `--json`."""
        # argparse takes "-5" for a value but "-0.1,0.2" for an option; none of our options begins with a digit.
        parser._negative_number_matcher = re.compile(r"-\.?\d")
        parser.add_argument("photo", type=existing_file, metavar="PHOTO")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, turning every refusal into one line."""
        with only_errors_logged(), refusals_as_one_line():
            answer = self.run(options)
        if options["json"]:
            self.stdout.write(json.dumps(answer))

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do the work; returns what `--json` prints."""
        raise CommandError("This command does nothing.")


@contextmanager
def only_errors_logged() -> Iterator[None]:
    """A command's stderr is for its user; progress logs are for servers."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


@contextmanager
def refusals_as_one_line() -> Iterator[None]:
    """Turn the errors a user can meet into `CommandError` with their sentence.

    Raises:
        CommandError: instead of any refusal, failed read or write, or database trouble.
    """
    try:
        yield
    except REFUSALS as error:
        raise CommandError(error.user_message) from error
    except OSError as error:
        raise CommandError(
            f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        ) from error
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {error}") from error


def add_prompt_arguments(parser: ArgumentParser) -> None:
    """`--point`, `--box` and `--auto`."""
    parser.add_argument(
        "--point",
        type=point,
        action="append",
        default=[],
        metavar="X,Y[,LABEL]",
        help="a click in photo pixels; label 1 (default) includes, 0 excludes; may be repeated",
    )
    parser.add_argument("--auto", action="store_true", help="no click: the walls found without one")
    parser.add_argument(
        "--scope",
        choices=SCOPES,
        default=SCOPES[0],
        help="this: only the wall clicked on; all: every wall; clicks (default): as the clicks suggest; a first click on the main wall: that wall",
    )


def existing_file(text: str) -> Path:
    """A path to a readable file."""
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"there is no file {text}")
    return path


def numbers(text: str, *counts: int) -> list[float]:
    """Comma-separated finite numbers, as many as one of `counts`."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not numbers with commas between") from error
    if not all(math.isfinite(value) for value in values):
        raise ArgumentTypeError(f"{text!r} holds something that is no number")
    if len(values) not in counts:
        wanted = " or ".join(str(count) for count in counts)
        raise ArgumentTypeError(f"{text!r} has {len(values)} numbers, not {wanted}")
    return values


def point(text: str) -> tuple[float, float, int]:
    """`X,Y` or `X,Y,LABEL`."""
    values = numbers(text, 2, 3)
    label = values[2] if len(values) == 3 else 1.0
    if label not in (0.0, 1.0):
        raise ArgumentTypeError(f"label {label:g} of {text!r} is neither 0 nor 1")
    return values[0], values[1], int(label)


def box(text: str) -> tuple[float, float, float, float]:
    """`X0,Y0,X1,Y1`."""
    x0, y0, x1, y1 = numbers(text, 4)
    return x0, y0, x1, y1


def metres_pair(text: str) -> tuple[float, float]:
    """`X,Y` in metres."""
    x, y = numbers(text, 2)
    return x, y


def size_in_metres(text: str) -> tuple[float, float]:
    """`WxH` in metres."""
    width, height = numbers(text.lower().replace("x", ","), 2)
    return width, height


def quad(text: str) -> list[tuple[float, float]]:
    """Four corners `x,y x,y x,y x,y`: TL, TR, BR, BL."""
    corners = [metres_pair(part) for part in text.split()]
    if len(corners) != 4:
        raise ArgumentTypeError(f"{text!r} has {len(corners)} corners, not 4")
    return corners


def write_picture(path: Path, pixels: Any) -> None:
    """Write grey or RGB pixels in the format of the file's ending, which `check_output` knows."""
    ending = path.suffix.lower()
    turned = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    parameters = [cv2.IMWRITE_JPEG_QUALITY, 95] if ending in (".jpg", ".jpeg") else []
    path.write_bytes(cv2.imencode(ending, turned, parameters)[1].tobytes())


def ensure_model(say: Callable[[str], None]) -> None:
    """Make the model ready where set-up has not: found on this machine, else fetched.

    Args:
        say: takes one line about what is being done.

    Raises:
        CommandError: it cannot be had; the line says where to put the files by hand.
    """
    if (model_directory() / "model.json").is_file():
        return
    own = Path(settings.SAM_MODEL_DIR) if settings.SAM_MODEL_DIR else None
    try:
        ensure_models(own_directory=own, home=Path(settings.WALLPAPER_HOME), say=say)
    except ModelSetupError as error:
        raise CommandError(error.user_message) from error


def check_output(path: Path) -> None:
    """Refuse a place that cannot be written to before the work, not after it.

    Raises:
        CommandError: an ending that is not known, or a folder that is not there.
    """
    if path.suffix.lower() not in PICTURE_ENDINGS:
        raise CommandError(f"Write to a .png, .jpg or .webp file, not to {path.name!r}.")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"There is no folder {path.absolute().parent} to write to.")


def ensure_database() -> None:
    """Bring the embedded database up to date; tell how to do it for any other.

    Raises:
        CommandError: migrations are missing and the database is not the embedded one.
    """
    is_embedded = settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    if is_embedded:
        Path(settings.WALLPAPER_HOME).mkdir(parents=True, exist_ok=True)
    if not pending_migrations():
        return
    if not is_embedded:
        raise CommandError("The database is not up to date. Run: manage.py migrate")
    call_command("migrate", interactive=False, verbosity=0)
