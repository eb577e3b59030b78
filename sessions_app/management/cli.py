"""What the commands share: arguments, the model and the database made ready, and errors as one
line.

A user's mistake is one clear line on stderr and exit code 1 (2 for a wrong call, by argparse),
never a traceback.
"""

from __future__ import annotations

import json
import logging
import math
import re
from abc import ABC, abstractmethod
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import cv2
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from imaging.types import Pixels
from onnx_models import ModelSetupError, ensure_models
from sessions_app.click_history import SCOPES
from sessions_app.error_translation import REFUSALS, RefusalError
from sessions_app.inference.model import model_directory
from sessions_app.management.commands.prepare import pending_migrations

PICTURE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")


class PhotoCommand(BaseCommand, ABC):
    """A command on one photo: `--json`, errors as one line, no log lines of less than an error."""

    requires_system_checks: list[str] = []  # noqa: RUF012  (Django's own annotation)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The photo and `--json`."""
        # argparse takes "-5" for a value but "-0.1,0.2" for an option; none of our options begins
        # with a digit.
        parser._negative_number_matcher = re.compile(r"-\.?\d")
        parser.add_argument("photo", type=existing_file, metavar="PHOTO")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, with every error of the user as one line.

        Raises:
            CommandError: the user made a mistake, or a file or the database cannot be used.
        """
        with only_errors_logged(), user_errors_as_one_line():
            answer = self.run(options)
        if options["json"]:
            self.stdout.write(json.dumps(answer))

    @abstractmethod
    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do the work; returns what `--json` prints."""


@contextmanager
def only_errors_logged() -> Iterator[None]:
    """Log only errors: a command's stderr is for its user, progress is for the logs of servers."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


@contextmanager
def user_errors_as_one_line() -> Iterator[None]:
    """Turn errors that are told to users into `CommandError` with their message.

    Raises:
        CommandError: in place of an error with a `user_message`, of the file system, or of the
            database.
    """
    try:
        yield
    except REFUSALS as error:
        raise CommandError(cast(RefusalError, error).user_message) from error
    except OSError as error:
        raise CommandError(
            f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        ) from error
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {error}") from error


def add_prompt_arguments(parser: ArgumentParser) -> None:
    """`--point`, `--auto` and `--scope`."""
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
        help="this: only the wall clicked on; all: every wall; "
        "clicks (default): as the clicks suggest; "
        "a first click on the main wall: that wall",
    )


def existing_file(text: str) -> Path:
    """A path to a file that is there.

    Raises:
        ArgumentTypeError: there is none.
    """
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"there is no file {text}")
    return path


def numbers(text: str, *counts: int) -> list[float]:
    """Comma-separated finite numbers, as many as one of `counts`.

    Raises:
        ArgumentTypeError: not numbers, not finite, or too few or too many.
    """
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
    """A click `X,Y` or `X,Y,LABEL`; without a label it includes (1).

    Raises:
        ArgumentTypeError: not such numbers, or another label than 0 and 1.
    """
    values = numbers(text, 2, 3)
    label = values[2] if len(values) == 3 else 1.0
    if label not in (0.0, 1.0):
        raise ArgumentTypeError(f"label {label:g} of {text!r} is neither 0 nor 1")
    return values[0], values[1], int(label)


def box(text: str) -> tuple[float, float, float, float]:
    """A box `X0,Y0,X1,Y1`.

    Raises:
        ArgumentTypeError: not four numbers.
    """
    x0, y0, x1, y1 = numbers(text, 4)
    return x0, y0, x1, y1


def metres_pair(text: str) -> tuple[float, float]:
    """A pair `X,Y` in metres.

    Raises:
        ArgumentTypeError: not two numbers.
    """
    x, y = numbers(text, 2)
    return x, y


def size_in_metres(text: str) -> tuple[float, float]:
    """A size `WxH` in metres.

    Raises:
        ArgumentTypeError: not two numbers.
    """
    width, height = numbers(text.lower().replace("x", ","), 2)
    return width, height


def quad(text: str) -> list[tuple[float, float]]:
    """Four corners `x,y x,y x,y x,y`: top left, top right, bottom right, bottom left.

    Raises:
        ArgumentTypeError: not four pairs of numbers.
    """
    corners = [metres_pair(part) for part in text.split()]
    if len(corners) != 4:
        raise ArgumentTypeError(f"{text!r} has {len(corners)} corners, not 4")
    return corners


def write_picture(path: Path, pixels: Pixels) -> None:
    """Write a picture in the format of the file's ending, one of PICTURE_ENDINGS.

    Args:
        path: the file; replaced when it is there.
        pixels: uint8, H x W (grey) or H x W x 3 (sRGB).

    Raises:
        OSError: the file cannot be written.
    """
    ending = path.suffix.lower()
    ordered = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    parameters = [cv2.IMWRITE_JPEG_QUALITY, 95] if ending in (".jpg", ".jpeg") else []
    path.write_bytes(cv2.imencode(ending, ordered, parameters)[1].tobytes())


def ensure_model(say: Callable[[str], None]) -> None:
    """Make the model ready if set-up has not: use files on this machine, else download them.

    Args:
        say: called with one line for each thing that is done.

    Raises:
        CommandError: it cannot be had; the message says where to put the files by hand.
    """
    if (model_directory() / "model.json").is_file():
        return
    given = Path(settings.SAM_MODEL_DIR) if settings.SAM_MODEL_DIR else None
    try:
        ensure_models(own_directory=given, home=Path(settings.WALLPAPER_HOME), say=say)
    except ModelSetupError as error:
        raise CommandError(error.user_message) from error


def check_output(path: Path) -> None:
    """Check before the work, not after it, that the output can be written.

    Raises:
        CommandError: the ending is not one of PICTURE_ENDINGS, or the folder is not there.
    """
    if path.suffix.lower() not in PICTURE_ENDINGS:
        raise CommandError(f"Write to a .png, .jpg or .webp file, not to {path.name!r}.")
    if not path.absolute().parent.is_dir():
        raise CommandError(f"There is no folder {path.absolute().parent} to write to.")


def ensure_database() -> None:
    """Migrate the embedded database; of any other, only check that it is up to date.

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
