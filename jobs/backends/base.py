"""What every generator gets and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils.module_loading import import_string

from rendering import Placement, WallPlane
from sessions_app.errors import AppError

Pixels = npt.NDArray[np.uint8]
OnStage = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class GenerationInputs:
    """Everything a picture is made from.

    photo: uint8 H x W x 3 RGB, upright. mask: uint8 H x W, 0..255 coverage of the wall. wallpaper: uint8 h x w x 3
    RGB, one repeat. plane and placement: in photo pixels and wall metres. brightness: stops, -1..1.
    keep_shadows: 0 (lit evenly) .. 1 (as in the photo).
    """

    photo: Pixels
    mask: Pixels
    wallpaper: Pixels
    plane: WallPlane
    placement: Placement
    brightness: float = 0.0
    keep_shadows: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Generated:
    """A finished picture, uint8 H x W x 3 RGB, and the seconds each stage took."""

    picture: Pixels
    timings: dict[str, float]


class GeneratorError(AppError):
    """A generator could not make the picture.

    code: stable, for programs. user_message: for the visitor. is_ours: the attempt is given back. retry: the same
    request may well succeed a little later.
    """

    def __init__(
        self,
        user_message: str,
        *,
        code: str,
        is_ours: bool,
        retry: bool = False,
        detail: str = "",
    ) -> None:
        super().__init__(user_message, code=code, detail=detail)
        self.is_ours = is_ours
        self.retry = retry


class Generator(Protocol):
    """A backend. Write one as a subclass; that pixels outside the mask are untouched is checked by the caller."""

    def configured(self) -> str | None:
        """None when it can be used; otherwise one sentence naming what the operator has to set."""
        return None

    def generate(self, inputs: GenerationInputs, on_stage: OnStage) -> Generated:
        """Make the picture, the photo's size; pixels with mask 0 equal the photo's.

        `on_stage(name, seconds)` is called after each stage, and every few seconds while one lasts: it prolongs the
        run's lease. What it raises means that the run is somebody else's now: clean up and let it through.

        Raises:
            GeneratorError: it could not be made.
        """
        ...


def generator(name: str) -> Generator:
    """The generator of that name in `settings.GENERATION_BACKENDS`."""
    return cast(Generator, import_string(settings.GENERATION_BACKENDS[name])())
